"""What the contract makes of one file: each row's fate, reading and flags, a row at a time."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.oracle.archive import MAX_BYTES, MAX_DECOMPRESSED_BYTES, FileRejected, unpack
from tests.oracle.energy import Energy, in_range, judge_energy
from tests.oracle.instants import EPOCH, Clock, Moment, moments_of
from tests.oracle.records import (
    Header,
    decode,
    is_blank,
    null_if_token,
    raw_text,
    read_header,
    split_fields,
    split_lines,
)

EARLIEST_READING = datetime(2010, 1, 1, tzinfo=UTC)
FUTURE_TOLERANCE = timedelta(minutes=5)
LONGEST_METER_ID = 64
LONGEST_FIELD = 256
LONGEST_LINE = 4 * 1024 * 1024
RELIABLE_ABOVE = 0.95
ALL_RELIABLE: Mapping[str, float | None] = {}
FLAG_ORDER = ("INVALID_VALUE", "INVALID_UNIT", "MISSING_READING", "TIMESTAMP_INFERRED", "OUT_OF_RANGE")
ZONE = re.compile("(Residential|Commercial)_Zone_([0-9]{1,6})")
SEASONS = {12: "winter", 3: "spring", 6: "summer", 9: "fall"}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A row that passes. `reading_at` and `slot` are aware, in UTC; `consumption_kw` has 4 decimals."""

    line_number: int
    record_id: str
    meter_id: str
    reading_at: datetime
    slot: datetime
    energy_value: str | None
    consumption_kw: Decimal | None
    location: str | None
    region: str
    customer_class: str | None
    period: str
    season: str
    flags: tuple[str, ...]
    quality_score: int
    quality_grade: str


@dataclass(frozen=True, kw_only=True)
class Quarantined:
    line_number: int
    raw_line: str
    rule_id: str
    code: str


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """`rows` = readings + quarantined rows. Readings include duplicates; `store` takes them out."""

    reason: str | None
    rows: int = 0
    readings: list[Reading] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    ignored_columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Stored:
    readings: list[Reading]
    duplicates: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """A well-formed record with a meter."""

    line_number: int
    raw_line: str
    meter_id: str
    timestamp: str | None
    energy: Energy
    location: str | None


def evaluate_file(
    name: str,
    content: bytes,
    *,
    received_at: datetime,
    now: datetime,
    timezone: str = "UTC",
    interval_minutes: int = 15,
    earliest_reading: datetime = EARLIEST_READING,
    reliability: Mapping[str, float | None] = ALL_RELIABLE,
    max_bytes: int = MAX_BYTES,
    max_decompressed_bytes: int = MAX_DECOMPRESSED_BYTES,
) -> Evaluation:
    """Evaluate one landed file by itself: whether its content is known is for the caller to tell."""
    clock = Clock(
        zone=ZoneInfo(timezone),
        step=timedelta(minutes=interval_minutes),
        earliest=earliest_reading - EPOCH,
        latest=now + FUTURE_TOLERANCE - EPOCH,
        received=received_at - EPOCH,
    )
    try:
        lines = split_lines(unpack(name, content, max_bytes=max_bytes, max_decompressed_bytes=max_decompressed_bytes))
        header = read_header(lines[0])
    except FileRejected as rejection:
        return Evaluation(reason=rejection.reason)
    parsed = [parse_row(number, line, header) for number, line in enumerate(lines[1:], start=2) if not is_blank(line)]
    rows = [each for each in parsed if isinstance(each, Row)]
    judged = judge_rows(rows, clock, reliability)
    quarantined = [each for each in [*parsed, *judged] if isinstance(each, Quarantined)]
    return Evaluation(
        reason=None,
        rows=len(parsed),
        readings=[each for each in judged if isinstance(each, Reading)],
        quarantined=sorted(quarantined, key=lambda each: each.line_number),
        ignored_columns=header.ignored,
    )


def parse_row(line_number: int, line: bytes, header: Header) -> Row | Quarantined:
    text = None if len(line) > LONGEST_LINE else decode(line)
    fields = None if text is None else split_fields(text, header.delimiter)
    if fields is None or len(fields) != header.width:
        return Quarantined(line_number=line_number, raw_line=raw_text(line), rule_id="parse", code="MALFORMED_ROW")
    cells = {name: null_if_token(fields[position]) for name, position in header.position.items()}
    if any(len(text or "") > LONGEST_FIELD for name, text in cells.items() if name != "meter_id"):
        return Quarantined(line_number=line_number, raw_line=raw_text(line), rule_id="parse", code="MALFORMED_ROW")
    meter_id = cells["meter_id"]
    if meter_id is None or len(meter_id) > LONGEST_METER_ID:
        return Quarantined(line_number=line_number, raw_line=raw_text(line), rule_id="parse", code="MISSING_METER_ID")
    return Row(
        line_number=line_number,
        raw_line=raw_text(line),
        meter_id=meter_id,
        timestamp=cells["timestamp"],
        energy=judge_energy(cells["energy_value"], cells.get("unit"), decimal_comma=header.delimiter != ","),
        location=cells.get("location"),
    )


