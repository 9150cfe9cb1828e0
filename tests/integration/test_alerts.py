"""Alerts in a real database, sent to real receivers on this machine; the time is given."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from tests.support.harness import HEADER, NOW, Harness
from tests.support.receivers import Mailbox, Webhook, mailbox, webhook

from greenstream.adapters.alerts.apprise_channel import AppriseChannel, channels
from greenstream.adapters.disks import disks
from greenstream.adapters.postgres.alerts import PostgresAlerts, connect_alerts
from greenstream.application.alerts import Checked, Pace, Sent, check_alerts, send_alerts, try_channels
from greenstream.domain.alerts.values import AlertCode, Condition
from greenstream.domain.codes import Severity
from greenstream.domain.routing import Route

PACE = Pace(interval=timedelta(hours=1), max_per_hour=20)
CLOSED_PORT = "json://user:secret-word@127.0.0.1:9/hook"


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


@pytest.fixture
def book(harness: Harness) -> Iterator[PostgresAlerts]:
    with connect_alerts(harness.dsn) as book:
        yield book


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as hook:
        yield hook


def dead_letter(subject: str = "raw-data/a.csv", severity: Severity = Severity.ERROR) -> Condition:
    return Condition(code=AlertCode.DEAD_LETTER, severity=severity, subject=subject, message="KeyError: 'x'")


def silence(region: str = "Zone7") -> Condition:
    return Condition(code=AlertCode.NO_FILE, severity=Severity.ERROR, subject=region, message="no file")


def send(book: PostgresAlerts, urls: str, now: datetime, pace: Pace = PACE) -> list[Sent]:
    return send_alerts(book, channels(urls), pace, now)


def check(harness: Harness, book: PostgresAlerts, now: datetime) -> Checked:
    with book.checking() as ours:
        assert ours
        return check_alerts(book, (), (), harness.site, now)


def alerts(harness: Harness) -> list[dict[str, Any]]:
    return harness.query("SELECT * FROM alerts ORDER BY alert_id")


def readings(first: int, *, bad: int = 0, good: int = 1, zone: int = 7) -> str:
    rows = [f"SM-{zone}{i:05},2024-03-20 08:{first:02},1 kW,Residential_Zone_{zone}\n" for i in range(good)]
    return HEADER + "".join(rows) + ",,,\n" * bad


# the book


def test_one_open_alert_counts_all_occurrences_of_a_code_and_subject(harness: Harness, book: PostgresAlerts) -> None:
    for minute in (0, 5, 3):
        book.raise_alert(dead_letter(), later(minute))
    (alert,) = alerts(harness)
    assert (alert["count"], alert["first_at"], alert["last_at"]) == (3, NOW, later(5))


def test_an_occurrence_after_an_acknowledgement_opens_a_new_alert(harness: Harness, book: PostgresAlerts) -> None:
    book.raise_alert(dead_letter(), NOW)
    assert book.acknowledge(later(1), code="DEAD_LETTER") == {1}
    book.raise_alert(dead_letter(), later(2))
    with harness.lists() as lists:
        assert [alert.alert_id for alert in lists.alerts(closed=False)] == [2]
        assert [alert.alert_id for alert in lists.alerts(closed=True)] == [2, 1]


def test_acknowledging_touches_only_the_open_alerts_that_are_named(harness: Harness, book: PostgresAlerts) -> None:
    for name in "abc":
        book.raise_alert(dead_letter(name), NOW)
    assert book.acknowledge(NOW, ids=[1, 2, 9]) == {1, 2}
    assert book.acknowledge(NOW, ids=[1]) == set()
    assert book.acknowledge(NOW) == {3}


def test_a_condition_that_goes_on_is_one_occurrence_even_once_acknowledged(
    harness: Harness, book: PostgresAlerts
) -> None:
    book.hold([silence()], NOW)
    book.acknowledge(later(1), code="NO_FILE")
    book.hold([silence(), silence("Zone8")], later(2))
    first, second = alerts(harness)
    assert (first["count"], first["last_at"], first["acknowledged_at"]) == (1, later(2), later(1))
    assert (second["subject"], second["first_at"]) == ("Zone8", later(2))


def test_a_condition_that_ended_and_comes_again_is_a_new_alert(harness: Harness, book: PostgresAlerts) -> None:
    book.hold([silence()], NOW)
    book.end([("NO_FILE", "Zone7")], later(1))
    book.hold([silence()], later(2))
    assert [alert["resolved_at"] for alert in alerts(harness)] == [later(1), None]


# checking


def test_a_region_that_stops_sending_alerts_until_it_sends_again(harness: Harness, book: PostgresAlerts) -> None:
    for minute in (0, 15, 30):
        harness.load(f"zone7_{minute}.csv", readings(minute), received_at=later(minute))
    assert check(harness, book, later(60)).holding == 0
    assert check(harness, book, later(61)).holding == 1
    assert check(harness, book, later(62)) == Checked(holding=1, ended=0, files=0)
    (alert,) = alerts(harness)
    assert (alert["code"], alert["subject"], alert["count"]) == ("NO_FILE", "Zone7", 1)
    assert "for 32 minutes, the last one came at 2024-03-20 12:30 UTC" in alert["message"]
    harness.load("zone7_45.csv", readings(45), received_at=later(70))
    assert check(harness, book, later(71)).ended == 1
    assert alerts(harness)[0]["resolved_at"] == later(71)


def test_a_file_with_many_rejected_rows_alerts_once(harness: Harness, book: PostgresAlerts) -> None:
    harness.load("zone7_20240320.csv", readings(0, good=200, bad=11))
    harness.load("zone8_20240320.csv", readings(0, good=200, bad=10, zone=8))
    assert check(harness, book, later(1)).files == 1
    assert check(harness, book, later(2)).files == 0
    book.acknowledge(later(3))
    assert check(harness, book, later(4)).files == 0
    file, source = alerts(harness)
    assert (file["code"], file["subject"]) == ("FILE_ERROR_RATE", f"raw-data/2024-03-20/{'zone7_20240320.csv'}")
    assert file["message"].startswith("5.2 % (11 of 211) of its rows were rejected")
    assert (source["code"], source["subject"]) == ("SOURCE_ERROR_RATE", "zone7")


def test_a_source_is_judged_by_all_of_its_files(harness: Harness, book: PostgresAlerts) -> None:
    for hour in (10, 11, 12):
        harness.load(f"north-gate 2024032{hour}.csv.", readings(0))  # no such ending: rejected, so it has no rows
        harness.load(f"north-gate-{hour}00.csv", readings(hour, good=40, bad=3))
    assert check(harness, book, later(1)).holding == 1
    assert [a["subject"] for a in alerts(harness) if a["code"] == "SOURCE_ERROR_RATE"] == ["north-gate"]
    assert check(harness, book, later(60 * 25)).ended == 1


def test_a_backlog_alerts_and_ends(harness: Harness, book: PostgresAlerts) -> None:
    path = harness.land("zone7.csv", readings(0))
    harness.database.waiting().add(harness.store.head(path), Route.REALTIME, NOW)
    assert check(harness, book, later(5)).holding == 0
    assert check(harness, book, later(6)).holding == 1
    harness.database.waiting().end(path)
    assert check(harness, book, later(7)).ended == 1


def test_a_missed_night_alerts_and_ends_with_settling(harness: Harness, book: PostgresAlerts) -> None:
    harness.load("a.csv", readings(0))
    assert check(harness, book, later(37 * 60)).holding == 0
    assert check(harness, book, later(39 * 60)).holding == 1
    assert "the oldest is 2024-03-20" in alerts(harness)[0]["message"]
    harness.execute("UPDATE greenstream.day SET dirty_since = NULL")
    assert check(harness, book, later(40 * 60)).ended == 1


def test_the_alert_of_a_dead_letter_ends_with_it(harness: Harness, book: PostgresAlerts) -> None:
    harness.execute(
        "INSERT INTO greenstream.dead_letter (path, error, traceback, attempts, failed_at)"
        " VALUES ('raw-data/a.csv', '', '', 1, now())"
    )
    book.raise_alert(dead_letter(), NOW)
    check(harness, book, later(1))
    assert alerts(harness)[0]["resolved_at"] is None
    harness.execute("UPDATE greenstream.dead_letter SET discarded_at = now()")
    check(harness, book, later(2))
    assert alerts(harness)[0]["resolved_at"] == later(2)


def test_only_one_process_checks_or_sends_at_a_time(harness: Harness, book: PostgresAlerts) -> None:
    with connect_alerts(harness.dsn) as other:
        with book.checking() as ours, other.checking() as theirs:
            assert (ours, theirs) == (True, False)
        with book.sending() as ours, other.sending() as theirs:
            assert (ours, theirs) == (True, False)
        with other.sending() as theirs:
            assert theirs


def test_whoever_dies_while_sending_lets_the_next_one_send(harness: Harness, book: PostgresAlerts) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(connect_alerts(harness.dsn))
        assert stack.enter_context(other.sending())
        with psycopg.connect(harness.dsn, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE application_name = 'greenstream alerts' AND state = 'idle' AND query LIKE '%advisory%'"
                " AND datname = current_database()"
            )
        with book.sending() as ours:
            assert ours
        with pytest.raises(Exception, match="terminating"):
            stack.close()


# sending


def test_an_alert_is_sent_once_with_all_there_is_to_know(harness: Harness, book: PostgresAlerts, hook: Webhook) -> None:
    book.raise_alert(dead_letter(), NOW)
    assert send(book, hook.url, later(1))[0].alerts == 1
    assert send(book, hook.url, later(2))[0].alerts == 0
    (message,) = hook.messages
    assert message["title"] == "[GreenStream] error DEAD_LETTER raw-data/a.csv"
    assert "KeyError: 'x'" in message["message"]
    assert "count 1, first 2024-03-20 12:00 UTC" in message["message"]
    assert "greenstream alerts ack 1" in message["message"]
    assert message["type"] == "failure"


def test_an_alert_that_occurs_again_is_sent_again_after_the_interval(
    harness: Harness, book: PostgresAlerts, hook: Webhook
) -> None:
    for minute in range(0, 130, 5):
        book.raise_alert(dead_letter(), later(minute))
        send(book, hook.url, later(minute + 1))
    assert len(hook.messages) == 3
    assert "count 13," in hook.messages[1]["message"]


def test_an_alert_that_did_not_occur_again_is_not_sent_again(
    harness: Harness, book: PostgresAlerts, hook: Webhook
) -> None:
    book.raise_alert(dead_letter(), NOW)
    send(book, hook.url, later(0))
    send(book, hook.url, later(600))
    assert len(hook.messages) == 1


def test_an_occurrence_that_was_committed_late_is_not_lost(
    harness: Harness, book: PostgresAlerts, hook: Webhook
) -> None:
    book.raise_alert(dead_letter(), NOW)
    send(book, hook.url, later(2))
    book.raise_alert(dead_letter(), later(1))  # its time is before that of the message
    send(book, hook.url, later(90))
    assert len(hook.messages) == 2


def test_a_condition_that_goes_on_is_a_reminder_until_somebody_has_seen_it(
    harness: Harness, book: PostgresAlerts, hook: Webhook
) -> None:
    for minute in range(0, 300, 10):
        book.hold([silence()], later(minute))
        send(book, hook.url, later(minute))
        if minute == 150:
            book.acknowledge(later(minute), code="NO_FILE")
    assert len(hook.messages) == 3


def test_trouble_that_comes_and_goes_is_not_sent_each_time(
    harness: Harness, book: PostgresAlerts, hook: Webhook
) -> None:
    for minute in range(0, 60, 2):
        book.hold([silence()], later(minute))
        send(book, hook.url, later(minute))
        book.end([("NO_FILE", "Zone7")], later(minute + 1))
    assert len(alerts(harness)) == 30
    assert len(hook.messages) == 1


def test_in_a_storm_the_last_message_of_the_hour_sums_up_the_rest(
    harness: Harness, book: PostgresAlerts, hook: Webhook
) -> None:
    pace = Pace(interval=timedelta(hours=1), max_per_hour=3)
    book.raise_alert(dead_letter("minor", Severity.WARNING), NOW)
    for i in range(50):
        book.raise_alert(dead_letter(f"file{i:02}"), later(1))
    assert send(book, hook.url, later(2), pace) == [Sent(channel=AppriseChannel(hook.url).name, messages=3, alerts=51)]
    assert hook.titles == [
        "[GreenStream] error DEAD_LETTER file00",
        "[GreenStream] error DEAD_LETTER file01",
        "[GreenStream] 49 more alerts",
    ]
    book.raise_alert(dead_letter("new"), later(3))
    assert send(book, hook.url, later(3), pace)[0].messages == 0
    assert send(book, hook.url, later(61), pace)[0].messages == 0
    assert send(book, hook.url, later(62), pace)[0].messages == 1
    assert hook.titles[3:] == ["[GreenStream] error DEAD_LETTER new"]


def test_a_channel_that_is_down_keeps_what_is_due_and_is_an_alert_for_the_others(
    harness: Harness, book: PostgresAlerts, hook: Webhook
) -> None:
    with webhook() as broken:
        broken.status = 503
        urls = f"{broken.url} {hook.url}"
        book.raise_alert(dead_letter(), NOW)
        down, up = send(book, urls, later(1))
        assert (down.messages, up.messages) == (0, 2)
        assert "503" in str(down.trouble)
        assert hook.titles[1].startswith("[GreenStream] error ALERT_CHANNEL_DOWN json-")
        send(book, urls, later(2))
        broken.status = 200
        back, _ = send(book, urls, later(3))
        assert back == Sent(channel=down.channel, messages=1, alerts=1)
        assert broken.titles == ["[GreenStream] error DEAD_LETTER raw-data/a.csv"]
    (alert,) = harness.query("SELECT * FROM alerts WHERE code = 'ALERT_CHANNEL_DOWN'")
    assert (alert["subject"], alert["count"], alert["resolved_at"]) == (down.channel, 1, later(3))
    assert len(hook.messages) == 2


def test_no_secret_of_a_url_is_in_an_alert(harness: Harness, book: PostgresAlerts) -> None:
    book.raise_alert(dead_letter(), NOW)
    told = [
        send(book, f"{CLOSED_PORT} nosuchservice://secret-word", NOW),
        alerts(harness),
        try_channels(channels(CLOSED_PORT)),
    ]
    assert "ALERT_CHANNEL_DOWN" in str(told)
    assert "secret-word" not in str(told)


def test_mail_arrives(harness: Harness, book: PostgresAlerts) -> None:
    box: Mailbox
    with mailbox() as box:
        book.raise_alert(dead_letter("raw-data/<b>\r\nBcc: you@example.com.csv"), NOW)
        assert [sent.trouble for sent in send(book, box.url, later(1))] == [None]
    (mail,) = box.mails
    assert mail["To"] == "ops@example.com"
    assert mail["Bcc"] is None
    assert mail["Subject"] == "[GreenStream] error DEAD_LETTER raw-data/<b> Bcc: you@example.com.csv"
    assert "greenstream alerts ack 1" in mail.get_body(("plain", "html")).get_content()


def test_a_home_that_is_not_there_yet_is_on_its_parents_disk(harness: Harness) -> None:
    (first, *_) = disks(harness.folder / "not" / "there")
    assert 0 <= first.free_bytes <= first.total_bytes
    assert ":/" in first.name
