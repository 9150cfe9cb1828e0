"""From timestamp texts to instants: one meter's rows at a time, wall times that occur twice, and B2.2.

An instant is a `timedelta` since 1970-01-01T00:00Z, which no year overflows. So is a wall time, taken as UTC.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEAR_LANDING = timedelta(hours=3)
FURTHEST_ROW = 4
FORMAT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What a timestamp says by itself: one instant, or the two of a wall time that occurs twice."""

    wall: timedelta
    earlier: timedelta
    later: timedelta

    @property
    def is_repeated(self) -> bool:
        return self.earlier != self.later


@dataclass(frozen=True, kw_only=True)
class Moment:
    """The instant a row ends up with, or None; and whether it was inferred."""

    instant: timedelta | None
    inferred: bool


def read_stamp(text: str | None, zone: ZoneInfo) -> Stamp | None:
    """None where the text can't be read, or names a wall time that doesn't exist."""
    found = FORMAT.fullmatch(text or "")
    if found is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or "0") for part in found.groups()[:6])
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    wall = local - EPOCH
    if found[7] is not None:
        offset = read_offset(found[7])
        return None if offset is None else Stamp(wall=wall, earlier=wall - offset, later=wall - offset)
    before, after = (zone.utcoffset(local.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if before is None or after is None or before < after:
        return None
    return Stamp(wall=wall, earlier=wall - before, later=wall - after)


def read_offset(text: str) -> timedelta | None:
    if text == "Z":
        return timedelta(0)
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 23 or minutes > 59:
        return None
    size = timedelta(hours=hours, minutes=minutes)
    return -size if text[0] == "-" else size


@dataclass(frozen=True, kw_only=True)
class Clock:
    """What the rules on time depend on, beside the rows."""

    zone: ZoneInfo
    step: timedelta
    earliest: timedelta
    latest: timedelta
    received: timedelta

    def slot(self, instant: timedelta) -> timedelta:
        return instant // self.step * self.step

    def is_valid(self, instant: timedelta | None) -> bool:
        return instant is not None and self.earliest <= instant <= self.latest


def choose_instants(stamps: Sequence[Stamp | None], clock: Clock) -> list[timedelta | None]:
    """One meter's stamps in file order; repeated wall times get one of their two instants."""
    order = range(len(stamps))
    earlier = [None if stamp is None else stamp.earlier for stamp in stamps]
    first_to_last = order if runs_forward(earlier, clock) else reversed(order)
    occurs = Counter(stamp.wall for stamp in stamps if stamp is not None and stamp.is_repeated)
    seen: set[timedelta] = set()
    chosen: list[timedelta | None] = list(earlier)
    for row in first_to_last:
        stamp = stamps[row]
        if stamp is None or not stamp.is_repeated:
            continue
        if occurs[stamp.wall] == 1:
            just_landed = stamp.later <= clock.received <= stamp.later + NEAR_LANDING
            chosen[row] = stamp.later if just_landed else stamp.earlier
        else:
            chosen[row] = stamp.later if stamp.wall in seen else stamp.earlier
        seen.add(stamp.wall)
    return chosen


def runs_forward(instants: Sequence[timedelta | None], clock: Clock) -> bool:
    """From the first to the last readable row of a meter; forward when in doubt."""
    slots = [clock.slot(each) for each in instants if each is not None and clock.is_valid(each)]
    return not slots or slots[0] <= slots[-1]


def infer_instants(instants: Sequence[timedelta | None], clock: Clock, fleet_slots: set[timedelta]) -> list[Moment]:
    """B2.2 for one meter's rows in file order; `fleet_slots` are those of all readable rows of the file."""
    step = clock.step if runs_forward(instants, clock) else -clock.step

    def nearest(rows: range) -> tuple[timedelta, int] | None:
        """The slot of the first readable of these rows, and how many rows away it is."""
        for away, row in enumerate(rows, start=1):
            instant = instants[row]
            if instant is not None and clock.is_valid(instant):
                return clock.slot(instant), away
        return None

    moments: list[Moment] = []
    for row, instant in enumerate(instants):
        if instant is not None:
            moments.append(Moment(instant=instant, inferred=False))
            continue
        before = nearest(range(row - 1, -1, -1))
        after = nearest(range(row + 1, len(instants)))
        moments.append(Moment(instant=infer(before, after, step, fleet_slots), inferred=True))
    return moments


def infer(
    before: tuple[timedelta, int] | None,
    after: tuple[timedelta, int] | None,
    step: timedelta,
    fleet_slots: set[timedelta],
) -> timedelta | None:
    if before is not None and after is not None:
        (p, i), (n, j) = before, after
        step = abs(step) if n >= p else -abs(step)
        return p + i * step if p + (i + j) * step == n else None
    if before is not None:
        p, i = before
        return p + i * step if i <= FURTHEST_ROW else None
    if after is not None:
        n, j = after
        return n - j * step if j <= FURTHEST_ROW else None
    return next(iter(fleet_slots)) if len(fleet_slots) == 1 else None


def by_meter(meters: Sequence[str]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, meter in enumerate(meters):
        rows.setdefault(meter, []).append(row)
    return rows


def moments_of(meters: Sequence[str], texts: Sequence[str | None], clock: Clock) -> list[Moment]:
    """The instant of each row of a file; `meters` and `texts` are its rows with a meter, in file order."""
    groups = by_meter(meters).values()
    stamps = [read_stamp(text, clock.zone) for text in texts]
    instants: list[timedelta | None] = [None] * len(stamps)
    for rows in groups:
        chosen = choose_instants([stamps[row] for row in rows], clock)
        for row, instant in zip(rows, chosen, strict=True):
            instants[row] = instant
    fleet_slots = {clock.slot(each) for each in instants if each is not None and clock.is_valid(each)}
    moments = [Moment(instant=None, inferred=False)] * len(stamps)
    for rows in groups:
        found = infer_instants([instants[row] for row in rows], clock, fleet_slots)
        for row, moment in zip(rows, found, strict=True):
            moments[row] = moment
    return moments
