"""Local days as options."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from greenstream.entrypoints.cli.console import Console, UsageError

if TYPE_CHECKING:
    pass

T = TypeVar("T")

Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="One local day.")]
First = Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="The first of several days.")]
Last = Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="The last of them; without: yesterday.")]


def chosen_days(day: str | None, first: str | None, last: str | None, today: date) -> list[date] | None:
    """The days asked for; None where no dates were given."""
    if day and (first or last):
        raise UsageError("--date is one day, --from and --to are several: give one or the other")
    if last and not first:
        raise UsageError("--to needs --from")
    if day:
        return [one_day("--date", day, today)]
    if not first:
        return None
    start = one_day("--from", first, today)
    stop = one_day("--to", last, today) if last else max(start, today - timedelta(days=1))
    if stop < start:
        raise UsageError(f"--to {stop} is before --from {start}")
    return [start + timedelta(days=number) for number in range((stop - start).days + 1)]


def one_day(option: str, text: str, today: date) -> date:
    """A day up to today."""
    try:
        day = date.fromisoformat(text if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else "")
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is no date as YYYY-MM-DD") from error
    if day > today:
        raise UsageError(f"{option} {day} is in the future: here it is {today}")
    return day


def day_by_day(console: Console, doing: str, days: list[date], work: Callable[[date], T]) -> Iterator[T]:
    """Work on one day after the other, with a bar."""
    with console.progress(doing, len(days), unit="days") as progress:
        for day in days:
            progress.describe(f"{doing} {day}")
            yield work(day)
            progress.advance()
