"""`settle`: make local days final."""

from datetime import date
from typing import TYPE_CHECKING

import typer

from greenstream.entrypoints.cli.console import Console, Json, command, open_place
from greenstream.entrypoints.cli.days import Day, First, Last, chosen_days, day_by_day

if TYPE_CHECKING:
    from greenstream.application.history.settle import Settled
    from greenstream.domain.reports.nights import SettledDay
    from greenstream.wiring import Place

COLUMNS = ("date", "state", "meters", "rescored", "findings (open/all)")
WORDS = {
    "settled": "settled",
    "open": "not over yet: looked at up to the newest reading, stays open",
    "empty": "no data",
}


def register(app: typer.Typer) -> None:
    example = "greenstream settle\ngreenstream settle --date 2024-03-15\ngreenstream settle --from 2024-03-01 --json"
    command(app, "settle", example=example)(settle)


def settle(console: Console, day: Day = None, first: First = None, last: Last = None, json: Json = False) -> None:
    """Make days final: the findings, each meter's reliability, and the score and grade of each reading.

    Without dates: all days that have ended and were never settled, or have changed since, oldest first. Safe to repeat.
    A day without data is left alone, and one that isn't over stays open: neither is trouble. With --json, one object a
    line and day.
    """
    place = open_place(console)
    chosen = chosen_days(day, first, last, place.today())
    done: list[Settled] = []
    try:
        days = _due(console, place) if chosen is None else chosen
        for each in day_by_day(console, "settling", days, place.history.settle):
            done.append(each)
            if json:
                console.emit(settled_day(each))
    finally:
        if done and not json:
            console.table(COLUMNS, [_row(each) for each in done])
    if not done:
        console.say("nothing to settle: no day with readings that has ended is new or has changed")


def _due(console: Console, place: "Place") -> list[date]:
    with console.progress("looking at the meters' history", unit="meters") as progress:
        return place.history.due_days(progress.reach)


def settled_day(settled: "Settled") -> "SettledDay":
    from greenstream.domain.reports.nights import FindingTotals, SettledDay

    return SettledDay(
        date=settled.day,
        state=settled.state,
        meters=settled.meters,
        rescored=settled.rescored,
        findings={code: FindingTotals(total=count.total, open=count.open) for code, count in settled.findings.items()},
    )


def _row(settled: "Settled") -> tuple[object, ...]:
    findings = ", ".join(f"{code} {count.open:,}/{count.total:,}" for code, count in settled.findings.items())
    state = WORDS[settled.state.value]
    if settled.state.value == "empty":
        return settled.day, state, None, None, None
    return settled.day, state, settled.meters, settled.rescored, findings or "none"
