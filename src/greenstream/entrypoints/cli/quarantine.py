"""`quarantine`: rejected rows: look at them, fix them, replay them, give them up."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greenstream.domain.text import EXCERPT_CHARS, beginning
from greenstream.entrypoints.cli.console import (
    Console,
    ExitCode,
    Json,
    UsageError,
    command,
    for_stdout,
    open_place,
    stop,
)
from greenstream.entrypoints.cli.row_selection import (
    Code,
    DryRun,
    Since,
    SourceFile,
    named_rows,
    replayed_rows,
    row_choice,
    tell_files,
    troubles_of,
)
from greenstream.entrypoints.cli.tables import size_text

if TYPE_CHECKING:
    from greenstream.application.corrections.replay import ReplayedFile
    from greenstream.domain.corrections.values import RowChoice
    from greenstream.domain.reports.rows import QuarantinedRow
    from greenstream.wiring import Place

quarantine = typer.Typer(
    help="Rejected rows: look at them, fix them, replay them, give them up.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Rows = Annotated[
    list[str] | None,
    typer.Argument(metavar="SOURCE_FILE LINE…", show_default=False, help="Certain rows of one file."),
]


def register(app: typer.Typer) -> None:
    app.add_typer(quarantine, name="quarantine")


@command(
    quarantine, "list", example="greenstream quarantine list --code MALFORMED_ROW\ngreenstream quarantine list --json"
)
def list_(
    console: Console,
    code: Code = None,
    source_file: SourceFile = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=0, help="At most so many rows; 0 shows the counts only.")] = 50,
    closed: Annotated[bool, typer.Option("--all", help="Also those that were replayed or discarded.")] = False,
    json: Json = False,
) -> None:
    """List the rejected rows that wait, the newest first, and count all of them by code."""
    place = open_place(console)
    choice = row_choice(place.settings.timezone, code, source_file, since)
    chars = None if json else EXCERPT_CHARS + 1
    found = place.reports.quarantine(choice, limit=limit, closed=closed, chars=chars)
    if json:
        console.emit(found)
        return
    if found.rows:
        console.table(("source_file", "line", "code", "raw_line", "rejected", "state"), [_row(r) for r in found.rows])
    total = sum(found.counts.values())
    by_code = ", ".join(f"{count:,} {name}" for name, count in found.counts.items())
    console.write(f"{total:,} rows{f': {by_code}' if by_code else ''}")
    if total > limit > 0:
        console.say(f"these are the newest {limit}; --limit shows more")


@command(quarantine, "show", example="greenstream quarantine show raw-data/2024-03-15/a.csv 17")
def show(
    console: Console,
    source_file: Annotated[str, typer.Argument(metavar="SOURCE_FILE")],
    line: Annotated[int, typer.Argument(metavar="LINE", min=1)],
    json: Json = False,
) -> None:
    """Show all that is known of a rejected row."""
    for row in open_place(console).reports.quarantined_row(source_file, line):
        if json:
            console.emit(row)
        else:
            console.entries(row, 17)


@command(
    quarantine,
    "discard",
    example="greenstream quarantine discard raw-data/2024-03-15/a.csv 17 18 --reason 'a test meter'\n"
    "greenstream quarantine discard --code TIMESTAMP_OUT_OF_RANGE --dry-run",
)
def discard(
    console: Console,
    rows: Rows = None,
    code: Code = None,
    source_file: SourceFile = None,
    reason: Annotated[str | None, typer.Option(help="Why; kept with the rows.")] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Give rejected rows up. They stay there and count as rejected, but wait no longer and are not replayed."""
    from greenstream.domain.reports.corrections import DiscardedRows

    if not (rows or code or source_file):
        raise UsageError("name the rows: SOURCE_FILE LINE…, --code or --source-file")
    place = open_place(console)
    choice = _chosen(place, rows, code, source_file)
    if dry_run:
        counts = place.reports.quarantine(choice, limit=0).counts
    else:
        counts = place.corrections.discard_rows(choice, reason)
    total = sum(counts.values())
    if json:
        console.emit(DiscardedRows(discarded=total, counts=counts, dry_run=dry_run))
    else:
        by_code = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        words = "would be discarded; nothing was changed" if dry_run else "discarded"
        console.write(f"{total:,} rows {words}{f': {by_code}' if by_code else ''}")
    if rows and total < len(set(rows[1:])):
        console.warn(f"{len(set(rows[1:])) - total} of these rows don't wait: see `greenstream quarantine list --all`")
        stop(ExitCode.TROUBLE)


