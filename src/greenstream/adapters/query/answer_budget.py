"""What is left of a query's limits, and the errors that end one which wants more."""

from threading import Event

from greenstream.domain.errors import InvalidQuery
from greenstream.domain.limits import QueryLimits


class Budget:
    """Counts the rows of one answer. `expire` may be called from another thread, when the time is over."""

    def __init__(self, limits: QueryLimits) -> None:
        self.limits = limits
        self._rows = 0
        self._over = Event()

    @property
    def expired(self) -> bool:
        return self._over.is_set()

    def expire(self) -> None:
        self._over.set()

    def take(self, rows: int) -> None:
        """Raise InvalidQuery where the answer has more rows than it may, or the time is over."""
        self._rows += rows
        if self._rows > self.limits.rows:
            raise self.too_many_rows()
        if self.expired:
            raise self.too_slow()

    def too_many_rows(self) -> InvalidQuery:
        """The answer isn't cut silently: half of one looks like a whole one."""
        return _over(f"the answer has more than {self.limits.rows:,} rows", "ROWS")

    def too_slow(self) -> InvalidQuery:
        return _over(f"the query took longer than {self.limits.seconds:,} s, its reading included", "SECONDS")

    def too_much_memory(self) -> InvalidQuery:
        return _over(f"the query needs more than {self.limits.memory_mb:,} MiB of memory", "MEMORY_MB")

    def too_large_files(self) -> InvalidQuery:
        return _over(f"the query needs more than {self.limits.temp_mb:,} MiB of temporary files", "TEMP_MB")


def _over(what: str, setting: str) -> InvalidQuery:
    return InvalidQuery(f"{what}: ask for less at once, or raise GREENSTREAM_QUERY_MAX_{setting}")
