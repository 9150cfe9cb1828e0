"""Taking a backup."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from greenstream.adapters.backups.bars import Bar, Bars
from greenstream.adapters.backups.files import copy_out
from greenstream.adapters.backups.folder import CHUNK_BYTES, DUMP, complete, new_folder, write_sums
from greenstream.adapters.postgres.backup.dump_programs import Tools, find_tools, pg_dump
from greenstream.adapters.postgres.backup.snapshot import Snapshot, open_snapshot
from greenstream.domain.backup import Backup

_DUMPING = re.compile(r'dumping contents of table "?([^"\s]+)"?')


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A backup, and what lay in the store and is no regular file: links and the like, which were left out."""

    backup: Backup
    left_out: tuple[str, ...]


def take_backup(path: Path, dsn: str, *, store: str, root: Path | None, program: str, bars: Bars) -> Taken:
    """Back up a database, and the files of the store at `root`; None leaves them out.

    The files are copied after the snapshot: all of a file that the database knows is there, and what landed since is
    processed after a restore. Retention must not run meanwhile.

    Raises:
        BackupFailed: naming what is in the way. No backup of this name exists then.
        DatabaseUnavailable, DatabaseRefused: as every call to the database.
    """
    with new_folder(path) as folder, open_snapshot(dsn) as snapshot:
        tools = find_tools(snapshot.major)
        _dump(folder, dsn, snapshot, tools, bars)
        files = copy_out(root, folder, bars) if root else None
        backup = Backup(
            taken_at=snapshot.taken_at,
            program=program,
            schema_version=snapshot.schema_version,
            timezone=snapshot.timezone,
            interval_minutes=snapshot.interval_minutes,
            postgresql=snapshot.postgresql,
            pg_dump=tools.version,
            tables=snapshot.tables,
            database_bytes=(folder / DUMP).stat().st_size,
            store=store,
            files=files.stored if files else None,
            sums_sha256=write_sums(folder, {DUMP: _sum(folder / DUMP), **(files.sums if files else {})}),
        )
        complete(folder, path, backup)
    return Taken(backup=backup, left_out=files.left_out if files else ())


def _sum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _dump(folder: Path, dsn: str, snapshot: Snapshot, tools: Tools, bars: Bars) -> None:
    with bars("dumping the database", sum(snapshot.tables.values()), unit="rows") as bar:
        counter = _Rows(snapshot.tables, bar)
        pg_dump(tools, dsn, snapshot.name, folder / DUMP, counter.heard)


class _Rows:
    """Moves the bar by the rows of a table when the next one begins."""

    def __init__(self, tables: dict[str, int], bar: Bar) -> None:
        self._tables = tables
        self._bar = bar
        self._current = 0

    def heard(self, line: str) -> None:
        if found := _DUMPING.search(line):
            self._bar.advance(self._current)
            self._current = self._tables.get(found[1], 0)
            self._bar.describe(f"dumping {found[1]}")
