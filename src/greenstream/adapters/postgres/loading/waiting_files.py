"""PostgreSQL behind the port `Waiting`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.fetch import all_rows, column, run, scalar_or_none
from greenstream.domain.landing import LandedFile
from greenstream.domain.routing import Route


class PostgresWaiting:
    """Each call is a transaction of its own, on whatever connection there is then."""

    def __init__(self, connected: Callable[[], Connection]) -> None:
        self._connected = connected

    def add(self, file: LandedFile, route: Route, now: datetime) -> datetime | None:
        values = {**asdict(file), "route": route.value, "now": now}
        with self._doing() as connection:
            return scalar_or_none(connection, "waiting_files.add", datetime, **values)

    def unknown(self, files: Sequence[LandedFile]) -> set[str]:
        values = {
            "paths": [file.path for file in files],
            "versions": [file.version for file in files],
            "modified": [file.modified_at for file in files],
        }
        with self._doing() as connection:
            return set(column(connection, "waiting_files.unknown", str, **values))

    def overdue(self, before: datetime) -> list[tuple[str, Route]]:
        with self._doing() as connection:
            rows = all_rows(connection, "waiting_files.overdue", before=before)
        return [(path, Route(route)) for path, route in rows]

    def start(self, path: str, now: datetime) -> int:
        with self._doing() as connection:
            return scalar_or_none(connection, "waiting_files.start", int, path=path, now=now) or 0

    def retry(self, path: str, *, attempts: int, error: str, next_at: datetime) -> None:
        with self._doing() as connection:
            run(connection, "waiting_files.retry", path=path, attempts=attempts, error=error, next_at=next_at)

    def outage(self, path: str, *, error: str, next_at: datetime) -> None:
        with self._doing() as connection:
            run(connection, "waiting_files.outage", path=path, error=error, next_at=next_at)

    def crashed(self, path: str, error: str) -> int:
        with self._doing() as connection:
            return scalar_or_none(connection, "waiting_files.crashed", int, path=path, error=error) or 0

    def end(self, path: str) -> None:
        with self._doing() as connection:
            run(connection, "waiting_files.forget", path=path)

    def oldest(self) -> datetime | None:
        """When the file was queued that waits longest."""
        with self._doing() as connection:
            return scalar_or_none(connection, "waiting_files.oldest", datetime)

    @contextmanager
    def _doing(self) -> Iterator[Connection]:
        with translated("keeping track of files"):
            yield self._connected()
