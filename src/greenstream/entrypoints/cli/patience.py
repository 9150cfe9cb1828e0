"""Trying again what may pass by itself: a database that starts, a store that doesn't answer."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from greenstream.entrypoints.cli.console import Console

if TYPE_CHECKING:
    from greenstream.wiring import System

PAUSES = (2, 4, 8)  # seconds before each further attempt
T = TypeVar("T")


def patiently(console: Console, system: "System", action: Callable[[], T]) -> T:
    """Try, and again after 2, 4 and 8 s, what may pass by itself. Raises what the last attempt raises."""
    from greenstream.domain.errors import RetryableError

    for pause in PAUSES:
        try:
            return action()
        except RetryableError as error:
            console.say(f"{error.code}: {error} (in {pause} s)")
            time.sleep(pause)
            if system.server is not None:
                system.server.ensure_running(console.say)
    return action()
