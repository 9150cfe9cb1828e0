"""Replay quarantined rows: judged by the present rules; those that pass are stored as rows of the file they came in."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from greenstream.application.corrections.context import CorrectionContext
from greenstream.application.loading.process_file import store_rows
from greenstream.application.loading.raw_file import Absent, raw_file
from greenstream.domain.codes import Rejection
from greenstream.domain.corrections.fixes import Fixes, by_themselves
from greenstream.domain.corrections.values import RowChoice, WaitingRows
from greenstream.domain.errors import FileRejected
from greenstream.domain.formats import LandedText, format_of
from greenstream.domain.ledger import Ledger, Stored
from greenstream.domain.readings.delivery import judge_delivery
from greenstream.domain.readings.judge import EvaluatedFile
from greenstream.domain.readings.schema import REJECTED, conform

OK = "OK"  # the code of a row that passes
NO_FIXES = Fixes()
NOTHING = Stored(stored=0, duplicate=0)


@dataclass(frozen=True, kw_only=True)
class ReplayedFile:
    """What became of the waiting rows of one file.

    Attributes:
        rows: how many were replayed; of a dry run, how many would be.
        stored, duplicate: what became of those that pass now; 0 in a dry run.
        changes: how many by their code before and after, OK being that of a row that passes.
        ledger: the file's, afterwards; None where nothing was written.
        trouble: why none of them could be judged, in one line.
    """

    source_file: str
    rows: int
    stored: int = 0
    duplicate: int = 0
    changes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    ledger: Ledger | None = None
    trouble: str | None = None

    @property
    def passed(self) -> int:
        return sum(count for (_, after), count in self.changes.items() if after == OK)


def replay_rows(choice: RowChoice, context: CorrectionContext) -> Iterator[ReplayedFile]:
    """Replay the chosen rows as they came, a file at a time. Safe to repeat: what was replayed waits no longer."""
    for waiting in context.replays.waiting(choice, texts=False):
        yield _replay(waiting, NO_FIXES, context)


def replay_fixes(fixes: Mapping[str, Fixes], context: CorrectionContext) -> Iterator[ReplayedFile]:
    """Replay lines that a person has fixed, each in the place of the one that was rejected."""
    for source_file, fixed in fixes.items():
        matched = 0
        for waiting in context.replays.waiting(RowChoice(source_file=source_file, lines=list(fixed.lines)), texts=True):
            matched += waiting.rows.height
            yield _replay(waiting, fixed, context)
        if unmatched := len(fixed.lines) - matched:
            trouble = f"{unmatched} fixed lines are about no row that waits: it was replayed or discarded, or never was"
            yield ReplayedFile(source_file=source_file, rows=0, trouble=trouble)


def export_rows(choice: RowChoice, context: CorrectionContext) -> Iterator[pl.DataFrame]:
    """The chosen rows for a person to fix, a frame a file, with the columns that `fixes.to_csv` writes."""
    for waiting in context.replays.waiting(choice, texts=True):
        raw = raw_file(waiting.delivery, context.landing, context.site.limits)
        header = "" if isinstance(raw, Absent) else _header(raw.text(context.site.limits))
        yield waiting.rows.with_columns(source_file=pl.lit(waiting.delivery.path), header=pl.lit(header))


def _header(text: LandedText) -> str:
    return format_of(text).header_line(text)


def _replay(waiting: WaitingRows, fixes: Fixes, context: CorrectionContext) -> ReplayedFile:
    now = context.clock()
    nothing = ReplayedFile(source_file=waiting.delivery.path, rows=waiting.rows.height)
    try:
        judged = _judge(waiting, fixes, context, now)
    except FileRejected as error:
        return replace(nothing, trouble=str(error))
    if isinstance(judged, Absent):
        return replace(
            nothing,
            trouble=f"{judged.text}; its rows are kept whole, but can't be judged without its header: "
            "export them, put the file's header into `header`, and replay them with --from",
        )
    if context.dry_run:
        return replace(nothing, changes=_changes(waiting.rows, judged))
    return _store(waiting, judged, context, now)


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """Rows that wait: those to store or reject now, and the line numbers of those of erased meters."""

    evaluated: EvaluatedFile
    erased_lines: pl.Series

    def passed(self) -> pl.Series:
        return pl.concat([self.evaluated.rows["line_number"], self.erased_lines])

    def only(self, lines: pl.Series) -> "_Judged":
        erased = self.erased_lines.filter(self.erased_lines.is_in(lines.implode()))
        return _Judged(evaluated=self.evaluated.only(lines), erased_lines=erased)


def _store(waiting: WaitingRows, judged: _Judged, context: CorrectionContext, now: datetime) -> ReplayedFile:
    """Release from the quarantine what passes, of the rows that wait yet."""
    context.replays.prepare_days(judged.evaluated.days(), now)
    with context.replays.replay(waiting, now) as transaction:
        still = judged.only(transaction.open_lines())
        rows, rejected = still.evaluated.rows, still.evaluated.rejected
        new = store_rows(still.evaluated, transaction.begin(), context.lake) if rows.height else NOTHING
        # What was erased was known once, and isn't taken in again.
        stored = Stored(stored=new.stored, duplicate=new.duplicate + len(still.erased_lines))
        ledger = transaction.close(still.passed(), stored, rejected)
    return ReplayedFile(
        source_file=waiting.delivery.path,
        rows=len(still.passed()) + rejected.height,
        stored=stored.stored,
        duplicate=stored.duplicate,
        changes=_changes(waiting.rows, still),
        ledger=ledger,
    )


def _judge(waiting: WaitingRows, fixes: Fixes, context: CorrectionContext, now: datetime) -> _Judged | Absent:
    """The waiting rows in the company of their file; where it is gone, fixed ones by themselves, if we know its header.

    Absent where they can't be judged at all.
    """
    limits, lines = context.site.limits, _fixed_bytes(waiting.rows, fixes)
    raw = raw_file(waiting.delivery, context.landing, limits)
    if not isinstance(raw, Absent):
        text = raw.text(limits)
        return _judged(format_of(text).replace(text, lines) if lines else text, waiting, context, now)
    if not fixes.header or not lines:
        return raw
    text = by_themselves(waiting.delivery.path, fixes.header, lines, limits)
    judged = _judged(text, waiting, context, now)
    return replace(judged, evaluated=_none_inferred(judged.evaluated))


def _judged(text: LandedText, waiting: WaitingRows, context: CorrectionContext, now: datetime) -> _Judged:
    received_at, erased = waiting.delivery.received_at, context.replays.erased()
    judged = judge_delivery(text, context.site, received_at=received_at, now=now, erased=erased)
    all_lines = _Judged(evaluated=judged.evaluated, erased_lines=judged.erased_lines)
    return all_lines.only(waiting.rows["line_number"])


def _none_inferred(evaluated: EvaluatedFile) -> EvaluatedFile:
    """Without the rest of the file there is no sequence to infer a timestamp from."""
    inferred = evaluated.rows.filter("inferred").with_columns(code=pl.lit(Rejection.TIMESTAMP_UNRECOVERABLE.value))
    kept = evaluated.only(evaluated.rows.filter(~pl.col("inferred"))["line_number"])
    rejected = pl.concat([evaluated.rejected, conform(inferred, REJECTED)]).sort("line_number")
    return replace(kept, rejected=rejected)


def _fixed_bytes(rows: pl.DataFrame, fixes: Fixes) -> dict[int, bytes]:
    """The fixed lines; one that was left as it was shown is as it came, though its bytes may be no text."""
    fixed = rows.filter(pl.col("line_number").is_in(list(fixes.lines)))
    as_they_came = zip(fixed["line_number"], fixed["raw_line"], fixed["raw_bytes"], strict=True)
    return {
        number: raw if fixes.lines[number] == text else fixes.lines[number].encode()
        for number, text, raw in as_they_came
    }


def _changes(before: pl.DataFrame, after: _Judged) -> dict[tuple[str, str], int]:
    passed = after.passed().to_frame().with_columns(now=pl.lit(OK))
    failed = after.evaluated.rejected.select("line_number", now=pl.col("code").cast(pl.String))
    both = before.join(pl.concat([passed, failed]), on="line_number")
    return dict(Counter(zip(both["code"].to_list(), both["now"].to_list(), strict=True)))
