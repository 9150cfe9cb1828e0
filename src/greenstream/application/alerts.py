"""Alerts: find out what is wrong beside the readings, and send what people haven't been told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from greenstream.domain.alerts.conditions import LOOK_BACK, bad_file, channel_down, check_conditions, outage
from greenstream.domain.alerts.notification import Message, compose
from greenstream.domain.alerts.values import Alert, AlertCode, Disk, Outage
from greenstream.domain.codes import Severity
from greenstream.domain.site import Site
from greenstream.ports.alerts import AlertBook, Channel


@dataclass(frozen=True, kw_only=True)
class Checked:
    """How many conditions hold, how many ended, and how many files were told of."""

    holding: int
    ended: int
    files: int


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often a channel hears of the same alert again, and how many messages it gets at most."""

    interval: timedelta
    max_per_hour: int


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a channel was told in one go; `trouble` says why it went no further."""

    channel: str
    messages: int
    alerts: int
    trouble: str | None = None


OUTAGE_ENDS = timedelta(minutes=2)
"""An outage that no process has told of for so long is over, whichever it was that told of it."""


def check_alerts(
    book: AlertBook, disks: Sequence[Disk], outages: Sequence[Outage], site: Site, now: datetime
) -> Checked:
    """Raise what is wrong now, resolve what has ended; call it in a transaction that no other check shares.

    A condition that goes on is one alert, acknowledged or not, until it ends. Its count is 1; its last time moves.
    `outages` are those that this process ran into; others may run into others.
    """
    since = now - LOOK_BACK
    verdict = check_conditions(book.facts(since), disks, site, now)
    files = book.bad_files(since, site.limits)
    for file in files:
        book.raise_alert(bad_file(file), file.processed_at)
    book.hold(verdict.holding, now)
    book.end(verdict.ended, now)
    for each in outages:
        book.hold([outage(each)], each.last_at)
    book.end_silent(AlertCode.OUTAGE, now - OUTAGE_ENDS, now)
    book.end_dead_letters(now)
    return Checked(holding=len(verdict.holding), ended=len(verdict.ended), files=len(files))


def send_alerts(book: AlertBook, channels: Sequence[Channel], pace: Pace, now: datetime) -> list[Sent]:
    """Tell each channel what is due: alerts that are new, or went on since it last heard of them.

    An alert counts as told once the channel took the message, so each is told at least once; a crash in between
    tells it twice. A channel in trouble keeps its alerts for the next time and is itself an alert for the others.
    """
    return [_send_to(channel, book, pace, now) for channel in channels]


def _send_to(channel: Channel, book: AlertBook, pace: Pace, now: datetime) -> Sent:
    due = book.due(channel.name, told_before=now - pace.interval)
    budget = pace.max_per_hour - book.messages(channel.name, now - timedelta(hours=1))
    messages = alerts = 0
    for part in portions(due, budget):
        if trouble := channel.send(compose(part)):
            book.hold([channel_down(channel.name, trouble)], now)
            return Sent(channel=channel.name, messages=messages, alerts=alerts, trouble=trouble)
        book.mark_told(channel.name, part, now)
        messages, alerts = messages + 1, alerts + len(part)
    if messages:
        book.end([(AlertCode.ALERT_CHANNEL_DOWN, channel.name)], now)
    return Sent(channel=channel.name, messages=messages, alerts=alerts)


def portions(due: Sequence[Alert], budget: int) -> list[Sequence[Alert]]:
    """The alerts of each message: one, but the last message the budget allows takes all that are left."""
    if budget < 1:
        return []
    alone = len(due) if len(due) <= budget else budget - 1
    return [*([alert] for alert in due[:alone]), *([due[alone:]] if due[alone:] else [])]


def try_channels(channels: Sequence[Channel]) -> dict[str, str | None]:
    """Send each channel a message that is about nothing; by its name what went wrong, None where it was taken."""
    message = Message(
        title="[GreenStream] test",
        body="This is a test. Alerts of GreenStream arrive here.",
        severity=Severity.INFO,
    )
    return {channel.name: channel.send(message) for channel in channels}
