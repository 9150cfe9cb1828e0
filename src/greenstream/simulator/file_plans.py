"""The files of the plan, and the batches of work that make them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np

from greenstream.simulator.faults.files import Delivery
from greenstream.simulator.fleet import Fleet
from greenstream.simulator.plan import SimulationPlan
from greenstream.simulator.timeline import Day

BATCH_ROWS = 500_000
"""Rows made at a time, about: enough to keep Polars busy, little enough for any machine."""

AFTER_SLOT, AFTER_DAY = timedelta(minutes=1), timedelta(minutes=30)
CORRECTIONS_AFTER = timedelta(days=4)
"""Corrections follow even the latest original."""

ENDINGS = {"none": ".csv", "gz": ".csv.gz", "zst": ".csv.zst"}


@dataclass(frozen=True, kw_only=True)
class FilePlan:
    """A file: its meters, its slots of the day, when it is due at the landing zone (UTC)."""

    planned: Delivery
    meters: range
    slots: range

    @property
    def cells(self) -> int:
        return len(self.meters) * len(self.slots)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Files made together: by slots of all their meters, or whole gateways."""

    day: Day
    meters: range
    slots: range
    files: tuple[FilePlan, ...]


def region_ranges(fleet: Fleet) -> tuple[range, ...]:
    """The meters of each region; regions are runs of the fleet."""
    bounds = np.searchsorted(fleet.region, np.arange(1, int(fleet.region[-1]) + 2)).tolist()
    return tuple(range(a, b) for a, b in pairwise(bounds))


def batches_of(plan: SimulationPlan, regions: Sequence[range], days: Sequence[Day]) -> Iterator[Batch]:
    for day in days:
        if plan.layout == "snapshot":
            for number, meters in enumerate(regions, start=1):
                yield from _snapshots(plan, number, meters, day)
        else:
            yield from _gateways(plan, regions, day)


def file_count(plan: SimulationPlan, regions: Sequence[range], days: Sequence[Day]) -> int:
    """How many files the batches hold, corrections and repeats aside."""
    if plan.layout == "snapshot":
        return len(regions) * sum(day.slots for day in days)
    return sum(-(-len(meters) // plan.meters_per_gateway) for meters in regions) * len(days)


def corrections_file(plan: SimulationPlan, day: Day) -> Delivery:
    return Delivery(name=f"Corrections_{day.date}{ENDINGS[plan.compression]}", at=_end(plan, day) + CORRECTIONS_AFTER)


def _snapshots(plan: SimulationPlan, region: int, meters: range, day: Day) -> Iterator[Batch]:
    step = max(BATCH_ROWS // len(meters), 1)
    for begin in range(0, day.slots, step):
        slots = range(begin, min(begin + step, day.slots))
        files = tuple(_snapshot(plan, region, meters, day, slot) for slot in slots)
        yield Batch(day=day, meters=meters, slots=slots, files=files)


def _snapshot(plan: SimulationPlan, region: int, meters: range, day: Day, slot: int) -> FilePlan:
    """Named by its slot in UTC, which an autumn night has only once."""
    at = datetime.fromtimestamp(int(day.instants[slot]), UTC)
    name = f"Zone{region}_{at:%Y%m%dT%H%MZ}{ENDINGS[plan.compression]}"
    due = at + timedelta(minutes=plan.interval_minutes) + AFTER_SLOT
    return FilePlan(planned=Delivery(name=name, at=due), meters=meters, slots=range(slot, slot + 1))


def _gateways(plan: SimulationPlan, regions: Sequence[range], day: Day) -> Iterator[Batch]:
    size = plan.meters_per_gateway
    gateways = [meters[i : i + size] for meters in regions for i in range(0, len(meters), size)]
    step = max(BATCH_ROWS // (min(size, len(regions[0])) * day.slots), 1)
    for begin in range(0, len(gateways), step):
        part = gateways[begin : begin + step]
        files = tuple(_gateway(plan, n, meters, day) for n, meters in enumerate(part, start=begin + 1))
        yield Batch(day=day, meters=range(part[0].start, part[-1].stop), slots=range(day.slots), files=files)


def _gateway(plan: SimulationPlan, number: int, meters: range, day: Day) -> FilePlan:
    name = f"GW-{number:04d}_{day.date}{ENDINGS[plan.compression]}"
    planned = Delivery(name=name, at=_end(plan, day) + AFTER_DAY)
    return FilePlan(planned=planned, meters=meters, slots=range(day.slots))


def _end(plan: SimulationPlan, day: Day) -> datetime:
    return datetime.fromtimestamp(int(day.instants[-1]) + plan.interval_seconds, UTC)
