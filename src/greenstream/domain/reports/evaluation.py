"""`evaluate`: how well the rules find faults that are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from greenstream.domain.reports.doc import Doc


@dataclass(frozen=True, kw_only=True)
class RulePrecision:
    """Whether a rule's findings are right."""

    rule_id: Annotated[str, Doc("the rule")]
    codes: Annotated[Sequence[str], Doc("of its findings")]
    findings: Annotated[int, Doc("how many")]
    explained: Annotated[int, Doc("how many of them some injected fault explains")]
    precision: Annotated[float | None, Doc("explained ÷ findings; null where nothing was found", "0–1")]


@dataclass(frozen=True, kw_only=True)
class FaultRecall:
    """Whether a rule finds the faults of a kind, and when."""

    rule_id: Annotated[str, Doc("the rule")]
    codes: Annotated[Sequence[str], Doc("of its findings")]
    fault: Annotated[str, Doc("as `simulate` names it")]
    injected: Annotated[int, Doc("how many were put in")]
    findable: Annotated[int, Doc("those that are long, large or late enough for the rule's own threshold")]
    found: Annotated[int, Doc("how many of these it found")]
    recall: Annotated[float | None, Doc("found ÷ findable; null without any", "0–1")]
    median_delay_slots: Annotated[float | None, Doc("null for rules on a row, and where nothing was found", "slots")]
    max_delay_slots: Annotated[float | None, Doc("the longest", "slots")]
    median_delay_hours: Annotated[float | None, Doc("the same as time", "h")]
    max_delay_hours: Annotated[float | None, Doc("the same as time", "h")]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The scores of one simulated fleet."""

    meters: Annotated[int, Doc("of the fleet")]
    days: Annotated[int, Doc("local days")]
    first_day: Annotated[date, Doc("local day")]
    seed: Annotated[int, Doc("of the simulation")]
    rows: Annotated[int, Doc("simulated")]
    rules: Annotated[Sequence[RulePrecision], Doc("are the findings right?")]
    faults: Annotated[Sequence[FaultRecall], Doc("are the faults found?")]
    seconds: Annotated[float, Doc("the whole run took", "s")]
