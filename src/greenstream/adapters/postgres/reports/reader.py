"""Reading the database: what people ask for in SQL, and the state of everything stored."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from greenstream.adapters.postgres.base.connection import Connection, connect
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.sql import query
from greenstream.adapters.postgres.reports.answers import Answer, answer
from greenstream.adapters.postgres.schema.version import current_version
from greenstream.domain.limits import QueryLimits


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    """`schema_version` is None before anything was set up."""

    version: str
    size_bytes: int
    schema_version: str | None


class PostgresReader:
    """A connection for reading, made by `connect_reader`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def server(self) -> ServerFacts:
        with translated("asking the server"):
            row = self._connection.execute(query("reports.server")).fetchone()
        assert row is not None
        version, size = row
        assert isinstance(size, int)
        return ServerFacts(version=str(version), size_bytes=size, schema_version=current_version(self._connection))

    def status(self) -> dict[str, object]:
        """Counts of files, rows, grades, flags and troubles, as the query `reports.status` names them."""
        with translated("summing up the database"):
            row = self._connection.execute(query("reports.status")).fetchone()
        assert row is not None
        assert isinstance(row[0], dict)
        return row[0]

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
