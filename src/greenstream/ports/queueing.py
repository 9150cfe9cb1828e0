"""Files on their way to a worker."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from greenstream.domain.routing import Route
from greenstream.ports.landing import LandedFile


class Waiting(Protocol):
    """Landed files that have not ended yet, as people see them."""

    def add(self, file: LandedFile, route: Route, now: datetime) -> datetime | None:
        """When the file came that lay under the path before and was waiting, too; None where there was none."""
        ...

    def unknown(self, files: Sequence[LandedFile]) -> set[str]:
        """The paths of those that have neither ended nor are waiting."""
        ...

    def overdue(self, before: datetime) -> list[tuple[str, Route]]:
        """Files that should have been taken up by then, and their routes."""
        ...

    def start(self, path: str, now: datetime) -> int:
        """A worker has taken it; how often it failed for a passing reason so far."""
        ...

    def retry(self, path: str, *, attempts: int, error: str, next_at: datetime) -> None: ...
    def outage(self, path: str, *, error: str, next_at: datetime) -> None:
        """A worker had to let it go for no fault of its own: nothing is counted."""
        ...

    def crashed(self, path: str, error: str) -> int:
        """Its worker is gone; how many died over it by now."""
        ...

    def end(self, path: str) -> None: ...


class Queue(Protocol):
    """Hands files to workers, each to one at a time, and again when a worker is lost."""

    def put(self, path: str, route: Route) -> None:
        """Putting what is waiting already does nothing."""
        ...
