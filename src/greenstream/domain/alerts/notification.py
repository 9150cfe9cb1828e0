"""What is sent to people: one alert in full, or several in short."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from greenstream.domain.alerts.messages import stamp
from greenstream.domain.alerts.values import Alert
from greenstream.domain.codes import Severity

DIGEST_LINES = 20
MAX_MESSAGE_CHARS = 1000


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is sent: a title in one line, and a text."""

    title: str
    body: str
    severity: Severity


def compose(alerts: Sequence[Alert]) -> Message:
    """One alert in full, or several in short."""
    if len(alerts) == 1:
        return _single(alerts[0])
    severity = next(s for s in reversed(Severity) if any(a.severity == s for a in alerts))
    counts = Counter(alert.code for alert in alerts).most_common()
    lines = [f"{each.alert_id}: {each.severity} {each.code} {one_line(each.subject)}" for each in alerts[:DIGEST_LINES]]
    rest = [f"… and {len(alerts) - DIGEST_LINES} others"] if len(alerts) > DIGEST_LINES else []
    body = [", ".join(f"{count} {code}" for code, count in counts), "", *lines, *rest, ""]
    return Message(
        title=f"[GreenStream] {len(alerts)} more alerts",
        body="\n".join([*body, "All of them: greenstream alerts list"]),
        severity=severity,
    )


def _single(alert: Alert) -> Message:
    times = f"first {stamp(alert.first_at)}, last {stamp(alert.last_at)}"
    return Message(
        title=one_line(f"[GreenStream] {alert.severity} {alert.code} {alert.subject}"),
        body=f"{one_line(alert.message)}\n\ncount {alert.count}, {times}\n"
        f"Acknowledge: greenstream alerts ack {alert.alert_id}",
        severity=alert.severity,
    )


def one_line(text: str) -> str:
    """Text of any origin in one line of moderate length, without characters that mail or chat could obey."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    line = " ".join(shown.split())
    return line if len(line) <= MAX_MESSAGE_CHARS else f"{line[:MAX_MESSAGE_CHARS]}…"
