"""Trying again what may pass by itself: a database that starts, a store that doesn't answer."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from greenstream.entrypoints.cli.console import Console

if TYPE_CHECKING:
    from greenstream.wiring import System

T = TypeVar("T")
POLL_SECONDS = 0.5


def patiently(console: Console, system: "System", action: Callable[[], T]) -> T:
    """Try, and again after 2, 4 and 8 s, what may pass by itself. Raises what the last attempt raises.

    A day that is being settled is waited for.
    """
    from greenstream.domain.errors import DatabaseUnavailable, DayBusy, RetryableError
    from greenstream.domain.retries import OUTAGE_DELAY, RETRY_DELAYS

    pauses = iter(RETRY_DELAYS)
    while True:
        try:
            return action()
        except RetryableError as error:
            pause = OUTAGE_DELAY if isinstance(error, DayBusy) else next(pauses, None)
            if pause is None:
                raise
            console.say(f"{error.code}: {error} (in {pause} s)")
            time.sleep(pause)
            if system.server is not None:
                with suppress(DatabaseUnavailable):  # a full disk, say; the next attempt tells
                    system.server.ensure_running(console.say)


@contextmanager
def alone(
    console: Console, system: "System", enter: Callable[[], AbstractContextManager[bool]] | None = None
) -> Iterator[None]:
    """Wait until no night is under way anywhere; none begins while the block lasts.

    `enter` says whether that is so, `system.only_night` by default.
    """
    waiting = False
    while True:
        with patiently(console, system, enter or system.only_night) as ours:
            if ours:
                yield
                return
        if not waiting:
            console.say("a nightly is under way: waiting for its end")
        waiting = True
        time.sleep(POLL_SECONDS)
