"""What a person's query could do."""

from collections.abc import Iterator

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.lookup import looking, rows
from greenstream.adapters.postgres.schema.rights import RELATIONS
from greenstream.entrypoints.cli.doctor.finding import Finding, ok, warning
from greenstream.wiring import Place

CHECK = "reader"


def reader(place: Place, connection: Connection) -> Iterator[Finding]:
    """`query` connects as a role that can only read; `connection` is ours, to a database of this version."""
    if place.server is None and place.settings.reader_url is None:
        yield warning(
            CHECK,
            f"`query` has the rights of {connection.info.user}: only its transaction keeps it from writing",
            "make a role (CREATE ROLE … LOGIN), greenstream db grant it, and name it in GREENSTREAM_READER_URL",
        )
        return
    with looking(place.reader_dsn) as theirs:
        yield from _findings(theirs)


def _findings(connection: Connection) -> Iterator[Finding]:
    role = connection.info.user
    excess = [row["what"] for row in rows(connection, "schema.reader_excess", relations=list(RELATIONS))]
    unlimited = connection.execute("SELECT current_setting('temp_file_limit') = '-1'").fetchone() == (True,)
    if excess:
        mend = "take that from it, or make a role of its own for readers (greenstream db grant)"
        yield warning(CHECK, f"{role} can do more than read: {', '.join(excess)}", mend)
    if unlimited:
        mend = f"as a superuser: ALTER ROLE {role} SET temp_file_limit = '4GB'"
        yield warning(CHECK, f"a query of {role} may fill the disk with temporary files", mend)
    if not (excess or unlimited):
        yield ok(CHECK, f"`query` connects as {role}, which can only read")
