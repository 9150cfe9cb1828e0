"""Replay quarantined rows: judged by the present rules; those that pass are stored as rows of the file they came in."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from greenstream.application.loading.process_file import store_rows
from greenstream.application.loading.raw_file import Absent, raw_file
from greenstream.domain.codes import Rejection
from greenstream.domain.corrections.fixes import Fixes, alone, header_line, with_lines
from greenstream.domain.corrections.values import RowChoice, WaitingRows
from greenstream.domain.errors import FileRejected
from greenstream.domain.formats import parse_file
from greenstream.domain.landing import Clock
from greenstream.domain.ledger import Ledger, Stored
from greenstream.domain.readings.judge import EvaluatedFile, evaluate
from greenstream.domain.readings.schema import REJECTED, conform
from greenstream.domain.site import Site
from greenstream.ports.corrections import Replays
from greenstream.ports.lake import Lake
from greenstream.ports.landing import Landing

OK = "OK"  # the code of a row that passes
NO_FIXES = Fixes()


@dataclass(frozen=True, kw_only=True)
class Means:
    """What a replay works with; a dry run only says what would change."""

    landing: Landing
    replays: Replays
    lake: Lake
    site: Site
    clock: Clock
    dry_run: bool = False


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


def replay_rows(choice: RowChoice, means: Means) -> Iterator[ReplayedFile]:
    """Replay the chosen rows as they came, a file at a time. Safe to repeat: what was replayed waits no longer."""
    for waiting in means.replays.waiting(choice, texts=False):
        yield _replay(waiting, NO_FIXES, means)


def replay_fixes(fixes: Mapping[str, Fixes], means: Means) -> Iterator[ReplayedFile]:
    """Replay lines that a person has fixed, each in the place of the one that was rejected."""
    for source_file, fixed in fixes.items():
        matched = 0
        for waiting in means.replays.waiting(RowChoice(source_file=source_file, lines=list(fixed.lines)), texts=True):
            matched += waiting.rows.height
            yield _replay(waiting, fixed, means)
        if unmatched := len(fixed.lines) - matched:
            trouble = f"{unmatched} fixed lines are about no row that waits: it was replayed or discarded, or never was"
            yield ReplayedFile(source_file=source_file, rows=0, trouble=trouble)


def export_rows(choice: RowChoice, means: Means) -> Iterator[pl.DataFrame]:
    """The chosen rows for a person to fix, a frame a file, with the columns that `fixes.to_csv` writes."""
    for waiting in means.replays.waiting(choice, texts=True):
        path = waiting.delivery.path
        raw = raw_file(waiting.delivery, means.landing, means.site.limits)
        header = "" if isinstance(raw, Absent) else header_line(path, raw.content, means.site.limits)
        yield waiting.rows.with_columns(source_file=pl.lit(path), header=pl.lit(header))


def _replay(waiting: WaitingRows, fixes: Fixes, means: Means) -> ReplayedFile:
    path, now = waiting.delivery.path, means.clock()
    nothing = ReplayedFile(source_file=path, rows=waiting.rows.height)
    try:
        judged = _judge(waiting, fixes, means, now)
    except FileRejected as error:
        return replace(nothing, trouble=str(error))
    if isinstance(judged, Absent):
        return replace(
            nothing,
            trouble=f"{judged.text}; its rows are kept whole, but can't be judged without its header: "
            "export them, put the file's header into `header`, and replay them with --from",
        )
    if means.dry_run:
        return replace(nothing, changes=_changes(waiting.rows, judged))
    means.replays.prepare_days(judged.days(), now)
    with means.replays.replay(waiting, now) as transaction:
        still = judged.only(transaction.open_lines())
        none = Stored(stored=0, duplicate=0)
        stored = store_rows(still.in_store_order(), transaction.begin(), means.lake) if still.rows.height else none
        ledger = transaction.close(still.rows["line_number"], stored, still.rejected)
    return replace(
        nothing,
        rows=still.rows.height + still.rejected.height,
        stored=stored.stored,
        duplicate=stored.duplicate,
        changes=_changes(waiting.rows, still),
        ledger=ledger,
    )


def _judge(waiting: WaitingRows, fixes: Fixes, means: Means, now: datetime) -> EvaluatedFile | Absent:
    """The waiting rows in the company of their file; where it is gone, fixed ones by themselves, if we know its header.

    Absent where they can't be judged at all.
    """
    path, raw = waiting.delivery.path, raw_file(waiting.delivery, means.landing, means.site.limits)
    lines = _fixed_bytes(waiting.rows, fixes)
    if not isinstance(raw, Absent):
        content = raw.content
        if lines:
            path, content = "fixed.csv", with_lines(path, content, lines, means.site.limits)
        return _evaluated(path, content, waiting, means.site, now)
    if not fixes.header or not lines:
        return raw
    return _none_inferred(_evaluated("alone.csv", alone(fixes.header, lines), waiting, means.site, now))


def _evaluated(name: str, content: bytes, waiting: WaitingRows, site: Site, now: datetime) -> EvaluatedFile:
    parsed = parse_file(name, content, site.limits)
    evaluated = evaluate(parsed, site, received_at=waiting.delivery.received_at, now=now)
    return evaluated.only(waiting.rows["line_number"])


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


def _changes(before: pl.DataFrame, after: EvaluatedFile) -> dict[tuple[str, str], int]:
    passed = after.rows.select("line_number", now=pl.lit(OK))
    failed = after.rejected.select("line_number", now=pl.col("code").cast(pl.String))
    both = before.join(pl.concat([passed, failed]), on="line_number")
    return dict(Counter(zip(both["code"].to_list(), both["now"].to_list(), strict=True)))
