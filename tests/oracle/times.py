"""Hostile timestamp texts, and the moments at which clocks, limits and days change."""

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

UNREADABLE = (
    "", "null", "-", "NaN", "n/a", "corrupt", "2024-13-01 00:00:00", "2024-02-30 10:00:00",
    "2023-02-29 10:00", "2024-03-15 24:00:00", "2024-3-15 8:45", "15/03/2024 18:45", "2024-03-15",
    "2024-03-15 18:45:60", "1710528300", "2024-03-15t18:45:00", "2024-03-15T18:45:00z",
    "2024-03-15 18:45:00+0100", "2024-03-15 18:45:00+24:00", "2024-03-15 18:45:00+01:60",
    "0000-01-01 00:00:00", "2024-03-15 18:45:00.", "2024-03-15  18:45:00", "2024-03-15 18:45:00 Z",
    "2024-03-15 18:45 +01:00", "٢٠٢٤-03-15 18:45:00", "2024-03-15 18:60:00", "2024-00-10 10:00",
    "2024-03-15 18", "18:45:00", "2024-03-15 18:45:00+01", "2024-03-15 18:45:0", "2024-03-15 18:45:00,5",
    "20240315T184500", "2024-03-15T18:45:00.5.5", "+2024-03-15 18:45", "12024-03-15 18:45",
    "2024-03-15 18:45:00ZZ", "2024-03-15_18:45", "2024-03-15 18:45:00\u00a0", "2024-03-15 -8:45:00",
    "2024-04-31 00:00", "1900-02-29 00:00:00", "2024-03-15 18:45:00-1:00",
)  # fmt: skip
OUTSIDE = (
    "1970-01-01 00:00:00", "1980-01-06 00:00:00Z", "2000-01-01 00:00:00", "2009-12-31T23:59:59Z",
    "9999-12-31 23:45:00", "0001-01-01 00:00:00+14:00", "9999-12-31 23:59:59-14:00", "0001-01-01 00:00",
    "2099-01-01 00:00:00", "1899-12-30 00:00",
)  # fmt: skip
ZONES = {
    "UTC": ("2024-10-27T01:00", "2024-03-31T01:00"),
    "Europe/Berlin": ("2024-10-27T01:00", "2024-03-31T01:00", "2023-10-29T01:00"),
    "America/New_York": ("2024-11-03T06:00", "2024-03-10T07:00"),
    "Australia/Lord_Howe": ("2024-04-06T15:00", "2024-10-05T15:30"),
    "Asia/Kathmandu": ("2024-03-15T18:15",),
}
ORDINARY = (
    "2024-03-15T18:45", "2024-02-29T23:00", "2023-12-31T23:00", "2024-11-30T22:30", "2024-08-31T21:00",
    "2024-05-24T15:30", "2024-06-01T04:00", "2010-01-01T00:00", "2024-07-06T16:00",
)  # fmt: skip


def anchor(rng: Random, timezone: str) -> datetime:
    """An instant worth being near to: a change of the clock, or of day, season, period or validity."""
    text = rng.choice(ZONES[timezone]) if rng.random() < 0.6 else rng.choice(ORDINARY)
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def stamp_text(rng: Random, instant: datetime, timezone: str, form: str) -> str:
    """A readable text of the instant; `form` is `wall`, `offset` or `mixed`."""
    offset_form = form == "offset" or (form == "mixed" and rng.random() < 0.5)
    zone = ZoneInfo(timezone)
    if offset_form and rng.random() < 0.7:
        own = (instant.astimezone(zone).utcoffset() or timedelta(0)) // timedelta(minutes=1)
        minutes = rng.choice((own, own, 0, 60, -300, 345, 840, -720, 1439, -1439))
        local = instant + timedelta(minutes=minutes)
        suffix = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    elif offset_form:
        local, suffix = instant, rng.choice(("Z", "-00:00", "+00:00"))
    else:
        local, suffix = instant.astimezone(zone), ""
    return f"{clock_text(rng, local)}{suffix}"


def clock_text(rng: Random, local: datetime) -> str:
    short = local.second == 0 and rng.random() < 0.3
    time = f"{local:%H:%M}" if short else f"{local:%H:%M:%S}"
    if not short and rng.random() < 0.15:
        time += rng.choice((".5", ".000", ".999999", ".123456789123", ".0"))
    return f"{local:%Y-%m-%d}{rng.choice((' ', ' ', 'T'))}{time}"


def unreadable(rng: Random, near: datetime, timezone: str) -> str:
    """A corrupt text, or the wall time that clocks would show had they not changed."""
    if rng.random() < 0.15:
        before = (near - timedelta(hours=2)).astimezone(ZoneInfo(timezone)).utcoffset() or timedelta(0)
        return f"{near + before:%Y-%m-%d %H:%M:%S}"
    return rng.choice(UNREADABLE)


def outside(rng: Random, now: datetime) -> str:
    if rng.random() < 0.4:
        late = now + timedelta(seconds=rng.choice((299, 300, 301, 302, 900, 86400)))
        return f"{late:%Y-%m-%dT%H:%M:%SZ}"
    return rng.choice(OUTSIDE)
