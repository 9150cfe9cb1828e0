"""Local days and slots. A slot is numbered by its start, in intervals since 1970-01-01T00:00Z."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from greenstream.domain.limits import Limits


def day_start(day: date, timezone: str) -> datetime:
    """The first instant of a local day."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))


def slot_of(instant: datetime, interval_minutes: int) -> int:
    return int(instant.timestamp()) // (interval_minutes * 60)


def slot_start(slot: int, interval_minutes: int) -> datetime:
    return datetime.fromtimestamp(slot * interval_minutes * 60, UTC)


def day_slots(day: date, timezone: str, interval_minutes: int) -> range:
    """The slots that start on a local day: with 15 minutes 96, where the clock is changed 92 or 100."""
    seconds = interval_minutes * 60
    first, behind = (
        -(-int(day_start(each, timezone).timestamp()) // seconds) for each in (day, day + timedelta(days=1))
    )
    return range(first, behind)


def local_day(slot: int, timezone: str, interval_minutes: int) -> date:
    """The local day on which a slot starts."""
    return slot_start(slot, interval_minutes).astimezone(ZoneInfo(timezone)).date()


@dataclass(frozen=True, kw_only=True)
class Site:
    """What the rules must know about the place: its time zone and its thresholds."""

    timezone: str
    limits: Limits
