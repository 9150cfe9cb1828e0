"""PostgreSQL behind the port `ReportSources`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.embedded import EmbeddedServer
from greenstream.adapters.postgres.reports.connection import reading
from greenstream.adapters.postgres.reports.demo import PostgresDemo
from greenstream.adapters.postgres.reports.examination import PostgresExamination, rights_of_reader
from greenstream.adapters.postgres.reports.gauges import read_gauges
from greenstream.adapters.postgres.reports.lists import PostgresLists
from greenstream.adapters.postgres.reports.status import PostgresStatus
from greenstream.adapters.postgres.schema.site import check_site
from greenstream.domain.errors import DatabaseUnavailable
from greenstream.domain.reports.doctor import ReaderRights
from greenstream.domain.reports.gauges import GaugeValue
from greenstream.domain.reports.status import ServerState
from greenstream.domain.site import Site


@dataclass(frozen=True, kw_only=True)
class PostgresReports:
    """The database of a place.

    Attributes:
        server: the embedded one; None with a database of yours.
        given: the address of a database of yours; None with the embedded one.
        start: the address of either; starts the embedded one.
        prepare: raises NotSetUp where the database is at another version than this program.
        reader: the address for people's queries.
    """

    site: Site
    server: EmbeddedServer | None
    given: Callable[[], str | None]
    start: Callable[[], str]
    prepare: Callable[[], None]
    reader: Callable[[], str]

    def server_state(self) -> ServerState:
        if self.server is None:
            self.given()
            return ServerState(kind="yours", running=False)
        found = self.server.status()
        return ServerState(
            kind="embedded",
            running=found.running,
            data_dir=str(found.data_dir),
            initialised=(found.data_dir / "PG_VERSION").exists(),
        )

    @contextmanager
    def as_it_is(self) -> Iterator[PostgresStatus]:
        with reading(self._running()) as connection:
            yield PostgresStatus(connection)

    @contextmanager
    def current(self) -> Iterator[PostgresLists]:
        self.prepare()
        with reading(self.start()) as connection:
            with translated("reading the site"):
                check_site(connection, self.site)
            yield PostgresLists(connection)

    @contextmanager
    def of_demo(self) -> Iterator[PostgresDemo]:
        with reading(self.start()) as connection:
            yield PostgresDemo(connection)

    @contextmanager
    def examined(self) -> Iterator[PostgresExamination]:
        with reading(self.start()) as connection:
            yield PostgresExamination(connection)

    def reader_rights(self) -> ReaderRights:
        with reading(self.reader()) as connection:
            return rights_of_reader(connection)

    def gauges(self) -> list[GaugeValue]:
        return read_gauges(self._running())

    def _running(self) -> str:
        """The address as it is now. Raises DatabaseUnavailable where the embedded server doesn't run."""
        dsn = self.server.status().dsn if self.server else self.given()
        if dsn is None:
            raise DatabaseUnavailable("the embedded PostgreSQL does not run; the next command that needs it starts it")
        return dsn
