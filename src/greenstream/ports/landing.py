"""The landing zone, and the clock."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

Clock = Callable[[], datetime]
"""The time now, aware."""


@dataclass(frozen=True, kw_only=True)
class LandedFile:
    """A file in the store, as it was when somebody looked.

    Attributes:
        path: the store's key, the same string everywhere.
        received_at: when it came, which no sender can choose: in a folder the inode's change time, to the microsecond,
            on S3 LastModified, to the second.
        modified_at: the file's own time: in a folder of the last write or its sender's choice, on S3 LastModified.
        version: equal exactly as long as nobody wrote, replaced, renamed or linked the file, or changed its rights.
    """

    path: str
    size_bytes: int
    received_at: datetime
    modified_at: datetime
    version: str


@dataclass(frozen=True, kw_only=True)
class Stray:
    """Something in the landing zone that is no file of ours and is left alone: `why` says what it is."""

    path: str
    why: str


OnStray = Callable[[Stray], None]


def ignore(stray: Stray) -> None:
    """Nobody wants to hear of strays."""


class Landing(Protocol):
    """The landing zone. All methods raise NotFound, StorageUnavailable or StorageRefused."""

    def head(self, path: str) -> LandedFile: ...
    def read(self, file: LandedFile) -> Iterator[bytes]:
        """The content of this version, in chunks; StorageUnavailable where the path holds another one by now."""
        ...

    def quarantine(self, path: str, content: bytes) -> str:
        """Keep the content of a landed file in the quarantine; its path there. Doing it twice is doing it once."""
        ...

    def list_landed(self, *, on_stray: OnStray = ignore) -> Iterator[LandedFile]:
        """All landed files; `on_stray` hears of what is none, and stays."""
        ...

    def rewrite(self, file: LandedFile, content: bytes) -> LandedFile:
        """Replace the bytes of this version, which keeps `modified_at` where the store can; the new version.

        StorageUnavailable where the path holds another version by now; that stays.
        """
        ...

    def quarantined(self, before: date) -> Iterator[LandedFile]:
        """Copies in the quarantine of files that landed before a day."""
        ...

    def sweep(self, *, before: datetime) -> int:
        """Delete what killed processes left half-written before a moment; how many files."""
        ...

    def delete(self, file: LandedFile) -> bool:
        """Delete this version; False where it is gone already, or the path holds another one by now, which stays.

        So does one that somebody has open for writing, where the system tells.
        """
        ...
