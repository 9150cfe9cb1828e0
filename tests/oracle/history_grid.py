"""The dense grid of slots of one meter, and the slots of a local day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import accumulate
from math import sqrt
from zoneinfo import ZoneInfo

from tests.oracle.reference import Reading

# kW have 4 decimals: in whole units of 0.1 W every sum is exact.
UNITS_PER_KW = 10_000


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Numbers of slots, kW, kW² and shares, as the contract has them."""

    max_kw: int = 50
    missing_run: int = 4
    dead_run: int = 96
    stuck_slots: int = 96
    stuck_usable: int = 87
    stuck_variance: Fraction | Decimal | float = Fraction(1, 100)
    spike_slots: int = 672
    spike_usable: int = 96
    spike_stds: int = 4
    window_slots: int = 672
    window_min_slots: int = 96
    missing_share: Fraction | Decimal | float = Fraction(1, 5)


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Number, sum and sum of squares of usable values, in units of 0.1 W."""

    count: int
    total: int
    squares: int

    @property
    def scatter(self) -> int:
        """The variance times count²."""
        return self.count * self.squares - self.total**2

    @property
    def variance_kw2(self) -> Fraction:
        return Fraction(self.scatter, (self.count * UNITS_PER_KW) ** 2)

    def figures(self) -> dict[str, int | float]:
        return {
            "usable": self.count,
            "mean_kw": float(Fraction(self.total, self.count * UNITS_PER_KW)),
            "std_kw": sqrt(float(self.variance_kw2)),
            "variance_kw2": float(self.variance_kw2),
        }


class Meter:
    """One meter's grid; slots are numbered from its first, 0 to `size` - 1."""

    def __init__(self, meter_id: str, readings: Sequence[Reading | None], first: datetime, max_kw: int) -> None:
        self.meter_id = meter_id
        self.first = first
        self.size = len(readings)
        self.readings = readings
        self.units = [units_of(reading) for reading in readings]
        self.missing = [reading is None or reading.energy_value is None for reading in readings]
        usable = [x if x is not None and 0 <= x < max_kw * UNITS_PER_KW else None for x in self.units]
        self._counts = sums([int(x is not None) for x in usable])
        self._totals = sums([x or 0 for x in usable])
        self._squares = sums([(x or 0) ** 2 for x in usable])
        self._missing = sums([int(each) for each in self.missing])

    def moments(self, start: int, stop: int) -> Moments:
        """Of the usable values in start…stop-1, where that is on the grid."""
        low, high = self._clip(start), self._clip(stop)
        return Moments(
            count=self._counts[high] - self._counts[low],
            total=self._totals[high] - self._totals[low],
            squares=self._squares[high] - self._squares[low],
        )

    def missing_in(self, start: int, stop: int) -> int:
        return self._missing[self._clip(stop)] - self._missing[self._clip(start)]

    def slots_in(self, start: int, stop: int) -> int:
        return self._clip(stop) - self._clip(start)

    def _clip(self, slot: int) -> int:
        return min(max(slot, 0), self.size)


@cache
def slots_of(day: date, zone: ZoneInfo, step: timedelta) -> tuple[datetime, ...]:
    """The slots that start on the local day."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    around = [start + number * step for number in range(timedelta(days=3) // step)]
    return tuple(slot for slot in around if local_day(slot, zone) == day)


def local_day(slot: datetime, zone: ZoneInfo) -> date:
    return slot.astimezone(zone).date()


def as_written(number: Fraction | Decimal | float) -> Fraction:
    """0.2 is a fifth, not the binary number near it."""
    return Fraction(str(number))


def units_of(reading: Reading | None) -> int | None:
    if reading is None or reading.consumption_kw is None:
        return None
    return int(reading.consumption_kw * UNITS_PER_KW)


def sums(numbers: Sequence[int]) -> list[int]:
    return list(accumulate(numbers, initial=0))
