"""A simulated fleet: its files taken through the pipeline in the order of their delivery, its faults looked for."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from greenstream.application.lake.archive import Archived
from greenstream.domain.ledger import FileResult, Outcome
from greenstream.domain.site import day_slots
from greenstream.entrypoints.cli.console import Console
from greenstream.entrypoints.cli.simulate import SIMULATED, simulated
from greenstream.evaluation.comparison import compare
from greenstream.evaluation.scoring import Scores
from greenstream.simulator import SimulationPlan, SimulationReport
from greenstream.wiring import Place


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run: what was simulated, and how each delivery ended, in their order."""

    plan: SimulationPlan
    report: SimulationReport
    truth: Path
    results: tuple[FileResult, ...]
    archived: tuple[Archived, ...]

    @property
    def sha256(self) -> Mapping[str, str]:
        """Of each simulated file, by its name."""
        pairs = zip(self.report.files, self.results, strict=True)
        return {file.path.name: result.delivery.sha256 for file, result in pairs if result.delivery.sha256}

    @property
    def troubles(self) -> int:
        """How many deliveries were rejected or failed."""
        return sum(result.outcome not in (Outcome.LOADED, Outcome.DUPLICATE) for result in self.results)


def run_through(console: Console, plan: SimulationPlan, place: Place) -> Run:
    """Simulate, load, watch, settle and archive each day.

    Raises what the simulator, the store and the database raise: StorageRefused, DatabaseUnavailable and others.
    """
    place.set_up()
    folder = place.settings.home / SIMULATED
    shutil.rmtree(folder, ignore_errors=True)
    report = simulated(console, plan, folder)
    today = place.clock().date()
    results = []
    with console.progress("loading", len(report.files), unit="files") as progress:
        for file in report.files:
            results.append(_load(place, file.path, min(file.delivered_at.date(), today)))
            progress.advance()
    archived = _settle(console, plan, place)
    return Run(plan=plan, report=report, truth=folder / "truth.csv", results=tuple(results), archived=archived)


def scores_of(run: Run, place: Place) -> Scores:
    """Score the findings in the system's database by what was simulated."""
    plan, site = run.plan, place.site
    fleet_first = day_slots(plan.start, plan.timezone, plan.interval_minutes).start
    return compare(run.truth, place.reports.findings(plan.interval_seconds), fleet_first, site)


def _settle(console: Console, plan: SimulationPlan, place: Place) -> tuple[Archived, ...]:
    """The history of the meters: up to the newest reading, and then each day, now that all of its files are there."""
    days = [plan.start + timedelta(days=number) for number in range(plan.days)]
    with console.progress("looking at the meters' history", unit="meters") as progress:
        place.history.detect(progress.reach)
    with console.progress("settling and archiving", 2 * plan.days, unit="steps") as progress:
        for day in days:
            place.history.settle(day)
            progress.advance()
        archived = []
        for day in days:
            archived.append(place.lake.archive(day))
            progress.advance()
    return tuple(archived)


def _load(place: Place, path: Path, day: date) -> FileResult:
    return place.loading.process(place.store.land(path, day=day).path)
