"""The landing zone, and the clock."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Protocol

from greenstream.domain.landing import LandedFile, OnStray, ignore


class Landing(Protocol):
    """The landing zone. All methods raise NotFound, InvalidKey, StorageUnavailable or StorageRefused."""

    def head(self, path: str) -> LandedFile: ...
    def versions(self, path: str) -> Sequence[LandedFile]:
        """What can be read under a path, the oldest first: of most stores one, the one that `head` gives."""
        ...

    def landed(self, path: str) -> Sequence[LandedFile]:
        """As `versions`, of a landed file only: InvalidKey for any other path."""
        ...

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

    def delete_version(self, file: LandedFile) -> bool:
        """As `delete`, but for good, also where a store keeps it under a path that holds a newer one."""
        ...
