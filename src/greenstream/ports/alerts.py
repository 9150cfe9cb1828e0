"""Alerts, and the ways to people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from greenstream.domain.alerts.notification import Message
from greenstream.domain.alerts.values import Alert, BadFile, Condition, Key, StoredFacts
from greenstream.domain.limits import Limits


class Channel(Protocol):
    """A way to people: mail, chat, a webhook."""

    @property
    def name(self) -> str:
        """The same at each start, and no secret."""
        ...

    def send(self, message: Message) -> str | None:
        """Send it; what went wrong, None where it was taken. Nothing is raised."""
        ...


class AlertBook(Protocol):
    """The alerts in the database. All methods raise DatabaseUnavailable, DatabaseRefused or TransactionConflict."""

    def facts(self, since: datetime) -> StoredFacts: ...
    def bad_files(self, since: datetime, limits: Limits) -> list[BadFile]: ...
    def raise_alert(self, condition: Condition, at: datetime) -> None:
        """Open an alert, or count one more occurrence of an open one."""
        ...

    def hold(self, conditions: Sequence[Condition], now: datetime) -> None:
        """Open an alert for each of them that isn't going on already."""
        ...

    def end(self, keys: Sequence[Key], now: datetime) -> None: ...
    def end_silent(self, code: str, since: datetime, now: datetime) -> None:
        """Resolve the alerts of a code that nobody has held since then."""
        ...

    def end_dead_letters(self, now: datetime) -> None:
        """Resolve the alerts of dead letters that were replayed or discarded."""
        ...

    def due(self, channel: str, *, told_before: datetime) -> list[Alert]:
        """Open alerts to tell, the most urgent first; those told later than `told_before` have to wait."""
        ...

    def messages(self, channel: str, since: datetime) -> int: ...
    def mark_told(self, channel: str, alerts: Sequence[Alert], now: datetime) -> None:
        """The channel took one message about these."""
        ...
