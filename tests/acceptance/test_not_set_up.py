"""Where nothing was set up: who sets up does, all others say what is missing, and make nothing."""

import json
import shlex
import threading
from contextlib import contextmanager

import psycopg
import pytest
from tests.acceptance.conftest import HEADER
from tests.support.databases import another_database

LINE = "W-1,2024-03-16 18:45:00,1 kW,,\n"
LOOKED = ("watched", "settled")
"""What a worker says once it has looked at what came in: by day, or in its night."""

ASKING = (
    "settle",
    "archive",
    "nightly",
    "nightly --dry-run",
    "verify",
    "alerts list",
    "alerts ack --all",
    "backup backup",
    "dead-letters list",
    "dead-letters replay --all",
    "quarantine list",
    "quarantine replay --code MALFORMED_ROW",
    "meters list",
    "query 'SELECT 1'",
    "replay --rule B1.2",
    "reprocess --from 2024-03-01 --to 2024-03-02",
    "erase SM-1 --reason test --yes",
    "db url",
    "db grant somebody",
    "status",
)


@pytest.mark.parametrize("line", ASKING)
def test_it_says_who_sets_up_and_makes_nothing(new_greenstream, line):
    ended = new_greenstream(*shlex.split(line), code=1)
    assert "greenstream up" in ended.err
    assert not new_greenstream.home.exists()


def test_down_has_nothing_to_do(new_greenstream):
    new_greenstream("down", code=0)
    assert not new_greenstream.home.exists()


def test_doctor_says_so_and_makes_nothing(new_greenstream):
    report = new_greenstream("doctor", "--json", code=0).json
    (database,) = [check for check in report["checks"] if check["check"] == "database"]
    assert database["level"] == "warning"
    assert "greenstream up" in database["mend"]
    assert not new_greenstream.home.exists()


@contextmanager
def waiting_worker(command, **settings):
    """The events of a worker's log after the one that says what it waits for, which is given, too."""
    worker = command.start("worker", "--log-json", METRICS_PORT="0", **settings)
    events = (json.loads(line) for line in worker.stderr)
    end = threading.Timer(120, worker.kill)
    end.start()
    try:
        yield next(event for event in events if event["event"] == "waiting")["error"], events
    finally:
        end.cancel()
        worker.terminate()
        worker.communicate()


def test_a_worker_waits_for_whoever_sets_up_and_says_so(new_greenstream):
    with waiting_worker(new_greenstream) as (error, events):
        assert error.startswith("NotSetUp: nothing is set up")
        assert not new_greenstream.home.exists()
        new_greenstream("db", "migrate", code=0)
        new_greenstream("ingest", "--no-watch", new_greenstream.file("a.csv", HEADER + LINE), code=0)
        assert next(event for event in events if event["event"] in LOOKED)


def test_a_worker_waits_for_its_own_version_of_the_database_and_says_so(greenstream, dsn):
    with another_database(dsn) as url:
        greenstream("db", "migrate", code=0, DATABASE_URL=url)
        with psycopg.connect(url, autocommit=True) as admin:
            (own,) = admin.execute("SELECT version_num FROM greenstream_version").fetchone()
            admin.execute("UPDATE greenstream_version SET version_num = '0000'")
            with waiting_worker(greenstream, DATABASE_URL=url) as (error, events):
                assert error.startswith("NotSetUp: the database is of version 0000")
                admin.execute("UPDATE greenstream_version SET version_num = %s", [own])
                load = greenstream.file("version.csv", HEADER + LINE)
                greenstream("ingest", "--no-watch", load, code=0, DATABASE_URL=url)
                assert next(event for event in events if event["event"] in LOOKED)
