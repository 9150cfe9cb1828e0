"""A connection for those who read, and named queries whose rows are answers."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from greenstream.adapters.postgres.base.connection import Connection, connect
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.fetch import mappings, objects

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


def answers(connection: Connection, name: str, kind: Callable[..., T], /, **values: object) -> list[T]:
    """The rows of a named query, whose columns are the fields of `kind`."""
    with translated(f"asking the database for {name}"):
        return objects(connection, name, kind, **values)


def columns(connection: Connection, name: str, /, **values: object) -> list[Mapping[str, Any]]:
    """The rows of a named query, each by the names of its columns."""
    with translated(f"asking the database for {name}"):
        return mappings(connection, name, **values)
