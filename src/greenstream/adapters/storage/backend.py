"""What the object store asks of the place that holds its files."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from greenstream.domain.errors import StorageUnavailable
from greenstream.domain.landing import LandedFile, OnStray, ignore

__all__ = ["CHUNK_BYTES", "LANDING", "QUARANTINE", "Backend", "LandedFile", "OnStray", "Staged", "check_same", "ignore"]

LANDING = "raw-data"
QUARANTINE = "quarantine"
CHUNK_BYTES = 8 * 1024 * 1024


def check_same(before: LandedFile, now: LandedFile, store: object) -> None:
    """Raise StorageUnavailable where a path holds another version than it did."""
    if now.version != before.version:
        raise StorageUnavailable(f"{before.path} in {store} changed while it was being read: try again")


class Staged(Protocol):
    """Content that is whole and measured, but has no name in the store yet."""

    @property
    def is_exclusive(self) -> bool:
        """Whether `create` is atomic. Where it is not, only names that say the content's hash are safe."""
        ...

    @property
    def size_bytes(self) -> int: ...

    @property
    def sha256(self) -> str: ...

    def create(self, key: str) -> bool:
        """Make it the durable content of `key`; False where that name is taken, by whatever it may be."""
        ...

    def renew(self, key: str) -> None:
        """Give `key`, which holds the same content, a new last-modified time."""
        ...


class Backend(Protocol):
    """A folder or a bucket. Keys are relative to its root; every method raises the errors of `ObjectStore`."""

    def stage(self, folder: str, content: Iterable[bytes]) -> AbstractContextManager[Staged]:
        """Take content in for a name in `folder`; it may be iterated over again within the context."""
        ...

    def put(self, key: str, content: Iterable[bytes]) -> None: ...

    def rewrite(self, file: LandedFile, content: bytes) -> LandedFile | None:
        """Replace this version, which keeps its times where the place lets one choose; None if it is another by now."""
        ...

    def stat(self, key: str) -> LandedFile: ...

    def versions(self, key: str) -> Sequence[LandedFile]:
        """All that can be read under a key, the oldest first: at least the one that `stat` gives."""
        ...

    def read(self, file: LandedFile) -> Iterator[bytes]:
        """The bytes of this version; StorageUnavailable before the first, or after the last, if it is another."""
        ...

    def delete(self, file: LandedFile) -> bool:
        """Delete this version; False where the key holds another one by now, or somebody writes to it."""
        ...

    def delete_version(self, file: LandedFile) -> bool:
        """As `delete`, but for good, and also where the key holds a newer one by now."""
        ...

    def remove(self, key: str) -> None:
        """Delete whatever has this key, if anything has."""
        ...

    def list(self, folder: str, on_stray: OnStray = ignore) -> Iterator[LandedFile]:
        """The files directly in `folder`, by name; none if there is no such folder."""
        ...

    def folders(self, folder: str, on_stray: OnStray = ignore) -> Iterator[str]:
        """The names of the folders directly in `folder`, sorted."""
        ...

    def drops(self, on_stray: OnStray = ignore) -> Iterator[LandedFile]:
        """The files that lie beside the folders of days, or were about to be filed when a process was killed."""
        ...

    def file_under(self, key: str, folder: str) -> str | None:
        """Move a drop into a folder, beside what has its name there; its key. None in a place that can't move."""
        ...

    def read_range(self, file: LandedFile, start: int, stop: int) -> bytes:
        """Bytes of an object from one position up to another; StorageUnavailable if it is no longer what it was."""
        ...

    def walk(self, folder: str) -> Iterator[LandedFile]:
        """The files in `folder` and the folders in it, in no order."""
        ...

    def local_folder(self, folder: str) -> Path | None:
        """A folder of keys as one of this machine, made if need be; None in a bucket."""
        ...

    def keeps_versions(self) -> bool:
        """Whether what was under a key can be read after it has been replaced."""
        ...

    def local_root(self) -> Path | None:
        """Where all keys are on this machine; None in a bucket."""
        ...

    def key_of(self, file: Path) -> str | None:
        """The key of a file on this machine, if it lies in the store."""
        ...

    def sweep(self, before: datetime) -> int:
        """Delete what killed processes staged before `before`; how many there were."""
        ...

    def close_to_others(self) -> int:
        """Put the rights of existing files and folders right; how many were changed."""
        ...
