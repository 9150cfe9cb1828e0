"""What the demo found out: plain numbers and examples, from the run and from the database."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import polars as pl

from greenstream.application.reports.demo import FaultyLines
from greenstream.domain.ledger import FileResult
from greenstream.domain.reports.demo import Arrived, Compared, DemoFacts, Fate, InLake, Simulated
from greenstream.entrypoints.cli.simulated_run import Run, scores_of
from greenstream.simulator import SimulationPlan, SimulationReport
from greenstream.wiring import Place

EXPECTED: Mapping[str, tuple[str, ...]] = {
    "wrong_unit": ("INVALID_UNIT",),
    "invalid_value": ("INVALID_VALUE",),
    "null_energy": ("MISSING_READING",),
    "corrupt_timestamp": ("TIMESTAMP_INFERRED", "TIMESTAMP_UNRECOVERABLE"),
    "clock_reset": ("TIMESTAMP_OUT_OF_RANGE",),
    "future_clock": ("TIMESTAMP_OUT_OF_RANGE",),
    "malformed_line": ("MALFORMED_ROW",),
    "repeat_row": ("duplicate",),
    "correction": ("stored",),
}
"""For each fault of a single row, what must become of it."""

BY_HISTORY: Mapping[str, str] = {
    "silent": "CONSECUTIVE_MISSING",
    "dead": "DEAD_METER",
    "stuck": "STUCK_METER",
    "spike": "ERRATIC_SPIKE",
    "communication_failure": "COMMUNICATION_FAILURE",
}
"""For each fault that only a meter's history shows, what must be found."""


def facts_of(run: Run, place: Place) -> DemoFacts:
    faulty = _faulty_lines(run)
    found = place.reports.demo(faulty, _last_day(run.plan))
    return DemoFacts(
        simulated=_simulated(run.plan, run.report),
        arrived=_arrived(run.results),
        flagged=found.flagged,
        history=found.history,
        quarantined=found.quarantined,
        grades=found.grades,
        compared=[*_compared(faulty, found.fates), *_compared_histories(run, place)],
        curve=found.curve,
        lake=_in_lake(run),
    )


def _in_lake(run: Run) -> InLake:
    archived = [each for each in run.archived if each.rows]
    return InLake(
        days=len(archived),
        readings=sum(each.rows for each in archived),
        objects=sum(each.objects for each in archived),
        size_bytes=sum(each.size_bytes for each in archived),
    )


def _simulated(plan: SimulationPlan, report: SimulationReport) -> Simulated:
    files = {file.path: file for file in report.files}.values()  # a repeat under its own name is no further file
    return Simulated(
        meters=plan.meters,
        first_day=plan.start,
        last_day=_last_day(plan),
        timezone=plan.timezone,
        files=len(files),
        deliveries=len(report.files),
        rows=sum(file.rows for file in files),
        size_bytes=sum(file.size_bytes for file in files),
        faults=dict(sorted(report.faults.items())),
    )


def _arrived(deliveries: Sequence[FileResult]) -> Arrived:
    ledgers = [result.ledger for result in deliveries]
    return Arrived(
        outcomes=dict(Counter(result.outcome.value for result in deliveries)),
        rows=sum(ledger.rows for ledger in ledgers),
        stored=sum(ledger.stored for ledger in ledgers),
        duplicate=sum(ledger.duplicate for ledger in ledgers),
        rejected=sum(ledger.rejected for ledger in ledgers),
    )


def _faulty_lines(run: Run) -> FaultyLines:
    """The lines with a fault of their own, each by its file's content and its number."""
    lines = (
        pl.read_csv(run.truth, infer_schema=False)
        .filter(pl.col("fault").is_in(list(EXPECTED)) & pl.col("line_number").is_not_null())
        .with_columns(pl.col("file").replace_strict(run.sha256), pl.col("line_number").cast(pl.Int64))
    )
    return FaultyLines(
        faults=lines["fault"].to_list(), sha256=lines["file"].to_list(), lines=lines["line_number"].to_list()
    )


def _compared(faulty: FaultyLines, fates: Sequence[Fate]) -> list[Compared]:
    simulated = Counter(faulty.faults)
    return [
        Compared(
            fault=fault,
            simulated=simulated[fault],
            findable=simulated[fault],
            found=_found(fates, fault, expected),
            expected=expected,
        )
        for fault, expected in EXPECTED.items()
        if fault in simulated
    ]


def _found(fates: Sequence[Fate], fault: str, expected: Sequence[str]) -> int:
    return sum(each.times for each in fates if each.fault == fault and set(each.fate) & set(expected))


def _compared_histories(run: Run, place: Place) -> list[Compared]:
    """Hold the findings of the history rules to the truth."""
    recalls = {(each.fault, *each.codes): each for each in scores_of(run, place).recalls}
    scored = [(recalls[fault, code], code) for fault, code in BY_HISTORY.items() if (fault, code) in recalls]
    return [
        Compared(fault=each.fault, simulated=each.injected, findable=each.findable, found=each.found, expected=(code,))
        for each, code in scored
    ]


def _last_day(plan: SimulationPlan) -> date:
    return plan.start + timedelta(days=plan.days - 1)
