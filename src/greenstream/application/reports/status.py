"""How GreenStream stands: nothing is started or changed to find out."""

from dataclasses import replace
from typing import TYPE_CHECKING

from greenstream.domain.errors import DatabaseRefused, DatabaseUnavailable
from greenstream.domain.reports.status import ServerState, Status

if TYPE_CHECKING:
    from greenstream.ports.reports import ReportSources, StatusSource


def status(sources: "ReportSources", store: str, timezone: str) -> Status:
    """The state of the server, and where the database answers, what it holds; one that doesn't is no error."""
    state = sources.server_state()
    unknown = Status(server=state, store=store, timezone=timezone, version=None, stored=None)
    if state.kind == "embedded" and not state.running:
        return unknown
    try:
        with sources.as_it_is() as source:
            return _asked(source, unknown)
    except (DatabaseUnavailable, DatabaseRefused) as error:
        return replace(unknown, server=replace(state, error=f"{error.code}: {error}"))


def _asked(source: "StatusSource", unknown: Status) -> Status:
    version, size = source.server()
    server: ServerState = replace(unknown.server, running=True, version=version, size_bytes=size)
    found = replace(unknown, server=server, version=source.schema_version())
    if found.version is None:
        return found
    timezone, stored = source.stored()
    return replace(found, timezone=timezone, stored=stored)
