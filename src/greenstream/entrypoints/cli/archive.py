"""`archive`: settled days into the lake."""

from typing import TYPE_CHECKING

import typer

from greenstream.entrypoints.cli.console import Console, ExitCode, Json, command, open_place, stop
from greenstream.entrypoints.cli.days import Day, First, Last, chosen_days, day_by_day

if TYPE_CHECKING:
    from greenstream.application.lake.archive import Archived
    from greenstream.domain.reports.nights import ArchivedDay

COLUMNS = ("date", "state", "readings", "objects", "written", "MB")
NOT_SETTLED = "not settled"
WOULD_LOSE = "would lose"


def register(app: typer.Typer) -> None:
    example = "greenstream archive\ngreenstream archive --date 2024-03-15 --json"
    command(app, "archive", example=example)(archive)


def archive(console: Console, day: Day = None, first: First = None, last: Last = None, json: Json = False) -> None:
    """Write settled days to the lake: readings, aggregates, and a manifest.

    Without dates: all days that were settled since they were archived. A day that is asked for and has to be settled
    is settled first; one that isn't over can't be archived. Safe to repeat: an object is replaced only if its content
    differs. With --json, one object a line and day.
    """
    place = open_place(console)
    days = chosen_days(day, first, last, place.today())
    if days is None:
        days = place.lake.to_archive()
    done: list[Archived] = []
    for each in day_by_day(console, "archiving", days, place.lake.archive):
        done.append(each)
        if json:
            console.emit(archived_day(each))
    if done and not json:
        console.table(COLUMNS, [row(each) for each in done])
    if not done:
        console.say("nothing to archive: every settled day is in the lake as it is")
    losing = [str(each.day) for each in done if each.state.value == WOULD_LOSE]
    if losing:
        console.warn(
            f"{', '.join(losing)}: the lake has readings that the database hasn't, as after an old backup was "
            "restored; it was left alone: load the raw files of these days again, by greenstream ingest"
        )
    unsettled = [str(each.day) for each in done if each.state.value == NOT_SETTLED]
    if unsettled:
        console.warn(f"{', '.join(unsettled)}: not over yet, so it can't be settled and archived")
    if losing or unsettled:
        stop(ExitCode.TROUBLE)


def archived_day(archived: "Archived") -> "ArchivedDay":
    from greenstream.domain.reports.nights import ArchivedDay

    return ArchivedDay(
        date=archived.day,
        state=archived.state,
        readings=archived.rows,
        objects=archived.objects,
        written=archived.changed,
        bytes=archived.size_bytes,
    )


def row(archived: "Archived") -> tuple[object, ...]:
    if archived.state.value != "archived":
        return archived.day, archived.state.value, None, None, None, None
    megabytes = f"{archived.size_bytes / 1e6:,.1f}"
    return archived.day, archived.state.value, archived.rows, archived.objects, archived.changed, megabytes
