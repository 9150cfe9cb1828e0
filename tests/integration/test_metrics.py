"""`/metrics`, scraped from a real server: what a process did, and how a real database stands, or that none answers."""

import re
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from tests.integration.test_intake import LINE, Tickets, intake
from tests.support.harness import HEADER, Harness

from greenstream.adapters.postgres.reports.gauges import read_gauges
from greenstream.domain.reports.gauges import GAUGES, GaugeValue
from greenstream.domain.routing import Route
from greenstream.entrypoints.service.metrics import DatabaseGauges, Metrics, described, served

Samples = dict[tuple[str, tuple[str, ...]], float]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def logger(events: list[dict[str, Any]]) -> structlog.stdlib.BoundLogger:
    """A logger that keeps what it is told."""

    def keep(_logger: Any, level: str, event: Any) -> Any:
        events.append({"level": level, **event})
        raise structlog.DropEvent

    log: structlog.stdlib.BoundLogger = structlog.wrap_logger(None, processors=[keep])
    return log


@contextmanager
def serving(
    read: Callable[[], list[GaugeValue]], *, patience: float = 1.5, registry: CollectorRegistry | None = None
) -> Iterator[Callable[[], Samples]]:
    """A scrape, as Prometheus does it."""
    registry, port = registry or CollectorRegistry(), free_port()
    registry.register(DatabaseGauges(read, patience=patience))
    with served(registry, host="127.0.0.1", port=port, log=logger([])):
        yield lambda: scraped(port)


