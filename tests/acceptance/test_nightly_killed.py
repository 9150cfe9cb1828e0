"""A night that is killed anywhere, again and again, ends as one that ran through."""

import shutil
import signal
import time
from pathlib import Path
from random import Random

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.acceptance.conftest import HEADER, Command
from tests.support.databases import database

DAYS = tuple(f"2024-03-{day:02d}" for day in range(1, 9))
METERS = 40
KILLS = 9
KEPT = ("meter_readings", "data_quality_log", "meter_metadata", "source_files", "quarantined_rows")


def day_file(day: str) -> str:
    rows = [
        f"SM-{meter},{day} {slot // 4:02d}:{slot % 4 * 15:02d},{meter % 9 + 1} kW,,Residential_Zone_{meter % 2}"
        for meter in range(METERS)
        for slot in range(96)
        if (meter, slot % 24) != (7, 3)
    ]
    return HEADER + "\n".join(rows) + "\n"


def state(dsn: str, store: Path) -> dict[str, object]:
    """What a night leaves, but for the times at which it did so."""
    found: dict[str, object] = {}
    with psycopg.connect(dsn) as connection:
        for name in KEPT:
            rows = connection.execute(
                sql.SQL("SELECT (to_jsonb(r) - 'detected_at')::text FROM {} r").format(sql.Identifier(name))
            )
            found[name] = sorted(row[0] for row in rows)
        found["days"] = connection.execute("SELECT day, state FROM days ORDER BY 1").fetchall()
        deletions = "SELECT DISTINCT layer, subject, amount FROM deletions ORDER BY 1, 2"
        found["deleted"] = connection.execute(deletions).fetchall()
    for zone in ("analytics", "aggregates", "manifest", "raw-data"):
        for path in sorted(each for each in (store / zone).rglob("*") if each.is_file()):
            if not path.name.startswith(".greenstream-"):  # half-written, and swept later
                found[str(path.relative_to(store))] = path.read_bytes()
    return found


def test_killed_at_random_points_and_run_again(greenstream: Command, dsn: str, tmp_path: Path) -> None:
    """Settling, archiving and retention of a week and a day."""
    with database(dsn, "through", "template1") as through:
        first = {"DATABASE_URL": through, "STORAGE": (tmp_path / "through").as_uri()}
        names = [greenstream.file(f"{day}.csv", day_file(day)) for day in DAYS]
        greenstream("ingest", *names, code=0, **first)
        with database(dsn, "killed", "through") as killed:
            shutil.copytree(tmp_path / "through", tmp_path / "killed", copy_function=shutil.copy2)
            other = {"DATABASE_URL": killed, "STORAGE": (tmp_path / "killed").as_uri()}
            began = time.monotonic()
            greenstream("nightly", code=0, **first)
            whole = time.monotonic() - began
            random = Random(11)
            ended = [_kill_after(greenstream, random.uniform(0.3, 0.6) * whole, **other) for _ in range(KILLS)]
            assert ended.count(-signal.SIGKILL) >= 3, (whole, ended)
            greenstream("nightly", code=0, **other)
            assert state(killed, tmp_path / "killed") == state(through, tmp_path / "through")
            assert greenstream("nightly", code=0, **other).out == ""
            greenstream("verify", code=0, **other)
            with psycopg.connect(make_conninfo(killed)) as connection:
                assert connection.execute("SELECT count(*) FROM meter_readings").fetchone() == (0,)


def _kill_after(greenstream: Command, seconds: float, **place: str) -> int:
    process = greenstream.start("nightly", **place)
    time.sleep(seconds)
    process.kill()
    process.communicate()
    return process.returncode
