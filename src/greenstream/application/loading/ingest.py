"""A file of this machine, landed and taken to its end at once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from greenstream.application.loading.outages import is_outage
from greenstream.application.retry import Attempts
from greenstream.domain.errors import GreenStreamError, NotFound, RetryableError
from greenstream.domain.landing import LandedFile
from greenstream.domain.ledger import FileResult
from greenstream.domain.retries import RETRY_DELAYS


@dataclass(frozen=True, kw_only=True)
class Ingesting:
    """What ingesting works with.

    Attributes:
        refuse: the rejection of a file that is too large to be landed; None for any other.
        land: puts a file into the landing zone.
        process: takes a landed file to its end.
        fail: makes a landed file a dead letter for an error, after so many attempts.
        store_answers: whether the store serves anything at all.
    """

    refuse: Callable[[Path], FileResult | None]
    land: Callable[[Path], LandedFile]
    process: Callable[[str], FileResult]
    fail: Callable[[str, Exception, int], FileResult]
    store_answers: Callable[[], bool]
    attempts: Attempts


@dataclass(frozen=True, kw_only=True)
class NotLanded:
    """Why a file isn't in the landing zone: for a reason of its own."""

    why: str


def ingest_file(source: Path, ingesting: Ingesting) -> FileResult | NotLanded:
    """Land a file and process it. Once landed it ends like any other: what keeps failing makes it a dead letter.

    Raises:
        RetryableError, StorageRefused, …: an outage, which would hit the next file as well; the message says where the
            file lies by now.
    """
    try:
        refused = ingesting.attempts.run(lambda: ingesting.refuse(source))
        if refused is not None:
            return refused
        path = ingesting.attempts.run(lambda: ingesting.land(source)).path
    except GreenStreamError as error:
        if is_outage(error, ingesting.store_answers):
            raise
        return NotLanded(why=f"{error.code}: {error}")
    return _process(source, path, ingesting)


def _process(source: Path, path: str, ingesting: Ingesting) -> FileResult | NotLanded:
    try:
        return ingesting.attempts.run(lambda: ingesting.process(path))
    except NotFound as error:
        return NotLanded(why=f"{error.code}: {error}")
    except Exception as error:
        if isinstance(error, GreenStreamError) and is_outage(error, ingesting.store_answers):
            stays = f"{source} has landed as {path} and stays there: give the files again later"
            raise type(error)(f"{error}; {stays}") from error
        attempts = len(RETRY_DELAYS) + 1 if isinstance(error, RetryableError) else 1
        return ingesting.fail(path, error, attempts)
