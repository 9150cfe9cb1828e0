"""Every error GreenStream raises on purpose.

    GreenStreamError
    ├── RetryableError            the same call may succeed later
    │   ├── StorageUnavailable    the landing zone or lake did not answer
    │   ├── DatabaseUnavailable   PostgreSQL is unreachable, starting, or refused for now
    │   └── TransactionConflict   PostgreSQL chose this transaction as the victim of a conflict
    │       └── DayBusy           a day that is needed is being settled: it is free again soon
    └── PermanentError            the same call will fail again until a person acts
        ├── SettingsError         a setting cannot be used
        ├── NotSetUp              nothing was set up here yet, or by another version of the program
        ├── NotInstalled          what is asked for needs an extra of the package
        ├── NotFound              a named file, object or record is not there
        ├── InvalidKey            a key that no landed file, or no object of the store, can have
        ├── FileRejected          a file breaks a file check; the pipeline turns it into an outcome
        ├── StorageRefused        no permission, no such bucket
        │   └── StorageFull       no space, or mounted for reading only
        ├── DatabaseRefused       PostgreSQL answered, and said no to us: password, rights, schema
        ├── DataRefused           PostgreSQL answered, and said no to a value it was given
        ├── LakeDamaged           an object of the lake is missing, or isn't what was written
        ├── ServerError           the embedded PostgreSQL cannot be installed, started or stopped
        ├── InvalidQuery          a user's SQL is wrong, or wants to write
        ├── InvalidFixes          a file of rows fixed by hand cannot be used
        ├── InvalidBackup         a backup is incomplete, damaged, or of a newer program
        ├── BackupFailed          a backup could not be taken, or not be restored
        ├── RestoreRefused        where a backup is to go, something is that must not be lost
        └── LedgerMismatch        a row would be lost or counted twice: a bug of ours

A message names what failed, on what, and what to do. Adapters translate the errors of their libraries into
these with ``raise … from``. All can be pickled: what the constructor takes is in `args`.
"""

from greenstream.domain.codes import Reason


class GreenStreamError(Exception):
    """The base of all errors below; `code` is its stable name for people and programs."""

    @property
    def code(self) -> str:
        return type(self).__name__


class RetryableError(GreenStreamError):
    """The same call may succeed later."""


class StorageUnavailable(RetryableError):
    """The landing zone or the lake did not answer."""


class DatabaseUnavailable(RetryableError):
    """PostgreSQL is unreachable, starting, or refused for now."""


class TransactionConflict(RetryableError):
    """PostgreSQL rolled this transaction back in favour of another one."""


class DayBusy(TransactionConflict):
    """A day that is needed was being settled: no fault of what needed it."""


class PermanentError(GreenStreamError):
    """The same call will fail again until a person acts."""


class SettingsError(PermanentError):
    """A setting cannot be used."""


SETS_UP = "greenstream up, ingest, demo or db migrate does it"
"""Who brings what is missing, for messages."""


class NotSetUp(PermanentError):
    """Nothing was set up here yet, or by another version of the program."""


def other_version(found: str | None, needed: str) -> NotSetUp:
    """A database whose relations aren't of the needed version, None without any; and what to do."""
    if found is None:
        return NotSetUp(f"the database holds nothing of GreenStream yet: {SETS_UP}")
    mend = "greenstream db migrate brings it there" if found < needed else "install the newer GreenStream"
    return NotSetUp(f"the database is of version {found}, and this program needs {needed}: {mend}")


class NotInstalled(PermanentError):
    """What is asked for needs an extra of the package that isn't installed."""


class NotFound(PermanentError):
    """A named file, object or record is not there."""


class InvalidKey(PermanentError):
    """A key that no landed file, or no object of the store, can have. Whether anything has it, nobody looked."""


class FileRejected(PermanentError):
    """A file breaks a file check; `reason` is its name in the ledger."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


class StorageRefused(PermanentError):
    """The store answered, and said no: permission, bucket."""


class StorageFull(StorageRefused):
    """The store has no space left, or is mounted for reading only."""


class DatabaseRefused(PermanentError):
    """PostgreSQL answered, and said no to us: password, rights, a schema that isn't ours."""


class DataRefused(PermanentError):
    """PostgreSQL answered, and said no to a value that it was given."""


class LakeDamaged(PermanentError):
    """An object of the lake is missing, or isn't what was written."""


class ServerError(PermanentError):
    """The embedded PostgreSQL cannot be installed, started or stopped."""


class InvalidQuery(PermanentError):
    """A user's SQL is wrong, or wants to write."""


class InvalidFixes(PermanentError):
    """A file of rows fixed by hand cannot be used."""


class InvalidBackup(PermanentError):
    """A backup is incomplete, damaged, or of a newer program."""


class BackupFailed(PermanentError):
    """A backup could not be taken, or not be restored; what was there before is as it was."""


class RestoreRefused(PermanentError):
    """Where a backup is to go, something is that must not be lost."""


class LedgerMismatch(PermanentError):
    """A row would be lost or counted twice."""


OUTAGES = (DatabaseUnavailable, DatabaseRefused, ServerError, SettingsError, StorageFull)
"""Troubles that would hit every file, so that no file may end for them.

`StorageUnavailable` and `StorageRefused` may be of one file or of all: the store has to be asked.
"""
