"""An alert, the facts it is made from, and what is said of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from greenstream.domain.codes import Severity
from greenstream.domain.reports.doc import Doc


class AlertCode(StrEnum):
    """What alerts are about, beside the findings of the rules on a meter's history."""

    NO_FILE = "NO_FILE"
    BACKLOG = "BACKLOG"
    FILE_REJECTED = "FILE_REJECTED"
    DEAD_LETTER = "DEAD_LETTER"
    FILE_ERROR_RATE = "FILE_ERROR_RATE"
    SOURCE_ERROR_RATE = "SOURCE_ERROR_RATE"
    DISK_NEARLY_FULL = "DISK_NEARLY_FULL"
    NIGHTLY_MISSED = "NIGHTLY_MISSED"
    LAKE_DAMAGED = "LAKE_DAMAGED"
    ALERT_CHANNEL_DOWN = "ALERT_CHANNEL_DOWN"
    OUTAGE = "OUTAGE"


CONDITIONS = (
    AlertCode.NO_FILE,
    AlertCode.BACKLOG,
    AlertCode.SOURCE_ERROR_RATE,
    AlertCode.DISK_NEARLY_FULL,
    AlertCode.NIGHTLY_MISSED,
)
"""States that last and end by themselves; the other codes are events."""


Key = tuple[str, str]
"""Code and subject: what makes two alerts the same one."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Something that is wrong now."""

    code: AlertCode
    severity: Severity
    subject: str
    message: str

    @property
    def key(self) -> Key:
        return self.code, self.subject


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert as it is stored: `count` occurrences between two times; closed once acknowledged or resolved."""

    alert_id: Annotated[int, Doc("by which commands name it")]
    code: Annotated[str, Doc("what it is about")]
    severity: Annotated[Severity, Doc("`error`, `warning` or `info`")]
    subject: Annotated[str, Doc("what it concerns: a file, a meter, a region …")]
    message: Annotated[str, Doc("for a person")]
    count: Annotated[int, Doc("occurrences")]
    first_at: Annotated[datetime, Doc("the first one")]
    last_at: Annotated[datetime, Doc("the last one")]
    acknowledged_at: Annotated[datetime | None, Doc("when a person had seen it")] = None
    resolved_at: Annotated[datetime | None, Doc("when it had ended by itself")] = None


@dataclass(frozen=True, kw_only=True)
class RegionFiles:
    """When the first and the last file with new readings of a region arrived, within LOOK_BACK."""

    region: str
    first: datetime
    last: datetime


@dataclass(frozen=True, kw_only=True)
class SourceRows:
    """The rows of a source's files within LOOK_BACK.

    A source is the beginning of a file's name, up to four digits in a row (a date, a number) or the first dot.
    """

    source: str
    rows: int
    rejected: int


@dataclass(frozen=True, kw_only=True)
class BadFile:
    """A loaded file with too many rejected rows, of which no alert has told."""

    path: str
    rows: int
    rejected: int
    processed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A file system, as `host:/folder`."""

    name: str
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, kw_only=True)
class Outage:
    """What kept all files waiting: `store`, `database` or `settings`, and the error that a part ran into last."""

    subject: str
    since: datetime
    last_at: datetime
    error: str


@dataclass(frozen=True, kw_only=True)
class StoredFacts:
    """What the database knows. `going_on` are the conditions that were told and have not ended."""

    regions: Sequence[RegionFiles]
    sources: Sequence[SourceRows]
    dirty_days: Sequence[tuple[date, datetime]]  # and since when each waits for settling
    oldest_waiting: datetime | None  # since when the file waits that has waited the longest for a worker
    going_on: frozenset[Key]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What holds now, and what was told earlier and has ended."""

    holding: tuple[Condition, ...]
    ended: tuple[Key, ...]
