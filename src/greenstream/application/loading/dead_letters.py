"""Files that failed: processed again when a person says so."""

from collections.abc import Callable
from dataclasses import dataclass

from greenstream.application.loading.outages import is_outage
from greenstream.domain.errors import InvalidKey, NotFound, RetryableError, StorageRefused
from greenstream.domain.ledger import FileResult

GONE = "the file is no longer in the landing zone: land it again, or discard the dead letter"


@dataclass(frozen=True, kw_only=True)
class ReplayedLetter:
    """What became of a dead letter that was replayed; `error` says why its file isn't loaded, None if it is."""

    dead_letter_id: int
    source_file: str
    result: FileResult | None
    error: str | None


@dataclass(frozen=True, kw_only=True)
class Replaying:
    """What replaying works with; see `Ingesting`."""

    process: Callable[[str], FileResult]
    fail: Callable[[str, Exception, int], FileResult]
    store_answers: Callable[[], bool]


def replay_dead_letter(dead_letter_id: int, path: str, replaying: Replaying) -> ReplayedLetter:
    """Process the file of a dead letter again. One that fails again stays the same dead letter, with its new error.

    Raises:
        RetryableError, StorageRefused, …: an outage; the dead letter is as it was.
    """
    try:
        result = replaying.process(path)
    except (RetryableError, StorageRefused) as error:
        if is_outage(error, replaying.store_answers):
            raise
        result = replaying.fail(path, error, 1)
    except NotFound:
        return _without_file(dead_letter_id, path, GONE)
    except InvalidKey as error:
        return _without_file(dead_letter_id, path, f"{error}; discard it")
    return ReplayedLetter(dead_letter_id=dead_letter_id, source_file=path, result=result, error=result.error)


def _without_file(dead_letter_id: int, path: str, error: str) -> ReplayedLetter:
    return ReplayedLetter(dead_letter_id=dead_letter_id, source_file=path, result=None, error=error)
