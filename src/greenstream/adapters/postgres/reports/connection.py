"""A connection for those who read, and named queries whose rows are answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from psycopg.rows import class_row, dict_row

from greenstream.adapters.postgres.base.connection import Connection, connect
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.sql import query

T = TypeVar("T")


@contextmanager
def reading(dsn: str) -> Iterator[Connection]:
    """Connect for the time of the block; nothing can be written. Raises DatabaseUnavailable or DatabaseRefused."""
    with translated("connecting to the database"):
        connection = connect(dsn, application_name="greenstream reports", client_encoding="utf-8")
    with connection:
        with translated("connecting to the database"):
            connection.execute("SET timezone TO 'UTC'; SET default_transaction_read_only TO on")
        yield connection


def answers(connection: Connection, name: str, kind: type[T], **values: object) -> list[T]:
    """The rows of a named query, whose columns are the fields of `kind`."""
    with translated(f"asking the database for {name}"), connection.cursor(row_factory=class_row(kind)) as cursor:
        return list(cursor.execute(query(name), values))


def columns(connection: Connection, name: str, **values: object) -> list[dict[str, Any]]:
    """The rows of a named query, each by the names of its columns."""
    with translated(f"asking the database for {name}"), connection.cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute(query(name), values))
