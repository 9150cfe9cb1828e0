"""What a backup says of itself."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from greenstream.domain.errors import InvalidBackup, SettingsError
from greenstream.domain.evaluate import Site

FORMAT = 1


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
        return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode()


def read_backup(name: str, content: bytes) -> Backup:
    """The inverse of `Backup.to_json`.

    Raises:
        InvalidBackup: `name` holds no description, or one of a later format.
    """
    try:
        values: dict[str, Any] = json.loads(content)
        if values["format"] != FORMAT:
            raise InvalidBackup(
                f"{name} was taken by GreenStream {values.get('program', '?')} in a format that this version does not "
                "know: install that version or a newer one"
            )
        known = {field.name: values[field.name] for field in fields(Backup)}
        files = StoredFiles(**known["files"]) if known["files"] is not None else None
        return Backup(**{**known, "taken_at": datetime.fromisoformat(known["taken_at"]), "files": files})
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidBackup(f"{name} has a damaged backup.json ({error!r}): take another backup") from error


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