@command(quarantine, "discard-file", example="greenstream quarantine discard-file raw-data/2024-03-15/broken.csv.gz")
def discard_file(
    console: Console,
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="In raw-data/ or quarantine/, by their keys.")],
    reason: Annotated[str | None, typer.Option(help="Why; kept in deletions.")] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Delete whole files of deliveries that were rejected, or the copies of them in the quarantine, for good.

    Such as an archive that can't be unpacked, in which `erase` can't look for a meter, and which it names. A file whose
    rows were stored stays. It is noted in deletions. With --json, one object a line and file.
    """
    from greenstream.domain.reports.corrections import DiscardedFile

    place = open_place(console)
    for path in dict.fromkeys(files):
        gone = place.corrections.discard_file(path, reason, dry_run=dry_run)
        if json:
            console.emit(DiscardedFile(discarded=gone.subject, size_bytes=gone.amount, dry_run=dry_run))
        else:
            words = "would be deleted; nothing was changed" if dry_run else "deleted"
            console.write(f"{gone.subject}: {size_text(gone.amount)} {words}")


@command(
    quarantine,
    "export",
    example="greenstream quarantine export --code MALFORMED_ROW fixed.csv\n"
    "greenstream quarantine replay --from fixed.csv",
)
def export(
    console: Console,
    out: Annotated[str, typer.Argument(metavar="OUT.csv", help="A new file; - is stdout.")],
    code: Code = None,
    source_file: SourceFile = None,
    since: Since = None,
) -> None:
    """Write rejected rows that wait into a CSV, to fix them by hand and replay them with `replay --from`.

    Edit the column raw_line, the line as it stood in its file; leave the others, which say where it belongs. Rows may
    be taken out. The column header is that of the row's file; it is empty, and to be filled in, where the file is gone.
    """
    if out != "-" and Path(out).exists():
        raise UsageError(f"{out} is there already; it may hold fixes, so name another one")
    place = open_place(console)
    text, rows = place.corrections.export_rows(row_choice(place.settings.timezone, code, source_file, since))
    if out == "-":
        sys.stdout.buffer.writelines(for_stdout([text]))
    else:
        Path(out).write_bytes(text)
    console.say(
        f"{rows:,} rows{'' if out == '-' else f' in {out}: edit raw_line, then quarantine replay --from {out}'}"
    )


@command(
    quarantine,
    "replay",
    example="greenstream quarantine replay --code TIMESTAMP_OUT_OF_RANGE --dry-run\n"
    "greenstream quarantine replay --from fixed.csv",
)
def replay(
    console: Console,
    rows: Rows = None,
    code: Code = None,
    source_file: SourceFile = None,
    fixed: Annotated[
        Path | None, typer.Option("--from", metavar="FIXED.csv", help="Lines of an export that were fixed by hand.")
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Judge rejected rows anew; those that pass now become readings of the file they came in.

    Each row is judged in its place among the other lines of its file. Without options, all rows that wait are. Safe to
    repeat: a row that was replayed waits no longer. With --json, one object a line and file.
    """
    place = open_place(console)
    if fixed:
        if rows or code or source_file:
            raise UsageError("--from names the rows itself: give no other ones")
        files = place.corrections.replay_fixes(str(fixed), fixed.read_bytes(), dry_run=dry_run)
    else:
        files = place.corrections.replay_rows(_chosen(place, rows, code, source_file), dry_run=dry_run)
    done: list[ReplayedFile] = []
    try:
        for each in files:
            done.append(each)
            if json:
                console.emit(replayed_rows(each))
    finally:
        if not json:
            tell_files(console, done, dry_run=dry_run)
    _end(console, done, len(set(rows[1:])) if rows else 0)


def _end(console: Console, done: "list[ReplayedFile]", named: int) -> None:
    troubles = troubles_of(done)
    if named > sum(each.rows for each in done) and not troubles:
        troubles = [f"{named - sum(each.rows for each in done)} of these rows don't wait: see quarantine list --all"]
    for trouble in troubles:
        console.warn(trouble)
    if troubles:
        stop(ExitCode.TROUBLE)


def _chosen(place: "Place", rows: list[str] | None, code: str | None, source_file: str | None) -> "RowChoice":
    named, lines = named_rows(rows or [])
    if named and source_file:
        raise UsageError("--source-file is given twice: the rows name their file")
    return row_choice(place.settings.timezone, code, named or source_file, None, lines)


def _row(row: "QuarantinedRow") -> tuple[object, ...]:
    when = f"{row.quarantined_at:%Y-%m-%d %H:%M}"
    state = "replayed" if row.replayed_at else "discarded" if row.discarded_at else "waits"
    return row.source_file, str(row.line_number), row.code, beginning(row.raw_line), when, state
