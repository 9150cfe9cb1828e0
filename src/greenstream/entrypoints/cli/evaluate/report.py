"""The scores as tables for people, and as an answer."""

from greenstream.domain.reports.evaluation import Evaluation, FaultRecall, RulePrecision
from greenstream.entrypoints.cli.console import Console
from greenstream.evaluation.scoring import Precision, Recall, Scores
from greenstream.simulator.plan import SimulationPlan

PRECISIONS = ("rule", "code", "findings", "explained", "precision")
RECALLS = ("rule", "fault", "injected", "findable", "found", "recall", "median delay", "longest delay")


def tell(console: Console, scores: Scores, interval_minutes: int) -> None:
    """Two tables: of the findings, how many are right; of the faults, how many are found, and when."""
    console.write("\nAre the findings right?\n")
    console.table(PRECISIONS, [_precision_row(each) for each in scores.precisions], right=("precision",))
    console.write("\nAre the faults found?\n")
    rows = [_recall_row(each, interval_minutes) for each in scores.recalls]
    console.table(RECALLS, rows, right=RECALLS[5:])


def evaluation_of(plan: SimulationPlan, rows: int, scores: Scores, seconds: float) -> Evaluation:
    return Evaluation(
        meters=plan.meters,
        days=plan.days,
        first_day=plan.start,
        seed=plan.seed,
        rows=rows,
        rules=[_rule_precision(each) for each in scores.precisions],
        faults=[_fault_recall(each, plan.interval_minutes) for each in scores.recalls],
        seconds=seconds,
    )


def _rule_precision(each: Precision) -> RulePrecision:
    return RulePrecision(
        rule_id=each.rule_id,
        codes=each.codes,
        findings=each.findings,
        explained=each.explained,
        precision=each.precision,
    )


def _fault_recall(each: Recall, interval_minutes: int) -> FaultRecall:
    median, longest = each.median_delay, each.max_delay
    return FaultRecall(
        rule_id=each.rule_id,
        codes=each.codes,
        fault=each.fault,
        injected=each.injected,
        findable=each.findable,
        found=each.found,
        recall=each.recall,
        median_delay_slots=median,
        max_delay_slots=longest,
        median_delay_hours=None if median is None else _hours(median, interval_minutes),
        max_delay_hours=None if longest is None else _hours(longest, interval_minutes),
    )


def _precision_row(each: Precision) -> tuple[object, ...]:
    return each.rule_id, ", ".join(each.codes), each.findings, each.explained, _share(each.precision)


def _recall_row(each: Recall, interval_minutes: int) -> tuple[object, ...]:
    delays = [_delay(slots, interval_minutes) for slots in (each.median_delay, each.max_delay)]
    return each.rule_id, each.fault, each.injected, each.findable, each.found, _share(each.recall), *delays


def _share(share: float | None) -> str:
    """Cut, not rounded, so that only all of them are 100 %."""
    return "" if share is None else f"{int(share * 10_000) / 100:.2f} %"


def _delay(slots: float | None, interval_minutes: int) -> str:
    return "" if slots is None else f"{slots:g} ({_hours(slots, interval_minutes):.2f} h)"


def _hours(slots: float, interval_minutes: int) -> float:
    return round(slots * interval_minutes / 60, 2)
