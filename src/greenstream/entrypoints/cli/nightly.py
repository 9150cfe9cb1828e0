"""`nightly`: settle, archive and retention, for every day that needs it."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from greenstream.entrypoints.cli.archive import archived_day
from greenstream.entrypoints.cli.console import Console, ExitCode, Json, command, open_place, stop
from greenstream.entrypoints.cli.days import Day, chosen_days
from greenstream.entrypoints.cli.progress import Progress
from greenstream.entrypoints.cli.settle import settled_day

if TYPE_CHECKING:
    from greenstream.application.nightly import Done, Due, Night, Step
    from greenstream.domain.reports.nights import NightStep

WORDS = {"watch": "looking at the meters' history", "settle": "settling", "archive": "archiving", "retire": "retention"}
COLUMNS = ("step", "what", "result")

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be settled, archived and deleted.")]


def register(app: typer.Typer) -> None:
    example = "greenstream nightly\ngreenstream nightly --dry-run\ngreenstream nightly --date 2024-03-15 --json"
    command(app, "nightly", example=example)(nightly)


def nightly(console: Console, day: Day = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Settle, archive and retire all days that need it, whatever nights were missed.

    Retention deletes raw files and database days past GREENSTREAM_RETENTION_DAYS, each only if the lake provably
    holds it. Safe to repeat, and to break off anywhere. One runs at a time: a second one waits, and then finds nothing
    left to do. With --date: only that day, without raw files. With --json, one object a line and result.
    """
    place = open_place(console)
    days = chosen_days(day, None, None, place.today())
    night = place.lake.night() if days is None else place.lake.night_of(days[0])
    if dry_run:
        _show(console, _planned(console, night), json)
        return
    troubles: list[str] = []
    _show(console, _done(console, night, troubles), json)
    for trouble in troubles:
        console.warn(trouble)
    if troubles:
        stop(ExitCode.TROUBLE)


def _show(console: Console, results: "Iterable[NightStep]", json: bool) -> None:
    rows = []
    for result in results:
        if json:
            console.emit(result)
        rows.append(_row(result))
    if rows and not json:
        console.table(COLUMNS, rows)
    if not rows:
        console.say("nothing to do: all days that are over are settled and in the lake; nothing is past its lifetime")


def _done(console: Console, night: "Night", troubles: list[str]) -> "Iterator[NightStep]":
    from greenstream.application.nightly import nightly, trouble_of

    with console.progress("looking at the meters' history") as progress:
        for done in nightly(night, partial(_describe, progress)):
            yield _answer(done)
            if trouble := trouble_of(done):
                troubles.append(trouble)


def _planned(console: Console, night: "Night") -> "Iterator[NightStep]":
    from greenstream.application.nightly import planned

    with console.progress("looking for what is due"):
        for each in planned(night):
            yield _answer(each)


def _describe(progress: Progress, step: "Step") -> None:
    count = f" ({step.number} of {step.of})" if step.of else ""
    progress.describe(f"{WORDS[step.name]}{f' {step.day}' if step.day else ''}{count}")


def _answer(done: "Done | Due") -> "NightStep":
    from greenstream.application.history.settle import Settled
    from greenstream.application.lake.archive import Archived
    from greenstream.application.nightly import Due
    from greenstream.domain.reports.nights import ArchivedStep, DueStep, RetiredStep, SettledStep

    if isinstance(done, Due):
        return DueStep(step=done.step, date=done.day)
    if isinstance(done, Settled):
        return SettledStep(step="settle", **vars(settled_day(done)))
    if isinstance(done, Archived):
        return ArchivedStep(step="archive", **vars(archived_day(done)))
    return RetiredStep(
        step="retire",
        layer=done.layer,
        subject=done.subject,
        amount=done.amount,
        unit=done.unit,
        kept_because=done.kept_because,
    )


def _row(result: "NightStep") -> tuple[object, ...]:
    from greenstream.domain.reports.nights import ArchivedStep, DueStep, RetiredStep, SettledStep

    match result:
        case RetiredStep(kept_because=None):
            return "retire", f"{result.layer}: {result.subject}", f"{result.amount:,} {result.unit}"
        case RetiredStep():
            return "retire", f"{result.layer}: {result.subject}", f"kept: {result.kept_because}"
        case SettledStep():
            return "settle", result.date, f"{result.state}, {result.rescored:,} readings scored anew"
        case ArchivedStep(state="archived"):
            return "archive", result.date, f"{result.readings:,} readings, {result.written} objects written"
        case ArchivedStep():
            return "archive", result.date, result.state
        case DueStep():
            return result.step, result.date, "due"
    raise TypeError(f"{result} is no step of a night")
