"""A folder as a store, with plain calls of the operating system.

obstore's folder store neither syncs what it writes nor survives a file name that is not UTF-8, so this writes a
hidden temporary file beside its final place, syncs it, and links it to its name, which never replaces anything.
"""

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path

from greenstream.adapters.storage.backend import CHUNK_BYTES, LANDING, QUARANTINE, LandedFile, check_same
from greenstream.adapters.storage.names import escape, file_name_of, text_of, unescape
from greenstream.adapters.storage.translation import reading, writing
from greenstream.domain.errors import NotFound, StorageRefused
from greenstream.domain.lake import AGGREGATES_ZONE, MANIFEST_ZONE, READINGS_ZONE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_STAGING = ".greenstream-"
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


class Folder:
    """A folder of this machine, made when first written to. Symbolic links in it are no files of the store."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    @contextmanager
    def stage(self, folder: str, content: Iterable[bytes]) -> Iterator["StagedFile"]:
        with self._temporary(self._path(folder), content) as staged:
            yield staged

    def put(self, key: str, content: Iterable[bytes]) -> None:
        target = self._path(key)
        with self._temporary(target.parent, content) as staged, writing(target):
            staged.temporary.replace(target)
            _sync(target.parent)

    def rewrite(self, key: str, content: bytes, modified_at: datetime) -> None:
        target, nanoseconds = self._path(key), (modified_at - _EPOCH) // timedelta(microseconds=1) * 1000
        with self._temporary(target.parent, [content]) as staged, writing(target):
            os.utime(staged.temporary, ns=(nanoseconds, nanoseconds))
            staged.temporary.replace(target)
            _sync(target.parent)

    def stat(self, key: str) -> LandedFile:
        path = self._path(key)
        with reading(path):
            status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise NotFound(f"{path} is not a regular file")
        return _landed(key, status)

    def read(self, file: LandedFile) -> Iterator[bytes]:
        self.stat(file.path)
        with self._opened(file.path) as opened, reading(self._path(file.path)):
            before = os.fstat(opened.fileno())
            check_same(file, _landed(file.path, before), self)
            while chunk := opened.read(CHUNK_BYTES):
                yield chunk
            if not _still_whole(before, after := os.fstat(opened.fileno())):
                check_same(file, _landed(file.path, after), self)

    def _opened(self, key: str) -> FileIO:
        path = self._path(key)
        with reading(path):
            return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb", buffering=0)

    def delete(self, key: str) -> None:
        path = self._path(key)
        with writing(path):
            path.unlink(missing_ok=True)

    def list(self, folder: str) -> Iterator[LandedFile]:
        for entry in _entries(self._path(folder)):
            if not entry.is_file(follow_symlinks=False):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # it went while we were listing
                continue
            yield _landed(f"{folder}/{escape(text_of(entry.name))}", status)

    def folders(self, folder: str) -> Iterator[str]:
        return (escape(text_of(entry.name)) for entry in _entries(self._path(folder)) if entry.is_dir())

    def walk(self, folder: str) -> Iterator[LandedFile]:
        yield from self.list(folder)
        for each in self.folders(folder):
            yield from self.walk(f"{folder}/{each}")

    def read_range(self, file: LandedFile, start: int, stop: int) -> bytes:
        with self._opened(file.path) as opened, reading(self._path(file.path)):
            content = os.pread(opened.fileno(), stop - start, start)
            check_same(file, _landed(file.path, os.fstat(opened.fileno())), self)
        return content

    def local_folder(self, folder: str) -> Path:
        path = self._path(folder)
        with writing(path):
            _make_folder(path)
        return path

    def local_root(self) -> Path:
        return self._root

    def key_of(self, file: Path) -> str | None:
        inside = file.parent.resolve() / file.name
        try:
            parts = inside.relative_to(self._root.resolve()).parts
        except ValueError:
            return None
        return "/".join(escape(text_of(part)) for part in parts)

    def sweep(self, before: datetime) -> int:
        swept = 0
        with writing(self._root):
            for path in self._leftovers():
                if path.lstat().st_mtime < before.timestamp():
                    path.unlink(missing_ok=True)
                    swept += 1
        return swept

    def _leftovers(self) -> Iterator[Path]:
        """Only in our zones: the root may be a home that holds a database, too."""
        for zone in (LANDING, QUARANTINE, READINGS_ZONE, AGGREGATES_ZONE, MANIFEST_ZONE):
            yield from (self._root / zone).rglob(f"{_STAGING}*.tmp")

    @contextmanager
    def _temporary(self, folder: Path, content: Iterable[bytes]) -> Iterator["StagedFile"]:
        temporary = folder / f"{_STAGING}{secrets.token_hex(8)}.tmp"
        try:
            with writing(folder):
                _make_folder(folder)
            yield _write(temporary, content)
        finally:
            with writing(temporary):
                temporary.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        """Where a key's file is. Only keys this module would give out are taken, so none leads out of the root."""
        texts = [unescape(segment) for segment in key.split("/")]
        if "\0" in "".join(texts) or {"", ".", ".."} & set(texts) or "/".join(map(escape, texts)) != key:
            raise NotFound(f"{key!r} is no key of a file in {self._root}")
        return self._root.joinpath(*map(file_name_of, texts))

    def __str__(self) -> str:
        return str(self._root)


