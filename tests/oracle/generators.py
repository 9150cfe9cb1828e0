"""Hostile files: mostly sane rows, with every oddity often enough to be met within a few dozen files.

`random_file` draws from a seed, for long differential runs; the strategies draw from hypothesis, so that what
they find shrinks. Both build the same files.
"""

from datetime import UTC, datetime
from random import Random
from typing import Any

from hypothesis import strategies as st
from tests.oracle import cells, damage, scenes, times

HostileFile = tuple[str, bytes, dict[str, Any]]
BAD_NAMES = (
    "readings.txt",
    "readings.csv.bz2",
    "readings.csv.zip",
    "readings",
    "csv",
    "readings.csv.",
    "readings.gz",
    "a.csv.gz.part",
)


def random_file(seed: int, *, max_rows: int = 60) -> HostileFile:
    """`(name, content, kwargs)` for `evaluate_file`; the same for the same seed."""
    return build_file(Random(seed), max_rows=max_rows)


def hostile_files(*, max_rows: int = 12) -> st.SearchStrategy[HostileFile]:
    return st.randoms(use_true_random=False).map(lambda rng: build_file(rng, max_rows=max_rows))


def energy_texts() -> st.SearchStrategy[str]:
    """Energy texts from the catalogue, and any mixture of what numbers and units are made of."""
    catalogue = st.randoms(use_true_random=False).map(cells.energy_text)
    return catalogue | st.text("0123456789.,+-eE kWwatt\t", max_size=14) | st.text(max_size=6)


def timestamp_texts() -> st.SearchStrategy[str]:
    """Timestamps of every accepted form, corrupt ones, and any mixture of their characters."""
    readable = st.builds(
        times.stamp_text,
        st.randoms(use_true_random=False),
        st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
        st.sampled_from(sorted(times.ZONES)),
        st.sampled_from(("wall", "offset")),
    )
    corrupt = st.sampled_from(times.UNREADABLE + times.OUTSIDE)
    return readable | corrupt | st.text("0123456789-:T Z+.", max_size=26)


def build_file(rng: Random, *, max_rows: int) -> HostileFile:
    scene = scenes.draw_scene(rng)
    plan = scenes.plan_rows(rng, scene, max_rows)
    lines = [row_line(rng, scene, planned) for planned in plan]
    lines = with_repeats(rng, lines)
    content = damage.join_lines(rng, [header_line(rng, scene), *lines])
    if rng.random() < 0.08:
        content = damage.damaged_content(rng, content)
    kind = rng.choice(("csv", "csv", "csv", "gz", "zst"))
    meters = sorted({planned.meter for planned in plan})
    return file_name(rng, kind), damage.archived(rng, content, kind), scenes.settings(rng, scene, meters)


def file_name(rng: Random, kind: str) -> str:
    if rng.random() < 0.03:
        return rng.choice(BAD_NAMES)
    ending = ".csv" if kind == "csv" else f".csv.{kind}"
    return "readings" + rng.choice((ending, ending, ending.upper(), ending.title()))


def header_line(rng: Random, scene: scenes.Scene) -> bytes:
    style = rng.choice((str, str, str.upper, str.title, str.swapcase))
    return damage.line(rng, [style(name) for name in scene.columns], scene.delimiter)


def row_line(rng: Random, scene: scenes.Scene, planned: scenes.Planned) -> bytes:
    energy, unit = energy_of(rng, scene)
    texts = {
        "meter_id": cells.lost_meter(rng) if rng.random() < scene.lost_meter else planned.meter,
        "timestamp": timestamp_of(rng, scene, planned),
        "energy_value": energy,
        "unit": unit,
        "location": cells.location_text(rng),
    }
    row = [texts.get(name.strip().lower(), rng.choice(("", "x", "7", "ü", 'a "b"'))) for name in scene.columns]
    if rng.random() < scene.damaged:
        return damage.damaged_line(rng, row, scene.delimiter)
    return damage.line(rng, row, scene.delimiter)


def energy_of(rng: Random, scene: scenes.Scene) -> tuple[str, str]:
    if not scene.clean_energy:
        return cells.energy_cells(rng, unit_column="unit" in scene.columns)
    return cells.sane_energy(rng), ""


def timestamp_of(rng: Random, scene: scenes.Scene, planned: scenes.Planned) -> str:
    if planned.lost:
        return times.unreadable(rng, scene.anchor, scene.timezone)
    if rng.random() < scene.outside:
        return times.outside(rng, scene.now)
    return times.stamp_text(rng, planned.instant, scene.timezone, scene.form)


def with_repeats(rng: Random, lines: list[bytes]) -> list[bytes]:
    """Some rows a second time: at once, or anywhere later or earlier in the file."""
    repeated = list(lines)
    for _ in range(rng.choice((0, 0, 0, 1, 3)) if lines else 0):
        at = rng.randrange(len(repeated))
        repeated.insert(rng.choice((at, rng.randrange(len(repeated) + 1))), repeated[at])
    return repeated
