"""Where nothing was set up: who sets up does, all others say what is missing, and make nothing."""

import json
import shlex

import pytest
from tests.acceptance.conftest import HEADER

LINE = "W-1,2024-03-16 18:45:00,1 kW,,\n"
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


def test_a_worker_waits_for_whoever_sets_up_and_says_so(new_greenstream):
    worker = new_greenstream.start("worker", "--log-json", METRICS_PORT="0")
    events = (json.loads(line) for line in worker.stderr)
    try:
        waiting = next(event for event in events if event["event"] == "waiting")
        assert "NotSetUp" in waiting["error"]
        assert not new_greenstream.home.exists()
        new_greenstream("db", "migrate", code=0)
        new_greenstream("ingest", "--no-watch", new_greenstream.file("a.csv", HEADER + LINE), code=0)
        assert next(event for event in events if event["event"] == "watched")
    finally:
        worker.terminate()
        worker.communicate()
