"""`/metrics`, `status` and the log of a running service say the same of a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from tests.acceptance.conftest import Command
from tests.acceptance.test_up import drop, events, outcomes, running, today_folder, until
from tests.integration.embedded_support import scratch
from tests.integration.test_metrics import free_port, scraped

IN_TROUBLE = """
INSERT INTO greenstream.waiting_file
    (path, size_bytes, received_at, modified_at, route, state, attempts, error, queued_at, started_at, next_at)
VALUES
    ('raw-data/2024-03-01/hangs.csv', 1, now(), now(), 'bulk', 'running', 0, NULL, now(), now() - interval '11 minutes',
     NULL),
    ('raw-data/2024-03-01/fails.csv', 1, now(), now(), 'realtime', 'retrying', 2, 'StorageUnavailable: no answer',
     now(), now(), now() + interval '1 hour')
"""


@dataclass(frozen=True)
class Service:
    command: Command
    port: int

    def execute(self, statement: Any) -> None:
        with psycopg.connect(self.command("db", "url", code=0).out.strip(), autocommit=True) as connection:
            connection.execute(statement)

    def status(self) -> Any:
        return self.command("status", "--json", code=0).json


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with scratch() as folder:
        command, port = Command(folder / "home", folder), free_port()
        try:
            with running(command, METRICS_PORT=str(port)):
                until(lambda: [event for event in events(command) if event["event"] == "metrics"])
                yield Service(command, port)
        finally:
            command("down")


def test_a_loaded_file_is_in_the_log_at_each_stage_and_in_the_counts(service: Service) -> None:
    drop(service.command, "a.csv", 3, folder=today_folder())
    drop(service.command, "a.txt", 3, folder=today_folder())
    until(lambda: outcomes(service.command) == {"loaded": 1, "rejected": 1})
    until(lambda: any(event["event"] == "watched" for event in events(service.command)))
    about = [event for event in events(service.command) if event.get("file", "").endswith("/a.csv")]
    assert [(event["event"], event["route"]) for event in about] == [
        ("queued", "realtime"),
        ("taken up", "realtime"),
        ("loaded", "realtime"),
    ]
    assert (about[2]["attempt"], about[2]["rows"], about[2]["stored"]) == (1, 3, 3)
    found = scraped(service.port)
    assert found["files_total", ("loaded", "realtime")] == 1
    assert found["files_total", ("rejected", "realtime")] == 1
    assert found["rows_total", ("stored",)] == 3
    assert found["landing_to_commit_seconds_count", ()] == 1
    assert found["database_up", ()] == 1
    assert found["waiting_files", ("realtime", "waiting")] == 0
    status = service.status()
    assert status["waiting"] == {}
    assert status["latency"]["files"] == 1
    assert status["unwatched_loads"] == found["unwatched_loads", ()] == 0


def test_a_stuck_and_a_retrying_file_are_states_of_their_own_everywhere(service: Service) -> None:
    service.execute(IN_TROUBLE)
    try:
        found, status = scraped(service.port), service.status()
        text = service.command("status", code=0).out
        seen = service.command("query", "--json", "SELECT state, error FROM waiting_files ORDER BY state").json
    finally:
        service.execute("DELETE FROM greenstream.waiting_file")
    error = "StorageUnavailable: no answer"
    assert seen == [{"state": "retrying", "error": error}, {"state": "stuck", "error": None}]
    assert found["waiting_files", ("bulk", "stuck")] == 1
    assert found["waiting_files", ("realtime", "retrying")] == 1
    assert found["waiting_files", ("bulk", "running")] == 0
    assert {state: counted["files"] for state, counted in status["waiting"].items()} == {"retrying": 1, "stuck": 1}
    assert {(file["state"], file["attempts"], file["error"]) for file in status["troubled"]} == {
        ("retrying", 2, error),
        ("stuck", 0, None),
    }
    assert "fails.csv: retrying, realtime, 2 failed attempts, next at " in text
    assert error in text
    assert "hangs.csv: stuck, bulk" in text


def test_a_worker_whose_port_is_taken_warns_and_works(service: Service) -> None:
    with running(service.command, "worker", log="worker.log", METRICS_PORT=str(service.port)):
        until(lambda: len(events(service.command, "worker.log")) >= 2)
    first, second = events(service.command, "worker.log")[:2]
    assert (first["event"], second["event"], second["level"]) == ("started", "no metrics", "warning")
    assert scraped(service.port)["database_up", ()] == 1
