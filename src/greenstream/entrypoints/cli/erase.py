"""`erase`: a meter goes from everywhere, for good."""

import shlex
import sys
from typing import Annotated

import typer

from greenstream.domain.text import printable
from greenstream.entrypoints.cli.console import Console, ExitCode, Json, UsageError, command, open_place, stop

COLUMNS = ("layer", "what", "erased")

MeterId = Annotated[str, typer.Argument(metavar="METER_ID", help="Its meter_id, exactly.")]
Reason = Annotated[str, typer.Option(help="Why, for those who audit it; without personal data.")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask: it can't be undone.")]


def register(app: typer.Typer) -> None:
    example = 'greenstream erase SM-48291 --reason "request 2024-117" --yes'
    command(app, "erase", example=example)(erase)


def erase(console: Console, meter_id: MeterId, reason: Reason, yes: Yes = False, json: Json = False) -> None:
    """Erase all readings of one meter up to now, as a customer may ask: for good, and everywhere.

    That is: its lines in raw files and in the quarantine, its readings, findings and alerts in the database, and its
    readings and aggregates in the lake. What is delivered again later isn't taken in again. `deletions` and `erasures`
    keep that it was done, with a hash of the meter_id. Backups keep what they hold. Broken off, it goes on when it is
    called again. With --json, one object a line and thing.
    """
    from greenstream.domain.lake.lifetimes import Deletion
    from greenstream.domain.reports.corrections import ErasedThing

    if not yes and not _confirmed(meter_id):
        raise UsageError("erasing can't be undone: confirm it with --yes")
    place = open_place(console)
    rows, unsearchable = [], []
    with console.progress("erasing") as progress:
        for done in place.corrections.erase(
            meter_id,
            reason,
            on_file=lambda path: progress.describe(f"looking into {path}"),
            on_day=lambda day: progress.describe(f"erasing from the lake's {day}"),
        ):
            if isinstance(done, Deletion):
                rows.append((done.layer.value, done.subject, done.amount))
                if json:
                    console.emit(ErasedThing(layer=done.layer, subject=done.subject, amount=done.amount))
            else:
                unsearchable.append(done)
    if not json:
        console.table(COLUMNS, rows)
    for file in unsearchable:
        console.warn(f"{file.path} can't be searched for the meter ({file.why})")
    if unreadable := [file.path for file in unsearchable if not file.is_refused]:
        command = f"greenstream quarantine discard-file {shlex.join(unreadable)}"
        console.warn(f"delete what can't be searched, then erase again: {command}")
    if unsearchable:
        stop(ExitCode.TROUBLE)
    console.say(f"meter {meter_id} is erased; backups made before keep what they hold")


def _confirmed(meter_id: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    typed: str = typer.prompt(f"This can't be undone. Type {printable(meter_id)} to erase it", err=True, default="")
    return typed == meter_id
