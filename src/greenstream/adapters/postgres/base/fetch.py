"""What a named query gives: rows, the only one, its only value, or how many it was about.

A percent sign in a query's text is doubled, for all of them are run with values.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from psycopg.rows import dict_row, kwargs_row

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.sql import query

Record = tuple[Any, ...]
T = TypeVar("T")


def run(connection: Connection, name: str, /, **values: object) -> int:
    """How many rows it changed or found."""
    return connection.execute(query(name), values).rowcount


def all_rows(connection: Connection, name: str, /, **values: object) -> list[Record]:
    return connection.execute(query(name), values).fetchall()


def one(connection: Connection, name: str, /, **values: object) -> Record:
    """The row of a query that always has one."""
    row = one_or_none(connection, name, **values)
    if row is None:
        raise LookupError(f"{name} has no row")
    return row


def one_or_none(connection: Connection, name: str, /, **values: object) -> Record | None:
    return connection.execute(query(name), values).fetchone()


def scalar(connection: Connection, name: str, kind: type[T], /, **values: object) -> T:
    """The value in the row of a query that always has one."""
    (value,) = one(connection, name, **values)
    return _checked(value, kind, name)


def scalar_or_none(connection: Connection, name: str, kind: type[T], /, **values: object) -> T | None:
    """The value in the only row; None where there is no row, or null in it."""
    (value,) = one_or_none(connection, name, **values) or (None,)
    return None if value is None else _checked(value, kind, name)


def column(connection: Connection, name: str, kind: type[T], /, **values: object) -> list[T]:
    """The values of a query with one column."""
    return [_checked(value, kind, name) for (value,) in all_rows(connection, name, **values)]


def objects(connection: Connection, name: str, make: Callable[..., T], /, **values: object) -> list[T]:
    """What is made of each row, given by the names of its columns."""
    with connection.cursor(row_factory=kwargs_row(make)) as cursor:
        return cursor.execute(query(name), values).fetchall()


def mappings(connection: Connection, name: str, /, **values: object) -> list[Mapping[str, Any]]:
    """Each row by the names of its columns."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute(query(name), values))


def _checked(value: object, kind: type[T], name: str) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{name} gave {value!r}, not a value of {kind.__name__}")
    return value
