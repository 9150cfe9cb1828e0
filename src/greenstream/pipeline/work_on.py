"""One turn of a worker at a landed file: to its end, or until later."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from greenstream.domain.errors import DatabaseUnavailable, NotFound, RetryableError, StorageRefused
from greenstream.domain.ledger import Delivery, FileResult, Outcome
from greenstream.domain.routing import MAX_CRASHES, OUTAGE_DELAY, RETRY_DELAYS
from greenstream.ports import Clock, Database, LandedFile, Waiting


@dataclass(frozen=True, kw_only=True)
class Later:
    """The file must be tried again, after so many seconds, for this reason."""

    seconds: int
    error: str


def work_on(
    path: str,
    *,
    process: Callable[[str], FileResult],
    head: Callable[[str], LandedFile],
    waiting: Waiting,
    database: Database,
    clock: Clock,
    on_start: Callable[[int], None] = lambda _attempt: None,
) -> FileResult | Later | None:
    """Process a file. A passing fault puts it off by 2, 4, 8 s, and then makes it a dead letter.

    While the database is away the file is put off without counting. A file that the store won't give is a dead letter
    at once. None: the file is no longer there. `on_start` hears the number of this attempt, from 1 on.

    Raises:
        DatabaseUnavailable: also what the worker itself needs is away; the queue hands the file out again.
    """
    failed_before = waiting.start(path, clock())
    on_start(failed_before + 1)
    try:
        result = process(path)
    except NotFound:
        waiting.end(path)
        return None
    except DatabaseUnavailable as error:
        return _without_database(path, error, failed_before, waiting, clock)
    except RetryableError as error:
        return _put_off(path, error, failed_before, head, waiting, database, clock)
    except StorageRefused as error:
        return give_up(path, f"{error.code}: {error}", head, waiting, database, clock)
    waiting.end(path)
    return result


def _without_database(
    path: str, error: DatabaseUnavailable, failed_before: int, waiting: Waiting, clock: Clock
) -> Later:
    text = f"{error.code}: {error}"
    with suppress(DatabaseUnavailable):  # it may be back, or be away for large writes only: then people see why
        next_at = clock() + timedelta(seconds=OUTAGE_DELAY)
        waiting.retry(path, attempts=failed_before, error=text, next_at=next_at)
    return Later(seconds=OUTAGE_DELAY, error=text)


def _put_off(
    path: str,
    error: RetryableError,
    failed_before: int,
    head: Callable[[str], LandedFile],
    waiting: Waiting,
    database: Database,
    clock: Clock,
) -> FileResult | Later:
    text = f"{error.code}: {error}"
    if failed_before >= len(RETRY_DELAYS):
        return give_up(path, text, head, waiting, database, clock, attempts=failed_before + 1)
    seconds = RETRY_DELAYS[failed_before]
    waiting.retry(path, attempts=failed_before + 1, error=text, next_at=clock() + timedelta(seconds=seconds))
    return Later(seconds=seconds, error=text)


def after_crash(
    path: str, *, head: Callable[[str], LandedFile], waiting: Waiting, database: Database, clock: Clock
) -> FileResult | None:
    """A worker died over a file: it is due again, or a dead letter when too many did."""
    crashes = waiting.crashed(path, "a worker died while it processed this file")
    if crashes < MAX_CRASHES:
        return None
    error = f"{crashes} workers died while they processed this file; see the logs of that time"
    return give_up(path, error, head, waiting, database, clock, attempts=crashes)


def give_up(
    path: str,
    error: str,
    head: Callable[[str], LandedFile],
    waiting: Waiting,
    database: Database,
    clock: Clock,
    *,
    attempts: int = 1,
) -> FileResult:
    """Make a file a dead letter without having seen its content."""
    try:
        file = head(path)
    except (RetryableError, NotFound, StorageRefused):  # its path is what a person needs
        delivery = Delivery(path=path, size_bytes=0, received_at=clock(), sha256=None)
    else:
        delivery = database.delivery(file, None, clock())
    result = FileResult(
        delivery=delivery,
        outcome=Outcome.FAILED,
        processed_at=clock(),
        error=error,
        detail=error,
        attempts=attempts,
    )
    database.record(result)
    waiting.end(path)
    return result
