"""What became of a delivered file, and of each of its rows."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from greenstream.domain.codes import Reason
from greenstream.domain.errors import LedgerMismatch
from greenstream.domain.reports.doc import Doc


class Outcome(StrEnum):
    """How a landed file ended; each ends as exactly one of these."""

    LOADED = "loaded"
    DUPLICATE = "duplicate"  # the same content was loaded before; nothing is written
    REJECTED = "rejected"  # a file check failed; a copy lies in quarantine
    FAILED = "failed"  # a dead letter


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One landing of one file: a version of a path. The same bytes, landed there again, are another delivery.

    Attributes:
        path: the store's key.
        received_at: when it was first seen in the store.
        modified_at: the file's own time; None where no file of it was ever seen there.
        version: the store's, which nobody who writes or replaces the file leaves as it is; None where it isn't known.
        sha256: hex, of the bytes as landed, in a raw file as erasure left them; None where nobody has read them.
        replaced_at: when the newest of the later deliveries under its path came, if there is one.
    """

    path: str
    size_bytes: int
    received_at: datetime
    sha256: str | None
    modified_at: datetime | None = None
    version: str | None = None
    replaced_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Every row of a file has exactly one fate; all are 0 for a file that was not loaded."""

    rows: Annotated[int, Doc("records after the header")] = 0
    stored: Annotated[int, Doc("that became readings")] = 0
    duplicate: Annotated[int, Doc("that were known")] = 0
    rejected: Annotated[int, Doc("that are, or were, in the quarantine")] = 0

    def check(self, path: str) -> None:
        """Raise LedgerMismatch unless the fates add up."""
        if self.rows != self.stored + self.duplicate + self.rejected:
            raise LedgerMismatch(
                f"{path} has {self.rows} rows, but {self.stored} stored + {self.duplicate} duplicate "
                f"+ {self.rejected} rejected; nothing of it was kept, please report this"
            )


@dataclass(frozen=True, kw_only=True)
class FileResult:
    """A line of the ledger of files."""

    delivery: Delivery
    outcome: Outcome
    processed_at: datetime
    reason: Reason | None = None
    error: str | None = None  # for a person, in one line: why it was rejected or failed
    detail: str | None = None  # the same, or of a failed one the traceback
    attempts: int = 1  # of a failed one: how often it was tried
    ledger: Ledger = Ledger()
    ignored_columns: tuple[str, ...] = ()
    was_known: bool = field(default=False, compare=False)  # it had ended before, and nothing was done


@dataclass(frozen=True, kw_only=True)
class Stored:
    """How many of a batch's rows are new in the database, and how many were known."""

    stored: int
    duplicate: int
