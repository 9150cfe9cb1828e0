"""Reading a backup, which anybody may have damaged: nothing is believed before its sum was compared.

A backup can be refused, but not made safe: the dump is SQL. Only one of your own is to be restored.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from greenstream.adapters.backups.bars import Bar, Bars
from greenstream.adapters.backups.folder import CHUNK_BYTES, DESCRIPTION, DUMP, FILES, SUMS, TIMES, sum_line, unfinished
from greenstream.adapters.backups.tree import open_to_read, what_is_wrong
from greenstream.adapters.storage.backend import LANDING, QUARANTINE
from greenstream.adapters.storage.names import is_listed, text_of
from greenstream.domain.backup import Backup, StoredFiles, read_backup, read_times
from greenstream.domain.errors import InvalidBackup
from greenstream.domain.lake.keys import AGGREGATES_ZONE, MANIFEST_ZONE, READINGS_ZONE

ZONES = (LANDING, QUARANTINE, READINGS_ZONE, AGGREGATES_ZONE, MANIFEST_ZONE)
MOST_BYTES = {DESCRIPTION: 1 << 20, SUMS: 1 << 28, TIMES: 1 << 28}
"""Of the files that are held in memory."""

_SUM = re.compile(rb"(\\?)([0-9a-f]{64})  (.+)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The files of a store in a backup, by their path in the store: their sums, and when they were received, in ns."""

    sums: Mapping[str, str]
    times: Mapping[str, int]


def describe(path: Path) -> Backup:
    """What a backup says of itself. Raises InvalidBackup if it is none, or was broken off."""
    try:
        return read_backup(str(path), _content(path, DESCRIPTION))
    except FileNotFoundError as error:
        raise InvalidBackup(_no_backup(path)) from error
    except OSError as error:
        raise InvalidBackup(f"{path / DESCRIPTION} can't be read: {what_is_wrong(error)}") from error


def check_contents(path: Path, backup: Backup, bars: Bars) -> Contents:
    """Read every file of a backup and compare its sum; what isn't named by both lists is not of it.

    Raises:
        InvalidBackup: a file is missing, has no sum, is another one or not a regular one; sizes differ from what the
            backup says.
    """
    sums = _sums(path, backup)
    times = {} if backup.files is None else _times(path, sums)
    _check_names(path, sums, {DUMP, *({TIMES} if backup.files else ()), *(f"{FILES}/{name}" for name in times)})
    sizes = {name: _size(path, name) for name in sums}
    _check_sizes(path, backup, sizes)
    with bars("checking the backup", sum(sizes.values()), unit="bytes") as bar:
        for name, digest in sums.items():
            if _sum(path, name, bar) != digest:
                _differs(path / name)
    return Contents(sums={name: sums[f"{FILES}/{name}"] for name in times}, times=times)


def _sums(path: Path, backup: Backup) -> dict[str, str]:
    """All lines of SHA256SUMS, each as it was written."""
    content = _readable(path, SUMS)
    if hashlib.sha256(content).hexdigest() != backup.sums_sha256:
        _differs(path / SUMS)
    sums: dict[str, str] = {}
    for line in content.removesuffix(b"\n").split(b"\n"):
        name, digest = _parsed(path, line)
        if name in sums:
            raise InvalidBackup(f"{path / SUMS} has {_shown(name)} twice: take another backup")
        sums[name] = digest
    return sums


def _parsed(path: Path, line: bytes) -> tuple[str, str]:
    found = _SUM.fullmatch(line)
    name = (_unescaped(found[3]) if found[1] else found[3]) if found else b""
    if found is None or sum_line(name, found[2].decode()) != line + b"\n":
        raise InvalidBackup(f"{path / SUMS} has a line that is no sum: take another backup")
    return os.fsdecode(name), found[2].decode()


