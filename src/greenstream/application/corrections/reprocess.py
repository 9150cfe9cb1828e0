"""Raw files through a newer version of the pipeline, past the claim of their content."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from greenstream.application.corrections.context import CorrectionContext
from greenstream.application.corrections.rejudge import by_flags
from greenstream.application.loading.delivery import judge_again
from greenstream.application.loading.raw_file import Absent
from greenstream.application.loading.rehydrate import rehydrate
from greenstream.domain.corrections.reprocess import row_changes
from greenstream.domain.corrections.values import LoadedDelivery
from greenstream.domain.errors import FileRejected
from greenstream.domain.formats.quarantine import quarantined_rows
from greenstream.domain.ledger import Ledger
from greenstream.domain.readings.delivery import JudgedDelivery
from greenstream.domain.readings.schema import READINGS
from greenstream.ports.corrections import Reprocessing
from greenstream.ports.lake import Lake


@dataclass(frozen=True, kw_only=True)
class ReprocessedFile:
    """What became of a file's rows; of a dry run, what would.

    Attributes:
        changed: readings with other values now, or from another line, by their flags before and after.
        added, superseded: readings that are new, and that the file no longer gives.
        quarantined, let_out: rows that fail now, and that pass now.
        version: whether only the readings' version moved, or more.
        ledger: the file's, afterwards; None where nothing was written.
        trouble: why the file couldn't be processed, in one line.
    """

    source_file: str
    changes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    added: int = 0
    superseded: int = 0
    quarantined: int = 0
    let_out: int = 0
    version: bool = False
    ledger: Ledger | None = None
    trouble: str | None = None

    @property
    def changed(self) -> int:
        return sum(self.changes.values())

    @property
    def is_other(self) -> bool:
        """Whether anything is not as it was."""
        moved = (self.changed, self.added, self.superseded, self.quarantined, self.let_out)
        return self.version or any(moved)


def reprocess(first: date, last: date, context: CorrectionContext) -> Iterator[ReprocessedFile]:
    """Reprocess the loaded files with readings on the local days, or received on them; each whole, in a transaction.

    Safe to repeat: files that come out as they are stay as they are. A reading that one file no longer gives may still
    be given by another, for which it was a duplicate: then it is that one's in the end, so all are looked at once more
    when anything was superseded.
    """
    files, superseded = context.replays.loaded(first, last), 0
    for file in files:
        done = _reprocess(file, context)
        superseded += done.superseded
        yield done
    if superseded and not context.dry_run:
        yield from (again for file in files if (again := _reprocess(file, context)).is_other)


def _reprocess(file: LoadedDelivery, context: CorrectionContext) -> ReprocessedFile:
    path, erased = file.delivery.path, context.replays.erased()
    try:
        judged = judge_again(file.delivery, context.landing, context.site, now=file.processed_at, erased=erased)
    except FileRejected as error:
        return ReprocessedFile(source_file=path, trouble=str(error))
    if isinstance(judged, Absent):
        return ReprocessedFile(source_file=path, trouble=judged.text)
    with context.replays.reprocess(file, context.clock(), dry_run=context.dry_run) as transaction:
        done = _compared(path, judged, transaction, context)
        if not done.is_other:
            transaction.leave()
            return done
        return replace(done, ledger=transaction.close(judged.rows))


def _compared(
    path: str, judged: JudgedDelivery, transaction: Reprocessing, context: CorrectionContext
) -> ReprocessedFile:
    readings, rejected = _readings(path, judged, transaction, context), judged.evaluated.rejected
    limits = context.site.limits
    changes = row_changes(transaction.stored(), transaction.quarantined(), readings, rejected, limits)
    transaction.replace(changes.changed)
    transaction.supersede(changes.gone)
    added = transaction.add(readings.filter(pl.col("line_number").is_in(changes.added.implode())))
    transaction.quarantine(quarantined_rows(judged.text, changes.rejected))
    transaction.release(changes.let_out, changes.recoded)
    return ReprocessedFile(
        source_file=path,
        changes=by_flags(changes.changed),
        added=added,
        superseded=changes.gone.height,
        quarantined=changes.rejected.height,
        let_out=len(changes.let_out),
        version=transaction.move_version(),
    )


def _readings(path: str, judged: JudgedDelivery, transaction: Reprocessing, context: CorrectionContext) -> pl.DataFrame:
    """The rows to store in full (schema READINGS), once what the lake alone has of their meters is back."""
    reliable = transaction.register_meters(judged.evaluated)
    former = _meters_in_lake(path, transaction.retired_days(), context.lake)
    rehydrate(transaction.absent(former), transaction, context.lake)
    return pl.concat([pl.DataFrame(schema=READINGS), *judged.evaluated.readings(reliable)])


def _meters_in_lake(path: str, days: list[date], lake: Lake) -> list[str]:
    """The meters with readings of a file on days that are in the lake only."""
    found = set[str]()
    for day in days:
        with lake.reading(day) as archived:
            found |= archived.meters(path)
    return sorted(found)