@dataclass(frozen=True, kw_only=True)
class StagedFile:
    """A synced temporary file in the folder where it will get its name."""

    temporary: Path
    size_bytes: int
    sha256: str
    is_exclusive: bool = True

    def create(self, key: str) -> bool:
        target = self.temporary.with_name(file_name_of(unescape(key.rpartition("/")[2])))
        try:
            _link(self.temporary, target)
        except FileExistsError:
            return False
        with writing(target):
            _sync(target.parent)
        return True

    def renew(self, key: str) -> None:
        target = self.temporary.with_name(file_name_of(unescape(key.rpartition("/")[2])))
        with writing(target):
            handle = os.open(target, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                _touch(handle)
                os.fsync(handle)
            finally:
                os.close(handle)


def _write(temporary: Path, content: Iterable[bytes]) -> StagedFile:
    digest, size = hashlib.sha256(), 0
    with writing(temporary):
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(handle, "wb", buffering=0) as file:
            for chunk in content:
                digest.update(chunk)
                size += len(chunk)
                _write_all(file.fileno(), chunk)
            os.fsync(file.fileno())
    return StagedFile(temporary=temporary, size_bytes=size, sha256=digest.hexdigest())


def _write_all(handle: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _link(temporary: Path, target: Path) -> None:
    try:
        target.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in _NO_HARD_LINKS:
            raise StorageRefused(
                f"{target.parent} is on a file system without hard links, which landing needs so as never to "
                "overwrite a file: set GREENSTREAM_STORAGE to a folder on another one"
            ) from error
        with writing(target):
            raise


def _touch(handle: int) -> None:
    """Set the time of modification to now, and in any case to another one: the kernel's clock has ticks."""
    before = os.fstat(handle)
    os.utime(handle)
    if os.fstat(handle).st_mtime_ns // 1000 == before.st_mtime_ns // 1000:
        os.utime(handle, ns=(before.st_atime_ns, before.st_mtime_ns + 1000))


def _make_folder(folder: Path) -> None:
    """Make the folder and those above it, so that they outlive a power cut."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with reading(folder), os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except NotFound:
        return []


def _still_whole(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether an open file has only lost its name: another one was renamed over it, or somebody deleted it."""
    written = (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size)
    return after.st_nlink == 0 and not written


def _landed(key: str, status: os.stat_result) -> LandedFile:
    return LandedFile(
        path=key,
        size_bytes=status.st_size,
        received_at=_time(status.st_ctime_ns),
        modified_at=_time(status.st_mtime_ns),
        version=f"{status.st_ino} {status.st_mtime_ns} {status.st_ctime_ns}",
    )


def _time(nanoseconds: int) -> datetime:
    """A time outside what datetime can hold, which a file may well have, becomes the nearest one."""
    return _EPOCH + timedelta(microseconds=min(max(nanoseconds // 1000, _EARLIEST), _LATEST))
