"""psycopg's errors in our words: unreachable, in conflict, refused, or a value refused."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from greenstream.domain.errors import (
    DatabaseRefused,
    DatabaseUnavailable,
    DataRefused,
    GreenStreamError,
    TransactionConflict,
)
from greenstream.domain.text import shortened

_CONFLICTS = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.UniqueViolation,
    errors.ForeignKeyViolation,  # a meter was erased meanwhile
    errors.CheckViolation,  # no partition for a row: retention dropped it meanwhile
)
_BY_CLASS: dict[str, type[GreenStreamError]] = {
    "08": DatabaseUnavailable,  # connection
    "21": DataRefused,  # cardinality: a row twice in one statement
    "22": DataRefused,  # data: out of range, not to be represented, no such time
    "23": DataRefused,  # integrity: a missing value
    "25": DatabaseUnavailable,  # transaction state: read-only (a standby, a disk nearly full), ended for its idleness
    "40": TransactionConflict,  # rolled back
    "53": DatabaseUnavailable,  # resources: disk, memory, connections
    "54": DataRefused,  # limits of the program: a value too long for an index
    "55": DatabaseUnavailable,  # not in the state for it: a lock is not to be had
    "57": DatabaseUnavailable,  # operator intervention: shutting down, timed out
    "58": DatabaseUnavailable,  # system: files can't be read or written
}
"""By the first two characters of SQLSTATE. All other classes are no file's fault: password (28), rights and names (42),
database (3D), schema (3F), features (0A), damage (XX) …"""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise DatabaseUnavailable, TransactionConflict, DatabaseRefused or DataRefused, saying what was being done."""
    try:
        yield
    except psycopg.Error as error:
        raise _translate(error, doing) from error


def _translate(error: psycopg.Error, doing: str) -> GreenStreamError:
    said = shortened(str(error).strip().splitlines()[0]) if str(error).strip() else type(error).__name__
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        return _without_answer(doing, said)
    return _of(error)(f"{doing}: {said}; {_ADVICE[_of(error)]}")


def _of(error: psycopg.Error) -> type[GreenStreamError]:
    if isinstance(error, _CONFLICTS):
        return TransactionConflict
    if error.sqlstate is None and isinstance(error, psycopg.DataError):  # psycopg wouldn't even send it
        return DataRefused
    return _BY_CLASS.get((error.sqlstate or "")[:2], DatabaseRefused)


_ADVICE: dict[type[GreenStreamError], str] = {
    DatabaseUnavailable: "it is tried again later",
    TransactionConflict: "it is tried again",
    DataRefused: "please report it, with what was given",
    DatabaseRefused: "see `greenstream doctor`",
}


def _without_answer(doing: str, said: str) -> GreenStreamError:
    """A connection that fails has no SQLSTATE: only its text tells a refusal from a server out of reach."""
    refused = ("authentication failed", "does not exist", "no pg_hba.conf entry", "permission denied", "not permitted")
    if any(words in said for words in refused):
        return DatabaseRefused(f"{doing}: {said}; check GREENSTREAM_DATABASE_URL (for a query, GREENSTREAM_READER_URL)")
    return DatabaseUnavailable(f"{doing}: {said}; check that PostgreSQL runs, see `greenstream doctor`")
