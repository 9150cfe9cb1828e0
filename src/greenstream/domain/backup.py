"""What a backup says of itself."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from greenstream.domain.errors import InvalidBackup, SettingsError
from greenstream.domain.site import Site

FORMAT = 1
_MOST = 2**63


@dataclass(frozen=True, kw_only=True)
class StoredFiles:
    """The files of a store, in a backup or left out of it."""

    count: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Backup:
    """The description of a backup, `backup.json`.

    taken_at: the instant that the database is as of. program, schema_version: of GreenStream and of its tables.
    postgresql: the server's version; pg_dump: that of the program that wrote the dump.
    tables: how many rows each has, by schema and name.
    store: where the files were; files: those in the backup, None where they were left out.
    sums_sha256: of the file SHA256SUMS, which has the sum of every other one.
    """

    taken_at: datetime
    program: str
    schema_version: str
    timezone: str
    interval_minutes: int
    postgresql: str
    pg_dump: str
    tables: Mapping[str, int]
    database_bytes: int
    store: str
    files: StoredFiles | None
    sums_sha256: str

    @property
    def rows(self) -> int:
        return sum(self.tables.values())

    def to_json(self) -> bytes:
        values = {"format": FORMAT, **asdict(self), "taken_at": self.taken_at.isoformat()}
        return (json.dumps(values, indent=1) + "\n").encode()


def read_backup(name: str, content: bytes) -> Backup:
    """The inverse of `Backup.to_json`.

    Raises:
        InvalidBackup: `name` holds no description, or one of a later format; each value is of its kind, none is missing
            and none more is there.
    """
    values = _object(f"{name} has a damaged backup.json", content)
    if _is_count(values.get("format")) and values["format"] != FORMAT:
        program = values.get("program")
        raise InvalidBackup(
            f"{name} was taken by GreenStream {program if _is_line(program) else '?'} in a format that this version "
            "does not know: install that version or a newer one"
        )
    for key, fits in _KINDS.items():
        if not fits(values.get(key)):
            raise InvalidBackup(f"{name} has a damaged backup.json ({key}): take another backup")
    if values.keys() != _KINDS.keys():
        raise InvalidBackup(f"{name} has a damaged backup.json (it says more than it should): take another backup")
    del values["format"]
    files = StoredFiles(**values["files"]) if values["files"] is not None else None
    return Backup(**{**values, "taken_at": datetime.fromisoformat(values["taken_at"]), "files": files})


def read_times(name: str, content: bytes) -> dict[str, int]:
    """When each file of a store was received, in ns since 1970, by its path. Raises InvalidBackup."""
    times = _object(f"{name} is damaged", content)
    if not all(isinstance(time, int) and not isinstance(time, bool) and abs(time) < _MOST for time in times.values()):
        raise InvalidBackup(f"{name} is damaged (a time is none): take another backup")
    return times


def check_restorable(name: str, backup: Backup, site: Site, newest_schema: str) -> None:
    """See that this program, with these settings, can take the backup in.

    Raises:
        InvalidBackup: it is of a newer program.
        SettingsError: it is of a site with another time zone or interval.
    """
    if backup.schema_version > newest_schema:
        raise InvalidBackup(
            f"{name} is of GreenStream {backup.program} with tables of version {backup.schema_version}, and this "
            f"program knows them up to {newest_schema}: install GreenStream {backup.program} or a newer one"
        )
    ours = (site.timezone, site.limits.interval_minutes)
    if (backup.timezone, backup.interval_minutes) != ours:
        raise SettingsError(
            f"{name} is of a site in {backup.timezone} with slots of {backup.interval_minutes} minutes, but the "
            f"settings say {ours[0]} and {ours[1]}: set GREENSTREAM_TIMEZONE={backup.timezone} and "
            f"GREENSTREAM_INTERVAL_MINUTES={backup.interval_minutes}"
        )


def _object(damaged: str, content: bytes) -> dict[str, Any]:
    """A JSON object in which each key stands once."""
    try:
        value = json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise InvalidBackup(f"{damaged} ({type(error).__name__}): take another backup") from error
    if not isinstance(value, dict):
        raise InvalidBackup(f"{damaged} (it is no object): take another backup")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _is_line(value: object) -> bool:
    """A text that can be put into a message."""
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST


def _is_instant(value: object) -> bool:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return instant is not None and instant.tzinfo is not None and 2000 <= instant.year < 9000


def _are_counts(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_line, value)) and all(map(_is_count, value.values()))


def _are_files(value: object) -> bool:
    return value is None or (_are_counts(value) and isinstance(value, dict) and set(value) == {"count", "size_bytes"})


def _is(pattern: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) is not None


_KINDS: Mapping[str, Callable[[object], bool]] = {
    "format": _is_count,
    "taken_at": _is_instant,
    "program": _is_line,
    "schema_version": _is(r"\d{4}"),
    "timezone": _is_line,
    "interval_minutes": _is_count,
    "postgresql": _is_line,
    "pg_dump": _is(r"\d{1,3}(\.\d{1,3})?"),
    "tables": _are_counts,
    "database_bytes": _is_count,
    "store": lambda value: isinstance(value, str),
    "files": _are_files,
    "sums_sha256": _is("[0-9a-f]{64}"),
}
