"""The landing zone, the quarantine and the lake's files: one store, in a folder, on S3 or in memory."""

import hashlib
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from io import FileIO
from pathlib import Path

from greenstream.adapters.storage.backend import (
    CHUNK_BYTES,
    LANDING,
    QUARANTINE,
    Backend,
    LandedFile,
    OnStray,
    Staged,
    ignore,
)
from greenstream.adapters.storage.errors import source_errors
from greenstream.adapters.storage.landing_keys import check_landed, is_landed
from greenstream.adapters.storage.names import escape, is_day, is_listed, landing_text, text_of, unescape, with_hash
from greenstream.domain.errors import NotFound, StorageRefused, StorageUnavailable

# Digits of the content's SHA-256 in a name. The first serve people; the last cannot clash but by design.
_HASH_DIGITS = (8, 16, 64)


class ObjectStore:
    """Files by key. Nothing under ``raw-data/`` or ``quarantine/`` is ever overwritten with other content.

    Every method raises `StorageUnavailable` if the same call may succeed later (network, server error) and
    `StorageRefused` if a person must act (permission, space, bucket, credentials); those that take a key raise
    `NotFound`.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def land(self, source: Path, *, day: date) -> LandedFile:
        """Copy a file of this machine to ``raw-data/<day>/``, durably; the source is only read.

        Another content of the same name stays, and the new one gets its hash into its name. The same content is not
        kept twice: its `received_at` is renewed, as this is another delivery. A file that lies in
        ``raw-data/YYYY-MM-DD/`` already is left as it is. In a bucket, a file over 128 MiB, more than processing
        takes, has its hash in its name from the start. Raises `NotFound` or `StorageRefused` for a source
        that cannot be read, `StorageUnavailable` for one that is still being written.
        """
        content = _Source(source)
        if (landed := self._landed_already(source)) is not None:
            return landed
        folder, text = f"{LANDING}/{day.isoformat()}", landing_text(text_of(source.name))
        with self._backend.stage(folder, content) as staged:
            kept = self._keep(staged, f"{folder}/{escape(text)}", renew=True)
        return self.head(kept)

    def unlanded(self, source: Path, *, day: date) -> tuple[str, int] | None:
        """The key that a file of this machine would get if it landed, and its size; None where it has landed already.

        Its content isn't looked at, so the key is that of a file whose name is free. Raises as `land`.
        """
        size_bytes = _Source(source).size_bytes
        if self._landed_already(source) is not None:
            return None
        return f"{LANDING}/{day.isoformat()}/{escape(landing_text(text_of(source.name)))}", size_bytes

    def head(self, path: str) -> LandedFile:
        return self._backend.stat(path)

    def read(self, file: LandedFile) -> Iterator[bytes]:
        """The content in chunks of at most 8 MiB; errors come with the first, or behind the last.

        Raises `StorageUnavailable` where the path holds another version than `file`. One that lost its name while it
        was being read is read to its end.
        """
        return self._backend.read(file)

    def read_range(self, file: LandedFile, start: int, stop: int) -> bytes:
        """Bytes from one position up to another, which lies after it; both lie in the file.

        Raises `StorageUnavailable` also where the file isn't what it was, as far as size and time tell.
        """
        return self._backend.read_range(file, start, stop)

    def walk(self, path: str) -> Iterator[LandedFile]:
        """All files below a folder, in no order."""
        return self._backend.walk(path)

    def quarantine(self, path: str, content: bytes) -> str:
        """Keep the content of ``raw-data/<day>/<name>`` as ``quarantine/<day>/<name>`` and return that; repeatable.

        Another content of that name stays, too: then this one gets its hash into its name.
        """
        check_landed(path)
        key = f"{QUARANTINE}/{path.removeprefix(LANDING)[1:]}"
        with self._backend.stage(key.rpartition("/")[0], [content]) as staged:
            return self._keep(staged, key, renew=False)

    def versions(self, path: str) -> Sequence[LandedFile]:
        """What can be read under a key, the oldest first; more than one only in a bucket that keeps versions."""
        return self._backend.versions(path)

    def landed(self, path: str) -> Sequence[LandedFile]:
        """As `versions`, of a landed file only: InvalidKey for any other key."""
        check_landed(path)
        return self.versions(path)

    def keeps_versions(self) -> bool:
        """Whether what was under a key can be read after it has been replaced."""
        return self._backend.keeps_versions()

    def list_landed(self, day: date | None = None, *, on_stray: OnStray = ignore) -> Iterator[LandedFile]:
        """The landed files of a day, or of all days, by day and name.

        Left out are hidden files, those named like uploads under way (``.part``, ``.partial``, ``.tmp``, ``#1``), and
        whatever `on_stray` hears of. Where a bucket has versions, each that was put under a key since it was last
        deleted is a file, the oldest first.
        """
        days = self._days(on_stray) if day is None else [day.isoformat()]
        for each in days:
            files = self._backend.list(f"{LANDING}/{each}", on_stray)
            yield from (file for file in files if is_landed(file.path))

    def quarantined(self, before: date) -> Iterator[LandedFile]:
        """Copies of rejected files that landed before a day, by day and name."""
        for day in filter(is_day, self._backend.folders(QUARANTINE)):
            if date.fromisoformat(day) < before:
                yield from self._backend.list(f"{QUARANTINE}/{day}")

    def unfiled(self, *, on_stray: OnStray = ignore) -> Iterator[LandedFile]:
        """Files that somebody dropped into ``raw-data/`` itself, outside the folders of days."""
        return (file for file in self._backend.drops(on_stray) if is_listed(file.path.rpartition("/")[2]))

    def file_under(self, path: str, day: date) -> LandedFile:
        """Move an unfiled file into a day's folder, beside what has its name there; a delivery of its own.

        In a folder the file itself is moved, so whoever still writes to it goes on there. In a bucket the oldest
        version is copied and then deleted. A file that another process files at the same time is `NotFound` for one of
        them.
        """
        folder = f"{LANDING}/{day.isoformat()}"
        return self.head(self._backend.file_under(path, folder) or self._copy_under(path, folder))

    def _copy_under(self, path: str, folder: str) -> str:
        file = self.versions(path)[0]
        with self._backend.stage(folder, _Stored(self._backend, file)) as staged:
            kept = self._keep(staged, f"{folder}/{path.rpartition('/')[2]}", renew=True)
        self._backend.delete_version(file)
        return kept

    def ends_a_line(self, path: str) -> bool:
        """Whether the last byte is a line feed; a file that is still being written seldom ends so."""
        file = self.head(path)
        return file.size_bytes > 0 and self.read_range(file, file.size_bytes - 1, file.size_bytes) == b"\n"

    def folder(self) -> Path | None:
        """The landing zone as a folder of this machine, made if need be; None where it is none."""
        return self._backend.local_folder(LANDING)

    def watched(self) -> list[Path]:
        """In a folder, the landing zone and the folders of days: all that has to be watched, each by itself."""
        folder = self.folder()
        return [folder, *(folder / day for day in self._days(ignore))] if folder else []

    def root(self) -> Path | None:
        """The store as a folder of this machine; None in a bucket."""
        return self._backend.local_root()

    def put(self, path: str, content: bytes | Path) -> None:
        """Write, or atomically replace, the object of this key; a `Path` is streamed."""
        self._backend.put(path, _Source(content) if isinstance(content, Path) else [content])

    def rewrite(self, file: LandedFile, content: bytes) -> LandedFile:
        """Replace the bytes of this version; in a folder the file keeps `modified_at`, on S3 it can't.

        Raises `StorageUnavailable` where the path holds another version by now, or somebody still writes to it: then
        that stays.
        """
        written = self._backend.rewrite(file, content)
        if written is None:
            raise StorageUnavailable(f"{file.path} in {self} changed, or is being written to: try again")
        return written

    def delete(self, file: LandedFile) -> bool:
        """Delete this version; False where it is gone, or the path holds another one, which stays.

        So does one that somebody has open for writing, where the system tells (Linux, for files of ours). In a bucket
        with versions the bytes stay, under a mark, until a lifecycle rule of the bucket deletes them.
        """
        try:
            return self._backend.delete(file)
        except NotFound:
            return False

    def delete_version(self, file: LandedFile) -> bool:
        """As `delete`, but for good, also where a bucket keeps this version under a key that holds a newer one."""
        return self._backend.delete_version(file)

    def remove(self, path: str) -> None:
        """Delete an object of ours by its key, if there is one, whoever wrote it last."""
        self._backend.remove(path)

    def folders(self, path: str) -> Iterator[str]:
        """The names of the folders in one, sorted."""
        return self._backend.folders(path)

    def sweep(self, *, before: datetime) -> int:
        """Delete what processes killed before that time left half-written, and tell how many files it was."""
        return self._backend.sweep(before)

    def close_to_others(self) -> int:
        """Put right what earlier versions left open to other users of this machine; how many files and folders."""
        return self._backend.close_to_others()

    def check(self) -> None:
        """Write, read back and delete a small object; see that an existing one cannot be created again."""
        key = f"{LANDING}/.check-{secrets.token_hex(8)}"
        content = secrets.token_bytes(64)
        try:
            created, again = (self._created(key, content) for _ in range(2))
            found = b"".join(self.read(self.head(key)))
        finally:
            self.remove(key)
        if not created or found != content:
            raise StorageRefused(f"{self} did not give back what was written to it: use another store")
        if again:
            raise StorageRefused(
                f"{self} ignores conditional writes (If-None-Match), so that two files of one name could overwrite "
                "each other: use a store that honours them"
            )

    def __str__(self) -> str:
        return str(self._backend)

    def _created(self, key: str, content: bytes) -> bool:
        with self._backend.stage(LANDING, [content]) as staged:
            return staged.create(key)

    def _landed_already(self, source: Path) -> LandedFile | None:
        key = self._backend.key_of(source)
        if key is None or not is_landed(key) or source.is_symlink():
            return None
        return self.head(key)

    def _keep(self, staged: Staged, key: str, *, renew: bool) -> str:
        """Give the content the key, or the next free one that says its hash; the key that holds it now."""
        for candidate in _candidates(key, staged):
            if staged.create(candidate):
                return candidate
            if self._holds(candidate, staged):
                if renew:
                    staged.renew(candidate)
                return candidate
        raise StorageRefused(f"{key} and the names with its hash are taken by other content: rename the file")

    def _holds(self, key: str, staged: Staged) -> bool:
        try:
            file = self.head(key)
            return file.size_bytes == staged.size_bytes and self._sha256(file) == staged.sha256
        except NotFound:  # gone again, or a folder, or a symbolic link
            return False
        except StorageUnavailable:
            if self.head(key).version == file.version:
                raise
            return self._holds(key, staged)  # somebody else has landed it at this moment

    def _sha256(self, file: LandedFile) -> str:
        digest = hashlib.sha256()
        for chunk in self.read(file):
            digest.update(chunk)
        return digest.hexdigest()

    def _days(self, on_stray: OnStray) -> Iterator[str]:
        return filter(is_day, self._backend.folders(LANDING, on_stray))


def _candidates(key: str, staged: Staged) -> Iterator[str]:
    if staged.is_exclusive:
        yield key
    folder, _, segment = key.rpartition("/")
    for digits in _HASH_DIGITS:
        yield f"{folder}/{escape(with_hash(unescape(segment), staged.sha256[:digits]))}"


class _Source:
    """The chunks of a file of this machine, read anew at each iteration; it must stay as it was at first."""

    def __init__(self, path: Path) -> None:
        with source_errors(path):
            self._status = path.stat()
        if stat.S_ISDIR(self._status.st_mode):
            raise StorageRefused(f"{path} is a folder: name the files in it")
        if not stat.S_ISREG(self._status.st_mode):
            raise StorageRefused(f"{path} is not a regular file")
        self._path = path

    @property
    def size_bytes(self) -> int:
        return self._status.st_size

    def __iter__(self) -> Iterator[bytes]:
        with source_errors(self._path), self._opened() as file:
            self._check_same(os.fstat(file.fileno()))
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
            self._check_same(os.fstat(file.fileno()))

    def _opened(self) -> FileIO:
        """Not waiting for a writer, should a named pipe have taken the file's place."""
        return FileIO(os.open(self._path, os.O_RDONLY | os.O_NONBLOCK), "rb")

    def _check_same(self, now: os.stat_result) -> None:
        for each in ("st_mode", "st_size", "st_mtime_ns"):
            if getattr(now, each) != getattr(self._status, each):
                raise StorageUnavailable(f"{self._path} is still being written: try again when it is complete")


class _Stored:
    """The chunks of an object in the store, read anew at each iteration."""

    def __init__(self, backend: Backend, file: LandedFile) -> None:
        self._backend, self._file = backend, file

    def __iter__(self) -> Iterator[bytes]:
        return self._backend.read(self._file)
