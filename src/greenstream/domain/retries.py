"""When what failed is tried again, and when it is given up."""

from dataclasses import dataclass

from greenstream.domain.errors import DayBusy, RetryableError

RETRY_DELAYS = (2, 4, 8)
"""Seconds before each further try of what failed for a passing reason; after the last one it is a dead letter."""

OUTAGE_DELAY = 5
"""Seconds before a file is looked at again while the database is unreachable: no fault of the file, not counted."""

MAX_CRASHES = 5
"""So many workers may die over a file before it is a dead letter."""


@dataclass(frozen=True, kw_only=True)
class Pause:
    """How many seconds to wait; `counts` says whether the failure before it is one of those that may happen."""

    seconds: int
    counts: bool


def pause_after(error: BaseException, failed_before: int) -> Pause | None:
    """How long to wait after an error, when so many were counted before; None: give up.

    A day that is being settled is waited for, however long that takes.
    """
    if isinstance(error, DayBusy):
        return Pause(seconds=OUTAGE_DELAY, counts=False)
    if not isinstance(error, RetryableError) or failed_before >= len(RETRY_DELAYS):
        return None
    return Pause(seconds=RETRY_DELAYS[failed_before], counts=True)
