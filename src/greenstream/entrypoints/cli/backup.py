"""`backup` and `restore`: all that is kept, into a folder and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greenstream.entrypoints.cli.console import Console, Json, command, open_system
from greenstream.entrypoints.cli.patience import alone

if TYPE_CHECKING:
    from greenstream.adapters.backups import Description

Target = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder to make; it must not be there.")]
Source = Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that `backup` made.")]
Files = Annotated[bool, typer.Option("--files/--no-files", help="Take raw files, quarantine and lake along.")]
Replace = Annotated[bool, typer.Option("--replace", help="Drop what is in the database, once the backup is restored.")]


def register(app: typer.Typer) -> None:
    command(app, "backup", example="greenstream backup /mnt/backups/2026-03-02\ngreenstream backup copy --no-files")(
        backup
    )
    command(app, "restore", example="greenstream restore /mnt/backups/2026-03-02\ngreenstream verify")(restore)


def backup(console: Console, target: Target, files: Files = True, json: Json = False) -> None:
    """Write the database, and the files of the store, into a new folder. Loading may go on meanwhile.

    The folder appears when it is complete. Files on S3 are not copied: versioning and replication of the bucket do
    that better.
    """
    system = open_system(console)
    _ = system.database
    with alone(console, system), console.progress("backing up") as progress:
        done = system.backup(target, with_files=files, on_step=lambda what: progress.describe(f"backing up: {what}"))
    _report(console, done, f"{target} holds the database{_files(done)}", json)


def restore(console: Console, source: Source, replace: Replace = False, json: Json = False) -> None:
    """Make the database what a backup has, and put its files back where they are missing.

    Into an empty database, or with --replace into one that is dropped when the backup is restored beside it. A backup
    of an older version is brought to this one. What landed since the backup was taken is loaded again at the next
    start. Stop `up` before, and run `greenstream verify` afterwards.
    """
    from greenstream.domain.errors import BackupRefused
    from greenstream.entrypoints.service.process import running

    system = open_system(console)
    if running(system.settings.home):
        raise BackupRefused("GreenStream runs here: stop it first, by greenstream down")
    with console.progress("restoring") as progress:
        done = system.restore(source, replace_all=replace, on_step=lambda what: progress.describe(f"restoring: {what}"))
    _report(console, done, f"restored the database{_files(done)} of {done.taken_at}", json)
    console.say("see that all is well by: greenstream verify")


def _files(done: "Description") -> str:
    return "" if done.files is None else f" and {done.files:,} files"


def _report(console: Console, done: "Description", words: str, json: bool) -> None:
    if json:
        console.emit({name: value for name, value in vars(done).items() if name != "format"})
    else:
        console.write(words)
