"""`status`: what runs, what is stored, what needs a person."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from greenstream.domain.errors import SETS_UP
from greenstream.entrypoints.cli.console import Console, ExitCode, Json, command, open_place, stop
from greenstream.entrypoints.cli.tables import size_text

if TYPE_CHECKING:
    from greenstream.wiring import Place

Facts = Mapping[str, Any]
FATES = ("stored", "duplicate", "rejected")
STATES = ("waiting", "running", "retrying", "stuck")


def register(app: typer.Typer) -> None:
    command(app, "status", example="greenstream status\ngreenstream status --json | jq .rows")(status)


def status(console: Console, json: Json = False) -> None:
    """Report the database, the store and everything that came in. It starts and changes nothing.

    Exit 0 also where the database is down: that is what it reports, as "running" and "version". Exit 1 where nothing
    was set up yet.
    """
    facts = gather(open_place(console))
    if json:
        console.emit(facts)
    else:
        for line in _page(facts):
            console.write(line)
    if _is_not_set_up(facts):
        console.warn(f"nothing is set up here yet: {SETS_UP}")
        stop(ExitCode.TROUBLE)
    if (hint := _hint(facts)) and not json:
        console.say(f"\n{hint}")


def _is_not_set_up(facts: "Facts") -> bool:
    """A server that is down, or away, can't tell."""
    server = facts["server"]
    return not server.get("initialised", True) or (server["running"] and facts["version"] is None)


def gather(place: "Place") -> dict[str, Any]:
    """What is known: `server`, `store`, `timezone`, and where the database answers, what it holds."""
    from greenstream.adapters.postgres.reports.reader import connect_reader
    from greenstream.domain.errors import DatabaseRefused, DatabaseUnavailable

    server, dsn = _server(place)
    facts: dict[str, Any] = {
        "server": server,
        "store": str(place.store),
        "timezone": place.settings.timezone,
        "version": None,
    }
    if dsn is None:
        return facts
    try:
        with connect_reader(dsn) as reader:
            found = reader.server()
            server |= {"running": True, "version": found.version, "size_bytes": found.size_bytes}
            facts["version"] = found.schema_version
            return facts | reader.status() if found.schema_version else facts
    except (DatabaseUnavailable, DatabaseRefused) as error:
        server["error"] = f"{error.code}: {error}"
        return facts


def _server(place: "Place") -> tuple[dict[str, Any], str | None]:
    if place.server is None:
        return {"kind": "yours", "running": False}, place.own_dsn
    found = place.server.status()
    facts = {"kind": "embedded", "running": found.running, "data_dir": str(found.data_dir)}
    return facts | {"initialised": (found.data_dir / "PG_VERSION").exists()}, found.dsn


def _page(facts: Facts) -> Iterator[str]:
    yield from _entries([("database", _server_line(facts["server"])), ("files in", facts["store"])])
    if "rows" not in facts:
        return
    yield from _entries(
        [
            ("time zone", facts["timezone"]),
            ("meters", f"{facts['meters']:,}"),
            ("newest reading", facts["newest_reading_at"] or "none"),
            ("last file", _last_file(facts["last_file"])),
            ("files", _counts(facts["files"])),
            ("waiting files", _waiting(facts["waiting"])),
            ("taken up after", _latency(facts["latency"])),
            ("rows", _ledger(facts["rows"])),
            ("grades", _counts(dict(sorted(facts["grades"].items())))),
            ("flags", _counts(facts["flags"])),
            ("days", _counts(facts["day_states"])),
            ("open findings", _counts(facts["findings"])),
            ("history up to", _watermark(facts)),
            ("quarantined rows", _counts(facts["quarantined"])),
            ("open alerts", _counts(facts["alerts"])),
            ("dead letters", f"{facts['dead_letters']:,}" if facts["dead_letters"] else "none"),
        ]
    )
    if facts["troubled"]:
        yield "\nfiles in trouble, the oldest first"
        yield from (f"  {file['source_file']}: {_trouble(file)}" for file in facts["troubled"])
    days = [(day["day"], f"{day['readings']:>12,}") for day in facts["days"]]
    if days:
        yield "\nreadings a day"
        yield from (f"  {day}{readings}" for day, readings in days)


def _entries(entries: Sequence[tuple[str, str]]) -> Iterator[str]:
    return (f"{name:<18}{text}" for name, text in entries)


def _server_line(server: Facts) -> str:
    kind = "embedded PostgreSQL" if server["kind"] == "embedded" else "your PostgreSQL"
    place = f", {server['data_dir']}" if "data_dir" in server else ""
    if server["running"]:
        return f"{kind} {server['version']}, running, {size_text(server['size_bytes'])}{place}"
    if "error" in server:
        return f"{kind}, not reached: {server['error']}"
    return f"{kind}, {'stopped' if server['initialised'] else 'not set up yet'}{place}"


def _ledger(rows: Facts) -> str:
    total = sum(rows[fate] for fate in FATES)
    sign = "=" if rows["rows"] == total else "≠"
    verdict = "it adds up" if rows["rows"] == total else "IT DOES NOT ADD UP, please report this"
    fates = " + ".join(f"{rows[fate]:,} {fate}" for fate in FATES)
    return f"{rows['rows']:,} {sign} {fates}: {verdict}"


def _last_file(file: Facts | None) -> str:
    return f"{file['path']}, {file['outcome']} at {file['processed_at']}" if file else "none"


def _waiting(states: Facts) -> str:
    found = [(state, states[state]) for state in STATES if state in states]
    return ", ".join(f"{s['files']:,} {state} (oldest {_age(s['oldest_seconds'])})" for state, s in found) or "none"


def _latency(last_hour: Facts) -> str:
    if not last_hour["files"]:
        return "no file was loaded in the last hour"
    median, most = last_hour["median_seconds"], last_hour["p95_seconds"]
    return f"{median} s (median), {most} s (95 %), of {last_hour['files']:,} loaded in the last hour"


def _trouble(file: Facts) -> str:
    tries = f"{file['attempts']} failed attempts" + (f", {file['crashes']} lost workers" if file["crashes"] else "")
    when = f"next at {file['next_at']}" if file["next_at"] else f"last taken up at {file['started_at']}"
    return " ".join(f"{file['state']}, {file['route']}, {tries}, {when}; {file['error'] or 'no error so far'}".split())


def _watermark(facts: Facts) -> str:
    loads = facts["unwatched_loads"]
    return f"{facts['watermark'] or 'nothing yet'}" + (f", {loads:,} loads to look at" if loads else "")


def _age(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _counts(counts: Facts) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "none"


def _hint(facts: Facts) -> str | None:
    server = facts["server"]
    if server["running"] or "error" in server:
        return None
    return "the next command that needs the database starts it, e.g. greenstream ingest FILE"
