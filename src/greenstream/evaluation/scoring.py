"""How well the rules find faults that are known: precision, recall and delay.

A finding is *explained* by an injected fault, and the fault *found* by it, where the two match and the fault's kind is
one that its rule should find, or can't help finding: a dead meter is constant too, and a row that was lost leaves a
slot missing. They match

- if both have a line of a file: where it is the same line,
- else: where the windows of both share a slot of the same meter. A flag's window is the slot of its reading.

Precision = explained findings ÷ findings. Recall = found ÷ findable faults; a fault is findable if it is long, large
or late enough for the rule's own threshold. Delay = slots from the fault's first one to the one at which the rule first
held (its fifth missing slot, its 97th zero, the end of its first bad day), 0 if it held before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from greenstream.domain.codes import FindingCode, Flag, Rejection
from greenstream.domain.limits import Limits
from greenstream.domain.site import Site, day_slots, local_day

TRUTH = pl.Schema(
    {
        "fault": pl.String(),
        "meter_id": pl.String(),
        "file": pl.String(),  # its name; null for a fault of no single line
        "line_number": pl.Int64(),
        "first": pl.Int64(),  # slot
        "last": pl.Int64(),  # slot
        "kw": pl.Float64(),  # the value that the fault puts in place of the right one; null if it isn't about one
        "missing": pl.Int64(),  # how many slots of a window are missing; null if all of them or none
    }
)
"""One row an injected fault."""

FOUND = pl.Schema(
    {
        "code": pl.String(),
        "meter_id": pl.String(),  # null for a quarantined row
        "file": pl.String(),  # its name; null but for a quarantined row
        "line_number": pl.Int64(),
        "first": pl.Int64(),  # slot; null for a quarantined row
        "last": pl.Int64(),
    }
)
"""One row a finding: a flag, a window or a quarantined row."""

LOST_ROWS = ("gap", "null_energy", "malformed_line", "corrupt_timestamp", "clock_reset", "future_clock")


@dataclass(frozen=True, kw_only=True)
class Detector:
    """A rule as it is scored: its codes, the faults it should find, and those that explain its findings as well."""

    rule_id: str
    codes: tuple[str, ...]
    finds: tuple[str, ...]
    explained_by: tuple[str, ...] = ()


DETECTORS: tuple[Detector, ...] = (
    Detector(rule_id="parse", codes=(Rejection.MALFORMED_ROW,), finds=("malformed_line",)),
    Detector(rule_id="B1.2", codes=(Flag.INVALID_VALUE,), finds=("invalid_value",)),
    Detector(rule_id="B1.2", codes=(Flag.INVALID_UNIT,), finds=("wrong_unit",)),
    Detector(rule_id="B2.1", codes=(Flag.MISSING_READING,), finds=("null_energy",)),
    Detector(
        rule_id="B2.2",
        codes=(Flag.TIMESTAMP_INFERRED, Rejection.TIMESTAMP_UNRECOVERABLE),
        finds=("corrupt_timestamp",),
    ),
    Detector(
        rule_id="B2.3",
        codes=(FindingCode.CONSECUTIVE_MISSING,),
        finds=("silent", "communication_failure"),
        explained_by=LOST_ROWS,
    ),
    Detector(rule_id="B3.1", codes=(Flag.OUT_OF_RANGE,), finds=("dead", "spike"), explained_by=("stuck", "correction")),
    Detector(rule_id="B3.2", codes=(FindingCode.DEAD_METER,), finds=("dead",)),
    Detector(rule_id="B3.3", codes=(Rejection.TIMESTAMP_OUT_OF_RANGE,), finds=("clock_reset", "future_clock")),
    Detector(rule_id="B4.1", codes=(FindingCode.STUCK_METER,), finds=("stuck", "dead")),
    Detector(rule_id="B4.2", codes=(FindingCode.ERRATIC_SPIKE,), finds=("spike",)),
    Detector(
        rule_id="B4.3",
        codes=(FindingCode.COMMUNICATION_FAILURE,),
        finds=("communication_failure",),
        explained_by=("silent", *LOST_ROWS),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Precision:
    """How many of a rule's findings some injected fault explains."""

    rule_id: str
    codes: tuple[str, ...]
    findings: int
    explained: int

    @property
    def precision(self) -> float | None:
        """None where nothing was found."""
        return self.explained / self.findings if self.findings else None


@dataclass(frozen=True, kw_only=True)
class Recall:
    """How many faults of a kind a rule found; delays in slots, None for rules on a row and where nothing was found."""

    rule_id: str
    codes: tuple[str, ...]
    fault: str
    injected: int
    findable: int
    found: int
    median_delay: float | None
    max_delay: int | None

    @property
    def recall(self) -> float | None:
        """None where nothing was findable."""
        return self.found / self.findable if self.findable else None


@dataclass(frozen=True, kw_only=True)
class Scores:
    precisions: tuple[Precision, ...]
    recalls: tuple[Recall, ...]


def score(truth: pl.DataFrame, found: pl.DataFrame, fleet_first: int, site: Site) -> Scores:
    """Compare what was found (schema FOUND) with what was injected (schema TRUTH).

    Detectors and faults of which there is nothing are left out. `fleet_first` is the first slot of the fleet.
    """
    numbered, listed = truth.with_row_index("fault_id"), found.with_row_index("finding_id")
    precisions, recalls = [], []
    for detector in DETECTORS:
        findings = listed.filter(pl.col("code").is_in([str(code) for code in detector.codes]))
        faults = numbered.filter(pl.col("fault").is_in(detector.finds + detector.explained_by))
        matches = _matches(faults, findings)
        if findings.height:
            precisions.append(_precision(detector, findings, matches))
        recalls += [
            _recall(detector, fault, faults.filter(fault=fault), matches, fleet_first, site)
            for fault in detector.finds
            if fault in faults["fault"]
        ]
    return Scores(precisions=tuple(precisions), recalls=tuple(recalls))


