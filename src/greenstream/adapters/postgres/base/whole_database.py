"""What is done to a database as a whole."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from greenstream.adapters.postgres.base.connection import connect
from greenstream.adapters.postgres.base.errors import translated


def drop_database(dsn: str) -> None:
    """Drop the database with all in it, and end its connections. Raises DatabaseUnavailable or DatabaseRefused."""
    name = conninfo_to_dict(dsn)["dbname"]
    assert isinstance(name, str)
    with translated(f"dropping the database {name}"), connect(dsn, dbname="postgres") as other:
        other.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def only_one(dsn: str, name: str) -> Iterator[bool]:
    """Whether nobody else is in a block of this name; if so, nobody enters until this one ends, or its process dies."""
    with translated(f"asking whether a {name} runs"):
        connection = connect(dsn, application_name=f"greenstream {name}")
    with connection:
        with translated(f"asking whether a {name} runs"):
            row = connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [f"greenstream {name}"]).fetchone()
        yield row == (True,)
