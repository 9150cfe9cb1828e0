"""What to simulate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from greenstream.domain.errors import SettingsError
from greenstream.simulator.faults import KINDS

MAX_FILE_BYTES = 100 * 1024 * 1024
MAX_LINE_BYTES = 96
"""No generated line is longer, the broken ones included."""

Layout = Literal["snapshot", "gateway-day"]
Timestamps = Literal["wall", "utc"]
Compression = Literal["none", "gz", "zst"]


@dataclass(frozen=True, kw_only=True)
class SimulationPlan:
    """Everything that decides the files' content; the same plan gives the same bytes.

    (Compressed files: the same content. Their bytes also depend on the version of the compressor.)

    `start` and `days` count local days of `timezone`. `layout` is `snapshot` (a file a region and slot) or
    `gateway-day` (a file a gateway and day, rows in meter and time order). `timestamps` are `wall` clock
    without an offset, or `utc` with a Z. `faults` maps kinds to rates: see `greenstream.simulator.faults`;
    a kind that isn't named doesn't occur. Raises SettingsError where a value can't be used.
    """

    meters: int = 200
    days: int = 3
    start: date = date(2024, 3, 15)
    seed: int = 1
    timezone: str = "UTC"
    interval_minutes: int = 15
    layout: Layout = "snapshot"
    timestamps: Timestamps = "wall"
    compression: Compression = "none"
    regions: int = 10
    residential_share: float = 0.85
    meters_per_gateway: int = 500
    faults: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for problem, wrong in self._checks().items():
            if wrong:
                raise SettingsError(f"The simulation can't run: {problem}.")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def interval_seconds(self) -> int:
        return self.interval_minutes * 60

    def slots_in(self, hours: float) -> int:
        return round(hours * 60 / self.interval_minutes)

    def rate(self, kind: str) -> float:
        return self.faults.get(kind, 0.0)

    def _checks(self) -> dict[str, bool]:
        interval_fits = 1 <= self.interval_minutes <= 60 and 60 % self.interval_minutes == 0
        unknown = sorted(set(self.faults) - set(KINDS))
        return {
            f"meters must be at least 1, not {self.meters}": self.meters < 1,
            f"days must be at least 1, not {self.days}": self.days < 1,
            f"the days from {self.start} on leave the years 2010 to 2090": not self._years_fit(),
            f"seed must not be negative, and is {self.seed}": self.seed < 0,
            f"there is no time zone {self.timezone!r}": not _is_zone(self.timezone),
            f"an interval of {self.interval_minutes} minutes doesn't divide an hour": not interval_fits,
            f"regions must be 1 to {self.meters} (one meter each), not {self.regions}": not (
                1 <= self.regions <= min(self.meters, 999_999)
            ),
            f"residential_share must be 0 to 1, not {self.residential_share}": not (0 <= self.residential_share <= 1),
            f"meters_per_gateway must be at least 1, not {self.meters_per_gateway}": self.meters_per_gateway < 1,
            f"there are no faults {unknown}; choose from {', '.join(KINDS)}": bool(unknown),
            "rates of faults must be 0 to 1": not all(0 <= rate <= 1 for rate in self.faults.values()),
            **self._choice_checks(),
            **(self._size_check() if interval_fits else {}),
        }

    def _choice_checks(self) -> dict[str, bool]:
        choices = (
            ("layout", self.layout, get_args(Layout)),
            ("timestamps", self.timestamps, get_args(Timestamps)),
            ("compression", self.compression, get_args(Compression)),
        )
        return {
            f"{name} must be one of {', '.join(known)}, not {value!r}": value not in known
            for name, value, known in choices
        }

    def _years_fit(self) -> bool:
        first = date(2010, 1, 2).toordinal()
        return first <= self.start.toordinal() and self.start.toordinal() + self.days < date(2090, 1, 1).toordinal()

    def _size_check(self) -> dict[str, bool]:
        longest_day = 25 * 60 // self.interval_minutes
        if self.layout == "gateway-day":
            rows, remedy = min(self.meters, self.meters_per_gateway) * longest_day, "fewer meters_per_gateway"
        else:
            rows, remedy = -(-self.meters // max(self.regions, 1)), "more regions"
        most = MAX_FILE_BYTES // MAX_LINE_BYTES
        corrections = self.meters * longest_day * self.rate("correction")
        return {
            f"a file could exceed 100 MiB; choose {remedy}": rows * (1 + self.rate("repeat_row")) > most,
            "a day's corrections could exceed 100 MiB; choose a lower rate": corrections > most,
        }


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
