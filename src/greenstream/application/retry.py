"""Trying again what may pass by itself: a database that starts, a store that doesn't answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from greenstream.domain.errors import RetryableError
from greenstream.domain.retries import Pause, pause_after

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How one waits between attempts.

    Attributes:
        on_pause: hears of each error that is waited out, and for how long.
        sleep: waits, in seconds.
        revive: called before each further attempt, as to start a server that is down; raises nothing.
    """

    on_pause: Callable[[RetryableError, Pause], None]
    sleep: Callable[[float], None]
    revive: Callable[[], None]

    def run(self, action: Callable[[], T]) -> T:
        """Try, and again as `pause_after` says. Raises what the last attempt raises."""
        failed = 0
        while True:
            try:
                return action()
            except RetryableError as error:
                pause = pause_after(error, failed)
                if pause is None:
                    raise
                failed += pause.counts
                self.on_pause(error, pause)
            self.sleep(pause.seconds)
            self.revive()


@dataclass(frozen=True, kw_only=True)
class Once:
    """No second attempt: for a service, which waits by itself, and for requests."""

    def run(self, action: Callable[[], T]) -> T:
        return action()


Attempts = Retry | Once
