"""The heart: one landed file becomes rows in the database, each with exactly one fate."""

import traceback
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from polars.exceptions import PanicException  # a bug in there; it is no Exception

from greenstream.application.loading.raw_file import content_of, sha256_of
from greenstream.application.loading.rehydrate import rehydrate
from greenstream.domain.errors import OUTAGES, FileRejected, InvalidKey, NotFound, RetryableError, StorageRefused
from greenstream.domain.formats import check_size, landed_text
from greenstream.domain.landing import Clock, LandedFile
from greenstream.domain.ledger import Delivery, FileResult, Ledger, Outcome, Stored
from greenstream.domain.readings.delivery import JudgedDelivery, judge_delivery
from greenstream.domain.readings.judge import EvaluatedFile
from greenstream.domain.site import Site
from greenstream.domain.text import shortened
from greenstream.ports.lake import Lake
from greenstream.ports.landing import Landing
from greenstream.ports.loading import Database, StoredRows


def process_file(
    path: str, *, landing: Landing, database: Database, lake: Lake, site: Site, clock: Clock
) -> FileResult:
    """Take one landed file to its end: loaded, duplicate, rejected or failed.

    Safe to repeat: a delivery that ended before is looked up, not processed again, and a crash at any moment leaves
    either nothing or the whole file. Of a file above the limit no byte is read.

    Raises:
        RetryableError, DatabaseRefused, SettingsError, ServerError: the store or the database is unreachable, or
            refuses, or the file changed while it was read; nothing was written, try again later.
        StorageRefused: the same, but it may be this file alone that the store refuses.
        NotFound: nothing lies at this path.
        InvalidKey: no landed file can have this path.
    """
    file = next_version(path, landing, database)
    if ended := database.recorded(file):
        return replace(ended, was_known=True)
    content = content_of(file, landing, site.limits.max_file_bytes)
    delivery = database.delivery(file, None if content is None else sha256_of(content), clock())
    if ended := database.recorded(file):
        return replace(ended, was_known=True)
    try:
        return _load(delivery, content, database, lake, site, clock)
    except FileRejected as rejection:
        if content is not None:
            landing.quarantine(path, content)
        result = _rejected(delivery, rejection, clock)
    except (RetryableError, StorageRefused, *OUTAGES):
        raise
    except (Exception, PanicException) as error:
        result = _failed(delivery, error, clock)
    database.record(result)
    return result


def next_version(path: str, landing: Landing, database: Database) -> LandedFile:
    """The version of a path whose turn it is: the first that is new, else the first that failed, else the newest."""
    versions = landing.landed(path)
    if len(versions) == 1:
        return versions[0]
    failed = (each for each in versions if database.recorded(each) is None)
    return next(iter(database.new_of(versions)), None) or next(failed, versions[-1])


def new_versions(path: str, landing: Landing, database: Database) -> Sequence[LandedFile]:
    """The versions of a path that a bucket kept and nobody has read, the oldest first."""
    try:
        versions = landing.landed(path)
    except (NotFound, InvalidKey):
        return ()
    return database.new_of(versions) if len(versions) > 1 else ()


def reject_unlanded(path: str, size_bytes: int, *, database: Database, site: Site, clock: Clock) -> FileResult:
    """Record a file that is too large to be landed, under the path that it would have had; no byte of it is read."""
    delivery = Delivery(path=path, size_bytes=size_bytes, received_at=clock(), sha256=None)
    try:
        check_size(path, size_bytes, site.limits)
    except FileRejected as rejection:
        result = _rejected(delivery, rejection, clock)
        database.record(result)
        return result
    raise ValueError(f"{path} with its {size_bytes} bytes can be landed")


def _load(
    delivery: Delivery, content: bytes | None, database: Database, lake: Lake, site: Site, clock: Clock
) -> FileResult:
    """Check → judge → one transaction { claim, store rows, findings, quarantine, ledger } → done."""
    check_size(delivery.path, delivery.size_bytes, site.limits)
    assert content is not None
    assert delivery.sha256 is not None
    if database.is_loaded(delivery.sha256):
        return _duplicate(delivery, database, clock)
    now, text = clock(), landed_text(delivery.path, content, site.limits)
    judged = judge_delivery(text, site, received_at=delivery.received_at, now=now, erased=database.erased())
    return _store(judged, delivery, database, lake, now) or _duplicate(delivery, database, clock)


def _store(
    judged: JudgedDelivery, delivery: Delivery, database: Database, lake: Lake, now: datetime
) -> FileResult | None:
    """None where another delivery has loaded the content."""
    database.prepare_days(judged.evaluated.days(), now)
    with database.load(delivery, now) as load:
        if load is None:
            return None
        stored, erased = store_rows(judged.evaluated, load, lake), len(judged.erased_lines)
        quarantined = load.quarantine(judged.quarantined())
        duplicate = stored.duplicate + erased  # known once, and not taken in again
        ledger = Ledger(rows=judged.rows, stored=stored.stored, duplicate=duplicate, rejected=quarantined)
        return load.close(ledger, judged.ignored_columns, to_erase=erased > 0)


def store_rows(evaluated: EvaluatedFile, load: StoredRows, lake: Lake) -> Stored:
    """Store batch by batch, so that a large file needs the memory of one batch at a time.

    What the lake alone has of these meters and days is rehydrated before, for a row may be known there.
    """
    reliable = load.register_meters(evaluated)
    rehydrate(load.absent(), load, lake)
    done = [load.store(batch) for batch in evaluated.readings(reliable)]
    return Stored(stored=sum(d.stored for d in done), duplicate=sum(d.duplicate for d in done))


def _duplicate(delivery: Delivery, database: Database, clock: Clock) -> FileResult:
    result = FileResult(delivery=delivery, outcome=Outcome.DUPLICATE, processed_at=clock())
    database.record(result)
    return result


def _rejected(delivery: Delivery, rejection: FileRejected, clock: Clock) -> FileResult:
    return FileResult(
        delivery=delivery,
        outcome=Outcome.REJECTED,
        processed_at=clock(),
        reason=rejection.reason,
        error=str(rejection),
        detail=str(rejection),
    )


def _failed(delivery: Delivery, error: BaseException, clock: Clock) -> FileResult:
    return FileResult(
        delivery=delivery,
        outcome=Outcome.FAILED,
        processed_at=clock(),
        error=shortened(" ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")),
        detail="\n".join(map(shortened, "".join(traceback.format_exception(error)).split("\n"))),
    )
