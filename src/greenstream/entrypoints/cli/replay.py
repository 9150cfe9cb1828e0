"""`replay`: after a rule was fixed."""

from datetime import date, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from greenstream.entrypoints.cli.console import Console, ExitCode, Json, UsageError, command, open_place, stop
from greenstream.entrypoints.cli.row_selection import (
    DryRun,
    changes_of,
    local_date,
    replayed_rows,
    tell_files,
    troubles_of,
)

if TYPE_CHECKING:
    from greenstream.application.corrections.rejudge import RejudgedDay
    from greenstream.application.corrections.replay import ReplayedFile
    from greenstream.domain.corrections.rejudge import RuleReach
    from greenstream.domain.reports.corrections import RuleDay

EXAMPLE = "greenstream replay --rule B1.2 --dry-run\ngreenstream replay --rule B3.1 --from 2024-03-01 --to 2024-03-31"


def register(app: typer.Typer) -> None:
    command(app, "replay", example=EXAMPLE)(replay)


def replay(
    console: Console,
    rule: Annotated[str, typer.Option(metavar="RULE", help="The rule that was fixed, as in B1.2; parse is one too.")],
    first: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="The first local day.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="The last local day.")] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """After a rule or a threshold was changed: judge anew what it had rejected or flagged.

    Rows it rejected are replayed, as by `quarantine replay`; of them, --from and --to are the days on which they were
    rejected. Readings it flagged get the values, flags, score and grade that they would get today; who they are and
    which of several is the current one stays. A rule without a flag, as B5.1, is about all readings of the days. The
    timestamps that B2.2 has inferred stay. Each file and each day is a transaction; safe to repeat. With --json, one
    object a line and file or day.
    """
    from greenstream.domain.reports.corrections import RuleFile

    start, end = local_date("--from", first), local_date("--to", last)
    reach = _reach(rule)
    _check_days(rule, reach, start, end)
    place = open_place(console)
    files: list[ReplayedFile] = []
    days: list[RejudgedDay] = []
    try:
        if reach.rejected:
            behind = end + timedelta(days=1) if end else None
            for file in place.corrections.replay_rule(rule, start, behind, dry_run=dry_run):
                files.append(file)
                if json:
                    console.emit(RuleFile(what="file", **vars(replayed_rows(file))))
        if reach.stored:
            for day in place.corrections.rejudge_days(reach.flags, start, end, dry_run=dry_run):
                days.append(day)
                if json:
                    console.emit(_rule_day(day))
    finally:
        if not json:
            if reach.rejected:
                tell_files(console, files, dry_run=dry_run)
            if reach.stored:
                _tell_days(console, days, dry_run=dry_run)
    _end(console, files, days)


def _check_days(rule: str, reach: "RuleReach", start: date | None, end: date | None) -> None:
    if reach.stored and not reach.flags and not (start and end):
        raise UsageError(f"{rule} is about all readings: name the days with --from and --to")
    if start and end and end < start:
        raise UsageError(f"--to {end} is before --from {start}")


def _reach(rule: str) -> "RuleReach":
    from greenstream.domain.corrections.rejudge import reach_of
    from greenstream.domain.rules import CATALOGUE

    try:
        reach = reach_of(rule)
    except KeyError as error:
        known = ", ".join(dict.fromkeys(chain((each.id for each in CATALOGUE), ["parse"])))
        raise UsageError(f"--rule {rule!r} is none of {known}") from error
    if not reach.stored and not reach.rejected:
        raise UsageError(f"{rule} neither rejects nor flags, and no stored value follows from it but who a reading is")
    return reach


def _rule_day(day: "RejudgedDay") -> "RuleDay":
    from greenstream.domain.reports.corrections import RuleDay

    return RuleDay(
        what="day", date=day.day, readings=day.readings, changes=changes_of(day.changes), unknown=day.unknown
    )


def _tell_days(console: Console, days: "list[RejudgedDay]", *, dry_run: bool) -> None:
    changes: dict[tuple[str, str], int] = {}
    for day in days:
        for key, count in day.changes.items():
            changes[key] = changes.get(key, 0) + count
    if changes:
        rows = [(before, after, count) for (before, after), count in sorted(changes.items())]
        console.table(("flagged as", "now", "readings"), rows)
    judged, changed = sum(day.readings for day in days), sum(changes.values())
    words = "would change; nothing was changed" if dry_run else "changed"
    console.write(f"{judged:,} readings of {len(days):,} days judged anew: {changed:,} {words}")
    if changed and not dry_run:
        console.say("their days are settled anew at night, or now: greenstream settle")


def _end(console: Console, files: "list[ReplayedFile]", days: "list[RejudgedDay]") -> None:
    troubles = troubles_of(files)
    if unknown := sum(day.unknown for day in days):
        troubles.append(
            f"{unknown} readings stay as they are: their comma may be a decimal one or not, and their file is gone"
        )
    for trouble in troubles:
        console.warn(trouble)
    if troubles:
        stop(ExitCode.TROUBLE)
