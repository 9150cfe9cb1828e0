"""What a round delivers: the files of a simulated fleet, when, and by which way each of them comes."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from greenstream.simulator import PRESETS, SimulationPlan, simulate, without

SLOTS = 96
REGIONS = 3
METERS = 300
WAYS = ("halves", "halves", "rename", "rename", "dropped", "dropped halves", "ingest")
RARE_WAYS = ("paused", "dropped paused", "renamed over", "appended", "rewritten", "deleted")
"""Senders who pause for longer than a file is waited for, or touch it again: each takes seconds."""
AGES = (timedelta(0), timedelta(days=1), timedelta(days=-1), timedelta(days=-20_000))
"""What a sender adds to a file's time of modification; it decides nothing."""
TIMELESS = "correction"  # which of two corrections counts depends on the order, so a quiet run may differ


@dataclass(frozen=True, kw_only=True)
class PlannedDelivery:
    """A file on its way: `at` in seconds from the start, `pause` between two things that its sender does."""

    name: str
    content: bytes
    way: str
    folder: str
    at: float
    pause: float
    age: timedelta


def deliveries(rng: Random, seconds: float, files: int, today: date, scratch: Path) -> list[PlannedDelivery]:
    """So many files and some of them again, in a shuffled order, over so many seconds."""
    contents = _contents(rng, files, today, scratch)
    contents += [(f"bad{number}.csv", f"no header {number}\n".encode()) for number in range(2)]
    again = [(_other_name(rng, name), content) for name, content in rng.sample(contents, len(contents) // 6)]
    order = rng.sample([*contents, *again], len(contents) + len(again))
    return [
        _parcel(rng, name, content, today, seconds * number / len(order))
        for number, (name, content) in enumerate(order)
    ]


def _contents(rng: Random, files: int, today: date, scratch: Path) -> list[tuple[str, bytes]]:
    days = -(-files // (SLOTS * REGIONS))
    plan = SimulationPlan(
        meters=METERS,
        regions=REGIONS,
        days=days,
        start=today - timedelta(days=days + 1),
        seed=rng.randrange(1_000_000),
        faults=without(PRESETS["demo"], TIMELESS),
    )
    made = simulate(plan, scratch).files
    return [(file.path.name, file.path.read_bytes()) for file in sorted(made[:files], key=lambda file: file.path.name)]


def _other_name(rng: Random, name: str) -> str:
    return name if rng.random() < 0.5 else f"copy-of-{name}"


def _parcel(rng: Random, name: str, content: bytes, today: date, at: float) -> PlannedDelivery:
    way = _way(rng) if len(content) > 1000 else "rename"
    return PlannedDelivery(
        name=name,
        content=content,
        way=way,
        folder=(today - timedelta(days=rng.choice((0, 0, 0, 1, 900)))).isoformat(),
        at=at,
        pause=rng.uniform(0.5, 8.0) if way in RARE_WAYS else rng.uniform(0.1, 1.5),
        age=rng.choice(AGES) if rng.random() < 0.2 else timedelta(0),
    )


def _way(rng: Random) -> str:
    if rng.random() < 0.1:
        return rng.choice(RARE_WAYS)
    way = rng.choice(WAYS)
    return "rename" if way == "ingest" and rng.random() < 0.8 else way  # each is a process of its own