def _times(path: Path, sums: Mapping[str, str]) -> dict[str, int]:
    content = _readable(path, TIMES)
    if hashlib.sha256(content).hexdigest() != sums.get(TIMES):
        _differs(path / TIMES)
    times = read_times(str(path / TIMES), content)
    for name in times:
        if not _is_of_a_store(name):
            raise InvalidBackup(
                f"{path / TIMES} names {_shown(name)}, which is no file of a store: take another backup"
            )
    return times


def _is_of_a_store(name: str) -> bool:
    zone, *parts = name.split("/")
    whole = zone in ZONES and parts and not any(part in ("", ".", "..") or "\0" in part for part in parts)
    try:
        return bool(whole) and is_listed(text_of(parts[-1]))
    except UnicodeError:
        return False


def _check_names(path: Path, sums: Mapping[str, str], expected: set[str]) -> None:
    for name in sorted(expected - sums.keys()):
        raise InvalidBackup(f"{path / SUMS} has no sum of {_shown(name)}: take another backup")
    for name in sorted(sums.keys() - expected):
        raise InvalidBackup(f"{path / SUMS} names {_shown(name)}, which isn't of a backup: take another backup")


def _check_sizes(path: Path, backup: Backup, sizes: Mapping[str, int]) -> None:
    files = [size for name, size in sizes.items() if name.startswith(f"{FILES}/")]
    found = StoredFiles(count=len(files), size_bytes=sum(files)) if backup.files else None
    if (sizes[DUMP], found) != (backup.database_bytes, backup.files):
        raise InvalidBackup(f"{path} doesn't hold as much as its {DESCRIPTION} says: take another backup")


def _size(path: Path, name: str) -> int:
    with _opened(path, name) as file:
        return os.fstat(file.fileno()).st_size


def _sum(path: Path, name: str, bar: Bar) -> str:
    digest = hashlib.sha256()
    try:
        with _opened(path, name) as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                bar.advance(len(chunk))
    except OSError as error:
        _unreadable(path / name, error)
    return digest.hexdigest()


def _opened(path: Path, name: str) -> BinaryIO:
    try:
        return open_to_read(path, name)
    except FileNotFoundError as error:
        raise InvalidBackup(f"{path / name} is missing: take another backup") from error
    except (OSError, ValueError) as error:
        _unreadable(path / _shown(name), error)


def _readable(path: Path, name: str) -> bytes:
    try:
        return _content(path, name)
    except OSError as error:
        _unreadable(path / name, error)


def _content(path: Path, name: str) -> bytes:
    """All of a small file. Raises OSError, and InvalidBackup where it is none."""
    with open_to_read(path, name) as file:
        if os.fstat(file.fileno()).st_size > MOST_BYTES[name]:
            raise InvalidBackup(f"{path / name} is too large to be what a backup has: take another backup")
        return file.read()


def _unreadable(path: Path, error: Exception) -> NoReturn:
    why = what_is_wrong(error) if isinstance(error, OSError) else "its name can't be one of a file"
    raise InvalidBackup(f"{path} can't be read: {why}; take another backup") from error


def _differs(path: Path) -> NoReturn:
    raise InvalidBackup(f"{path} isn't as it was written: take another backup")


def _shown(name: str) -> str:
    return repr(name) if len(name) <= 100 else f"{name[:100]!r}…"


def _no_backup(path: Path) -> str:
    if unfinished(path).is_dir():
        return f"{path} is no backup yet: it is being taken, or was broken off"
    inside = sorted(each.parent.name for each in path.glob(f"*/{DESCRIPTION}")) if path.is_dir() else []
    if inside:
        return f"{path} holds backups, the last by name is {path / inside[-1]}: give one of them"
    return f"{path} is no backup: it has no {DESCRIPTION}"


def _unescaped(name: bytes) -> bytes:
    letters = {b"n": b"\n", b"r": b"\r"}
    return re.sub(rb"\\(.)", lambda found: letters.get(found[1], found[1]), name, flags=re.DOTALL)