def judge_rows(
    rows: Sequence[Row], clock: Clock, reliability: Mapping[str, float | None]
) -> list[Reading | Quarantined]:
    moments = moments_of([row.meter_id for row in rows], [row.timestamp for row in rows], clock)
    return [
        judge_row(row, moment, clock, reliability.get(row.meter_id)) for row, moment in zip(rows, moments, strict=True)
    ]


def judge_row(row: Row, moment: Moment, clock: Clock, reliability: float | None) -> Reading | Quarantined:
    if moment.instant is None:
        return Quarantined(
            line_number=row.line_number,
            raw_line=row.raw_line,
            rule_id="B2.2",
            code="TIMESTAMP_UNRECOVERABLE",
        )
    if not clock.is_valid(moment.instant):
        return Quarantined(
            line_number=row.line_number, raw_line=row.raw_line, rule_id="B3.3", code="TIMESTAMP_OUT_OF_RANGE"
        )
    reading_at = EPOCH + moment.instant
    local = reading_at.astimezone(clock.zone)
    region, customer_class = place(row.location)
    flags = {*row.energy.flags, *(["TIMESTAMP_INFERRED"] if moment.inferred else [])}
    score = quality_score(row.energy.kw, flags, reliability)
    return Reading(
        line_number=row.line_number,
        record_id=record_id(row.meter_id, reading_at, row.energy.text),
        meter_id=row.meter_id,
        reading_at=reading_at,
        slot=EPOCH + clock.slot(moment.instant),
        energy_value=row.energy.text,
        consumption_kw=row.energy.kw,
        location=row.location,
        region=region,
        customer_class=customer_class,
        period=period(local),
        season=SEASONS[local.month // 3 * 3 or 12],
        flags=tuple(flag for flag in FLAG_ORDER if flag in flags),
        quality_score=score,
        quality_grade=quality_grade(score),
    )


def place(location: str | None) -> tuple[str, str | None]:
    found = ZONE.fullmatch(location or "")
    return ("Unknown", None) if found is None else (f"Zone{found[2]}", found[1])


def period(local: datetime) -> str:
    if local.weekday() < 5 and 17 <= local.hour < 21:
        return "peak"
    return "off_peak" if local.hour >= 23 or local.hour < 6 else "standard"


def quality_score(kw: Decimal | None, flags: set[str], reliability: float | None) -> int:
    score = 0
    if not flags & {"MISSING_READING", "TIMESTAMP_INFERRED"}:
        score += 40
    if not flags & {"INVALID_UNIT", "INVALID_VALUE"}:
        score += 30
    if in_range(kw):
        score += 20
    if reliability is None or reliability > RELIABLE_ABOVE:
        score += 10
    return score


def quality_grade(score: int) -> str:
    if score >= 90:
        return "A"
    if score >= 75:
        return "B"
    return "C" if score >= 60 else "F"


def record_id(meter_id: str, reading_at: datetime, energy_value: str | None) -> str:
    timestamp = reading_at.strftime("%Y-%m-%d %H:%M:%S")
    return hashlib.sha256(f"{meter_id}{timestamp}{energy_value or ''}".encode()).hexdigest()


def store(evaluations: Iterable[Evaluation]) -> Stored:
    """The first reading of each record_id, the evaluations taken in the order of their processing."""
    first: dict[str, Reading] = {}
    total = 0
    for evaluation in evaluations:
        for reading in evaluation.readings:
            total += 1
            first.setdefault(reading.record_id, reading)
    return Stored(readings=list(first.values()), duplicates=total - len(first))


def current(readings: Iterable[Reading]) -> dict[tuple[str, datetime], Reading]:
    """The current reading of each meter and slot; the readings are in the order of their processing."""
    best: dict[tuple[str, datetime], Reading] = {}
    for reading in readings:
        key = reading.meter_id, reading.slot
        if key not in best or rank(reading) >= rank(best[key]):
            best[key] = reading
    return best


def rank(reading: Reading) -> tuple[bool, bool]:
    return reading.consumption_kw is not None, "TIMESTAMP_INFERRED" not in reading.flags
