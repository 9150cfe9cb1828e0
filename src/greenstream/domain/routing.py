"""Which way a file goes, and when a failed one is tried again."""

from enum import StrEnum

from greenstream.domain.limits import Limits

RETRY_DELAYS = (2, 4, 8)
"""Seconds before each further try of what failed for a passing reason; after the last one it is a dead letter."""

OUTAGE_DELAY = 5
"""Seconds before a file is looked at again while the database is away: no fault of the file, so never counted."""

MAX_CRASHES = 5
"""So many workers may die over a file before it is a dead letter."""


class Route(StrEnum):
    """Small files never wait behind a huge one."""

    REALTIME = "realtime"
    BULK = "bulk"


def route_of(size_bytes: int, limits: Limits) -> Route:
    return Route.REALTIME if size_bytes <= limits.realtime_max_bytes else Route.BULK
