"""The files that the benchmarks read: a simulated day of a fleet, made once a run."""

from datetime import date
from pathlib import Path

from greenstream.simulator import PRESETS, SimulationPlan, simulate

METERS = 50_000
SLOTS = 96
DAY = date(2026, 3, 2)


def gateway_day(folder: Path, *, faults: str = "default") -> list[Path]:
    """The day's files, a gateway a file: 4.8 million rows."""
    plan = SimulationPlan(meters=METERS, days=1, start=DAY, layout="gateway-day", faults=PRESETS[faults])
    return [file.path for file in simulate(plan, folder).files]


def one_file(paths: list[Path], target: Path) -> Path:
    """All files in one, under the header of the first."""
    with target.open("wb") as out:
        for number, path in enumerate(paths):
            content = path.read_bytes()
            out.write(content if number == 0 else content[content.index(b"\n") + 1 :])
    return target


def snapshot(folder: Path, *, hour: int) -> Path:
    """One reading of every meter, as one file."""
    plan = SimulationPlan(meters=METERS, days=1, start=DAY, layout="snapshot", regions=1)
    return simulate(plan, folder).files[hour * 4].path
