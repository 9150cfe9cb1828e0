"""Content on its way to a name: a hidden temporary file beside its final place, synced before it gets the name."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from greenstream.adapters.storage.errors import writing
from greenstream.adapters.storage.moves import CannotKeepOthers, Name, move
from greenstream.adapters.storage.names import file_name_of, unescape
from greenstream.adapters.storage.rights import FILE_MODE
from greenstream.domain.errors import StorageRefused

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


@dataclass(frozen=True, kw_only=True)
class StagedFile:
    """A synced temporary file in the folder, at the path `place`, where it will get its name."""

    temporary: Name
    place: Path
    size_bytes: int
    sha256: str
    is_exclusive: bool = True

    def create(self, key: str) -> bool:
        target = Name(self.temporary.folder, name_in(key))
        with writing(self.place / target.name), keeping_others(self.place):
            moved = move(self.temporary, target)
            if moved:
                os.fsync(target.folder)
        return moved

    def replace(self, key: str) -> None:
        """Make it the durable content of `key`, whatever is there."""
        folder, name = self.temporary.folder, name_in(key)
        with writing(self.place / name):
            os.rename(self.temporary.name, name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)

    def renew(self, key: str) -> None:
        name = name_in(key)
        with writing(self.place / name):
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self.temporary.folder)
            try:
                _touch(handle)
                os.fsync(handle)
            finally:
                os.close(handle)


@contextmanager
def keeping_others(place: Path) -> Iterator[None]:
    """Say of a file system that is no good for a store what it is."""
    try:
        yield
    except CannotKeepOthers as error:
        raise StorageRefused(
            f"{place} is on a file system on which a file can't get a name without replacing another: "
            "set GREENSTREAM_STORAGE to a folder on another one"
        ) from error


def name_in(key: str) -> str:
    """The file name that the last part of a key stands for."""
    return file_name_of(unescape(key.rpartition("/")[2]))


def write_new(target: Name, content: Iterable[bytes], settle: Callable[[int], None]) -> tuple[int, str]:
    """Write a new file durably; its size and SHA-256. `settle` gets its descriptor at the end. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    handle = os.open(target.name, _NEW, FILE_MODE, dir_fd=target.folder)
    with os.fdopen(handle, "wb", buffering=0) as file:
        for chunk in content:
            digest.update(chunk)
            size += len(chunk)
            _write_all(file.fileno(), chunk)
        settle(file.fileno())
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def make_like(handle: int, model: os.stat_result) -> None:
    """Give an open file another one's time of modification, rights and, where we may, owner."""
    with suppress(PermissionError):
        os.fchown(handle, model.st_uid, model.st_gid)
    os.fchmod(handle, stat.S_IMODE(model.st_mode))
    os.utime(handle, ns=(model.st_atime_ns, model.st_mtime_ns))


def _write_all(handle: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _touch(handle: int) -> None:
    """Set the time of modification to now, and in any case to another one: the kernel's clock has ticks."""
    before = os.fstat(handle)
    os.utime(handle)
    if os.fstat(handle).st_mtime_ns // 1000 == before.st_mtime_ns // 1000:
        os.utime(handle, ns=(before.st_atime_ns, before.st_mtime_ns + 1000))
