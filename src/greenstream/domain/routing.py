"""Which way a file goes, and when a failed one is tried again."""

from enum import StrEnum

from greenstream.domain.limits import Limits


class Route(StrEnum):
    """Small files never wait behind a huge one."""

    REALTIME = "realtime"
    BULK = "bulk"


def route_of(size_bytes: int, limits: Limits) -> Route:
    return Route.REALTIME if size_bytes <= limits.realtime_max_bytes else Route.BULK
