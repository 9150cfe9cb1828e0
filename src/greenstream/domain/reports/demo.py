"""`demo`: what was simulated, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, NamedTuple

from greenstream.domain.reports.doc import Counts, Doc


@dataclass(frozen=True, kw_only=True)
class Flagged:
    """A code of flags, and one case of it."""

    code: Annotated[str, Doc("of the flag")]
    rule_id: Annotated[str, Doc("its rule")]
    times: Annotated[int, Doc("readings with it")]
    energy_value: Annotated[str | None, Doc("the energy text of one of them")]
    meter_id: Annotated[str, Doc("of that one")]
    reading_at: Annotated[datetime | None, Doc("of that one")]
    source_file: Annotated[str | None, Doc("of that one, the store's key")]


@dataclass(frozen=True, kw_only=True)
class InHistory:
    """A code about the history of a meter, and one case of it."""

    code: Annotated[str, Doc("of the finding")]
    rule_id: Annotated[str, Doc("its rule")]
    times: Annotated[int, Doc("findings of it")]
    meter_id: Annotated[str, Doc("of one of them")]
    window_start: Annotated[datetime, Doc("its first slot")]
    window_end: Annotated[datetime, Doc("its last slot")]
    detail: Annotated[Mapping[str, float], Doc("its figures, as in `data_quality_log`")]


@dataclass(frozen=True, kw_only=True)
class Quarantined:
    """A reason for rejecting rows, and one case of it."""

    code: Annotated[str, Doc("why")]
    rule_id: Annotated[str, Doc("the rule that rejects")]
    times: Annotated[int, Doc("rows rejected for it")]
    raw_line: Annotated[str, Doc("one of them, whole")]
    source_file: Annotated[str, Doc("the store's key of that one's file")]
    line_number: Annotated[int, Doc("of that one")]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A fault that was put in, and what became of it."""

    fault: Annotated[str, Doc("as `simulate` names it")]
    simulated: Annotated[int, Doc("rows or meters that got it")]
    findable: Annotated[int, Doc("those for which it is long, large or late enough for the rule's own threshold")]
    found: Annotated[int, Doc("those that ended as they must")]
    expected: Annotated[Sequence[str], Doc("the codes or fates that it must end as, one of them")]


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """The fleet and its files."""

    meters: Annotated[int, Doc("how many")]
    first_day: Annotated[date, Doc("local day")]
    last_day: Annotated[date, Doc("local day")]
    timezone: Annotated[str, Doc("of the days, an IANA name")]
    files: Annotated[int, Doc("by name")]
    deliveries: Annotated[int, Doc("some files come twice")]
    rows: Annotated[int, Doc("of the files")]
    size_bytes: Annotated[int, Doc("of the files", "bytes")]
    faults: Annotated[Counts, Doc("put in, by kind")]


@dataclass(frozen=True, kw_only=True)
class InLake:
    """What the lake holds of the run."""

    days: Annotated[int, Doc("local days")]
    readings: Annotated[int, Doc("archived")]
    objects: Annotated[int, Doc("Parquet files")]
    size_bytes: Annotated[int, Doc("of the objects", "bytes")]


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """The deliveries of this run: rows = stored + duplicate + rejected."""

    outcomes: Annotated[Counts, Doc("deliveries by outcome")]
    rows: Annotated[int, Doc("of the loaded ones")]
    stored: Annotated[int, Doc("rows that became readings")]
    duplicate: Annotated[int, Doc("rows that were known")]
    rejected: Annotated[int, Doc("rows that are quarantined")]

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
    """Mean power per meter of each customer class on a local day."""

    day: Annotated[date, Doc("local day")]
    timezone: Annotated[str, Doc("of the day, an IANA name")]
    mean_kw: Annotated[
        Mapping[str, Sequence[Decimal | None]],
        Doc("by customer class, a value a slot; null in a slot without readings", "kW"),
    ]


@dataclass(frozen=True, kw_only=True)
class DemoFacts:
    """What the demo found out: numbers and examples, from the run and from the database."""

    simulated: Annotated[Simulated, Doc("what was put in")]
    arrived: Annotated[Arrived, Doc("what became of the files")]
    flagged: Annotated[Sequence[Flagged], Doc("stored, and marked")]
    history: Annotated[Sequence[InHistory], Doc("found in the history of meters")]
    quarantined: Annotated[Sequence[Quarantined], Doc("kept aside, whole")]
    grades: Annotated[Counts, Doc("stored readings by grade")]
    compared: Annotated[Sequence[Compared], Doc("whether the faults were found")]
    curve: Annotated[Curve, Doc("of the last day")]
    lake: Annotated[InLake, Doc("what is in the lake")]


@dataclass(frozen=True, kw_only=True)
class DemoReport(DemoFacts):
    """What the demo says."""

    seconds: Annotated[float, Doc("the whole run took", "s")]
    home: Annotated[str, Doc("the demo's folder")]
    exports: Annotated[Sequence[str], Doc("shell lines after which `greenstream` works on it")]


class Fate(NamedTuple):
    """How often a simulated fault ended in a way: as codes of flags, code of a rejection, `stored` or `duplicate`."""

    fault: str
    fate: list[str]
    times: int


class CurvePoint(NamedTuple):
    """Mean power of the usable readings of a customer class in a slot of a day, counted from 0."""

    customer_class: str
    slot: int
    mean_kw: float
