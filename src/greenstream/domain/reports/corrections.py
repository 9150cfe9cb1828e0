"""Replay, reprocessing, discarding and erasure."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from greenstream.domain.ledger import Ledger
from greenstream.domain.reports.doc import Counts, Doc


@dataclass(frozen=True, kw_only=True)
class Change:
    """How many came out in another way."""

    from_: Annotated[str, Doc("code or flags before, `OK` without any")]
    to: Annotated[str, Doc("code or flags now, `OK` without any")]
    count: Annotated[int, Doc("how many")]


@dataclass(frozen=True, kw_only=True)
class ReplayedRows:
    """What became of the rejected rows of one file."""

    source_file: Annotated[str, Doc("the store's key")]
    rows: Annotated[int, Doc("that were judged anew")]
    passed: Annotated[int, Doc("that pass now")]
    stored: Annotated[int, Doc("that became readings; 0 with `--dry-run`")]
    duplicate: Annotated[int, Doc("that were known; 0 with `--dry-run`")]
    changes: Annotated[Sequence[Change], Doc("by their code before and now")]
    ledger: Annotated[Ledger | None, Doc("the file's, afterwards; null where nothing was written")]
    trouble: Annotated[str | None, Doc("why none of them could be judged")]


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """What a rule was replayed on."""

    what: Annotated[str, Doc("`file`: rows that it had rejected; `day`: readings that it is about")]


@dataclass(frozen=True, kw_only=True)
class RuleFile(ReplayedRows, RuleResult):
    """With what `file`."""


@dataclass(frozen=True, kw_only=True)
class RuleDay(RuleResult):
    """With what `day`."""

    date: Annotated[datetime.date, Doc("local day")]
    readings: Annotated[int, Doc("that were judged anew")]
    changes: Annotated[Sequence[Change], Doc("by their flags before and now; the same where another value changed")]
    unknown: Annotated[int, Doc("left as they are, for whether their comma is a decimal one can't be told")]


@dataclass(frozen=True, kw_only=True)
class ReprocessedRows:
    """What became of a file's rows; with `--dry-run`, what would."""

    source_file: Annotated[str, Doc("the store's key")]
    changed: Annotated[Sequence[Change], Doc("readings with other values now, by their flags before and now")]
    new: Annotated[int, Doc("readings that the file didn't give before")]
    superseded: Annotated[int, Doc("readings that the file no longer gives")]
    quarantined: Annotated[int, Doc("rows that fail now")]
    let_out: Annotated[int, Doc("rows that pass now")]
    version_moved: Annotated[bool, Doc("whether its readings have this version now")]
    trouble: Annotated[str | None, Doc("why it couldn't be processed")]


@dataclass(frozen=True, kw_only=True)
class DiscardedRows:
    """Rejected rows that were given up."""

    discarded: Annotated[int, Doc("how many")]
    counts: Annotated[Counts, Doc("by code")]
    dry_run: Annotated[bool, Doc("whether nothing was changed")]


@dataclass(frozen=True, kw_only=True)
class DiscardedFile:
    """A file that was deleted."""

    discarded: Annotated[str, Doc("the store's key")]
    size_bytes: Annotated[int, Doc("of the file", "bytes")]
    dry_run: Annotated[bool, Doc("whether nothing was changed")]


@dataclass(frozen=True, kw_only=True)
class ErasedThing:
    """Something of the meter that was erased."""

    layer: Annotated[str, Doc("where: `raw`, `database`, `quarantine`, `lake` …")]
    subject: Annotated[str, Doc("a file, a day or a relation")]
    amount: Annotated[int, Doc("of lines or rows")]
