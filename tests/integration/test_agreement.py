"""Metrics, `status` and the lists tell the same numbers of what is open; what is closed is in none of them."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.acceptance.conftest import Command
from tests.support.harness import HEADER, NOW, Databases, Harness
from tests.support.nights import Nights

from greenstream.adapters.postgres.alerts import connect_alerts
from greenstream.adapters.postgres.reports.gauges import read_gauges
from greenstream.domain.alerts.values import AlertCode, Condition
from greenstream.domain.codes import Severity
from greenstream.domain.ledger import Delivery, FileResult, Outcome

GOOD = HEADER + "SM-9,2024-03-15 10:00,1 kW,\n"


@pytest.fixture(scope="module")
def full(databases: Databases) -> Iterator[Harness]:
    """Of each kind some that are open, and one of each way to be closed."""
    with databases.harness() as harness:
        findings(harness)
        rejected_rows(harness)
        dead_letters(harness)
        alerts(harness)
        yield harness


@pytest.fixture
def greenstream(full: Harness) -> Command:
    return command(full)


def command(harness: Harness) -> Command:
    """The command over the harness's database and store; by its clock the harness's files came long ago."""
    return Command(harness.folder, harness.folder, DATABASE_URL=harness.dsn)


def findings(harness: Harness) -> None:
    """SM-1 stops, SM-2 pauses, SM-3 always reports, at first with a flag."""
    rows = [
        f"SM-{meter},{NOW - timedelta(minutes=15 * (40 - slot)):%Y-%m-%d %H:%M},{99 if slot == 0 else 1} kW,\n"
        for slot in range(40)
        for meter in (1, 2, 3)
        if not (meter == 1 and slot > 30) and not (meter == 2 and 10 < slot < 20)
    ]
    harness.load("findings.csv", HEADER + "".join(rows))
    Nights(harness).to_settle()


def rejected_rows(harness: Harness) -> None:
    greenstream = command(harness)
    future = "SM-9,2024-04-01 10:00:00,2 kW,\n"  # for the harness, not for the command
    harness.load("replayed.csv", HEADER + future)
    greenstream("quarantine", "replay", "--code", "TIMESTAMP_OUT_OF_RANGE", code=0)
    harness.load("discarded.csv", HEADER + "broken\n")
    greenstream("quarantine", "discard", "--code", "MALFORMED_ROW", code=0)
    harness.load("open.csv", HEADER + "broken\n" * 2 + ",2024-03-15 10:00,1 kW,\n" + future)


def dead_letters(harness: Harness) -> None:
    greenstream = command(harness)
    for name in ("first.csv", "second.csv", "third.csv", "fourth.csv"):
        unseen = Delivery(path=harness.land(name, GOOD), size_bytes=0, received_at=NOW, sha256=None)
        failed = FileResult(delivery=unseen, outcome=Outcome.FAILED, processed_at=NOW, error="killed")
        harness.database.record(failed)
    greenstream("dead-letters", "replay", "1", code=0)
    greenstream("dead-letters", "discard", "2", code=0)


def alerts(harness: Harness) -> None:
    def silence(region: str) -> Condition:
        return Condition(code=AlertCode.NO_FILE, severity=Severity.ERROR, subject=region, message="no file")

    with connect_alerts(harness.dsn) as book:
        book.hold([silence(f"Zone{number}") for number in (1, 2, 3, 4)], NOW)
        with harness.lists() as lists:
            (acknowledged, both) = (
                each.alert_id for each in lists.alerts(closed=False) if each.subject in ("Zone2", "Zone4")
            )
        book.acknowledge(NOW, ids=[acknowledged, both])
        book.end([("NO_FILE", "Zone3"), ("NO_FILE", "Zone4")], NOW)


def gauge(harness: Harness, name: str) -> dict[str, float]:
    """What a gauge says by its label, as far as there is any."""
    return {"".join(each.labels): each.value for each in read_gauges(harness.dsn) if each.gauge == name and each.value}


def test_open_alerts_are_the_same_in_metrics_status_and_list(full: Harness, greenstream: Command) -> None:
    listed = Counter(alert["code"] for alert in greenstream("alerts", "list", "--json", code=0).json)
    assert listed["NO_FILE"] == 1
    assert gauge(full, "open_alerts") == listed
    assert greenstream("status", "--json", code=0).json["alerts"] == listed
    assert len(greenstream("alerts", "list", "--all", "--json").json) > listed.total()


def test_open_findings_are_the_same_in_metrics_status_and_relation(full: Harness, greenstream: Command) -> None:
    windows = full.query("SELECT code, resolved_at FROM data_quality_log WHERE window_start IS NOT NULL")
    still = Counter(row["code"] for row in windows if row["resolved_at"] is None)
    assert still == {"CONSECUTIVE_MISSING": 1}
    assert len(windows) > still.total()
    assert gauge(full, "open_findings") == still
    assert greenstream("status", "--json", code=0).json["findings"] == still


def test_open_dead_letters_are_the_same_in_metrics_status_and_list(full: Harness, greenstream: Command) -> None:
    listed = greenstream("dead-letters", "list", "--json", code=0).json
    assert sorted(letter["id"] for letter in listed) == [3, 4]
    assert gauge(full, "open_dead_letters") == {"": 2}
    assert greenstream("status", "--json", code=0).json["dead_letters"] == 2
    assert len(greenstream("dead-letters", "list", "--all", "--json").json) == 4


def test_quarantined_rows_are_the_same_in_metrics_status_and_list(full: Harness, greenstream: Command) -> None:
    listed = greenstream("quarantine", "list", "--json", code=0).json
    waiting = {"MALFORMED_ROW": 2, "MISSING_METER_ID": 1, "TIMESTAMP_OUT_OF_RANGE": 1}
    assert Counter(row["code"] for row in listed["rows"]) == waiting
    assert listed["counts"] == waiting
    assert gauge(full, "quarantined_rows") == waiting
    assert greenstream("status", "--json", code=0).json["quarantined"] == waiting
    assert len(greenstream("quarantine", "list", "--all", "--json").json["rows"]) == 6
