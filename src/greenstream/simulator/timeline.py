"""The plan's days and their slots."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from greenstream.simulator.plan import SimulationPlan


@dataclass(frozen=True, kw_only=True)
class Day:
    """A local day: 96 slots of 15 minutes, 92 or 100 where the clock changes.

    `index` counts from 0, `first_slot` is the plan-wide number of its first slot, `instants` are the slots'
    starts in seconds since 1970 (int64), `minutes` their local minute of day (int64) and `texts` their
    timestamps as meters write them.
    """

    index: int
    date: date
    first_slot: int
    instants: NDArray[np.int64]
    minutes: NDArray[np.int64]
    texts: tuple[str, ...]

    @property
    def slots(self) -> int:
        return len(self.instants)


def days_of(plan: SimulationPlan) -> tuple[Day, ...]:
    days: list[Day] = []
    for index in range(plan.days):
        first = days[-1].first_slot + days[-1].slots if days else 0
        days.append(_day(plan, index, first))
    return tuple(days)


def utc_text(instant: int) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(plan: SimulationPlan, index: int, first_slot: int) -> Day:
    day = plan.start + timedelta(days=index)
    step = plan.interval_seconds
    begin, end = (_midnight(d, plan) for d in (day, day + timedelta(days=1)))
    # Slots are floored instants, so that they start at multiples of the interval in any zone.
    instants = np.arange(-(-begin // step) * step, end, step, dtype=np.int64)
    local = [datetime.fromtimestamp(int(i), plan.zone) for i in instants]
    return Day(
        index=index,
        date=day,
        first_slot=first_slot,
        instants=instants,
        minutes=np.array([t.hour * 60 + t.minute for t in local], dtype=np.int64),
        texts=tuple(_texts(plan, instants, local)),
    )


def _midnight(day: date, plan: SimulationPlan) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=plan.zone).timestamp())


def _texts(plan: SimulationPlan, instants: NDArray[np.int64], local: list[datetime]) -> list[str]:
    if plan.timestamps == "utc":
        return [utc_text(int(i)) for i in instants]
    return [t.strftime("%Y-%m-%d %H:%M:%S") for t in local]
