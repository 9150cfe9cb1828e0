"""Lists: meters, rejected rows, dead letters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from greenstream.domain.reports.doc import Counts, Doc


@dataclass(frozen=True, kw_only=True)
class MeterRow:
    """A meter that has reported, or that a roster named."""

    meter_id: Annotated[str, Doc("as it came")]
    status: Annotated[str, Doc("`active`, `silent` or `faulty`")]
    location: Annotated[str | None, Doc("of its newest reading that has one, else the roster's")]
    region: Annotated[str | None, Doc("from the location")]
    customer_class: Annotated[str | None, Doc("`Residential` or `Commercial`, from the location")]
    commissioned: Annotated[date | None, Doc("first day on which it is expected, by the roster")]
    decommissioned: Annotated[date | None, Doc("first day on which it isn't expected any more, by the roster")]
    first_seen_at: Annotated[datetime | None, Doc("instant of its oldest reading ever")]
    last_seen_at: Annotated[datetime | None, Doc("instant of its newest reading")]
    reliability: Annotated[float | None, Doc("usable slots ÷ slots of its last settled week", "0–1")]


@dataclass(frozen=True, kw_only=True)
class QuarantinedRow:
    """A row that was rejected."""

    source_file: Annotated[str, Doc("the store's key of the file it came in")]
    line_number: Annotated[int, Doc("in that file; 1 is the header's")]
    rule_id: Annotated[str, Doc("the rule that rejected it")]
    code: Annotated[str, Doc("why")]
    raw_line: Annotated[str, Doc("the whole line; bytes that aren't text as `\\xNN`")]
    quarantined_at: Annotated[datetime, Doc("when it was rejected")]
    replayed_at: Annotated[datetime | None, Doc("when it became a reading after all")]
    discarded_at: Annotated[datetime | None, Doc("when a person gave it up")]


@dataclass(frozen=True, kw_only=True)
class QuarantinedDetail(QuarantinedRow):
    """All that is known of a row that was rejected."""

    raw_bytes: Annotated[str, Doc("the line's bytes, in hex")]
    discard_reason: Annotated[str | None, Doc("the person's")]
    received_at: Annotated[datetime, Doc("when its file came")]
    processed_at: Annotated[datetime, Doc("when its file ended")]
    pipeline_version: Annotated[str, Doc("that loaded its file")]


@dataclass(frozen=True, kw_only=True)
class Quarantine:
    """Rejected rows: all by their number, some in full."""

    counts: Annotated[Counts, Doc("all that were asked for, by code")]
    rows: Annotated[Sequence[QuarantinedRow], Doc("the newest of them, as many as `--limit` says")]


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A file that failed."""

    id: Annotated[int, Doc("by which commands name it")]
    source_file: Annotated[str, Doc("the store's key")]
    error: Annotated[str, Doc("in one line")]
    attempts: Annotated[int, Doc("how often it was tried")]
    failed_at: Annotated[datetime, Doc("the last time")]
    replayed_at: Annotated[datetime | None, Doc("when it came to an end after all")]
    discarded_at: Annotated[datetime | None, Doc("when a person gave it up")]


@dataclass(frozen=True, kw_only=True)
class DeadLetterDetail(DeadLetter):
    """All that is known of a file that failed."""

    discard_reason: Annotated[str | None, Doc("the person's")]
    traceback: Annotated[str, Doc("of the error")]
