import csv
from collections.abc import Callable

import pytest
from tests.unit.simulator.simulated_runs import Simulated, lines_in

from greenstream.simulator import SimulationPlan, simulate


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[SimulationPlan], Simulated]:
    def run(plan: SimulationPlan) -> Simulated:
        out = tmp_path_factory.mktemp("simulated")
        report = simulate(plan, out)
        with (out / "truth.csv").open(newline="", encoding="utf-8") as file:
            truth = list(csv.DictReader(file))
        lines = {path.name: lines_in(path) for path in (out / "files").iterdir()}
        return Simulated(plan=plan, report=report, out=out, truth=truth, lines=lines)

    return run
