"""`backup`: the database and the files, as of one instant."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greenstream.entrypoints.cli.console import Console, Json, command, open_place
from greenstream.entrypoints.cli.tables import size_text

if TYPE_CHECKING:
    from greenstream.domain.backup import Backup
    from greenstream.domain.reports.place import TakenBackup

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The backup: a folder that doesn't exist yet.")]
Files = Annotated[
    bool,
    typer.Option("--files/--no-files", help="Copy raw files, quarantine and lake, too, where they are in a folder."),
]


def register(app: typer.Typer) -> None:
    example = "greenstream backup /backups/2024-03-15\ngreenstream backup /backups/2024-03-15 --no-files --json"
    command(app, "backup", example=example)(backup)


def backup(console: Console, folder: Folder, files: Files = True, json: Json = False) -> None:
    """Write the database and the files into a folder, as of one instant. Loading goes on meanwhile.

    The folder appears under its name when it is complete, with the SHA-256 of all it holds. It is for the system's user
    only, as it holds customers' data. Files on S3 aren't copied: the bucket's versioning and replication keep them. A
    night under way is waited for, and the next one waits.
    """
    place = open_place(console)
    done = place.backups.take(folder.absolute(), console.progress, files=files)
    taken = done.backup
    if json:
        console.emit(_answer(folder, taken, done.left_out))
    else:
        console.write(_line(folder, taken))
    for name in done.left_out:
        console.warn(f"{name} is no regular file of the store, and was left out: look at it, and delete it if need be")
    if files and taken.files is None:
        console.say(f"the files stay in {taken.store}: its versioning and replication must keep them")


def _line(folder: Path, taken: "Backup") -> str:
    database = f"{taken.rows:,} rows of PostgreSQL {taken.postgresql} in {size_text(taken.database_bytes)}"
    files = f", {taken.files.count:,} files of {size_text(taken.files.size_bytes)}" if taken.files else ", no files"
    return f"{folder}: as of {taken.taken_at:%Y-%m-%d %H:%M:%S} UTC, {database}{files}"


def _answer(folder: Path, taken: "Backup", left_out: Sequence[str]) -> "TakenBackup":
    from greenstream.domain.reports.place import FileTotals, TakenBackup

    return TakenBackup(
        backup=str(folder),
        taken_at=taken.taken_at,
        schema_version=taken.schema_version,
        postgresql=taken.postgresql,
        rows=taken.rows,
        database_bytes=taken.database_bytes,
        files=FileTotals(count=taken.files.count, size_bytes=taken.files.size_bytes) if taken.files else None,
        left_out=left_out,
    )
