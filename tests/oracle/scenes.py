"""What happens in a hostile file before it is text: who reported when, in what order, and what got lost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.oracle import cells, times

DELIMITERS = (",", ",", ",", ";", ";", "\t", "|")
EXTRAS = (
    "quality",
    "phase",
    "Serial No",
    "",
    "meter id",
    "x;y",
    "Zählpunkt",
    "METER_ID",
    "timestamp",
    "unit ",
)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is the same for all rows of one file, and how often each oddity befalls a row."""

    timezone: str
    step: timedelta
    anchor: datetime
    now: datetime
    received_at: datetime
    form: str
    delimiter: str
    columns: tuple[str, ...]
    unreadable: float
    outside: float
    damaged: float
    lost_meter: float
    jitter: float
    clean_energy: bool


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A row before it is text: its meter, when it was read, and whether its timestamp got lost."""

    meter: str
    instant: datetime
    lost: bool = False


def draw_scene(rng: Random) -> Scene:
    timezone = rng.choice(list(times.ZONES))
    anchor = times.anchor(rng, timezone)
    now = anchor + rng.choice(
        (timedelta(0), timedelta(hours=1), timedelta(hours=9), *[timedelta(days=days) for days in (2, 5, 30, 400)])
    )
    landed = timedelta(minutes=rng.choice((-20, 0, 15, 45, 100, 180, 195, 225, 480)))
    delimiter = rng.choice(DELIMITERS)
    return Scene(
        timezone=timezone,
        step=timedelta(minutes=rng.choice((15, 15, 15, 15, 30, 5, 60))),
        anchor=anchor,
        now=now + timedelta(microseconds=rng.choice((0, 0, 999_999))),
        received_at=anchor + landed + timedelta(seconds=rng.choice((-1, 0, 1))),
        form=rng.choice(("wall", "wall", "wall", "mixed", "offset")),
        delimiter=delimiter,
        columns=draw_columns(rng),
        unreadable=rng.choice((0.0, 0.05, 0.15, 0.4)),
        outside=rng.choice((0.0, 0.0, 0.03, 0.15)),
        damaged=rng.choice((0.0, 0.0, 0.05, 0.3)),
        lost_meter=rng.choice((0.0, 0.0, 0.04)),
        jitter=rng.choice((0.0, 0.0, 0.1, 1.0)),
        clean_energy=rng.random() < 0.3,
    )


def draw_columns(rng: Random) -> tuple[str, ...]:
    columns = ["meter_id", "timestamp", "energy_value"]
    columns += [name for name in ("unit", "location") if rng.random() < 0.6]
    if rng.random() < 0.3:
        rng.shuffle(columns)
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        columns.insert(rng.randrange(len(columns) + 1), rng.choice(EXTRAS))
    if rng.random() < 0.02:
        columns.remove(rng.choice(("meter_id", "timestamp", "energy_value")))
    return tuple(columns)


def plan_rows(rng: Random, scene: Scene, max_rows: int) -> list[Planned]:
    total = rng.randrange(max_rows + 1)
    if rng.random() < 0.2:
        return snapshot(rng, scene, total)
    meters = cells.meter_names(rng, rng.choice((1, 1, 2, 3, 5)))
    sequences = [sequence(rng, scene, meter, total // len(meters)) for meter in meters]
    rows = [row for rows in sequences for row in rows]
    order = rng.choice(
        ("blocks", "interleaved", "interleaved", "merged", "shuffled" if rng.random() < 0.2 else "blocks")
    )
    if order == "interleaved":
        longest = max(len(each) for each in sequences)
        rows = [each[index] for index in range(longest) for each in sequences if index < len(each)]
    if order == "merged":
        rows.sort(key=lambda row: row.instant, reverse=rng.random() < 0.4)
    if order == "shuffled":
        rng.shuffle(rows)
    return rows


def snapshot(rng: Random, scene: Scene, total: int) -> list[Planned]:
    """The fleet at one slot, a row or two a meter; now and then one meter is a slot ahead."""
    slot = scene.anchor + scene.step * rng.choice((0, 0, -1, 1))
    meters = cells.meter_names(rng, total)
    rows = [planned(rng, scene, meter, slot) for meter in meters for _ in range(1 + (rng.random() < 0.05))]
    if rows and rng.random() < 0.2:
        rows[-1] = replace(rows[-1], instant=slot + scene.step)
    return rows


def sequence(rng: Random, scene: Scene, meter: str, length: int) -> list[Planned]:
    """Consecutive slots around the anchor, perhaps descending, with gaps, corrections and lost timestamps."""
    start = scene.anchor - scene.step * rng.choice((0, rng.randrange(length + 1), rng.randrange(length + 1)))
    instants = [start + scene.step * index for index in range(length)]
    if rng.random() < 0.35:
        instants.reverse()
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        at = rng.randrange(length + 1)
        instants[at : at + 1] = [other for each in instants[at : at + 1] for other in irregular(rng, scene, each)]
    rows = [planned(rng, scene, meter, instant) for instant in instants]
    if rows and scene.unreadable and rng.random() < 0.5:
        at = rng.choice((0, rng.randrange(len(rows)), len(rows) - 3))
        run = range(max(at, 0), min(max(at, 0) + rng.randrange(1, 7), len(rows)))
        rows = [replace(row, lost=row.lost or index in run) for index, row in enumerate(rows)]
    return rows


def irregular(rng: Random, scene: Scene, instant: datetime) -> list[datetime]:
    """A slot left out, reported twice, or far ahead of its neighbours."""
    return rng.choice(([], [instant, instant], [instant + scene.step * 7]))


def planned(rng: Random, scene: Scene, meter: str, slot: datetime) -> Planned:
    within = timedelta(seconds=rng.randrange(int(scene.step.total_seconds())) if rng.random() < scene.jitter else 0)
    return Planned(meter=meter, instant=slot + within, lost=rng.random() < scene.unreadable)


def settings(rng: Random, scene: Scene, meters: Sequence[str]) -> dict[str, Any]:
    """The keyword arguments of `evaluate_file`."""
    known = {meter: rng.choice((None, 1.0, 0.95, 0.9500001, 0.96, 0.9, 0.0)) for meter in meters if rng.random() < 0.5}
    earliest = scene.anchor + timedelta(minutes=rng.choice((-5, 0, 20)))
    return {
        **({"earliest_reading": earliest} if rng.random() < 0.05 else {}),
        "received_at": scene.received_at,
        "now": scene.now,
        "timezone": scene.timezone,
        "interval_minutes": int(scene.step.total_seconds()) // 60,
        "reliability": known,
    }
