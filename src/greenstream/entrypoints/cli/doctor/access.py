"""What a person's query could do."""

from collections.abc import Iterator

from greenstream.domain.reports.doctor import Finding, ReaderRights
from greenstream.entrypoints.cli.doctor.finding import ok, warning
from greenstream.wiring import Place

CHECK = "reader"


def reader(place: Place, role: str) -> Iterator[Finding]:
    """`query` connects as a role that can only read; `role` is ours, of a database of this version."""
    if place.server is None and place.settings.reader_url is None:
        yield warning(
            CHECK,
            f"`query` has the rights of {role}: only its transaction keeps it from writing",
            "make a role (CREATE ROLE … LOGIN), greenstream db grant it, and name it in GREENSTREAM_READER_URL",
        )
        return
    yield from _findings(place.reports.reader_rights())


def _findings(rights: ReaderRights) -> Iterator[Finding]:
    role = rights.role
    if rights.excess:
        mend = "take that from it, or make a role of its own for readers (greenstream db grant)"
        yield warning(CHECK, f"{role} can do more than read: {', '.join(rights.excess)}", mend)
    if rights.is_unlimited:
        mend = f"as a superuser: ALTER ROLE {role} SET temp_file_limit = '4GB'"
        yield warning(CHECK, f"a query of {role} may fill the disk with temporary files", mend)
    if not (rights.excess or rights.is_unlimited):
        yield ok(CHECK, f"`query` connects as {role}, which can only read")
