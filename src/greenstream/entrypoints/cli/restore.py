"""`restore`: a backup takes the place of what is there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greenstream.entrypoints.cli.console import Console, Json, command, open_place

if TYPE_CHECKING:
    from greenstream.adapters.backups import Plan, Restored
    from greenstream.adapters.backups.files import FilesBack
    from greenstream.domain.reports.place import RestoredBackup

Folder = Annotated[Path, typer.Argument(metavar="BACKUP", help="The folder that `greenstream backup` wrote.")]
Replace = Annotated[bool, typer.Option("--replace", help="Drop the data that is there, once the backup is restored.")]
Files = Annotated[bool, typer.Option("--files/--no-files", help="Put back the backup's files that aren't there.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check the backup, and say what would be dropped.")]


def register(app: typer.Typer) -> None:
    example = "greenstream restore /backups/2024-03-15 --dry-run\ngreenstream restore /backups/2024-03-15 --replace"
    command(app, "restore", example=example)(restore)


def restore(
    console: Console,
    folder: Folder,
    replace: Replace = False,
    files: Files = True,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Restore a backup into the database of the settings, embedded or yours, and bring it to this program's version.

    The backup's sums are checked first. It is restored beside the database, which it replaces at the very end: broken
    off before, all is as it was, and can be run again. What runs must be stopped first. Files that are there stay,
    whatever the backup has; files that landed after the backup are processed by the next `up`, or `ingest` of them.
    """
    place = open_place(console)
    plan = place.backups.plan_restore(folder.absolute(), console.progress)
    if dry_run:
        _say_plan(console, folder, plan, json)
        return
    if plan.dropped and replace:
        console.say(f"the database {plan.target.name} will be dropped: it holds {plan.dropped}")
    _say_erased(console, plan)
    restored = place.backups.restore(plan, console.progress, replace=replace, files=files)
    for refused in restored.rights_refused:
        console.warn(f"rights that the backup has can't be given again: {refused}")
    if json:
        console.emit(_answer(folder, plan, restored.files, restored.schema_version))
        return
    console.write(_line(folder, restored))
    console.say(
        "greenstream verify compares it with lake and raw files; what landed later is processed by greenstream up"
    )


def _say_erased(console: Console, plan: "Plan") -> None:
    for reason in plan.target.erased:
        console.warn(f"a meter that was erased after this backup was taken is in it: erase it again ({reason})")


def _say_plan(console: Console, folder: Path, plan: "Plan", json: bool) -> None:
    if json:
        console.emit(_answer(folder, plan, None, plan.backup.schema_version))
        return
    backup = plan.backup
    files = f"{backup.files.count:,} files" if backup.files else "no files"
    console.write(f"{folder} is whole: as of {backup.taken_at:%Y-%m-%d %H:%M:%S} UTC, {backup.rows:,} rows, {files}")
    console.write(f"the database {plan.target.name} holds {plan.dropped or 'nothing that would be lost'}")
    _say_erased(console, plan)


def _line(folder: Path, restored: "Restored") -> str:
    backup = restored.plan.backup
    version = restored.schema_version
    upgraded = f", brought from version {backup.schema_version} to {version}" * (backup.schema_version != version)
    database = f"{folder} is restored: {backup.rows:,} rows as of {backup.taken_at:%Y-%m-%d %H:%M:%S} UTC{upgraded}"
    return database + (_files_line(restored.files) if restored.files else "; files left as they are")


def _files_line(files: "FilesBack") -> str:
    other = f", {files.other:,} had other content and stay" * bool(files.other)
    return f"; {files.put_back:,} files put back, {files.same:,} there already{other}"


def _answer(folder: Path, plan: "Plan", files: "FilesBack | None", schema_version: str) -> "RestoredBackup":
    from greenstream.domain.reports import place

    dropped = plan.dropped
    return place.RestoredBackup(
        backup=str(folder),
        taken_at=plan.backup.taken_at,
        rows=plan.backup.rows,
        schema_version=schema_version,
        dropped=place.DroppedData(meters=dropped.meters, files=dropped.files, readings=dropped.stored)
        if dropped
        else None,
        files=place.FilesBack(put_back=files.put_back, same=files.same, other=files.other) if files else None,
    )
