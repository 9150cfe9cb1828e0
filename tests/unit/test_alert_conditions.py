"""What holds, what has ended, and what a message says: decisions over facts, at a time that is given."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenstream.application.alerts import portions
from greenstream.domain.alerts.conditions import check_conditions
from greenstream.domain.alerts.notification import compose
from greenstream.domain.alerts.values import Alert, AlertCode, Disk, RegionFiles, SourceRows, StoredFacts, Verdict
from greenstream.domain.codes import Severity
from greenstream.domain.limits import Limits
from greenstream.domain.site import Site

NOW = datetime(2024, 3, 20, 12, 0, tzinfo=UTC)
SITE = Site(timezone="Europe/Berlin", limits=Limits())
NOTHING = StoredFacts(regions=(), sources=(), dirty_days=(), oldest_waiting=None, going_on=frozenset())
HOWTO = Path(__file__).parents[2] / "docs/how-to/alerts.md"


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def region(last: float, first: float = 600) -> RegionFiles:
    return RegionFiles(region="Zone7", first=ago(first), last=ago(last))


def judge(*disks: Disk, **facts: Any) -> Verdict:
    return check_conditions(replace(NOTHING, **facts), disks, SITE, NOW)


def codes(verdict: Verdict) -> list[str]:
    return [condition.code for condition in verdict.holding]


def going_on(*keys: tuple[AlertCode, str]) -> frozenset[tuple[str, str]]:
    return frozenset((code.value, subject) for code, subject in keys)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (region(last=30), []),
        (region(last=31), ["NO_FILE"]),
        (region(last=31, first=61), ["NO_FILE"]),
        (region(last=31, first=60), []),  # a single import is no habit
    ],
)
def test_a_region_that_used_to_send_is_silent_after_half_an_hour(files: RegionFiles, expected: list[str]) -> None:
    assert codes(judge(regions=[files])) == expected


def test_a_region_that_sends_again_is_no_longer_silent() -> None:
    verdict = judge(regions=[region(last=1)], going_on=going_on((AlertCode.NO_FILE, "Zone7")))
    assert verdict == Verdict(holding=(), ended=(("NO_FILE", "Zone7"),))


def test_a_region_of_which_nothing_came_for_more_than_a_day_stays_silent() -> None:
    assert judge(going_on=going_on((AlertCode.NO_FILE, "Zone7"))).ended == ()


def test_while_files_wait_nothing_is_said_about_regions() -> None:
    silent = going_on((AlertCode.NO_FILE, "Zone8"))
    verdict = judge(oldest_waiting=ago(6), regions=[region(last=50)], going_on=silent)
    assert codes(verdict) == ["BACKLOG"]
    assert verdict.ended == ()


@pytest.mark.parametrize(("minutes", "expected"), [(5, []), (5.1, ["BACKLOG"])])
def test_a_backlog_is_a_file_that_waits_for_more_than_five_minutes(minutes: float, expected: list[str]) -> None:
    assert codes(judge(oldest_waiting=ago(minutes))) == expected


def test_a_backlog_ends_when_nothing_waits() -> None:
    assert judge(going_on=going_on((AlertCode.BACKLOG, "queue"))).ended == (("BACKLOG", "queue"),)


@pytest.mark.parametrize(
    ("rows", "rejected", "expected"),
    [(100, 5, []), (100, 6, ["SOURCE_ERROR_RATE"]), (99, 99, [])],
)
def test_a_source_is_bad_from_a_share_of_its_rows_on(rows: int, rejected: int, expected: list[str]) -> None:
    assert codes(judge(sources=[SourceRows(source="zone7", rows=rows, rejected=rejected)])) == expected


@pytest.mark.parametrize(("free", "expected"), [(10, []), (9, ["DISK_NEARLY_FULL"])])
def test_a_disk_is_nearly_full_below_a_tenth(free: int, expected: list[str]) -> None:
    disk = Disk(name="here:/data", total_bytes=100, free_bytes=free)
    assert codes(judge(disk)) == expected


def test_the_disks_of_other_machines_are_left_to_them() -> None:
    disk = Disk(name="here:/data", total_bytes=100, free_bytes=50)
    known = going_on((AlertCode.DISK_NEARLY_FULL, "here:/data"), (AlertCode.DISK_NEARLY_FULL, "there:/data"))
    verdict = judge(disk, going_on=known)
    assert verdict.ended == (("DISK_NEARLY_FULL", "here:/data"),)


@pytest.mark.parametrize(
    ("day", "dirty_since", "expected"),
    [
        (date(2024, 3, 18), ago(3000), ["NIGHTLY_MISSED"]),  # over since the 19th 00:00 in Berlin: 37 hours
        (date(2024, 3, 19), ago(3000), []),  # over for 13 hours
        (date(2024, 3, 20), ago(3000), []),
        (date(2020, 1, 1), ago(60), []),  # late data of an hour ago
        (date(2020, 1, 1), ago(26 * 60 + 1), ["NIGHTLY_MISSED"]),
    ],
)
def test_a_night_was_missed_when_a_day_that_is_over_waits_for_more_than_26_hours(
    day: date, dirty_since: datetime, expected: list[str]
) -> None:
    assert codes(judge(dirty_days=[(day, dirty_since)])) == expected


def alerts(count: int, **values: Any) -> list[Alert]:
    usual: dict[str, Any] = {
        "code": "DEAD_LETTER",
        "severity": Severity.ERROR,
        "subject": "raw-data/a.csv",
        "message": "KeyError: 'x'",
        "count": 3,
        "first_at": ago(90),
        "last_at": ago(1),
    }
    return [Alert(alert_id=17 + i, **{**usual, **values}) for i in range(count)]


def test_a_message_says_what_how_often_when_and_how_to_acknowledge() -> None:
    message = compose(alerts(1))
    assert message.title == "[GreenStream] error DEAD_LETTER raw-data/a.csv"
    assert message.body == (
        "KeyError: 'x'\n\ncount 3, first 2024-03-20 10:30 UTC, last 2024-03-20 11:59 UTC\n"
        "Acknowledge: greenstream alerts ack 17"
    )


def test_a_digest_counts_by_code_and_shows_the_first_ones() -> None:
    message = compose([*alerts(25), *alerts(2, code="DEAD_METER", severity=Severity.WARNING)])
    assert message.title == "[GreenStream] 27 more alerts"
    assert message.body.startswith("25 DEAD_LETTER, 2 DEAD_METER\n\n17: error DEAD_LETTER raw-data/a.csv\n")
    assert "… and 7 others" in message.body
    assert message.severity is Severity.ERROR


@given(st.text())
def test_no_name_of_a_file_breaks_a_title(subject: str) -> None:
    assert compose(alerts(1, subject=subject)).title.isprintable()


@given(st.integers(0, 60), st.integers(-3, 30))
def test_within_a_budget_each_alert_is_in_exactly_one_message(due: int, budget: int) -> None:
    waiting = alerts(due)
    parts: Sequence[Sequence[Alert]] = portions(waiting, budget)
    assert len(parts) == min(due, max(budget, 0))
    assert [alert for part in parts for alert in part] == (waiting if budget > 0 else [])
    assert all(len(part) == 1 for part in parts[:-1])


def test_each_code_is_explained() -> None:
    text = HOWTO.read_text(encoding="utf-8")
    assert [code for code in AlertCode if f"| `{code}` |" not in text] == []
