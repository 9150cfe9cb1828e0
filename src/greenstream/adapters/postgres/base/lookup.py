"""Answers to named queries, for people: a connection that can't write."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from greenstream.adapters.postgres.base.connection import Connection, connect
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.fetch import mappings

Row = Mapping[str, Any]


@contextmanager
def looking(dsn: str) -> Iterator[Connection]:
    """A connection that reads only; raises DatabaseUnavailable or DatabaseRefused."""
    with translated("connecting to the database"):
        connection = connect(dsn, application_name="greenstream")
    with connection:
        connection.read_only = True
        yield connection


def rows(connection: Connection, name: str, **values: object) -> list[Row]:
    """The rows of a named query, each by the names of its columns."""
    with translated(f"asking the database for {name}"):
        return mappings(connection, name, **values)
