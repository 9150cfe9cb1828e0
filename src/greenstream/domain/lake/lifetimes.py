"""What has happened to days and files on their way out of the database, and how long each layer keeps what it has."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from greenstream.domain.ledger import Delivery


@dataclass(frozen=True, kw_only=True)
class DayFacts:
    """What has happened to a local day so far."""

    day: date
    dirty_since: datetime | None = None
    settled_at: datetime | None = None
    archived_at: datetime | None = None
    retired_at: datetime | None = None

    @property
    def is_final(self) -> bool:
        """Settled, and nothing came since."""
        return self.settled_at is not None and self.dirty_since is None

    @property
    def is_archived(self) -> bool:
        if self.settled_at is None or self.archived_at is None:
            return False
        return self.is_final and self.archived_at >= self.settled_at


@dataclass(frozen=True, kw_only=True)
class LoadedFile:
    """A file whose rows were stored, as it was then; `may_be_gone` where retention deleted its raw file."""

    delivery: Delivery
    processed_at: datetime
    may_be_gone: bool


@dataclass(frozen=True, kw_only=True)
class Lifetimes:
    """How many days each layer keeps what it has; the lake keeps all."""

    readings: int
    findings: int
    quarantine: int
    ledger: int


class Layer(StrEnum):
    """Where something was deleted."""

    RAW = "raw"
    DATABASE = "database"
    FINDINGS = "findings"
    QUARANTINE = "quarantine"
    LEDGER = "ledger"
    LAKE = "lake"


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """Something deleted for good: how much of what (readings, rows or bytes), and why it was allowed."""

    layer: Layer
    subject: str
    amount: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class LandedCopy:
    """A raw file that may go by its age, and the days it has readings on that the database still answers for.

    Attributes:
        delivery: the newest one under its path, whose raw file it is.
        kept_by: such days; empty where each is retired and nothing came since.
        days: all days on which it, or an earlier delivery of the same bytes, has readings.
    """

    source_file_id: int
    delivery: Delivery
    is_rejected: bool
    days: tuple[date, ...]
    kept_by: tuple[date, ...]
