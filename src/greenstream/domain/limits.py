"""Every threshold, once, with its unit and the rule that uses it.

Each field is also a setting: `max_kw` is `GREENSTREAM_MAX_KW` or `max_kw` in `greenstream.toml`.
"""

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

MIB = 1024 * 1024
LONGEST_KEPT_LINE = 128 * MIB
"""In bytes. PostgreSQL takes a row of up to 1 GiB, and a byte of a rejected line can need six there: two in hex, and
four as `\\xNN` in the text for people."""

LONGEST_INDEXED_TEXT = 512
"""In characters. PostgreSQL indexes a text of up to 2,704 bytes, and a character has up to four."""

MOST_KW = 10**9
"""Below this a power is an integer of 0.1 W that all sums and tables hold exactly."""

INT64_BITS = 63
DIGIT_BITS = 24
"""Sums of squares beyond 64 bits are made of digits of so many bits."""

MOST_TERMS = 1 << (INT64_BITS - 2 * DIGIT_BITS)
"""So many products of two digits can be added up in 64 bits: the bound of a window."""

EARLIEST_READING = datetime(2010, 1, 1, tzinfo=UTC)


def _limit(default: Any, rule: str, meaning: str, *, most: int | None = None) -> Any:
    """`most` is what no setting may exceed."""
    return field(default=default, metadata={"rule": rule, "meaning": meaning, "most": most})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The thresholds of one site. `describe` lists them for the reference page."""

    interval_minutes: int = _limit(15, "slot", "length of a slot, in minutes; a divisor of 60")

    max_file_bytes: int = _limit(100 * MIB, "file", "largest landed file, in bytes")
    max_content_bytes: int = _limit(1024 * MIB, "file", "largest file once decompressed, in bytes")
    realtime_max_bytes: int = _limit(10 * MIB, "file", "up to here a file goes the `realtime` route, in bytes")

    max_line_bytes: int = _limit(4 * MIB, "parse", "longest line, in bytes", most=LONGEST_KEPT_LINE)
    max_columns: int = _limit(100_000, "file", "most columns of a header")
    max_meter_id_chars: int = _limit(64, "parse", "longest meter_id, in characters", most=LONGEST_INDEXED_TEXT)
    max_field_chars: int = _limit(
        256, "parse", "longest timestamp, energy_value, unit and location, in characters", most=LONGEST_INDEXED_TEXT
    )

    max_abs_kw: int = _limit(MOST_KW, "B1.2", "from here on a value is no measurement, in kW")
    infer_max_rows: int = _limit(4, "B2.2", "how many rows away a single neighbour may be")
    repeated_hour_landing_hours: int = _limit(
        3, "timestamp", "a wall time that occurs twice is read as the later one in files that land this soon, in hours"
    )

    min_kw: int = _limit(0, "B3.1", "a reading must be above this, in kW")
    max_kw: int = _limit(50, "B3.1", "a reading must be below this, in kW")
    earliest_reading: datetime = _limit(
        EARLIEST_READING, "B3.3", "readings before this instant come from a reset clock"
    )
    max_future_minutes: int = _limit(5, "B3.3", "how far ahead of the time of processing a reading may be, in minutes")

    missing_run_slots: int = _limit(4, "B2.3", "a longer run of missing slots is a finding, in slots")
    dead_run_slots: int = _limit(96, "B3.2", "a longer run at exactly 0 kW is a finding, in slots")
    stuck_window_slots: int = _limit(96, "B4.1", "how far the rule looks back, the slot itself included, in slots")
    stuck_min_usable: int = _limit(87, "B4.1", "how many usable values the window must hold")
    stuck_max_variance: float = _limit(0.01, "B4.1", "a population variance below this is stuck, in kW²")
    spike_window_slots: int = _limit(672, "B4.2", "how far the rule looks back, in slots")
    spike_min_usable: int = _limit(96, "B4.2", "how many usable values the window must hold")
    spike_min_deviations: int = _limit(4, "B4.2", "a spike is this many standard deviations above the mean")
    reliability_window_slots: int = _limit(672, "B4.3", "window of reliability and missing share, in slots")
    reliability_min_slots: int = _limit(96, "B4.3", "a meter with fewer slots is too young to judge")
    max_missing_share: float = _limit(0.20, "B4.3", "a larger share of missing slots is a communication failure")
    outage_meters: int = _limit(100, "alerts", "more meters than this under one rule at once are one alert")
    alert_grace_minutes: int = _limit(0, "alerts", "how long a finding must last before it alerts, in minutes")
    no_file_minutes: int = _limit(
        30, "alerts", "a region that sends is silent after so long without a file, in minutes"
    )
    backlog_minutes: int = _limit(5, "alerts", "the oldest file may wait this long for a worker, in minutes")
    max_error_share: float = _limit(
        0.05, "alerts", "a larger share of rejected rows is too much, of a file or a source"
    )
    error_share_min_rows: int = _limit(100, "alerts", "files and sources with fewer rows are not judged, in rows")
    disk_free_percent: int = _limit(10, "alerts", "a disk with less room is nearly full, in percent")
    nightly_missed_hours: int = _limit(26, "alerts", "how long a day that is over may wait for settling, in hours")

    peak_start_hour: int = _limit(17, "B5.1", "peak begins on working days, local hour")
    peak_end_hour: int = _limit(21, "B5.1", "peak ends, local hour")
    off_peak_start_hour: int = _limit(23, "B5.1", "off_peak begins every day, local hour")
    off_peak_end_hour: int = _limit(6, "B5.1", "off_peak ends, local hour")

    score_reading: int = _limit(40, "B5.3", "points where the energy is not null and the timestamp as read")
    score_units: int = _limit(30, "B5.3", "points where neither INVALID_VALUE nor INVALID_UNIT holds")
    score_range: int = _limit(20, "B5.3", "points where the kW are in range")
    score_reliability: int = _limit(10, "B5.3", "points where the meter is reliable")
    min_reliability: float = _limit(0.95, "B5.3", "a reliable meter is above this share of usable slots")
    grade_a: int = _limit(90, "B5.3", "lowest score of grade A")
    grade_b: int = _limit(75, "B5.3", "lowest score of grade B")
    grade_c: int = _limit(60, "B5.3", "lowest score of grade C; below is F")


@dataclass(frozen=True, kw_only=True)
class LimitInfo:
    """One threshold as the reference page shows it."""

    name: str
    default: Any
    rule: str
    meaning: str


def describe() -> tuple[LimitInfo, ...]:
    return tuple(
        LimitInfo(name=f.name, default=f.default, rule=f.metadata["rule"], meaning=f.metadata["meaning"])
        for f in fields(Limits)
    )


@dataclass(frozen=True, kw_only=True)
class QueryLimits:
    """The most that one query may take: seconds until its last row is read, rows, MiB of memory and of temporary files.

    In PostgreSQL memory is that of each sort and each hash of a query.
    """

    seconds: int
    rows: int
    memory_mb: int
    temp_mb: int
