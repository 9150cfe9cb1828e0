"""psycopg's errors in our words: away, in conflict, or refused."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from greenstream.domain.errors import DatabaseRefused, DatabaseUnavailable, GreenStreamError, TransactionConflict
from greenstream.domain.text import shortened

_AWAY = ("08", "53", "57", "58")  # connection, insufficient resources (disk full too), operator intervention, system
_READ_ONLY = "25006"  # a standby after a failover, or a managed server whose disk is nearly full
_CONFLICTS = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.UniqueViolation,
    errors.ForeignKeyViolation,  # a meter was erased meanwhile
    errors.CheckViolation,  # no partition for a row: retention dropped it meanwhile
)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise DatabaseUnavailable, TransactionConflict or DatabaseRefused, saying what was being done."""
    try:
        yield
    except psycopg.Error as error:
        raise _translate(error, doing) from error


def _translate(error: psycopg.Error, doing: str) -> GreenStreamError:
    said = shortened(str(error).strip().splitlines()[0]) if str(error).strip() else type(error).__name__
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        return _without_answer(doing, said)
    if error.sqlstate and (error.sqlstate[:2] in _AWAY or error.sqlstate == _READ_ONLY):
        return DatabaseUnavailable(f"{doing}: {said}; it is tried again later")
    if isinstance(error, _CONFLICTS):
        return TransactionConflict(f"{doing}: {said}; it is tried again")
    return DatabaseRefused(f"{doing}: {said}; see `greenstream doctor`")


def _without_answer(doing: str, said: str) -> GreenStreamError:
    """A connection that fails has no SQLSTATE: only its text tells a server that said no from one that is away."""
    refused = ("authentication failed", "does not exist", "no pg_hba.conf entry", "permission denied")
    if any(words in said for words in refused):
        return DatabaseRefused(f"{doing}: {said}; check GREENSTREAM_DATABASE_URL (for a query, GREENSTREAM_READER_URL)")
    return DatabaseUnavailable(f"{doing}: {said}; check that PostgreSQL runs, see `greenstream doctor`")
