"""PostgreSQL behind the port `ExaminationSource`, and the rights of those who read."""

from collections.abc import Sequence
from datetime import datetime

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.reports.connection import answers, columns
from greenstream.adapters.postgres.schema.rights import RELATIONS
from greenstream.adapters.postgres.schema.site import check_site
from greenstream.adapters.postgres.schema.version import current_version, newest_version
from greenstream.domain.reports.doctor import ConnectedAs, ReaderRights, ServerFacts
from greenstream.domain.site import Site


class PostgresExamination:
    """A database of whatever version, on a connection of `reading`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def connected_as(self) -> ConnectedAs:
        info = self._connection.info
        return ConnectedAs(role=info.user, database=info.dbname, host=info.host, port=info.port)

    def server_facts(self) -> ServerFacts:
        [facts] = answers(self._connection, "reports.doctor_server", ServerFacts)
        return facts

    def schema_version(self) -> str | None:
        return current_version(self._connection)

    def newest_version(self) -> str:
        return newest_version()

    def check_site(self, site: Site) -> None:
        check_site(self._connection, site)

    def newest_reading(self) -> datetime | None:
        [row] = columns(self._connection, "reports.doctor_newest")
        newest: datetime | None = row["newest"]
        return newest

    def local_times(self, timezone: str, instants: Sequence[datetime]) -> list[str]:
        rows = columns(self._connection, "reports.doctor_local_times", timezone=timezone, instants=list(instants))
        return [row["local"] for row in rows]


def rights_of_reader(connection: Connection) -> ReaderRights:
    """What the connection's role may do, which should be to read."""
    excess = columns(connection, "schema.reader_excess", relations=list(RELATIONS))
    [limit] = columns(connection, "reports.doctor_temp_files")
    return ReaderRights(
        role=connection.info.user, excess=[row["what"] for row in excess], is_unlimited=limit["is_unlimited"]
    )
