"""The landing zone, and the clock."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Protocol

Clock = Callable[[], datetime]
"""The time now, aware."""


class LandedFile(Protocol):
    """A file in the landing zone."""

    @property
    def path(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def received_at(self) -> datetime: ...


class Landing(Protocol):
    """The landing zone. All methods raise NotFound, StorageUnavailable or StorageRefused."""

    def head(self, path: str) -> LandedFile: ...
    def read(self, path: str) -> Iterator[bytes]: ...
    def quarantine(self, path: str) -> str:
        """Copy a landed file to the quarantine; the copy's path. Doing it twice is doing it once."""
        ...

    def list_landed(self) -> Iterator[LandedFile]:
        """All landed files."""
        ...

    def rewrite(self, path: str, content: bytes, *, received_at: datetime) -> LandedFile:
        """Replace the bytes of a file, which keeps its time where the store can."""
        ...

    def quarantined(self, before: date) -> Iterator[LandedFile]:
        """Copies in the quarantine of files that landed before a day."""
        ...

    def sweep(self, *, before: datetime) -> int:
        """Delete what killed processes left half-written before a moment; how many files."""
        ...

    def delete(self, path: str) -> None:
        """Delete it, if it is there."""
        ...
