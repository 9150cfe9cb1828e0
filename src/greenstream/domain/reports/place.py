"""The database, backups, and what is sent to people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from greenstream.domain.reports.doc import Doc


@dataclass(frozen=True, kw_only=True)
class DatabaseUrl:
    """Where the database is."""

    url: Annotated[str, Doc("its address (DSN)")]


@dataclass(frozen=True, kw_only=True)
class Migrated:
    """The versions of the database's schema."""

    from_: Annotated[str | None, Doc("before; null where nothing was set up")]
    to: Annotated[str, Doc("now")]


@dataclass(frozen=True, kw_only=True)
class Granted:
    """The rights of a role."""

    role: Annotated[str, Doc("as it was named")]
    granted: Annotated[Sequence[str], Doc("what it can do now")]


@dataclass(frozen=True, kw_only=True)
class FileTotals:
    """The files of a store."""

    count: Annotated[int, Doc("how many")]
    size_bytes: Annotated[int, Doc("of all of them", "bytes")]


@dataclass(frozen=True, kw_only=True)
class TakenBackup:
    """A backup that was written."""

    backup: Annotated[str, Doc("its folder")]
    taken_at: Annotated[datetime, Doc("the instant that it is as of")]
    schema_version: Annotated[str, Doc("of the database's schema")]
    postgresql: Annotated[str, Doc("version of the server")]
    rows: Annotated[int, Doc("of all tables")]
    database_bytes: Annotated[int, Doc("of the dump", "bytes")]
    files: Annotated[FileTotals | None, Doc("those of the store; null where they were left out")]
    left_out: Annotated[Sequence[str], Doc("names in the store that are no regular files of it")]


@dataclass(frozen=True, kw_only=True)
class DroppedData:
    """What a database held that a backup took the place of."""

    meters: Annotated[int, Doc("how many")]
    files: Annotated[int, Doc("deliveries")]
    readings: Annotated[int, Doc("stored")]


@dataclass(frozen=True, kw_only=True)
class FilesBack:
    """What became of the files of a backup."""

    put_back: Annotated[int, Doc("that weren't there")]
    same: Annotated[int, Doc("that were there already")]
    other: Annotated[int, Doc("that were there with other content, and stayed")]


@dataclass(frozen=True, kw_only=True)
class RestoredBackup:
    """A backup that was restored; with `--dry-run`, what would be."""

    backup: Annotated[str, Doc("its folder")]
    taken_at: Annotated[datetime, Doc("the instant that it is as of")]
    rows: Annotated[int, Doc("of all tables")]
    schema_version: Annotated[str, Doc("of the database's schema, now")]
    dropped: Annotated[DroppedData | None, Doc("what was there before; null without any data")]
    files: Annotated[FilesBack | None, Doc("null where they are left as they are")]


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """Alerts that were acknowledged."""

    acknowledged: Annotated[Sequence[int], Doc("those that were open, by their ids")]


@dataclass(frozen=True, kw_only=True)
class ChannelTest:
    """A channel's answer to a test message."""

    channel: Annotated[str, Doc("its name, without secrets")]
    sent: Annotated[bool, Doc("whether it took the message")]
    trouble: Annotated[str | None, Doc("why not")]
