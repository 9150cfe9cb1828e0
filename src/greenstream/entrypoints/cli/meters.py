"""`meters import` and `meters list`: which meters there are, and which of them are silent or faulty."""

from datetime import UTC
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greenstream.entrypoints.cli.console import Console, ExitCode, Json, command, open_place, stop
from greenstream.entrypoints.cli.findings import tell_findings

if TYPE_CHECKING:
    from greenstream.application.history.import_meters import Imported
    from greenstream.domain.reports.fleet import ImportedRoster
    from greenstream.domain.reports.rows import MeterRow

FATES = ("registered", "changed", "unchanged", "bad")
COLUMNS = ("meter_id", "status", "location", "commissioned", "decommissioned", "last_seen_at", "reliability")

meters = typer.Typer(help="The meters: a roster of them, their status.", no_args_is_help=True, rich_markup_mode=None)


class Status(StrEnum):
    """What can be chosen by."""

    ACTIVE = "active"
    SILENT = "silent"
    FAULTY = "faulty"


File = Annotated[str, typer.Argument(metavar="ROSTER.csv", help="A CSV file (.csv, .csv.gz, .csv.zst).")]
Chosen = Annotated[Status | None, typer.Option("--status", help="Only meters of this status.")]


def register(app: typer.Typer) -> None:
    app.add_typer(meters, name="meters")


@command(meters, "import", example="greenstream meters import roster.csv")
def take(console: Console, file: File, json: Json = False) -> None:
    """Take in a roster: columns meter_id, and any of location, commissioned, decommissioned (YYYY-MM-DD or empty).

    A meter that never reported is silent from its commissioning on. A retired one is expected no more from the start
    of the day of its retirement: findings end there. Where a reading has come, its location counts, not the roster's.
    A bad line is named and left out; the exit code is then 1. Safe to repeat.
    """
    from greenstream.domain.formats.roster import read_roster

    place = open_place(console)
    roster = read_roster(file, _content(file), place.site.limits)
    if roster.ignored_columns:
        console.say(f"columns that are not read: {', '.join(roster.ignored_columns)}")
    with console.progress("importing the roster"):
        place.attempts.run(place.set_up)
        imported = place.history.import_meters(roster)
    _report(console, file, imported, json=json)
    tell_findings(console, imported.found)
    if imported.bad:
        stop(ExitCode.TROUBLE)


@command(meters, "list", example="greenstream meters list --status silent\ngreenstream meters list --json")
def show(console: Console, status: Chosen = None, json: Json = False) -> None:
    """List the meters, with their dates, newest reading and reliability. With --json, an array of objects."""
    place = open_place(console)
    found = place.attempts.run(lambda: place.reports.meters(status.value if status else None))
    if json:
        console.emit(found)
        return
    console.table(COLUMNS, [_row(row) for row in found])
    console.write(f"({len(found):,} meter{'' if len(found) == 1 else 's'})")


def _content(name: str) -> bytes:
    from greenstream.domain.errors import NotFound

    try:
        return Path(name).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"{name}: no such file") from error


def _report(console: Console, file: str, imported: "Imported", *, json: bool) -> None:
    for bad in imported.bad:
        console.warn(f"{file} line {bad.line_number}: {bad.reason}")
    answer = _answer(file, imported)
    if json:
        console.emit(answer)
        return
    fates = " + ".join(f"{getattr(answer, fate):,} {fate}" for fate in FATES)
    console.write(f"{file}: {imported.lines:,} lines = {fates}")


def _answer(file: str, imported: "Imported") -> "ImportedRoster":
    from greenstream.domain.reports.fleet import BadRosterLine, ImportedRoster

    return ImportedRoster(
        file=file,
        lines=imported.lines,
        registered=imported.registered,
        changed=imported.changed,
        unchanged=imported.unchanged,
        bad=len(imported.bad),
        bad_lines=[BadRosterLine(line_number=bad.line_number, reason=bad.reason) for bad in imported.bad],
        findings=imported.found,
    )


def _row(meter: "MeterRow") -> tuple[object, ...]:
    seen, share = meter.last_seen_at, meter.reliability
    last_seen = f"{seen.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if seen else "never"
    reliability = None if share is None else f"{share:.2%}"
    dates = meter.commissioned, meter.decommissioned
    return meter.meter_id, meter.status, meter.location, *dates, last_seen, reliability
