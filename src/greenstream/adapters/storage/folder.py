"""A folder as a store, with plain calls of the operating system.

obstore's folder store neither syncs what it writes nor survives a file name that is not UTF-8, so this writes a
hidden temporary file beside its final place, syncs it, and moves it to its name, which never replaces anything.
Neither a folder below the root nor a file is ever reached through a link.
"""

import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path

from greenstream.adapters.storage.backend import (
    CHUNK_BYTES,
    LANDING,
    QUARANTINE,
    LandedFile,
    OnStray,
    check_same,
    ignore,
)
from greenstream.adapters.storage.closing import close_zones
from greenstream.adapters.storage.directories import STAGING, make_folder, open_folder, open_regular, status_of
from greenstream.adapters.storage.errors import LINK_ERRORS, changing, reading, writing
from greenstream.adapters.storage.filing import FILING, file_drop, move_beside, remove, replace
from greenstream.adapters.storage.listing import Entry, entries, sweep_zone
from greenstream.adapters.storage.moves import Name
from greenstream.adapters.storage.names import escape, file_name_of, text_of, unescape
from greenstream.adapters.storage.rights import Rights
from greenstream.adapters.storage.staging import StagedFile, keeping_others, make_like, name_in, write_new
from greenstream.domain.errors import InvalidKey, NotFound, StorageRefused
from greenstream.domain.lake.keys import AGGREGATES_ZONE, MANIFEST_ZONE, READINGS_ZONE
from greenstream.domain.landing import Stray

