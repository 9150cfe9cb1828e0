"""Reading the database: what people ask for in SQL."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from greenstream.adapters.postgres.base.connection import Connection, connect
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.reports.answers import Answer, answer
from greenstream.domain.limits import QueryLimits


class PostgresReader:
    """A connection for reading, made by `connect_reader`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ask(self, text: str, limits: QueryLimits) -> AbstractContextManager[Answer]:
        """The answer to a person's SQL; see `answers.answer`."""
        return answer(self._connection, text, limits)


@contextmanager
def connect_reader(dsn: str) -> Iterator[PostgresReader]:
    """Connect for the time of the block. Raises DatabaseUnavailable or DatabaseRefused."""
    with translated("connecting to the database"):
        connection = connect(dsn, application_name="greenstream query", client_encoding="utf-8")
    with connection:
        connection.execute("SET timezone TO 'UTC'")
        yield PostgresReader(connection)
