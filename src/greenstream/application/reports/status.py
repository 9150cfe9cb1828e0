"""How GreenStream stands: nothing is started or changed to find out."""

from dataclasses import replace
from typing import TYPE_CHECKING

from greenstream.domain.errors import DatabaseRefused, DatabaseUnavailable, other_version
from greenstream.domain.reports.status import Status

if TYPE_CHECKING:
    from greenstream.ports.reports import ReportSources, StatusSource


def status(sources: "ReportSources", store: str, timezone: str) -> Status:
    """The state of the server, and where the database answers, what it holds; one that doesn't is no error."""
    state = sources.server_state()
    found = Status(server=state, store=store, timezone=timezone, version=None, stored=None)
    if state.kind == "embedded" and not state.running:
        return found
    try:
        with sources.as_it_is() as source:
            found = _reached(source, found)
            return _read(source, found)
    except (DatabaseUnavailable, DatabaseRefused) as error:
        return _with_error(found, f"{error.code}: {error}")


def _reached(source: "StatusSource", found: Status) -> Status:
    version, size = source.server()
    server = replace(found.server, running=True, version=version, size_bytes=size)
    return replace(found, server=server, version=source.schema_version())


def _read(source: "StatusSource", found: Status) -> Status:
    """With what is stored; relations of another version can't be read."""
    if found.version is None:
        return found
    if found.version != source.newest_version():
        error = other_version(found.version, source.newest_version())
        return _with_error(found, f"{error.code}: {error}")
    timezone, stored = source.stored()
    return replace(found, timezone=timezone, stored=stored)


def _with_error(found: Status, error: str) -> Status:
    return replace(found, server=replace(found.server, error=error))
