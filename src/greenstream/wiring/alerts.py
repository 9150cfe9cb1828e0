"""What people must be told."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import cached_property

from greenstream.adapters.alerts.apprise_channel import AppriseChannel, channels
from greenstream.adapters.disks import disks
from greenstream.adapters.postgres.alerts import PostgresAlerts, connect_alerts
from greenstream.application.alerts import Checked, Pace, Sent, check_alerts, send_alerts, try_channels
from greenstream.domain.alerts.values import Condition, Outage
from greenstream.wiring.place import Place


class Alerts:
    """Raise, look at, and send alerts."""

    def __init__(self, place: Place) -> None:
        self._place = place

    @cached_property
    def channels(self) -> Sequence[AppriseChannel]:
        """Where alerts are sent."""
        urls = self._place.settings.alert_urls
        return channels(urls.get_secret_value() if urls else "")

    def book(self) -> AbstractContextManager[PostgresAlerts]:
        """The alerts, on a connection of their own for the time of a block, so for any thread."""
        return connect_alerts(self._place.current_dsn)

    def raise_now(self, condition: Condition) -> None:
        """Open an alert, or count one more occurrence of an open one."""
        with self.book() as book:
            book.raise_alert(condition, self._place.clock())

    def acknowledge(self, *, ids: Sequence[int] | None, code: str | None) -> set[int]:
        """Close open alerts, by their IDs or all of a code, or all; the IDs of those that were open."""
        with self.book() as book:
            return book.acknowledge(self._place.clock(), ids=ids, code=code)

    def check(self, outages: Sequence[Outage] = ()) -> Checked | None:
        """Raise what is wrong and resolve what has ended; None where another process does it at this moment.

        `outages` are those that this process ran into.
        """
        place = self._place
        with self.book() as book, book.checking() as ours:
            return check_alerts(book, disks(place.settings.home), outages, place.site, place.clock()) if ours else None

    def send(self) -> list[Sent]:
        """Send what is due by all channels; nothing where another process does it at this moment.

        It may take a minute a message where a channel is slow or down, and raises only errors of the database.
        """
        if not self.channels:
            return []
        settings = self._place.settings
        pace = Pace(
            interval=timedelta(minutes=settings.alert_interval_minutes), max_per_hour=settings.alert_max_per_hour
        )
        with self.book() as book, book.sending() as ours:
            return send_alerts(book, self.channels, pace, self._place.clock()) if ours else []

    def try_channels(self) -> dict[str, str | None]:
        """Send each channel a message that is about nothing; by its name what went wrong, None where it was taken."""
        return try_channels(self.channels)
