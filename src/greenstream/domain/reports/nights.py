"""`settle`, `archive`, `nightly` and `verify`, day by day."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from greenstream.domain.reports.doc import Doc


@dataclass(frozen=True, kw_only=True)
class FindingTotals:
    """The findings of a code that touch a day."""

    total: Annotated[int, Doc("all of them")]
    open: Annotated[int, Doc("those that go on")]


@dataclass(frozen=True, kw_only=True)
class SettledDay:
    """What settling a day did."""

    date: Annotated[datetime.date, Doc("local day")]
    state: Annotated[str, Doc("`settled`; `open`: it isn't over; `empty`: it has no reading")]
    meters: Annotated[int, Doc("judged")]
    rescored: Annotated[int, Doc("readings that have another score now")]
    findings: Annotated[Mapping[str, FindingTotals], Doc("those that touch the day, by code")]


@dataclass(frozen=True, kw_only=True)
class ArchivedDay:
    """A day in the lake."""

    date: Annotated[datetime.date, Doc("local day")]
    state: Annotated[str, Doc("`archived`, or why not, as `not settled` and `would lose`")]
    readings: Annotated[int, Doc("of the day in the lake")]
    objects: Annotated[int, Doc("that hold it")]
    written: Annotated[int, Doc("those of them that were new or had other content")]
    bytes: Annotated[int, Doc("of all of them", "bytes")]


@dataclass(frozen=True, kw_only=True)
class NightStep:
    """A step of the night."""

    step: Annotated[str, Doc("`settle`, `archive` or `retire`")]


@dataclass(frozen=True, kw_only=True)
class SettledStep(SettledDay, NightStep):
    """With step `settle`."""


@dataclass(frozen=True, kw_only=True)
class ArchivedStep(ArchivedDay, NightStep):
    """With step `archive`."""


@dataclass(frozen=True, kw_only=True)
class RetiredStep(NightStep):
    """With step `retire`: something past its lifetime."""

    layer: Annotated[str, Doc("where: `raw`, `database`, `findings`, `quarantine` or `ledger`")]
    subject: Annotated[str, Doc("a file or a day")]
    amount: Annotated[int, Doc("how much was deleted, or would be")]
    unit: Annotated[str, Doc("of the amount: `readings`, `rows` or `bytes`")]
    kept_because: Annotated[str | None, Doc("why it has to stay")]


@dataclass(frozen=True, kw_only=True)
class DueStep(NightStep):
    """With `--dry-run`, of step `settle` or `archive`: a day that is due."""

    date: Annotated[datetime.date, Doc("local day")]


@dataclass(frozen=True, kw_only=True)
class VerifiedDay:
    """What was compared of a day, and what differs."""

    date: Annotated[datetime.date, Doc("local day")]
    readings: Annotated[int, Doc("whose record_id was computed anew from the lake")]
    objects: Annotated[int, Doc("of the lake")]
    files: Annotated[int, Doc("raw files that were read again")]
    replaced: Annotated[int, Doc("deliveries whose raw file is that of a later one by now")]
    differences: Annotated[Sequence[str], Doc("one text each")]
    notes: Annotated[Sequence[str], Doc("no differences: what couldn't be compared, and why")]
