"""A simulated fleet-day in both layouts."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import fleet
from bench.measure import once
from greenstream.simulator import PRESETS, SimulationPlan, simulate
from greenstream.simulator.plan import Layout

LAYOUTS: tuple[Layout, ...] = ("snapshot", "gateway-day")


def main() -> None:
    with TemporaryDirectory() as folder:
        for layout in LAYOUTS:
            plan = SimulationPlan(
                meters=fleet.METERS, days=1, start=fleet.DAY, layout=layout, faults=PRESETS["default"]
            )
            took = once(partial(simulate, plan, Path(folder, layout)))
            print(f"a fleet-day simulated as {layout}: {took.wall:.1f} s (wanted: under 20 s)", flush=True)


if __name__ == "__main__":
    main()
