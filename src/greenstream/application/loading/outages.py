"""What hits every file: telling it from what is of one file, and remembering it for the alert about it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from greenstream.domain.alerts.values import Outage
from greenstream.domain.errors import (
    OUTAGES,
    DatabaseRefused,
    DatabaseUnavailable,
    GreenStreamError,
    ServerError,
    SettingsError,
    StorageRefused,
    StorageUnavailable,
)

PROBE_SECONDS = 10.0
"""So long a store is believed to be as it was when it was asked."""

LASTING = timedelta(minutes=1)
"""What is over sooner is no outage that anybody has to be told of."""

SILENT = timedelta(minutes=2)
"""An outage that nobody ran into for so long is over: each part tries again far sooner, also where a try hangs."""

_SUBJECTS: dict[type[GreenStreamError], str] = {
    StorageUnavailable: "store",
    StorageRefused: "store",
    DatabaseUnavailable: "database",
    DatabaseRefused: "database",
    ServerError: "database",
    SettingsError: "settings",
}


def is_outage(error: BaseException, store_answers: Callable[[], bool]) -> bool:
    """Whether it would hit every file. A store that serves others than this one is well."""
    if isinstance(error, StorageUnavailable | StorageRefused) and not isinstance(error, OUTAGES):
        return not store_answers()
    return isinstance(error, OUTAGES)


@dataclass
class StoreProbe:
    """Asks a store whether it takes and gives anything; not more often than each `PROBE_SECONDS`."""

    check: Callable[[], None]
    seconds: Callable[[], float]  # a clock that nobody sets
    _answers: bool = True
    _asked: float | None = None

    def answers(self) -> bool:
        if self._asked is None or self.seconds() - self._asked >= PROBE_SECONDS:
            self._answers = self._ask()
            self._asked = self.seconds()
        return self._answers

    def _ask(self) -> bool:
        try:
            self.check()
        except (StorageUnavailable, StorageRefused):
            return False
        return True


@dataclass
class Outages:
    """The outages that the parts of a process ran into, until they are over and told of. For any thread."""

    _known: dict[str, Outage] = field(default_factory=dict)
    _codes: dict[str, set[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, error: GreenStreamError, at: datetime) -> bool:
        """Somebody ran into it; whether that is news."""
        subject = next((_SUBJECTS[each] for each in type(error).__mro__ if each in _SUBJECTS), None)
        if subject is None:  # no outage, such as a conflict of two transactions
            return True
        with self._lock:
            known = self._known.get(subject)
            if known is None or at - known.last_at > SILENT:
                known = Outage(subject=subject, since=at, last_at=at, error="")
                self._codes[subject] = set()
            self._known[subject] = replace(known, last_at=at, error=f"{error.code}: {error}")
            is_new = error.code not in self._codes[subject]
            self._codes[subject].add(error.code)
            return is_new

    def lasting(self) -> list[Outage]:
        """Those that last, or did and were never told of."""
        with self._lock:
            return [each for each in self._known.values() if each.last_at - each.since >= LASTING]

    def told(self, now: datetime) -> None:
        """Forget what is over, once those that last were told of."""
        with self._lock:
            self._known = {subject: each for subject, each in self._known.items() if now - each.last_at <= SILENT}
