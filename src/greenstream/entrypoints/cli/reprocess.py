"""`reprocess`: raw files through this version of the pipeline."""

from typing import TYPE_CHECKING, Annotated

import typer

from greenstream.entrypoints.cli.console import Console, ExitCode, Json, UsageError, command, open_place, stop
from greenstream.entrypoints.cli.days import First, Last, chosen_days
from greenstream.entrypoints.cli.row_selection import changes_of

if TYPE_CHECKING:
    from greenstream.application.corrections.reprocess import ReprocessedFile
    from greenstream.domain.reports.corrections import ReprocessedRows

COLUMNS = ("file", "changed", "new", "superseded", "quarantined", "let out")
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")]


def register(app: typer.Typer) -> None:
    example = (
        "greenstream reprocess --from 2024-03-01 --to 2024-03-31 --dry-run\ngreenstream reprocess --from 2024-03-01"
    )
    command(app, "reprocess", example=example)(reprocess)


def reprocess(
    console: Console, first: First = None, last: Last = None, dry_run: DryRun = False, json: Json = False
) -> None:
    """Process the raw files of some days again, by this version and these settings.

    The files are those with readings on the days, or received on them; each is taken whole, in one transaction. Values
    and version change in place; readings that a file no longer gives move to superseded_readings; the days have to be
    settled again. Safe to repeat. What a person replayed or discarded stays. With --json, one object a line and file.
    """
    place = open_place(console)
    days = chosen_days(None, first, last, place.today())
    if days is None:
        raise UsageError("--from is missing: which days?")
    done: list[ReprocessedFile] = []
    with console.progress("reprocessing") as progress:
        for file in place.corrections.reprocess(days[0], days[-1], dry_run=dry_run):
            done.append(file)
            progress.describe(f"reprocessed {file.source_file}")
            if json:
                console.emit(_answer(file))
    if not json:
        _tell(console, done, dry_run=dry_run)
    troubles = [file for file in done if file.trouble]
    for file in troubles:
        console.warn(f"{file.source_file} {file.trouble}")
    if troubles:
        stop(ExitCode.TROUBLE)


def _tell(console: Console, done: "list[ReprocessedFile]", *, dry_run: bool) -> None:
    moved = [file for file in done if any(_counts(file))]
    if moved:
        console.table(COLUMNS, [(file.source_file, *_counts(file)) for file in moved])
    files = len({file.source_file for file in done})
    other = len({file.source_file for file in done if file.is_other})
    words = "would come out otherwise; nothing was changed" if dry_run else "came out otherwise"
    console.write(f"{files:,} files processed again: {other:,} {words}")
    if other and not dry_run:
        console.say("their days are settled and archived anew at night, or now: greenstream nightly")


def _counts(file: "ReprocessedFile") -> tuple[int, int, int, int, int]:
    return file.changed, file.added, file.superseded, file.quarantined, file.let_out


def _answer(file: "ReprocessedFile") -> "ReprocessedRows":
    from greenstream.domain.reports.corrections import ReprocessedRows

    return ReprocessedRows(
        source_file=file.source_file,
        changed=changes_of(file.changes),
        new=file.added,
        superseded=file.superseded,
        quarantined=file.quarantined,
        let_out=file.let_out,
        version_moved=file.version,
        trouble=file.trouble,
    )
