"""What the contract makes of a meter's history: findings, reliability and final scores, a slot at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.history_grid import UNITS_PER_KW, Meter, Moments, Thresholds, as_written, local_day, slots_of
from tests.oracle.reference import Reading, current, quality_grade, quality_score

CODES = {
    "B2.3": "CONSECUTIVE_MISSING",
    "B3.2": "DEAD_METER",
    "B4.1": "STUCK_METER",
    "B4.2": "ERRATIC_SPIKE",
    "B4.3": "COMMUNICATION_FAILURE",
}
NOBODY: Mapping[str, date] = {}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`window_start` and `window_end` are the first and the last slot of a run, aware, in UTC."""

    rule_id: str
    code: str
    meter_id: str
    window_start: datetime
    window_end: datetime
    resolved: bool
    record_id: str | None = None
    figures: Mapping[str, int | float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """All grids up to the watermark. `heard` are the local days on which any meter has a reading."""

    zone: ZoneInfo
    step: timedelta
    watermark: datetime
    meters: list[Meter]
    heard: list[date]
    limits: Thresholds

    def finding(self, rule_id: str, meter: Meter, start: int, end: int, **rest: Any) -> Finding:
        window_end = meter.first + end * self.step
        return Finding(
            rule_id=rule_id,
            code=CODES[rule_id],
            meter_id=meter.meter_id,
            window_start=meter.first + start * self.step,
            window_end=window_end,
            **{"resolved": window_end < self.watermark, **rest},
        )

    def slots(self, day: date) -> tuple[datetime, ...]:
        return slots_of(day, self.zone, self.step)

    def is_over(self, day: date) -> bool:
        return self.slots(day)[-1] <= self.watermark


def findings(
    readings: Iterable[Reading],
    *,
    watermark: datetime | None = None,
    timezone: str = "UTC",
    interval_minutes: int = 15,
    decommissioned: Mapping[str, date] = NOBODY,
    **thresholds: Any,
) -> list[Finding]:
    """Evaluate B2.3, B3.2 and B4 up to the watermark; later readings are left out.

    The readings are in the order of their processing, repeats included or not. `thresholds` are `Thresholds`.
    """
    stored = stored_until(readings, watermark)
    if not stored:
        return []
    fleet = build_fleet(
        stored,
        watermark=watermark or max(reading.slot for reading in stored),
        zone=ZoneInfo(timezone),
        step=timedelta(minutes=interval_minutes),
        decommissioned=decommissioned,
        limits=Thresholds(**thresholds),
    )
    rules = (missing_runs, dead_runs, stuck_runs, spikes, failures)
    found = [finding for rule in rules for meter in fleet.meters for finding in rule(fleet, meter)]
    return sorted(found, key=lambda each: (each.rule_id, each.meter_id, each.window_start))


def missing_runs(fleet: Fleet, meter: Meter) -> list[Finding]:
    """B2.3."""
    return [
        fleet.finding("B2.3", meter, start, end, figures={"run_slots": end - start + 1})
        for start, end in runs(meter.missing)
        if end - start + 1 > fleet.limits.missing_run
    ]


def dead_runs(fleet: Fleet, meter: Meter) -> list[Finding]:
    """B3.2."""
    return [
        fleet.finding("B3.2", meter, start, end, figures={"run_slots": end - start + 1})
        for start, end in runs([units == 0 for units in meter.units])
        if end - start + 1 > fleet.limits.dead_run
    ]


def stuck_runs(fleet: Fleet, meter: Meter) -> list[Finding]:
    """B4.1."""
    limits, variance = fleet.limits, as_written(fleet.limits.stuck_variance)
    windows = [meter.moments(slot + 1 - limits.stuck_slots, slot + 1) for slot in range(meter.size)]
    holds = [each.count >= limits.stuck_usable and each.variance_kw2 < variance for each in windows]
    return [fleet.finding("B4.1", meter, start, end, figures=windows[end].figures()) for start, end in runs(holds)]


def spikes(fleet: Fleet, meter: Meter) -> list[Finding]:
    """B4.2: a finding for each slot, also where spikes follow each other."""
    found = []
    for slot, (reading, units) in enumerate(zip(meter.readings, meter.units, strict=True)):
        before = meter.moments(slot - fleet.limits.spike_slots, slot)
        if reading is not None and units is not None and is_spike(units, before, fleet.limits):
            figures = {**before.figures(), "kw": units / UNITS_PER_KW}
            found.append(fleet.finding("B4.2", meter, slot, slot, record_id=reading.record_id, figures=figures))
    return found


def is_spike(units: int, before: Moments, limits: Thresholds) -> bool:
    """Whether x > mean + 4·std, multiplied by the count and squared to stay in whole numbers."""
    if before.count < limits.spike_usable or before.scatter == 0:
        return False
    excess = before.count * units - before.total
    return excess > 0 and excess**2 > limits.spike_stds**2 * before.scatter


def failures(fleet: Fleet, meter: Meter) -> list[Finding]:
    """B4.3. A run goes on only to the next day of the calendar, and only if the fleet was heard on it."""
    failed = [day for day in fleet.heard if fleet.is_over(day) and has_failed(fleet, meter, day)]
    found = []
    for first, last in runs_of_days(failed):
        slots, missing = window_of(fleet, meter, last)
        found.append(
            fleet.finding(
                "B4.3",
                meter,
                max(position(fleet, meter, fleet.slots(first)[0]), 0),
                position(fleet, meter, fleet.slots(last)[-1]),
                resolved=fleet.is_over(last + timedelta(days=1)),
                figures={"missing": missing, "slots": slots, "share": missing / slots},
            )
        )
    return found


def has_failed(fleet: Fleet, meter: Meter, day: date) -> bool:
    # A meter taken out of service has no slot on this day: nothing was to come.
    if position(fleet, meter, fleet.slots(day)[0]) >= meter.size:
        return False
    slots, missing = window_of(fleet, meter, day)
    return slots >= fleet.limits.window_min_slots and missing > as_written(fleet.limits.missing_share) * slots


def window_of(fleet: Fleet, meter: Meter, day: date) -> tuple[int, int]:
    """How many slots of the meter's grid are in the window up to the day's last slot, and how many are missing."""
    stop = position(fleet, meter, fleet.slots(day)[-1]) + 1
    start = stop - fleet.limits.window_slots
    return meter.slots_in(start, stop), meter.missing_in(start, stop)


def reliability(
    readings: Iterable[Reading],
    day: date,
    *,
    timezone: str = "UTC",
    interval_minutes: int = 15,
    decommissioned: Mapping[str, date] = NOBODY,
    **thresholds: Any,
) -> dict[str, float | None]:
    """Of each meter that has begun by the end of the day; none for a day on which the fleet is silent."""
    zone, step, limits = ZoneInfo(timezone), timedelta(minutes=interval_minutes), Thresholds(**thresholds)
    watermark = slots_of(day, zone, step)[-1]
    stored = stored_until(readings, watermark)
    fleet = build_fleet(stored, watermark=watermark, zone=zone, step=step, decommissioned=decommissioned, limits=limits)
    if day not in fleet.heard:
        return {}
    shares: dict[str, float | None] = {}
    for meter in fleet.meters:
        stop = position(fleet, meter, watermark) + 1
        slots = meter.slots_in(stop - limits.window_slots, stop)
        usable = meter.moments(stop - limits.window_slots, stop).count
        shares[meter.meter_id] = usable / slots if slots >= limits.window_min_slots else None
    return shares


def final_scores(
    readings: Iterable[Reading], day: date, *, timezone: str = "UTC", **options: Any
) -> dict[str, tuple[int, str]]:
    """Score and grade by record_id of every stored reading of the day, the current ones and the others."""
    stored = stored_until(readings, None)
    shares = reliability(stored, day, timezone=timezone, **options)
    scores = {
        reading.record_id: quality_score(reading.consumption_kw, set(reading.flags), shares.get(reading.meter_id))
        for reading in stored
        if local_day(reading.slot, ZoneInfo(timezone)) == day
    }
    return {record_id: (score, quality_grade(score)) for record_id, score in scores.items()}


def stored_until(readings: Iterable[Reading], watermark: datetime | None) -> list[Reading]:
    """The first reading of each record_id, in the order of processing."""
    first: dict[str, Reading] = {}
    for reading in readings:
        first.setdefault(reading.record_id, reading)
    return [reading for reading in first.values() if watermark is None or reading.slot <= watermark]


def build_fleet(
    stored: Sequence[Reading],
    *,
    watermark: datetime,
    zone: ZoneInfo,
    step: timedelta,
    decommissioned: Mapping[str, date],
    limits: Thresholds,
) -> Fleet:
    by_meter: dict[str, dict[datetime, Reading]] = {}
    for (meter_id, slot), reading in current(stored).items():
        by_meter.setdefault(meter_id, {})[slot] = reading
    meters = []
    for meter_id, by_slot in by_meter.items():
        first, end = min(by_slot), watermark + step
        if meter_id in decommissioned:
            end = min(end, slots_of(decommissioned[meter_id], zone, step)[0])
        grid = [by_slot.get(first + number * step) for number in range((end - first) // step)]
        meters.append(Meter(meter_id, grid, first, limits.max_kw))
    heard = sorted({local_day(reading.slot, zone) for reading in stored})
    return Fleet(zone=zone, step=step, watermark=watermark, meters=meters, heard=heard, limits=limits)


def position(fleet: Fleet, meter: Meter, slot: datetime) -> int:
    return (slot - meter.first) // fleet.step


def runs(holds: Sequence[bool]) -> list[tuple[int, int]]:
    """First and last position of each maximal run of True."""
    found = []
    for held, group in groupby(enumerate(holds), key=lambda pair: pair[1]):
        positions = [number for number, _ in group]
        if held:
            found.append((positions[0], positions[-1]))
    return found


def runs_of_days(days: Sequence[date]) -> list[tuple[date, date]]:
    found: list[tuple[date, date]] = []
    for day in days:
        if found and found[-1][1] + timedelta(days=1) == day:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
