"""What is done to a database as a whole."""

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from greenstream.adapters.postgres.connection import connect
from greenstream.adapters.postgres.errors import translated


def drop_database(dsn: str) -> None:
    """Drop the database with all in it, and end its connections. Raises DatabaseUnavailable or DatabaseRefused."""
    name = conninfo_to_dict(dsn)["dbname"]
    assert isinstance(name, str)
    with translated(f"dropping the database {name}"), connect(dsn, dbname="postgres") as other:
        other.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
