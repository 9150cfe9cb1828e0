"""`status`: what runs, what is stored, what needs a person."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from greenstream.domain.errors import SETS_UP
from greenstream.entrypoints.cli.console import Console, ExitCode, Json, command, open_place, stop
from greenstream.entrypoints.cli.tables import size_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from greenstream.domain.ledger import Ledger
    from greenstream.domain.reports.doc import Counts
    from greenstream.domain.reports.status import (
        LastFile,
        Latency,
        ServerState,
        Status,
        Stored,
        TroubledFile,
        Waiting,
    )

FATES = ("stored", "duplicate", "rejected")
STATES = ("waiting", "running", "retrying", "stuck")


def register(app: typer.Typer) -> None:
    command(app, "status", example="greenstream status\ngreenstream status --json | jq .rows")(status)


def status(console: Console, json: Json = False) -> None:
    """Report the database, the store and everything that came in. It starts and changes nothing.

    Exit 0 also where the database is down: that is what it reports, as "running" and "version". Exit 1 where nothing
    was set up yet, or by another version of the program.
    """
    found = open_place(console).reports.status()
    if json:
        console.emit(found)
    else:
        for line in _page(found):
            console.write(line)
    if missing := _missing(found):
        console.warn(missing)
        stop(ExitCode.TROUBLE)
    if (hint := _hint(found)) and not json:
        console.say(f"\n{hint}")


def _missing(found: "Status") -> str | None:
    """What must be set up, or brought to this version, before there is anything to report."""
    if not found.is_set_up:
        return f"nothing is set up here yet: {SETS_UP}"
    return found.server.error if found.version and found.stored is None else None


def _page(found: "Status") -> Iterator[str]:
    yield from _entries([("database", _server_line(found.server)), ("files in", found.store)])
    stored = found.stored
    if stored is None:
        return
    yield from _entries(
        [
            ("time zone", found.timezone),
            ("meters", f"{stored.meters:,}"),
            ("newest reading", _time(stored.newest_reading_at, "none")),
            ("last file", _last_file(stored.last_file)),
            ("files", _counts(stored.files)),
            ("waiting files", _waiting(stored.waiting)),
            ("taken up after", _latency(stored.latency)),
            ("rows", _ledger(stored.rows)),
            ("grades", _counts(dict(sorted(stored.grades.items())))),
            ("flags", _counts(stored.flags)),
            ("days", _counts(stored.day_states)),
            ("open findings", _counts(stored.findings)),
            ("history up to", _watermark(stored)),
            ("quarantined rows", _counts(stored.quarantined)),
            ("open alerts", _counts(stored.alerts)),
            ("dead letters", f"{stored.dead_letters:,}" if stored.dead_letters else "none"),
        ]
    )
    if stored.troubled:
        yield "\nfiles in trouble, the oldest first"
        yield from (f"  {file.source_file}: {_trouble(file)}" for file in stored.troubled)
    if stored.days:
        yield "\nreadings a day"
        yield from (f"  {day.day}{day.readings:>12,}" for day in stored.days)


def _entries(entries: Sequence[tuple[str, str]]) -> Iterator[str]:
    return (f"{name:<18}{text}" for name, text in entries)


def _server_line(server: "ServerState") -> str:
    kind = "embedded PostgreSQL" if server.kind == "embedded" else "your PostgreSQL"
    place = f", {server.data_dir}" if server.data_dir else ""
    if server.running:
        return f"{kind} {server.version}, running, {size_text(server.size_bytes or 0)}{place}"
    if server.error:
        return f"{kind}, not reached: {server.error}"
    return f"{kind}, {'stopped' if server.initialised else 'not set up yet'}{place}"


def _ledger(rows: "Ledger") -> str:
    adds_up = rows.rows == sum(getattr(rows, fate) for fate in FATES)
    verdict = "it adds up" if adds_up else "IT DOES NOT ADD UP, please report this"
    fates = " + ".join(f"{getattr(rows, fate):,} {fate}" for fate in FATES)
    return f"{rows.rows:,} {'=' if adds_up else '≠'} {fates}: {verdict}"


def _last_file(file: "LastFile | None") -> str:
    return f"{file.source_file}, {file.outcome} at {_time(file.processed_at)}" if file else "none"


def _waiting(states: "Mapping[str, Waiting]") -> str:
    found = [(state, states[state]) for state in STATES if state in states]
    return ", ".join(f"{s.files:,} {state} (oldest {_age(s.oldest_seconds)})" for state, s in found) or "none"


def _latency(last_hour: "Latency") -> str:
    if not last_hour.files:
        return "no file was loaded in the last hour"
    median, most = last_hour.median_seconds, last_hour.p95_seconds
    return f"{median} s (median), {most} s (95 %), of {last_hour.files:,} loaded in the last hour"


def _trouble(file: "TroubledFile") -> str:
    tries = f"{file.attempts} failed attempts" + (f", {file.crashes} lost workers" if file.crashes else "")
    when = f"next at {_time(file.next_at)}" if file.next_at else f"last taken up at {_time(file.started_at)}"
    return " ".join(f"{file.state}, {file.route}, {tries}, {when}; {file.error or 'no error so far'}".split())


def _watermark(stored: "Stored") -> str:
    loads = stored.unwatched_loads
    return _time(stored.watermark, "nothing yet") + (f", {loads:,} loads to look at" if loads else "")


def _time(instant: "datetime | None", without: str = "None") -> str:
    return instant.isoformat() if instant else without


def _age(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _counts(counts: "Counts") -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "none"


def _hint(found: "Status") -> str | None:
    if found.server.running or found.server.error:
        return None
    return "the next command that needs the database starts it, e.g. greenstream ingest FILE"