def _matches(faults: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Each pair of a fault and a finding: `fault_id`, `finding_id`, and `began` and `code` of the finding."""
    pair = ["fault_id", "finding_id", "code", "began"]
    begun = findings.with_columns(began=pl.col("first"))
    by_line = faults.join(begun, on=["file", "line_number"])
    overlaps = (pl.col("first") <= pl.col("last_right")) & (pl.col("last") >= pl.col("first_right"))
    by_slot = faults.join(begun, on="meter_id").filter(overlaps)
    return pl.concat([by_line.select(pair), by_slot.select(pair)])


def _precision(detector: Detector, findings: pl.DataFrame, matches: pl.DataFrame) -> Precision:
    return Precision(
        rule_id=detector.rule_id,
        codes=detector.codes,
        findings=findings.height,
        explained=matches["finding_id"].n_unique(),
    )


def _recall(
    detector: Detector, fault: str, faults: pl.DataFrame, matches: pl.DataFrame, fleet_first: int, site: Site
) -> Recall:
    enough = FINDABLE.get(detector.codes[0], _always)
    findable = faults.filter(enough(site.limits, fleet_first))
    found = findable.join(matches, on="fault_id")
    delays = _delays(found, site) if detector.codes[0] in list(FindingCode) else pl.Series(dtype=pl.Int64)
    median, longest = delays.median(), delays.max()
    return Recall(
        rule_id=detector.rule_id,
        codes=detector.codes,
        fault=fault,
        injected=faults.height,
        findable=findable.height,
        found=found["fault_id"].n_unique(),
        median_delay=median if isinstance(median, float) else None,
        max_delay=longest if isinstance(longest, int) else None,
    )


def _delays(found: pl.DataFrame, site: Site) -> pl.Series:
    """Of each fault, the slots until the first of its findings held: Int64."""
    held = found.with_columns(held=_held_from(found["code"], found["began"], site))
    first = held.group_by("fault_id").agg(pl.col("first").first(), pl.col("held").min())
    return first.select((pl.col("held") - pl.col("first")).clip(0)).to_series()


def _held_from(codes: pl.Series, began: pl.Series, site: Site) -> pl.Series:
    """The slot at which a run that began at these slots was first one of its rule."""
    limits = site.limits
    after = {
        FindingCode.CONSECUTIVE_MISSING.value: limits.missing_run_slots,
        FindingCode.DEAD_METER.value: limits.dead_run_slots,
    }
    if FindingCode.COMMUNICATION_FAILURE in codes:
        ends = {slot: _day_end(slot, site) for slot in began.unique().to_list()}
        return began.replace_strict(ends, return_dtype=pl.Int64)
    return began + codes.replace_strict(after, default=0, return_dtype=pl.Int64)


def _day_end(slot: int, site: Site) -> int:
    interval = site.limits.interval_minutes
    return day_slots(local_day(slot, site.timezone, interval), site.timezone, interval).stop - 1


def _length() -> pl.Expr:
    return pl.col("last") - pl.col("first") + 1


def _always(limits: Limits, fleet_first: int) -> pl.Expr:
    return pl.lit(value=True)


def _long_silent(limits: Limits, fleet_first: int) -> pl.Expr:
    return pl.coalesce("missing", _length()) > limits.missing_run_slots


def _long_dead(limits: Limits, fleet_first: int) -> pl.Expr:
    return _length() > limits.dead_run_slots


def _outside(limits: Limits, fleet_first: int) -> pl.Expr:
    """Of a dead meter the value is 0."""
    kw = pl.col("kw").fill_null(0)
    return (kw <= limits.min_kw) | (kw >= limits.max_kw)


def _long_stuck(limits: Limits, fleet_first: int) -> pl.Expr:
    """A whole window of usable values."""
    return (_length() >= limits.stuck_window_slots) & (pl.col("kw").fill_null(0) < limits.max_kw)


def _late_spike(limits: Limits, fleet_first: int) -> pl.Expr:
    """With enough slots before it to judge by."""
    return pl.col("first") - fleet_first >= limits.spike_min_usable


def _large_failure(limits: Limits, fleet_first: int) -> pl.Expr:
    """On its last day too much is missing of what the rule looks back on."""
    slots = (pl.col("last") - fleet_first + 1).clip(upper_bound=limits.reliability_window_slots)
    return (slots >= limits.reliability_min_slots) & (pl.col("missing") > slots * limits.max_missing_share)


FINDABLE: Mapping[str, Callable[[Limits, int], pl.Expr]] = {
    FindingCode.CONSECUTIVE_MISSING: _long_silent,
    FindingCode.DEAD_METER: _long_dead,
    Flag.OUT_OF_RANGE: _outside,
    FindingCode.STUCK_METER: _long_stuck,
    FindingCode.ERRATIC_SPIKE: _late_spike,
    FindingCode.COMMUNICATION_FAILURE: _large_failure,
}
"""Which faults a rule can find by its own threshold; all, unless said here."""
