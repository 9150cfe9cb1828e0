"""The lake's objects as files that DuckDB opens, wherever the store is."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from fnmatch import fnmatchcase

from fsspec import AbstractFileSystem

from greenstream.adapters.storage import LandedFile, ObjectStore
from greenstream.domain.errors import GreenStreamError
from greenstream.domain.lake.keys import AGGREGATES_ZONE, READINGS_ZONE

PROTOCOL = "lake"
ROOT = f"{PROTOCOL}://"
ZONES = (READINGS_ZONE, AGGREGATES_ZONE)


class LakeFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """``lake://<key>`` for each key of readings and aggregates, to be read; listed once, so one query sees one state.

    `trouble` is the last error of the store: DuckDB tells of it in words only.
    """

    protocol = PROTOCOL
    cachable = False

    def __init__(self, store: ObjectStore) -> None:
        super().__init__()
        self.trouble: GreenStreamError | None = None
        self._store = store
        self._listed: dict[str, dict[str, LandedFile]] = {}

    def glob(self, path: str, **options: object) -> list[str]:
        """The keys that match, with `*` for a part of a name."""
        del options
        pattern = _key(path).split("/")
        return [key for key in sorted(self._files(pattern[0])) if _fits(key.split("/"), pattern)]

    def open(self, path: str, mode: str = "rb", **options: object) -> "LakeObject":
        del options
        if mode != "rb":
            raise PermissionError(f"{path}: the lake can only be read here")
        return LakeObject(self, self._file(path))

    def size(self, path: str) -> int:
        return self._file(path).size_bytes

    def modified(self, path: str) -> datetime:
        return self._file(path).received_at

    def read_range(self, file: LandedFile, start: int, stop: int) -> bytes:
        with self._noted():
            return self._store.read_range(file, start, stop)

    def _file(self, path: str) -> LandedFile:
        key = _key(path)
        try:
            return self._files(key.partition("/")[0])[key]
        except KeyError:
            raise FileNotFoundError(f"{path}: no such object in the lake") from None

    def _files(self, zone: str) -> dict[str, LandedFile]:
        if zone not in self._listed:
            with self._noted():
                found = self._store.walk(zone) if zone in ZONES else ()
                self._listed[zone] = {file.path: file for file in found}
        return self._listed[zone]

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except GreenStreamError as error:
            self.trouble = error
            raise


class LakeObject:
    """An object, opened. Each read is a request of its own: DuckDB asks for whole parts of columns."""

    def __init__(self, files: LakeFiles, file: LandedFile) -> None:
        self._files, self._file, self._position = files, file, 0

    def seek(self, position: int) -> int:
        self._position = position
        return position

    def tell(self) -> int:
        return self._position

    def read(self, count: int) -> bytes:
        stop = min(self._position + count, self._file.size_bytes)
        content = self._files.read_range(self._file, self._position, stop) if stop > self._position else b""
        self._position += len(content)
        return content

    def close(self) -> None:
        """Nothing is held open."""


def _key(path: str) -> str:
    return path.removeprefix(ROOT)


def _fits(parts: list[str], pattern: list[str]) -> bool:
    """Names that begin with a dot are files on their way."""
    return len(parts) == len(pattern) and all(map(fnmatchcase, parts, pattern)) and not parts[-1].startswith(".")
