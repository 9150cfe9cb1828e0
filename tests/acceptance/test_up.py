"""`greenstream up` as a person runs it: files dropped into the landing zone come through, whatever dies meanwhile."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from subprocess import Popen
from typing import Any, LiteralString

import psycopg
import pytest
from tests.acceptance.conftest import Command
from tests.integration.embedded_support import scratch

from greenstream.adapters.postgres.embedded import EmbeddedServer

HEADER = "meter_id,timestamp,energy_value,location\n"
PATIENCE = 90.0


@pytest.fixture
def command() -> Iterator[Command]:
    """A home of its own: each test starts and kills what it likes."""
    with scratch() as folder:
        command = Command(folder / "home", folder)
        try:
            yield command
        finally:
            command("down")


@contextmanager
def running(command: Command, *arguments: str, log: str = "up.log", **settings: str) -> Iterator[Popen[bytes]]:
    with (command.folder / log).open("ab") as stream:
        process = command.start(*(arguments or ("up",)), stdout=stream, stderr=stream, **settings)
    with process:
        try:
            yield process
        finally:
            process.kill()


def events(command: Command, log: str = "up.log") -> list[dict[str, Any]]:
    lines = (command.folder / log).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def until(found: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def outcomes(command: Command) -> dict[str, int]:
    return dict(asked(command.home, "SELECT outcome, count(*) FROM source_files GROUP BY 1"))


def asked(home: Path, sql: LiteralString) -> list[Any]:
    """Asked over and over, so not by the command; nothing while the server is away."""
    with suppress(psycopg.Error), psycopg.connect(dsn_of(home), connect_timeout=2) as connection:
        return connection.execute(sql).fetchall()
    return []


@cache
def dsn_of(home: Path) -> str:
    return Command(home, home)("db", "url", code=0).out.strip()


def drop(command: Command, name: str, meters: int = 3, *, folder: str = "2024-03-01/") -> Path:
    target = command.home / "raw-data" / folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{name}-{meter},2024-03-01 00:{15 * (meter % 4):02},{meter} kW,\n" for meter in range(meters)]
    target.write_text(HEADER + "".join(rows), encoding="utf-8")
    return target


def today_folder() -> str:
    return time.strftime("%Y-%m-%d/", time.gmtime())


def started(command: Command) -> bool:
    return any(event["event"] == "started" for event in events(command))


def test_dropped_files_are_loaded_and_it_stops_cleanly_on_sigterm(command: Command) -> None:
    with running(command) as up:
        until(lambda: started(command))
        for number in range(5):
            drop(command, f"f{number}.csv", folder=today_folder())
        for meters in (4, 5, 6):
            hidden = drop(command, ".latest.part", meters, folder="")
            hidden.rename(hidden.with_name("latest.csv"))
            time.sleep(2)
        drop(command, "beside.csv", folder="")
        drop(command, "notes.txt", folder=today_folder())
        until(lambda: outcomes(command) == {"loaded": 9, "rejected": 1})
        up.send_signal(signal.SIGTERM)
        assert up.wait(PATIENCE) == 0
    assert events(command)[-1]["event"] == "stopped"
    assert command("query", "--json", "SELECT count(*) AS n FROM meter_readings").json == [{"n": 24}]
    assert command("query", "--json", "SELECT count(*) AS n FROM waiting_files").json == [{"n": 0}]


def test_troubles_become_alerts_by_themselves(command: Command) -> None:
    with running(command):
        until(lambda: started(command))
        rows = "".join(f"M-{n},not a time,1 kW\n" for n in range(200))
        (command.home / "raw-data").mkdir(exist_ok=True)
        target = command.home / "raw-data" / today_folder() / "bad.csv"
        target.parent.mkdir(exist_ok=True)
        target.write_text("meter_id,timestamp,energy_value\n" + rows, encoding="utf-8")
        until(lambda: outcomes(command) == {"loaded": 1})
        until(lambda: asked(command.home, "SELECT 1 FROM alerts WHERE code = 'FILE_ERROR_RATE'"))


def test_a_killed_service_and_a_killed_database_cost_no_file(command: Command) -> None:
    with running(command) as up:
        until(lambda: started(command))
        for number in range(20):
            drop(command, f"f{number}.csv", 200, folder=today_folder())
        time.sleep(0.6)
        up.kill()
        up.wait()
    pid = int((command.home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    with running(command):
        until(lambda: outcomes(command).get("loaded") == 20)
        assert outcomes(command) == {"loaded": 20}
        assert command("query", "--json", "SELECT count(*) AS n FROM meter_readings").json == [{"n": 4000}]


def test_work_resumes_by_itself_when_the_database_comes_back(command: Command) -> None:
    with running(command):
        until(lambda: started(command))
        pid = int((command.home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        for number in range(5):
            drop(command, f"f{number}.csv", folder=today_folder())
        until(lambda: outcomes(command) == {"loaded": 5})
        assert command("query", "--json", "SELECT count(*) AS n FROM dead_letters").json == [{"n": 0}]


def test_a_database_of_yours_may_be_away_for_longer_than_anybody_waits(command: Command) -> None:
    """Already at the start. Each part asks again by itself: also those that wait long for their connections."""
    with scratch() as folder:
        server = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
        yours = {"DATABASE_URL": server.ensure_running().dsn}
        server.stop("immediate")
        try:
            with running(command, **yours) as up:
                until(lambda: started(command))
                assert [event["part"] for event in events(command) if event["event"] == "waiting"] == ["start"]
                assert (command.home / "raw-data").is_dir()
                server.ensure_running()
                drop(command, "first.csv", folder=today_folder())
                until(lambda: any(event["event"] == "loaded" for event in events(command)))
                server.stop("immediate")
                drop(command, "meanwhile.csv", folder=today_folder())
                time.sleep(35)
                assert up.poll() is None
                server.ensure_running()
                until(lambda: sum(event["event"] == "loaded" for event in events(command)) == 2)
                assert command("query", "SELECT count(*) AS n FROM dead_letters", "--json", **yours).json == [{"n": 0}]
        finally:
            server.stop("immediate")


def test_files_that_landed_long_ago_or_in_the_future_while_nothing_ran_are_loaded(command: Command) -> None:
    """In the folder of any day, and beside them, whatever their time says."""
    ahead = time.time() + 86_400
    for number, folder in enumerate(("2019-01-01/", today_folder(), "")):
        file = drop(command, f"f{number}.csv", folder=folder)
        os.utime(file, (ahead, ahead))
    with running(command):
        until(lambda: started(command))
        until(lambda: outcomes(command) == {"loaded": 3})


def test_a_landing_zone_that_refuses_to_be_written_to_is_told_once_and_waited_for(command: Command) -> None:
    """What stands in the way here is a link to nowhere where the folder of today must be made."""
    with running(command):
        until(lambda: started(command))
        obstacle = command.home / "raw-data" / today_folder().rstrip("/")
        obstacle.parent.mkdir(parents=True, exist_ok=True)
        obstacle.symlink_to(command.home / "nowhere" / "else")
        drop(command, "beside.csv", folder="")
        drop(command, "good.csv")
        until(lambda: any(event["level"] == "error" for event in events(command)))
        until(lambda: outcomes(command) == {"loaded": 1})
        obstacle.unlink()
        until(lambda: outcomes(command) == {"loaded": 2})
        assert len([event for event in events(command) if event["level"] == "error"]) == 1


def test_missed_nights_are_made_up_for_once_it_is_two_oclock(command: Command) -> None:
    hours = time.gmtime().tm_hour - 12
    midday = {"TIMEZONE": f"Etc/GMT{hours:+}" if hours else "Etc/GMT"}  # signs are the other way round there
    drop(command, "long-ago.csv")
    command("ingest", str(command.home / "raw-data/2024-03-01/long-ago.csv"), code=0, **midday)
    energy = "SELECT day, sum(kwh) AS kwh FROM meter_days GROUP BY day"
    with running(command, **midday):
        until(lambda: any(event["event"] == "archived" for event in events(command)))
        until(lambda: asked(command.home, "SELECT count(*) FROM meter_readings") == [(0,)])
    found = command("query", "--lake", energy, "--json", code=0, **midday).json
    assert found == [{"day": "2024-03-01", "kwh": 0.75}]


def test_a_second_one_for_the_same_home_is_refused_in_one_line(command: Command) -> None:
    with running(command):
        until(lambda: started(command))
        ended = command("up", code=1)
        assert "runs already" in ended.err


def test_down_stops_it(command: Command) -> None:
    with running(command) as up:
        until(lambda: started(command))
        command("down", code=0)
        assert up.wait(PATIENCE) == 0


def test_watching_and_working_can_be_processes_of_their_own(command: Command) -> None:
    command("db", "migrate", code=0)
    with (
        running(command, "watch", log="watch.log"),
        running(command, "worker", log="one.log"),
        running(command, "worker", "--route", "realtime", log="two.log"),
    ):
        for number in range(10):
            drop(command, f"f{number}.csv", 100, folder=today_folder())
        until(lambda: outcomes(command) == {"loaded": 10})
    assert command("query", "--json", "SELECT count(*) AS n FROM meter_readings").json == [{"n": 1000}]


def test_an_unknown_route_is_wrong_usage(command: Command) -> None:
    assert "no route slow" in command("worker", "--route", "slow", code=2).err
