"""One turn of a worker at a landed file: to its end, or until later."""

import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from polars.exceptions import PanicException  # a bug in there; it is no Exception

from greenstream.application.loading.outages import is_outage
from greenstream.domain.errors import GreenStreamError, InvalidKey, NotFound, RetryableError, StorageRefused
from greenstream.domain.landing import Clock, LandedFile
from greenstream.domain.ledger import Delivery, FileResult, Outcome
from greenstream.domain.retries import MAX_CRASHES, OUTAGE_DELAY, pause_after
from greenstream.ports.loading import Database, Waiting


@dataclass(frozen=True, kw_only=True)
class Later:
    """The file must be tried again, after so many seconds, for this reason."""

    seconds: int
    error: str


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a worker needs. `store_answers` tells whether the store serves anything at all."""

    process: Callable[[str], FileResult]
    head: Callable[[str], LandedFile]
    store_answers: Callable[[], bool]
    waiting: Waiting
    database: Database
    clock: Clock


def take_turn(
    path: str, turn: Turn, on_start: Callable[[int], None] = lambda _attempt: None
) -> FileResult | Later | None:
    """Process a file. A passing fault of its own puts it off by 2, 4, 8 s, and then makes it a dead letter.

    What would hit every file is raised, and the file waits without anything being counted; nor is anything while a day
    of it is being settled. A file that a sound store won't give is a dead letter at once, as is a path that no landed
    file can have, and a file that shows a bug. None: the file is no longer there. `on_start` hears the number of this
    attempt, from 1 on.

    Raises:
        DatabaseUnavailable, DatabaseRefused, SettingsError, ServerError, StorageUnavailable, StorageRefused: an
            outage; the queue hands the file out again.
    """
    failed_before = turn.waiting.start(path, turn.clock())
    on_start(failed_before + 1)
    try:
        result = turn.process(path)
    except NotFound:
        turn.waiting.end(path)
        return None
    except (Exception, PanicException) as error:
        if is_outage(error, turn.store_answers):
            with suppress(GreenStreamError):  # the database may be what is unreachable, or be so for large writes only
                note_outage(path, error, turn.waiting, turn.clock)
            raise
        return _put_off(path, error, failed_before, turn)
    turn.waiting.end(path)
    return result


def note_outage(path: str, error: BaseException, waiting: Waiting, clock: Clock) -> None:
    """People see why it waits, and nobody takes its worker for dead."""
    waiting.outage(path, error=_told(error), next_at=clock() + timedelta(seconds=OUTAGE_DELAY))


def _put_off(path: str, error: BaseException, failed_before: int, turn: Turn) -> FileResult | Later:
    pause = pause_after(error, failed_before)
    if pause is None:
        return fail(path, error, turn, attempts=failed_before + 1)
    return _later(path, error, pause.seconds, failed_before + pause.counts, turn)


def _later(path: str, error: BaseException, seconds: int, attempts: int, turn: Turn) -> Later:
    next_at, text = turn.clock() + timedelta(seconds=seconds), _told(error)
    turn.waiting.retry(path, attempts=attempts, error=text, next_at=next_at)
    return Later(seconds=seconds, error=text)


def after_crash(path: str, turn: Turn) -> FileResult | None:
    """A worker died over a file: it is due again, or a dead letter when too many did."""
    crashes = turn.waiting.crashed(path, "a worker died while it processed this file")
    if crashes < MAX_CRASHES:
        return None
    error = f"{crashes} workers died while they processed this file; see the logs of that time"
    return _dead_letter(path, error, error, turn, crashes)


def fail(path: str, error: BaseException, turn: Turn, *, attempts: int) -> FileResult:
    """Make a file a dead letter for an error of its own; of a bug with its traceback."""
    text = _told(error)
    detail = text if isinstance(error, GreenStreamError) else "".join(traceback.format_exception(error))
    return _dead_letter(path, text, detail, turn, attempts)


def _dead_letter(path: str, error: str, detail: str, turn: Turn, attempts: int) -> FileResult:
    """For no reason that its content gave."""
    try:
        file = turn.head(path)
    except (RetryableError, NotFound, InvalidKey, StorageRefused):  # its path is what a person needs
        delivery = Delivery(path=path, size_bytes=0, received_at=turn.clock(), sha256=None)
    else:
        delivery = turn.database.delivery(file, None, turn.clock())
    result = FileResult(
        delivery=delivery,
        outcome=Outcome.FAILED,
        processed_at=turn.clock(),
        error=error,
        detail=detail,
        attempts=attempts,
    )
    turn.database.record(result)
    turn.waiting.end(path)
    return result


def _told(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
