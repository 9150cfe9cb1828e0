"""Watching and settling a fleet with seven days of history in the database: time, processor time, memory."""

import os
import resource
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench import fleet, load
from bench.measure import once
from greenstream.adapters.lake.objects import ObjectLake
from greenstream.adapters.postgres.embedded import EmbeddedServer
from greenstream.adapters.postgres.loading.database import PostgresDatabase
from greenstream.adapters.storage import open_store
from greenstream.application.history.detect import MAX_CELLS, detect_findings
from greenstream.application.history.settle import settle
from greenstream.application.loading.process_file import process_file
from greenstream.domain.history.findings import find, lookback
from greenstream.domain.history.grid import FAR, DayValues, Values
from greenstream.domain.history.stretches import past_of
from greenstream.domain.history.values import Days
from greenstream.domain.limits import Limits
from greenstream.domain.site import Site
from greenstream.simulator import PRESETS, SimulationPlan, simulate

DAYS_OF_HISTORY = 7
SITE = Site(timezone="UTC", limits=Limits())
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def arithmetic() -> None:
    """The rules over a tick of a fleet, and over a whole day, on made-up values: no database."""
    slots = lookback(SITE.limits) + fleet.SLOTS
    values = np.random.default_rng(1).gamma(2.0, 3000.0, (fleet.METERS, slots)).astype(np.int32)
    days = Days(first=np.array([slots - 96]), last=np.array([slots - 1]), adjoining=np.array([False]))
    for name, since, wanted in (("tick", slots - 2, 2), ("fleet-day", lookback(SITE.limits), 10)):
        took = once(partial(_find, values, since, days))
        print(f"the arithmetic of a {name}: processor {took.cpu:.1f} s (wanted: under {wanted} s)", flush=True)


def _find(values: Values, since: int, days: Days) -> None:
    slots = values.shape[1]
    part = MAX_CELLS // slots
    for start in range(0, len(values), part):
        some = values[start : start + part]
        meters = np.arange(len(some), dtype=np.int64)
        sent = DayValues(slots=range(slots), meters=meters, values=some)
        none, ends = np.zeros(len(some), dtype=np.int64), np.full(len(some), FAR, dtype=np.int64)
        past = past_of([sent], keys=meters, begins=none, ends=ends, start=0, stop=slots, limits=SITE.limits)
        find(past, since, days, SITE.limits)


def server_seconds(postmaster: int) -> float:
    """Processor time of the server so far, its ended children included."""
    total = _ticks(postmaster, slice(13, 17))
    for process in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(process.name))
        if fields and int(fields[3]) == postmaster:
            total += sum(int(field) for field in fields[13:15])
    return total / TICKS_PER_SECOND


def _ticks(pid: int, which: slice) -> int:
    return sum(int(field) for field in _stat(pid)[which])


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return []
    head, _, tail = text.rpartition(")")
    return [head, "", *tail.split()]


def timed(name: str, call: Callable[[], object], postmaster: int, wanted: str) -> None:
    """A line: wall time, processor time of this process and of the server, the most memory this process ever had."""
    own, server, started = time.process_time(), server_seconds(postmaster), time.perf_counter()
    call()
    wall = time.perf_counter() - started
    own, server = time.process_time() - own, server_seconds(postmaster) - server
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name}: {wall:.1f} s, processor {own:.1f} s here + {server:.1f} s in the server, "
        f"peak {peak:.0f} MiB (wanted: {wanted})",
        flush=True,
    )


def main() -> None:
    arithmetic()
    first = date(2026, 3, 2)
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "home")
        with load.database(home) as (_, database):
            postmaster = EmbeddedServer(home).status().pid
            assert postmaster is not None
            _load_days(Path(folder), database, first, DAYS_OF_HISTORY + 1)
            _watch(database, first + timedelta(days=DAYS_OF_HISTORY + 1))
            last = first + timedelta(days=DAYS_OF_HISTORY)
            now = datetime(last.year, last.month, last.day, 2, tzinfo=UTC) + timedelta(days=1)
            timed(
                "settle a fleet-day",
                lambda: _settle(database, Path(folder), last, now),
                postmaster,
                "under 60 s, 4 GiB",
            )
            _load_snapshot(Path(folder), database, last + timedelta(days=1))
            timed(
                "watch after a snapshot of the fleet",
                lambda: _watch(database, last + timedelta(days=1)),
                postmaster,
                "under 15 s of processor time",
            )


def _load_days(folder: Path, database: PostgresDatabase, first: date, days: int) -> None:
    store = open_store(folder / "home")
    for number in range(days):
        day = first + timedelta(days=number)
        plan = SimulationPlan(
            meters=fleet.METERS,
            days=1,
            start=day,
            layout="gateway-day",
            meters_per_gateway=2500,
            faults=PRESETS["default"],
        )
        for file in simulate(plan, folder / f"day{number}").files:
            _process(database, store.land(file.path, day=day).path, folder, day)
        print(f"loaded {day}", flush=True)


def _load_snapshot(folder: Path, database: PostgresDatabase, day: date) -> None:
    plan = SimulationPlan(meters=fleet.METERS, days=1, start=day, layout="snapshot", regions=1)
    file = simulate(plan, folder / "snapshot").files[0]
    _process(database, open_store(folder / "home").land(file.path, day=day).path, folder, day)


def _process(database: PostgresDatabase, path: str, folder: Path, day: date) -> None:
    now = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, hours=1)
    store = open_store(folder / "home")
    lake = ObjectLake(store, version="bench")
    process_file(path, landing=store, database=database, lake=lake, site=SITE, clock=lambda: now)


def _watch(database: PostgresDatabase, day: date) -> None:
    with database.history() as history:
        detect_findings(history, SITE, datetime(day.year, day.month, day.day, 1, tzinfo=UTC))


def _settle(database: PostgresDatabase, folder: Path, day: date, now: datetime) -> None:
    with database.history() as history:
        settle(history, ObjectLake(open_store(folder / "home"), version="bench"), SITE, day, now)


if __name__ == "__main__":
    main()
