"""`verify`: whether database, lake and raw files tell the same."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from greenstream.entrypoints.cli.console import Console, ExitCode, Json, command, open_place, stop
from greenstream.entrypoints.cli.days import Day, First, Last, chosen_days, day_by_day

if TYPE_CHECKING:
    from greenstream.application.lake.verify import Verified
    from greenstream.domain.reports.nights import VerifiedDay

COLUMNS = ("date", "readings", "objects", "raw files", "replaced", "differences")

Raw = Annotated[bool, typer.Option("--raw/--no-raw", help="Read the raw files again, too; that is most of the time.")]


def register(app: typer.Typer) -> None:
    example = "greenstream verify\ngreenstream verify --from 2024-03-01 --to 2024-03-07 --no-raw --json"
    command(app, "verify", example=example)(verify)


def verify(
    console: Console, day: Day = None, first: First = None, last: Last = None, raw: Raw = True, json: Json = False
) -> None:
    """Compute every record_id anew from the lake, and compare lake, manifest, database and raw files with it.

    Without dates: all days. Nothing is changed. Each difference is named on stderr, and the exit code is 1. A delivery
    that a later one replaced under its path is named, too, but is no difference: its own bytes are gone. With --json,
    one object a line and day.
    """
    place = open_place(console)
    days = chosen_days(day, first, last, place.today())
    if days is None:
        days = place.lake.days()
    done: list[Verified] = []
    for each in day_by_day(console, "verifying", days, partial(place.lake.verify, raw=raw)):
        done.append(each)
        if json:
            console.emit(_answer(each))
    if not json:
        console.table(COLUMNS, [_row(each) for each in done])
    _say(console, done)


def _say(console: Console, done: "list[Verified]") -> None:
    for verified in done:
        for note in verified.notes:
            console.say(note)
    differences = [difference for verified in done for difference in verified.differences]
    for difference in differences:
        console.warn(difference)
    if differences:
        stop(ExitCode.TROUBLE)
    console.say(f"{len(done)} day{'' if len(done) == 1 else 's'}: no differences")


def _answer(verified: "Verified") -> "VerifiedDay":
    from greenstream.domain.reports.nights import VerifiedDay

    return VerifiedDay(
        date=verified.day,
        readings=verified.readings,
        objects=verified.objects,
        files=verified.files,
        replaced=verified.replaced,
        differences=verified.differences,
        notes=verified.notes,
    )


def _row(verified: "Verified") -> tuple[object, ...]:
    return (
        verified.day,
        verified.readings,
        verified.objects,
        verified.files,
        verified.replaced,
        len(verified.differences),
    )
