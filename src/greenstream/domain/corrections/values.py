"""What is corrected: rejected rows, loaded files, and files that hold erased lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from greenstream.domain.ledger import Delivery


@dataclass(frozen=True, kw_only=True)
class RowChoice:
    """Which quarantined rows; None is no condition. `since` and `until` (not included) are of the quarantining."""

    source_file: str | None = None
    lines: Sequence[int] | None = None
    code: str | None = None
    rule_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class WaitingRows:
    """The quarantined rows of one loaded file that were neither replayed nor discarded.

    `rows` has `line_number` (UInt32), `code` and `raw_line` (String) and `raw_bytes` (Binary), by line; the latter two
    are null where they weren't asked for.
    """

    source_file_id: int
    delivery: Delivery
    rows: pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class LoadedDelivery:
    """A loaded file, and when it was processed first."""

    source_file_id: int
    delivery: Delivery
    processed_at: datetime


@dataclass(frozen=True, kw_only=True)
class ToErase:
    """A file of the ledger whose raw file holds lines that were erased before.

    `cleaned` is a loaded delivery that was of the same content, until they were erased from it.
    """

    source_file_id: int
    delivery: Delivery
    processed_at: datetime
    cleaned: Delivery | None
