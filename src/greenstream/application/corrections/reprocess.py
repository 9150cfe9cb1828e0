"""Raw files through a newer version of the pipeline, past the claim of their content."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from greenstream.application.corrections.rejudge import by_flags
from greenstream.application.corrections.replay import Means
from greenstream.application.loading.raw_file import Absent, raw_file
from greenstream.application.loading.rehydrate import rehydrate
from greenstream.domain.corrections.erasure import without_erased
from greenstream.domain.corrections.reprocess import row_changes
from greenstream.domain.corrections.values import LoadedDelivery
from greenstream.domain.errors import FileRejected
from greenstream.domain.formats import parse_file
from greenstream.domain.formats.quarantine import quarantined_rows
from greenstream.domain.ledger import Ledger
from greenstream.domain.readings.judge import EvaluatedFile, evaluate
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


def reprocess(first: date, last: date, means: Means) -> Iterator[ReprocessedFile]:
    """Reprocess the loaded files with readings on the local days, or received on them; each whole, in a transaction.

    Safe to repeat: files that come out as they are stay as they are. A reading that one file no longer gives may still
    be given by another, for which it was a duplicate: then it is that one's in the end, so all are looked at once more
    when anything was superseded.
    """
    files, superseded = means.replays.loaded(first, last), 0
    for file in files:
        done = _reprocess(file, means)
        superseded += done.superseded
        yield done
    if superseded and not means.dry_run:
        yield from (again for file in files if (again := _reprocess(file, means)).is_other)


def _reprocess(file: LoadedDelivery, means: Means) -> ReprocessedFile:
    path = file.delivery.path
    raw = raw_file(file.delivery, means.landing, means.site.limits)
    if isinstance(raw, Absent):
        return ReprocessedFile(source_file=path, trouble=raw.text)
    try:
        parsed = parse_file(path, raw.content, means.site.limits)
    except FileRejected as error:
        return ReprocessedFile(source_file=path, trouble=str(error))
    judged = evaluate(parsed, means.site, received_at=file.delivery.received_at, now=file.processed_at)
    evaluated = without_erased(judged.in_store_order(), parsed, means.replays.erased()).evaluated
    with means.replays.reprocess(file, means.clock(), dry_run=means.dry_run) as transaction:
        done = _compared(file, evaluated, raw.content, transaction, means)
        if not done.is_other:
            transaction.leave()
            return done
        return replace(done, ledger=transaction.close(parsed.rows))


def _compared(
    file: LoadedDelivery, evaluated: EvaluatedFile, content: bytes, transaction: Reprocessing, means: Means
) -> ReprocessedFile:
    path, limits = file.delivery.path, means.site.limits
    reliable = transaction.register_meters(evaluated)
    former = _meters_in_lake(path, transaction.retired_days(), means.lake)
    rehydrate(transaction.absent(former), transaction, means.lake)
    judged = pl.concat([pl.DataFrame(schema=READINGS), *evaluated.readings(reliable)])
    changes = row_changes(transaction.stored(), transaction.quarantined(), judged, evaluated.rejected, limits)
    transaction.replace(changes.changed)
    transaction.supersede(changes.gone)
    added = transaction.add(judged.filter(pl.col("line_number").is_in(changes.added.implode())))
    transaction.quarantine(quarantined_rows(path, content, changes.rejected, limits))
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


def _meters_in_lake(path: str, days: list[date], lake: Lake) -> list[str]:
    """The meters with readings of a file on days that are in the lake only."""
    found = set[str]()
    for day in days:
        with lake.reading(day) as archived:
            found |= archived.meters(path)
    return sorted(found)
