"""`status`: the server, and everything stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated

from greenstream.domain.ledger import Ledger
from greenstream.domain.reports.doc import FLAT, Counts, Doc


@dataclass(frozen=True, kw_only=True)
class ServerState:
    """The server of the database."""

    kind: Annotated[str, Doc("`embedded`, or `yours` by `GREENSTREAM_DATABASE_URL`")]
    running: Annotated[bool, Doc("whether it answers")]
    data_dir: Annotated[str | None, Doc("the folder of the embedded one's data")] = None
    initialised: Annotated[bool | None, Doc("whether that folder holds a database yet")] = None
    version: Annotated[str | None, Doc("of PostgreSQL")] = None
    size_bytes: Annotated[int | None, Doc("of the database", "bytes")] = None
    error: Annotated[str | None, Doc("why it doesn't answer, or can't be read, the error's name first")] = None


@dataclass(frozen=True, kw_only=True)
class DayReadings:
    """A local day that has readings."""

    day: Annotated[date, Doc("local day")]
    readings: Annotated[int, Doc("stored readings, those that are not current included")]


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Landed files of one state that have not ended."""

    files: Annotated[int, Doc("how many")]
    oldest_seconds: Annotated[int, Doc("since the oldest of them was queued", "s")]


@dataclass(frozen=True, kw_only=True)
class TroubledFile:
    """A file that is tried again, or whose worker doesn't come to an end."""

    source_file: Annotated[str, Doc("the store's key")]
    route: Annotated[str, Doc("`realtime` or `bulk`")]
    state: Annotated[str, Doc("`retrying` or `stuck`")]
    attempts: Annotated[int, Doc("that have failed")]
    crashes: Annotated[int, Doc("workers that it was lost with")]
    error: Annotated[str | None, Doc("the last one")]
    queued_at: Annotated[datetime, Doc("when it was queued")]
    started_at: Annotated[datetime | None, Doc("when it was last taken up")]
    next_at: Annotated[datetime | None, Doc("when it is tried again")]


@dataclass(frozen=True, kw_only=True)
class Latency:
    """From receiving a file to its commit, of the files that were loaded in the last hour."""

    files: Annotated[int, Doc("how many")]
    median_seconds: Annotated[float | None, Doc("half of them took no longer", "s")]
    p95_seconds: Annotated[float | None, Doc("95 % of them took no longer", "s")]


@dataclass(frozen=True, kw_only=True)
class LastFile:
    """The delivery that ended last."""

    source_file: Annotated[str, Doc("the store's key")]
    outcome: Annotated[str, Doc("`loaded`, `duplicate`, `rejected` or `failed`")]
    processed_at: Annotated[datetime, Doc("when it ended")]


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What a database holds, from the ledger and the counts."""

    files: Annotated[Counts, Doc("deliveries by outcome")]
    rows: Annotated[Ledger, Doc("of all loaded files")]
    days: Annotated[Sequence[DayReadings], Doc("the newest seven with readings, the newest first")]
    day_states: Annotated[Counts, Doc("local days by state, as in `days`")]
    grades: Annotated[Counts, Doc("stored readings by grade")]
    flags: Annotated[Counts, Doc("stored readings by flag")]
    quarantined: Annotated[Counts, Doc("rejected rows that wait, by code")]
    alerts: Annotated[Counts, Doc("open alerts by code")]
    dead_letters: Annotated[int, Doc("files that failed and wait for a person")]
    waiting: Annotated["dict[str, Waiting]", Doc("landed files by state: `waiting`, `running`, `retrying`, `stuck`")]
    troubled: Annotated[Sequence[TroubledFile], Doc("at most 20, the oldest first")]
    latency: Annotated[Latency, Doc("how soon files are taken up")]
    findings: Annotated[Counts, Doc("findings on the meters' history that go on, by code")]
    watermark: Annotated[datetime | None, Doc("up to here the history rules have been applied")]
    unwatched_loads: Annotated[int, Doc("loads that the history rules have not seen")]
    meters: Annotated[int, Doc("known meters")]
    newest_reading_at: Annotated[datetime | None, Doc("instant of the newest reading")]
    last_file: Annotated[LastFile | None, Doc("the delivery that ended last")]


@dataclass(frozen=True, kw_only=True)
class Status:
    """How GreenStream stands. `stored` is None where the database doesn't answer, or isn't of this version."""

    server: Annotated[ServerState, Doc("the server of the database")]
    store: Annotated[str, Doc("where files are")]
    timezone: Annotated[str, Doc("of local days, an IANA name")]
    version: Annotated[str | None, Doc("of the database's schema; null before anything was set up in it")]
    stored: Annotated[Stored | None, Doc("what the database holds")] = field(metadata=FLAT)

    @property
    def is_set_up(self) -> bool:
        """Whether anything was set up, as far as is known: a server that is down, or unreachable, can't tell."""
        return self.server.initialised is not False and not (self.server.running and self.version is None)
