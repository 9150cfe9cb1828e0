"""PostgreSQL behind the port `StatusSource`."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.reports.connection import columns
from greenstream.adapters.postgres.schema.version import current_version, newest_version
from greenstream.domain.ledger import Ledger
from greenstream.domain.reports.status import DayReadings, LastFile, Latency, Stored, TroubledFile, Waiting


class PostgresStatus:
    """A database of whatever version, on a connection of `reading`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def server(self) -> tuple[str, int]:
        [row] = columns(self._connection, "reports.server")
        return row["version"], row["size_bytes"]

    def schema_version(self) -> str | None:
        return current_version(self._connection)

    def newest_version(self) -> str:
        return newest_version()

    def stored(self) -> tuple[str, Stored]:
        [row] = columns(self._connection, "reports.status")
        return row["stored"]["timezone"], _stored(row["stored"])


def _stored(found: Mapping[str, Any]) -> Stored:
    """From the query's JSON, where times are text."""
    counts = {name: found[name] for name in ("files", "day_states", "grades", "flags", "quarantined", "findings")}
    numbers = {name: found[name] for name in ("dead_letters", "unwatched_loads", "meters")}
    return Stored(
        **counts,
        **numbers,
        alerts=found["alerts"],
        rows=Ledger(**found["rows"]),
        days=[DayReadings(day=date.fromisoformat(each["day"]), readings=each["readings"]) for each in found["days"]],
        waiting={state: Waiting(**each) for state, each in found["waiting"].items()},
        troubled=[TroubledFile(**_timed(each, "queued_at", "started_at", "next_at")) for each in found["troubled"]],
        latency=Latency(**found["latency"]),
        watermark=_instant(found["watermark"]),
        newest_reading_at=_instant(found["newest_reading_at"]),
        last_file=LastFile(**_timed(found["last_file"], "processed_at")) if found["last_file"] else None,
    )


def _timed(found: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {**found, **{name: _instant(found[name]) for name in names}}


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
