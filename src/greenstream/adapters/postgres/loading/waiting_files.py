"""PostgreSQL behind the port `Waiting`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.sql import query
from greenstream.domain.landing import LandedFile
from greenstream.domain.routing import Route


class PostgresWaiting:
    """Each call is a transaction of its own, on whatever connection there is then."""

    def __init__(self, connected: Callable[[], Connection]) -> None:
        self._connected = connected

    def add(self, file: LandedFile, route: Route, now: datetime) -> datetime | None:
        ((replaced,),) = self._rows("waiting_files.add", {**asdict(file), "route": route.value, "now": now})
        assert replaced is None or isinstance(replaced, datetime)
        return replaced

    def unknown(self, files: Sequence[LandedFile]) -> set[str]:
        values = {
            "paths": [file.path for file in files],
            "versions": [file.version for file in files],
            "modified": [file.modified_at for file in files],
        }
        return {str(row[0]) for row in self._rows("waiting_files.unknown", values)}

    def overdue(self, before: datetime) -> list[tuple[str, Route]]:
        rows = self._rows("waiting_files.overdue", {"before": before})
        return [(str(path), Route(str(route))) for path, route in rows]

    def start(self, path: str, now: datetime) -> int:
        return _count(self._rows("waiting_files.start", {"path": path, "now": now}))

    def retry(self, path: str, *, attempts: int, error: str, next_at: datetime) -> None:
        values = {"path": path, "attempts": attempts, "error": error, "next_at": next_at}
        self._rows("waiting_files.retry", values)

    def outage(self, path: str, *, error: str, next_at: datetime) -> None:
        self._rows("waiting_files.outage", {"path": path, "error": error, "next_at": next_at})

    def crashed(self, path: str, error: str) -> int:
        return _count(self._rows("waiting_files.crashed", {"path": path, "error": error}))

    def end(self, path: str) -> None:
        self._rows("waiting_files.forget", {"path": path})

    def oldest(self) -> datetime | None:
        """When the file was queued that waits longest."""
        ((oldest,),) = self._rows("waiting_files.oldest", {})
        assert oldest is None or isinstance(oldest, datetime)
        return oldest

    def _rows(self, name: str, values: Mapping[str, object]) -> list[tuple[object, ...]]:
        with translated("keeping track of files"):
            cursor = self._connected().execute(query(name), values)
            return cursor.fetchall() if cursor.description else []


def _count(rows: list[tuple[object, ...]]) -> int:
    """The number in the only row; 0 where there is none."""
    return next((row[0] for row in rows if isinstance(row[0], int)), 0)
