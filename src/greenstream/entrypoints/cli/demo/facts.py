"""What the demo found out: plain numbers and examples, from the run and from the database."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.lookup import Row, looking, rows
from greenstream.domain.ledger import FileResult
from greenstream.entrypoints.cli.demo.run import Run
from greenstream.entrypoints.cli.evaluate.comparison import scores_of
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


@dataclass(frozen=True, kw_only=True)
class Flagged:
    """A code of `data_quality_log`, how often it is there, and one case of it."""

    code: str
    rule_id: str
    times: int
    energy_value: str | None
    meter_id: str
    reading_at: datetime | None
    source_file: str | None


@dataclass(frozen=True, kw_only=True)
class InHistory:
    """A code about the history of a meter, how often it is there, and one case of it with its figures."""

    code: str
    rule_id: str
    times: int
    meter_id: str
    window_start: datetime
    window_end: datetime
    detail: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Quarantined:
    """A reason for rejecting rows, how many it rejected, and one of them."""

    code: str
    rule_id: str
    times: int
    raw_line: str
    source_file: str
    line_number: int


@dataclass(frozen=True, kw_only=True)
class Compared:
    """How many rows or meters got a fault, and how many of exactly these ended as they must: as one of `expected`.

    A fault is `findable` if it is long, large or late enough for the rule's own threshold.
    """

    fault: str
    simulated: int
    findable: int
    found: int
    expected: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Simulated:
    meters: int
    first_day: date
    last_day: date
    timezone: str
    files: int
    deliveries: int
    rows: int
    size_bytes: int
    faults: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class InLake:
    """What the lake holds of the run."""

    days: int
    readings: int
    objects: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """The deliveries of this run: by outcome, and the rows by fate."""

    outcomes: dict[str, int]
    rows: int
    stored: int
    duplicate: int
    rejected: int

    @property
    def is_known(self) -> bool:
        """Whether all of it had been loaded before."""
        return set(self.outcomes) == {"duplicate"}

    @property
    def not_in(self) -> int:
        """How many deliveries were rejected or failed, which none of these files should."""
        return sum(count for outcome, count in self.outcomes.items() if outcome not in ("loaded", "duplicate"))


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Mean kW per meter of each customer class in the slots of a local day; None in a slot without readings."""

    day: date
    timezone: str
    mean_kw: dict[str, list[float | None]]


@dataclass(frozen=True, kw_only=True)
class DemoFacts:
    simulated: Simulated
    arrived: Arrived
    flagged: list[Flagged]
    history: list[InHistory]
    quarantined: list[Quarantined]
    grades: dict[str, int]
    compared: list[Compared]
    curve: Curve
    lake: InLake

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def facts_of(run: Run, place: Place) -> DemoFacts:
    with looking(place.dsn) as connection:
        return DemoFacts(
            simulated=_simulated(run.plan, run.report),
            arrived=_arrived(run.results),
            flagged=[Flagged(**_chosen(row, Flagged)) for row in rows(connection, "reports.demo_flags")],
            history=[InHistory(**_chosen(row, InHistory)) for row in rows(connection, "reports.demo_history")],
            quarantined=[
                Quarantined(**_chosen(row, Quarantined)) for row in rows(connection, "reports.demo_quarantine")
            ],
            grades={row["grade"]: row["readings"] for row in rows(connection, "reports.demo_grades")},
            compared=[*_compared(connection, run.truth, run.sha256), *_compared_histories(run, place)],
            curve=_curve(connection, run.plan, place),
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


def _compared(connection: Connection, truth: Path, sha256: Mapping[str, str]) -> list[Compared]:
    """Look up each faulty line by its file's content and its number."""
    lines = (
        pl.read_csv(truth, infer_schema=False)
        .filter(pl.col("fault").is_in(list(EXPECTED)) & pl.col("line_number").is_not_null())
        .with_columns(pl.col("file").replace_strict(sha256), pl.col("line_number").cast(pl.Int64))
    )
    values = {"faults": lines["fault"], "sha256": lines["file"], "lines": lines["line_number"]}
    fates = rows(connection, "reports.demo_fates", **{name: column.to_list() for name, column in values.items()})
    simulated: dict[str, int] = dict(lines["fault"].value_counts().iter_rows())
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


def _found(fates: Sequence[Row], fault: str, expected: Sequence[str]) -> int:
    return sum(row["times"] for row in fates if row["fault"] == fault and set(row["fate"]) & set(expected))


def _compared_histories(run: Run, place: Place) -> list[Compared]:
    """Hold the findings of the history rules to the truth."""
    recalls = {(each.fault, *each.codes): each for each in scores_of(place, run.plan, run.truth).recalls}
    scored = [(recalls[fault, code], code) for fault, code in BY_HISTORY.items() if (fault, code) in recalls]
    return [
        Compared(fault=each.fault, simulated=each.injected, findable=each.findable, found=each.found, expected=(code,))
        for each, code in scored
    ]


def _curve(connection: Connection, plan: SimulationPlan, place: Place) -> Curve:
    limits, day = place.site.limits, _last_day(plan)
    found = rows(
        connection,
        "reports.demo_load_curve",
        timezone=plan.timezone,
        slot_seconds=plan.interval_seconds,
        day=day,
        min_kw=limits.min_kw,
        max_kw=limits.max_kw,
    )
    slots = plan.slots_in(24)
    mean_kw: dict[str, list[float | None]] = {row["customer_class"]: [None] * slots for row in found}
    for row in found:
        mean_kw[row["customer_class"]][row["slot"]] = round(row["mean_kw"], 4)
    return Curve(day=day, timezone=plan.timezone, mean_kw=mean_kw)


def _last_day(plan: SimulationPlan) -> date:
    return plan.start + timedelta(days=plan.days - 1)


def _chosen(row: Row, kind: type[Flagged | InHistory | Quarantined]) -> dict[str, Any]:
    return {name: row[name] for name in kind.__dataclass_fields__}
