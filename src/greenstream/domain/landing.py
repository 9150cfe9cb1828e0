"""Files in the landing zone, and the clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

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
