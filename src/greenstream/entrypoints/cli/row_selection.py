"""The options that choose rejected rows, and how replays are told; `quarantine` and `replay` share them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from greenstream.entrypoints.cli.console import Console, UsageError

if TYPE_CHECKING:
    from greenstream.application.corrections.replay import ReplayedFile
    from greenstream.domain.corrections.values import RowChoice
    from greenstream.domain.ledger import Ledger
    from greenstream.domain.reports.corrections import Change, ReplayedRows

FATES = ("stored", "duplicate", "rejected")

Code = Annotated[str | None, typer.Option("--code", metavar="CODE", help="Only rows with this code.")]
SourceFile = Annotated[
    str | None, typer.Option("--source-file", metavar="PATH", help="Only rows of this file, as `list` names it.")
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="WHEN", help="Only rows rejected since: YYYY-MM-DD[THH:MM], local time."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change; change nothing.")]


def row_choice(
    timezone: str, code: str | None, source_file: str | None, since: str | None, lines: Sequence[int] | None = None
) -> "RowChoice":
    """Raises UsageError where an option can't be read."""
    from greenstream.domain.codes import Rejection
    from greenstream.domain.corrections.values import RowChoice

    if code is not None and code.upper() not in list(Rejection):
        raise UsageError(f"--code {code!r} is none of {', '.join(Rejection)}")
    return RowChoice(
        code=code.upper() if code else None,
        source_file=source_file,
        since=_instant(since, timezone) if since else None,
        lines=lines or None,
    )


def named_rows(names: Sequence[str]) -> tuple[str | None, list[int]]:
    """`SOURCE_FILE LINE…` as it was given: the file and the lines."""
    if not names:
        return None, []
    source_file, *lines = names
    if not lines or not all(re.fullmatch("[0-9]+", line) for line in lines):
        raise UsageError("a row is named by its file and its line, as in: raw-data/2024-03-15/a.csv 17")
    return source_file, [int(line) for line in lines]


def local_date(option: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is no date as YYYY-MM-DD") from error


def _instant(text: str, timezone: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--since {text!r} is no time as YYYY-MM-DD or YYYY-MM-DDTHH:MM") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(timezone))


def replayed_rows(done: "ReplayedFile") -> "ReplayedRows":
    from greenstream.domain.reports.corrections import ReplayedRows

    return ReplayedRows(
        source_file=done.source_file,
        rows=done.rows,
        passed=done.passed,
        stored=done.stored,
        duplicate=done.duplicate,
        changes=changes_of(done.changes),
        ledger=done.ledger,
        trouble=done.trouble,
    )


def changes_of(changes: Mapping[tuple[str, str], int]) -> "list[Change]":
    from greenstream.domain.reports.corrections import Change

    return [Change(from_=before, to=after, count=count) for (before, after), count in sorted(changes.items())]


def tell_files(console: Console, done: Sequence["ReplayedFile"], *, dry_run: bool) -> None:
    """What became of the rows by code, and that the ledger adds up."""
    changes = sum((Counter(dict(file.changes)) for file in done), Counter[tuple[str, str]]())
    if changes:
        rows = [(before, after, count) for (before, after), count in sorted(changes.items())]
        console.table(("rejected as", "now", "rows"), rows)
    passed = sum(file.passed for file in done)
    waiting = sum(file.rows for file in done) - passed
    if dry_run:
        console.write(f"{passed:,} rows would pass, {waiting:,} would stay; nothing was changed")
        return
    fates = f"{sum(file.stored for file in done):,} stored + {sum(file.duplicate for file in done):,} duplicate"
    console.write(f"{passed:,} rows replayed = {fates}; {waiting:,} stay in the quarantine")
    tell_ledger(console, [file.ledger for file in done if file.ledger])


def tell_ledger(console: Console, ledgers: Sequence["Ledger"]) -> None:
    """The rows of the files concerned and their fates, afterwards; each was checked in its transaction."""
    if not ledgers:
        return
    rows = sum(ledger.rows for ledger in ledgers)
    fates = " + ".join(f"{sum(getattr(ledger, fate) for ledger in ledgers):,} {fate}" for fate in FATES)
    console.write(f"{len(ledgers):,} file{'s' * (len(ledgers) > 1)} now: {rows:,} rows = {fates}: it adds up")


def troubles_of(done: Iterable["ReplayedFile"]) -> list[str]:
    return [f"{file.source_file}: {file.trouble}" for file in done if file.trouble]
