"""The catalogue: all rules on a row, in the order in which they are read, and those on a meter's history.

Each rule is a small function in the file of its category; its docstring says what it does, with a flagged and a clean
example, or examples of what comes out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from greenstream.domain.codes import FindingCode, Flag, Rejection, Severity
from greenstream.domain.rules import b1_units, b2_missing, b3_ranges, b4_faults, b5_enrichment, b6_metadata


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of the contract. `flag` is what it puts on a stored row, `rejection` why it rejects one."""

    id: str
    title: str
    apply: Callable[..., Any]
    flag: Flag | None = None
    rejection: Rejection | None = None
    severity: Severity = Severity.INFO


@dataclass(frozen=True, kw_only=True)
class FlagRule(Rule):
    """A rule that flags."""

    flag: Flag


@dataclass(frozen=True, kw_only=True)
class HistoryRule(Rule):
    """A rule on a meter's history; what it finds has a window."""

    finding: FindingCode


CATALOGUE: tuple[Rule, ...] = (
    Rule(id="B1.1", title="W to kW", apply=b1_units.watts_to_kilowatts),
    FlagRule(
        id="B1.2",
        title="the energy is a number and a unit",
        apply=b1_units.invalid_value,
        flag=Flag.INVALID_VALUE,
        severity=Severity.ERROR,
    ),
    FlagRule(
        id="B1.2",
        title="the unit is W or kW",
        apply=b1_units.invalid_unit,
        flag=Flag.INVALID_UNIT,
        severity=Severity.ERROR,
    ),
    Rule(id="B1.3", title="kW rounded to 4 decimals", apply=b1_units.round_half_away),
    FlagRule(
        id="B2.1",
        title="missing reading",
        apply=b2_missing.missing_reading,
        flag=Flag.MISSING_READING,
        severity=Severity.WARNING,
    ),
    FlagRule(
        id="B2.2",
        title="timestamp inferred from the sequence",
        apply=b2_missing.infer_timestamp,
        flag=Flag.TIMESTAMP_INFERRED,
        rejection=Rejection.TIMESTAMP_UNRECOVERABLE,
        severity=Severity.INFO,
    ),
    FlagRule(
        id="B3.1",
        title="power in range",
        apply=b3_ranges.out_of_range,
        flag=Flag.OUT_OF_RANGE,
        severity=Severity.WARNING,
    ),
    Rule(
        id="B3.3",
        title="timestamp in range",
        apply=b3_ranges.timestamp_in_range,
        rejection=Rejection.TIMESTAMP_OUT_OF_RANGE,
        severity=Severity.ERROR,
    ),
    Rule(id="B5.1", title="tariff period", apply=b5_enrichment.period),
    Rule(id="B5.2", title="season", apply=b5_enrichment.season),
    Rule(id="B5.3", title="quality score", apply=b5_enrichment.quality_score),
    Rule(id="B5.3", title="quality grade", apply=b5_enrichment.grade),
    Rule(id="location", title="customer class", apply=b5_enrichment.customer_class),
    Rule(id="location", title="region", apply=b5_enrichment.region),
    Rule(id="B6.1", title="lineage", apply=b6_metadata.lineage),
    Rule(id="B6.2", title="record id", apply=b6_metadata.record_id),
)

FLAG_RULES: tuple[FlagRule, ...] = tuple(rule for rule in CATALOGUE if isinstance(rule, FlagRule))

HISTORY_RULES: tuple[HistoryRule, ...] = (
    HistoryRule(
        id="B2.3",
        title="silent meter",
        apply=b2_missing.consecutive_missing,
        finding=FindingCode.CONSECUTIVE_MISSING,
        severity=Severity.WARNING,
    ),
    HistoryRule(
        id="B3.2",
        title="dead meter",
        apply=b3_ranges.dead_meter,
        finding=FindingCode.DEAD_METER,
        severity=Severity.ERROR,
    ),
    HistoryRule(
        id="B4.1",
        title="stuck meter",
        apply=b4_faults.stuck,
        finding=FindingCode.STUCK_METER,
        severity=Severity.WARNING,
    ),
    HistoryRule(
        id="B4.2",
        title="erratic spike",
        apply=b4_faults.spike,
        finding=FindingCode.ERRATIC_SPIKE,
        severity=Severity.INFO,
    ),
    HistoryRule(
        id="B4.3",
        title="communication failure",
        apply=b4_faults.communication_failure,
        finding=FindingCode.COMMUNICATION_FAILURE,
        severity=Severity.ERROR,
    ),
)