ZONES = (LANDING, QUARANTINE, READINGS_ZONE, AGGREGATES_ZONE, MANIFEST_ZONE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


class Folder:
    """A folder of this machine, made when first written to."""

    def __init__(self, root: Path, rights: Rights) -> None:
        self._root = root.absolute()
        self._rights = rights

    @contextmanager
    def stage(self, folder: str, content: Iterable[bytes]) -> Iterator[StagedFile]:
        place = self._root.joinpath(*self._names(folder))
        with self._made(folder) as handle:
            temporary = Name(handle, f"{STAGING}{secrets.token_hex(8)}.tmp")
            try:
                with writing(place / temporary.name):
                    size, sha256 = write_new(temporary, content, self._settle(folder))
                yield StagedFile(temporary=temporary, place=place, size_bytes=size, sha256=sha256)
            finally:
                temporary.unlink()

    def put(self, key: str, content: Iterable[bytes]) -> None:
        with self.stage(_folder_of(key), content) as staged:
            staged.replace(key)

    def rewrite(self, file: LandedFile, content: bytes) -> LandedFile | None:
        with self._version(file) as (handle, name, known), keeping_others(self._path(file.path).parent):
            if known is None or not replace(
                handle, name, lambda found: _is_same(known, found), lambda new: _write_like(new, content, known)
            ):
                return None
            os.fsync(handle)
            return _landed(file.path, status_of(handle, name))

    def delete(self, file: LandedFile) -> bool:
        with self._version(file) as (handle, name, known):
            return known is not None and remove(handle, name, lambda found: _is_same(known, found))

    def delete_version(self, file: LandedFile) -> bool:
        return self.delete(file)

    def versions(self, key: str) -> Sequence[LandedFile]:
        return [self.stat(key)]

    def remove(self, key: str) -> None:
        with suppress(NotFound), self._opened(_folder_of(key)) as handle, changing(self._path(key)):
            Name(handle, name_in(key)).unlink()

    def stat(self, key: str) -> LandedFile:
        with self._opened(_folder_of(key)) as handle, reading(self._path(key)):
            status = status_of(handle, name_in(key))
        if not stat.S_ISREG(status.st_mode):
            raise NotFound(f"{self._path(key)} is not a regular file")
        return _landed(key, status)

    def read(self, file: LandedFile) -> Iterator[bytes]:
        with self._file(file.path) as opened, reading(self._path(file.path)):
            before = os.fstat(opened.fileno())
            check_same(file, _landed(file.path, before), self)
            while chunk := opened.read(CHUNK_BYTES):
                yield chunk
            if not _still_whole(before, after := os.fstat(opened.fileno())):
                check_same(file, _landed(file.path, after), self)

    def read_range(self, file: LandedFile, start: int, stop: int) -> bytes:
        with self._file(file.path) as opened, reading(self._path(file.path)):
            content = os.pread(opened.fileno(), stop - start, start)
            check_same(file, _landed(file.path, os.fstat(opened.fileno())), self)
        return content

    def list(self, folder: str, on_stray: OnStray = ignore) -> Iterator[LandedFile]:
        return _files(folder, self._entries(folder, on_stray))

    def folders(self, folder: str, on_stray: OnStray = ignore) -> Iterator[str]:
        return (entry.segment for entry in self._entries(folder, on_stray) if entry.is_folder)

    def walk(self, folder: str) -> Iterator[LandedFile]:
        found = self._entries(folder, ignore)
        yield from _files(folder, found)
        for entry in found:
            if entry.is_folder:
                yield from self.walk(f"{folder}/{entry.segment}")

    def drops(self, on_stray: OnStray = ignore) -> Iterator[LandedFile]:
        found = self._entries(LANDING, on_stray)
        yield from _files(LANDING, found)
        for entry in found:
            if entry.segment.startswith(FILING):
                yield from self.list(f"{LANDING}/{entry.segment}", on_stray)

    def file_under(self, key: str, folder: str) -> str:
        """A drop that was set aside already, by a process that was killed, is only moved on."""
        above, name = _folder_of(key), name_in(key)
        with self._made(folder) as day, self._opened(above) as place, changing(self._path(key)):
            open_regular(place, name).close()  # one that can't be read stays, and is named
            name = file_drop(place, name, day) if above == LANDING else move_beside(Name(place, name), day)
            _sync(day, name)
        return f"{folder}/{escape(text_of(name))}"

    def local_folder(self, folder: str) -> Path:
        with self._made(folder):
            return self._path(folder)

    def keeps_versions(self) -> bool:
        return False

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
        """Only in our zones: the root may be a home that holds a database, too."""
        with changing(self._root):
            return sum(sweep_zone(self._root, zone, before.timestamp()) for zone in ZONES)

    def close_to_others(self) -> int:
        with changing(self._root):
            return close_zones(self._root, ZONES, self._rights)

    def _entries(self, folder: str, on_stray: OnStray) -> Sequence[Entry]:
        """None where there is no such folder. One below a zone that can't be looked into is a stray."""
        try:
            with self._opened(folder) as handle, reading(self._path(folder)):
                return entries(handle, folder, on_stray)
        except NotFound:
            return ()
        except StorageRefused as error:
            if "/" not in folder:
                raise
            on_stray(Stray(path=folder, why=str(error)))
            return ()

    @contextmanager
    def _version(self, file: LandedFile) -> Iterator[tuple[int, str, os.stat_result | None]]:
        """The folder and name of a file, and its state; None if it is another version."""
        name = name_in(file.path)
        with self._opened(_folder_of(file.path)) as handle, changing(self._path(file.path)):
            status = status_of(handle, name)
            yield handle, name, status if _landed(file.path, status).version == file.version else None

    @contextmanager
    def _opened(self, folder: str) -> Iterator[int]:
        path = self._path(folder)
        with reading(path), self._real_zone(folder):
            handle = open_folder(self._root, self._names(folder))
        try:
            yield handle
        finally:
            os.close(handle)

    @contextmanager
    def _made(self, folder: str) -> Iterator[int]:
        with writing(self._path(folder)), self._real_zone(folder):
            handle = make_folder(self._root, self._names(folder), self._rights)
        try:
            yield handle
        finally:
            os.close(handle)

    @contextmanager
    def _file(self, key: str) -> Iterator[FileIO]:
        with self._opened(_folder_of(key)) as handle, reading(self._path(key)):
            file = open_regular(handle, name_in(key))
        with file:
            yield file

    def _settle(self, folder: str) -> Callable[[int], None]:
        zone = folder.split("/")[0]
        return lambda handle: self._rights.settle(handle, zone)

    @contextmanager
    def _real_zone(self, folder: str) -> Iterator[None]:
        """Say of a zone that is a link what it is: nothing in the store would be found."""
        try:
            yield
        except OSError as error:
            zone = self._root.joinpath(*self._names(folder)[:1])
            if error.errno in LINK_ERRORS and zone != self._root and zone.is_symlink():
                raise StorageRefused(
                    f"{zone} is a symbolic link, and links below {self._root} aren't followed: put the folder itself "
                    "there, or set GREENSTREAM_STORAGE to a folder that holds it"
                ) from error
            raise

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*self._names(key))

    def _names(self, key: str) -> Sequence[str]:
        """The names on the way to a key's file, none for the root's. Only keys we would give out are taken."""
        texts = [unescape(segment) for segment in key.split("/")] if key else []
        if "\0" in "".join(texts) or {"", ".", ".."} & set(texts) or "/".join(map(escape, texts)) != key:
            raise InvalidKey(f"{key!r} can be no key of a file in {self._root}")
        return tuple(map(file_name_of, texts))

    def __str__(self) -> str:
        return str(self._root)


def _folder_of(key: str) -> str:
    return key.rpartition("/")[0]


def _write_like(new: Name, content: bytes, model: os.stat_result) -> None:
    write_new(new, [content], lambda handle: make_like(handle, model))


def _sync(folder: int, name: str) -> None:
    """A drop's bytes must be on the disk before the ledger tells of them."""
    with open_regular(folder, name) as file:
        os.fsync(file.fileno())
    os.fsync(folder)


def _is_same(known: os.stat_result, found: os.stat_result) -> bool:
    """Whether a file is what it was, but for its time of change, which our own renames set."""
    return all(getattr(known, each) == getattr(found, each) for each in ("st_ino", "st_size", "st_mtime_ns"))


def _still_whole(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether an open file has only lost its name: another one was renamed over it, or somebody deleted it."""
    written = (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size)
    return after.st_nlink == 0 and not written


def _files(folder: str, found: Iterable[Entry]) -> Iterator[LandedFile]:
    return (_landed(f"{folder}/{entry.segment}", entry.status) for entry in found if entry.is_file)


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
