"""`settle`: make local days final."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from greenstream.entrypoints.cli.console import Console, Json, UsageError, command, open_system
from greenstream.entrypoints.cli.patience import patiently

if TYPE_CHECKING:
    from greenstream.pipeline.settle import Settled
    from greenstream.wiring import System

COLUMNS = ("date", "state", "meters", "rescored", "findings (open/all)")
WORDS = {
    "settled": "settled",
    "open": "not over yet: looked at up to the newest reading, stays open",
    "empty": "no data",
}

Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="One local day.")]
First = Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="The first of several days.")]
Last = Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="The last of them; without: yesterday.")]


def register(app: typer.Typer) -> None:
    example = "greenstream settle\ngreenstream settle --date 2024-03-15\ngreenstream settle --from 2024-03-01 --json"
    command(app, "settle", example=example)(settle)


def settle(console: Console, day: Day = None, first: First = None, last: Last = None, json: Json = False) -> None:
    """Make days final: the findings, each meter's reliability, and the score and grade of each reading.

    Without dates: all days that have ended and were never settled, or have changed since, oldest first. Safe to repeat.
    A day without data is left alone, and one that isn't over stays open: neither is trouble. With --json, one object a
    line and day.
    """
    system = open_system(console)
    chosen = _chosen(day, first, last, system.today())
    done: list[Settled] = []
    try:
        for each in _settled(console, system, _due(console, system) if chosen is None else chosen):
            done.append(each)
            if json:
                console.emit(_as_json(each))
    finally:
        if done and not json:
            console.table(COLUMNS, [_row(each) for each in done])
    if not done:
        console.say("nothing to settle: no day with readings that has ended is new or has changed")


def _chosen(day: str | None, first: str | None, last: str | None, today: date) -> list[date] | None:
    """The days asked for; None where no dates were given."""
    if day and (first or last):
        raise UsageError("--date is one day, --from and --to are several: give one or the other")
    if last and not first:
        raise UsageError("--to needs --from")
    if day:
        return [_day("--date", day, today)]
    if not first:
        return None
    start = _day("--from", first, today)
    stop = _day("--to", last, today) if last else max(start, today - timedelta(days=1))
    if stop < start:
        raise UsageError(f"--to {stop} is before --from {start}")
    return [start + timedelta(days=number) for number in range((stop - start).days + 1)]


def _day(option: str, text: str, today: date) -> date:
    """A day up to today."""
    try:
        day = date.fromisoformat(text if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else "")
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is no date as YYYY-MM-DD") from error
    if day > today:
        raise UsageError(f"{option} {day} is in the future: here it is {today}")
    return day


def _due(console: Console, system: "System") -> list[date]:
    """The days that need it, once all readings have been looked at: late ones make days due that look back on them."""
    with console.progress("looking at the meters' history"):
        patiently(console, system, system.watch)
        return patiently(console, system, system.due_days)


def _settled(console: Console, system: "System", days: list[date]) -> Iterable["Settled"]:
    with console.progress("settling", len(days), unit="days") as progress:
        for day in days:
            progress.describe(f"settling {day}")
            yield patiently(console, system, partial(system.settle, day))
            progress.advance()


def _as_json(settled: "Settled") -> Mapping[str, object]:
    return {
        "date": settled.day.isoformat(),
        "state": settled.state.value,
        "meters": settled.meters,
        "rescored": settled.rescored,
        "findings": {code: count._asdict() for code, count in settled.findings.items()},
    }


def _row(settled: "Settled") -> tuple[object, ...]:
    findings = ", ".join(f"{code} {count.open:,}/{count.total:,}" for code, count in settled.findings.items())
    state = WORDS[settled.state.value]
    if settled.state.value == "empty":
        return settled.day, state, None, None, None
    return settled.day, state, settled.meters, settled.rescored, findings or "none"