def scraped(port: int) -> Samples:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    return {
        (sample.name.removeprefix("greenstream_"), tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def queued(harness: Harness, *names: str) -> list[str]:
    """Land files and queue them at this time, by the database's clock."""
    paths = [harness.land(name, LINE) for name in names]
    intake(harness, Tickets()).take(harness.store.list_landed(), datetime.now(UTC) - timedelta(seconds=100))
    return paths


def test_files_of_each_state_and_the_age_of_the_oldest_are_shown(harness: Harness) -> None:
    waiting, running, retrying, stuck, again = queued(harness, "a.csv", "b.csv", "c.csv", "d.csv", "e.csv")
    files, now = harness.database.waiting(), datetime.now(UTC)
    assert waiting.endswith("a.csv")
    files.start(running, now)
    files.retry(retrying, attempts=1, error="StorageUnavailable: away", next_at=now)
    files.start(stuck, now - timedelta(minutes=11))
    files.retry(again, attempts=1, error="StorageUnavailable: away", next_at=now)
    files.start(again, now)
    with serving(lambda: read_gauges(harness.dsn)) as scrape:
        found = scrape()
    shown = {state: found["waiting_files", ("realtime", state)] for state in ("waiting", "running", "stuck")}
    assert shown == {"waiting": 1, "running": 1, "stuck": 1}
    assert found["waiting_files", ("realtime", "retrying")] == 2
    assert found["waiting_files", ("bulk", "waiting")] == 0
    assert found["oldest_waiting_seconds", ("realtime",)] >= 100
    assert found["oldest_waiting_seconds", ("bulk",)] == 0
    assert found["database_up", ()] == 1


def test_what_needs_a_person_and_what_was_flagged_is_shown_by_code(harness: Harness) -> None:
    harness.load("a.csv", HEADER + "SM-1,2024-03-01 00:00,99 kW,\nSM-2,2024-03-01 00:00,1 kWh,\nSM-2,soon,,\nbroken\n")
    harness.load("a.txt", "")
    with serving(lambda: read_gauges(harness.dsn)) as scrape:
        found = scrape()
    assert found["flags_total", ("OUT_OF_RANGE",)] == harness.one(
        "SELECT count(*) FROM data_quality_log WHERE code = 'OUT_OF_RANGE'"
    )
    assert found["flags_total", ("MISSING_READING",)] == harness.one(
        "SELECT count(*) FROM data_quality_log WHERE code = 'MISSING_READING'"
    )
    assert found["flags_total", ("INVALID_UNIT",)] == 1
    assert found["quarantined_rows", ("MALFORMED_ROW",)] == 1
    assert found["open_alerts", ("FILE_REJECTED",)] == 1
    assert found["open_dead_letters", ()] == 0
    assert found["open_findings", ("DEAD_METER",)] == 0
    assert found["unwatched_loads", ()] == 1
    assert ("watermark_timestamp_seconds", ()) not in found
    harness.execute("UPDATE greenstream.site SET watermark = '2024-03-01 00:00+00'")
    assert ("watermark_timestamp_seconds", [], 1709251200.0) in [tuple(value) for value in read_gauges(harness.dsn)]


def test_every_gauge_has_a_query_and_every_query_a_gauge(harness: Harness) -> None:
    harness.load("a.csv", HEADER + "broken\n")
    harness.load("a.txt", "")
    harness.execute("UPDATE greenstream.site SET watermark = now()")
    values = read_gauges(harness.dsn)
    assert {value.gauge for value in values} == {gauge.name for gauge in GAUGES}
    assert all(len(value.labels) == len(gauge.labels) for gauge in GAUGES for value in values if value[0] == gauge.name)


def test_a_database_that_is_away_leaves_what_the_process_did(harness: Harness) -> None:
    registry = CollectorRegistry()
    Metrics(registry).put_off(Route.BULK)
    away = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    with serving(lambda: read_gauges(away), registry=registry) as scrape:
        found = scrape()
    assert found["database_up", ()] == 0
    assert found["retries_total", ("bulk",)] == 1
    assert not [name for name, _ in found if name.startswith("waiting_files")]


def test_a_database_without_tables_counts_as_away(harness: Harness) -> None:
    harness.execute("DROP VIEW waiting_files")
    with serving(lambda: read_gauges(harness.dsn)) as scrape:
        assert scrape()["database_up", ()] == 0


def test_a_database_that_hangs_holds_up_no_scrape_and_is_asked_once(harness: Harness) -> None:
    answered, asked = threading.Event(), list[int]()

    def hang() -> list[GaugeValue]:
        asked.append(1)
        answered.wait()
        return read_gauges(harness.dsn)

    with serving(hang, patience=0.1) as scrape:
        assert [scrape()["database_up", ()] for _ in range(3)] == [0, 0, 0]
        assert len(asked) == 1
        answered.set()
    with serving(hang) as scrape:
        assert scrape()["database_up", ()] == 1


def test_a_lock_on_the_tables_ends_the_question(harness: Harness) -> None:
    with psycopg.connect(harness.dsn) as other:
        other.execute("LOCK greenstream.waiting_file IN ACCESS EXCLUSIVE MODE")
        with serving(lambda: read_gauges(harness.dsn), patience=10) as scrape:
            assert scrape()["database_up", ()] == 0


def test_a_result_is_counted_by_outcome_route_and_fate(harness: Harness) -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    loaded = harness.load("a.csv", HEADER + "SM-1,2024-03-01 00:00,1 kW,\nSM-1,2024-03-01 00:00,1 kW,\nbroken\n")
    rejected = harness.load("a.txt", "")
    for result in (loaded, rejected):
        metrics.ended(result, Route.REALTIME)
        metrics.timed(result, Route.REALTIME, seconds=0.4, since_landing=1.5)
    with serving(lambda: read_gauges(harness.dsn), registry=registry) as scrape:
        found = scrape()
    assert found["files_total", ("loaded", "realtime")] == 1
    assert found["files_total", ("rejected", "realtime")] == 1
    assert found["files_total", ("failed", "bulk")] == 0
    assert [found["rows_total", (fate,)] for fate in ("stored", "duplicate", "rejected")] == [1, 1, 1]
    assert found["landing_to_commit_seconds_count", ()] == 1
    assert found["landing_to_commit_seconds_bucket", ("1.0",)] == 0
    assert found["landing_to_commit_seconds_bucket", ("2.0",)] == 1
    assert found["processing_seconds_count", ("realtime",)] == 2
    assert found["dead_letters_total", ()] == 0


def test_an_address_that_is_taken_is_one_warning() -> None:
    events: list[dict[str, Any]] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with served(CollectorRegistry(), host="127.0.0.1", port=port, log=logger(events)):
            assert len(events) == 1
    assert [(event["level"], event["event"]) for event in events] == [("warning", "no metrics")]


def test_port_0_serves_nothing_and_says_nothing() -> None:
    events: list[dict[str, Any]] = []
    with served(CollectorRegistry(), host="127.0.0.1", port=0, log=logger(events)):
        pass
    assert events == []


def test_the_reference_describes_just_what_is_scraped(harness: Harness) -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    harness.execute("UPDATE greenstream.site SET watermark = now()")
    with serving(lambda: read_gauges(harness.dsn), registry=registry) as scrape:
        names = {f"greenstream_{name}" for name, _ in scrape()}
    bare = {re.sub("_(bucket|count|sum)$", "", name) for name in names if not name.endswith("_created")}
    assert {name for name, *_ in described()} == bare | {"greenstream_open_alerts", "greenstream_quarantined_rows"}
