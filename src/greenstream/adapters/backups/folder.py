"""A backup on disk: a folder that appears whole or not at all.

It holds `backup.json`, which says what it is; `SHA256SUMS`, as sha256sum takes it; `database.dump`, as pg_restore takes
it; and below `files/` the files of the store, with their times in `files.json`, where they are in the backup.
"""

import errno
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from greenstream.adapters.backups.bars import Bars
from greenstream.domain.backup import Backup, read_backup
from greenstream.domain.errors import BackupFailed, InvalidBackup

DESCRIPTION = "backup.json"
SUMS = "SHA256SUMS"
DUMP = "database.dump"
FILES = "files"
TIMES = "files.json"
CHUNK_BYTES = 1 << 20

_ADVICE = {
    errno.ENOSPC: "free some space, or take another disk",
    errno.EDQUOT: "free some space, or raise the quota",
    errno.EACCES: "give this user the permission",
    errno.EPERM: "give this user the permission",
    errno.EROFS: "mount it for writing",
    errno.ENOENT: "make the folder above it first",
}
_SUM = re.compile(rb"(\\?)([0-9a-f]{64})  (.+)", re.DOTALL)


@contextmanager
def disk_errors(doing: str) -> Iterator[None]:
    """Raise BackupFailed for what the system refuses, in a line that says what to do."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "see to it and try again")
        where = f" ({os.fsdecode(error.filename)})" if error.filename else ""
        raise BackupFailed(f"{doing}: {error.strerror}{where}; {advice}") from error


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill with a backup, which gets its name, `path`, when `complete` is called.

    It is hidden until then, and deleted when the block ends otherwise, or by the next backup of this name if the
    process was killed. Raises BackupFailed if the name is taken, or two processes want it at once.
    """
    if path.exists() or path.is_symlink():
        raise BackupFailed(f"{path} exists already: name a folder that doesn't, one for each backup")
    hidden = path.with_name(f".{path.name}.part")
    with disk_errors(f"{path} can't be made"):
        hidden.mkdir(exist_ok=True)
        hidden.chmod(0o700)
        handle = os.open(hidden, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _claim(handle, hidden)
        with disk_errors(f"{hidden} can't be cleared"):
            _clear(hidden)
        yield hidden
    finally:
        if _is(handle, hidden):
            shutil.rmtree(hidden, ignore_errors=True)
        os.close(handle)


def complete(hidden: Path, path: Path, backup: Backup) -> None:
    """Make the folder a backup: the description last, all of it on disk, then the name."""
    os.sync()  # once for however many files
    _write(hidden / DESCRIPTION, backup.to_json())
    _sync(hidden)
    if path.exists():
        raise BackupFailed(f"{path} was made by somebody else meanwhile: name another folder")
    hidden.rename(path)
    _sync(path.parent)


def write_sums(folder: Path, sums: Mapping[str, str]) -> str:
    """Write SHA256SUMS: hex by path below the folder. Its own sum."""
    lines = [_line(os.fsencode(name), digest) for name, digest in sorted(sums.items())]
    content = b"".join(lines)
    _write(folder / SUMS, content)
    return hashlib.sha256(content).hexdigest()


def describe(path: Path) -> Backup:
    """What a backup says of itself. Raises InvalidBackup if it is none, or was broken off."""
    try:
        return read_backup(str(path), (path / DESCRIPTION).read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidBackup(_no_backup(path)) from error
    except OSError as error:
        raise InvalidBackup(f"{path} can't be read: {error.strerror}; give this user the permission") from error


def check_sums(path: Path, backup: Backup, bars: Bars) -> None:
    """Read every file of a backup and compare its sum. Raises InvalidBackup naming the first that differs."""
    sums = _read_sums(path, backup)
    sizes = {name: _size(path, name) for name in sums}
    with bars("checking the backup", sum(sizes.values()), unit="bytes") as bar:
        for name, digest in sums.items():
            if file_sum(path / name) != digest:
                raise InvalidBackup(f"{path / name} isn't as it was written: take another backup")
            bar.advance(sizes[name])


def file_sum(path: Path) -> str:
    """The SHA-256 in hex. Raises InvalidBackup."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InvalidBackup(f"{path} can't be read: {error.strerror}; take another backup") from error


def _read_sums(path: Path, backup: Backup) -> dict[str, str]:
    try:
        content = (path / SUMS).read_bytes()
    except OSError as error:
        raise InvalidBackup(f"{path / SUMS} can't be read: {error.strerror}; take another backup") from error
    if hashlib.sha256(content).hexdigest() != backup.sums_sha256:
        raise InvalidBackup(f"{path / SUMS} isn't as it was written: take another backup")
    found = [_SUM.fullmatch(line) for line in content.split(b"\n") if line]
    return {os.fsdecode(_unescaped(each[3]) if each[1] else each[3]): each[2].decode() for each in found if each}


def _size(path: Path, name: str) -> int:
    try:
        return (path / name).stat().st_size
    except OSError as error:
        raise InvalidBackup(f"{path / name} is missing: take another backup") from error


def _no_backup(path: Path) -> str:
    hidden = path.with_name(f".{path.name}.part")
    if hidden.is_dir():
        return f"{path} is no backup yet: it is being taken, or was broken off"
    inside = sorted(each.parent.name for each in path.glob(f"*/{DESCRIPTION}")) if path.is_dir() else []
    if inside:
        return f"{path} holds backups, the last by name is {path / inside[-1]}: give one of them"
    return f"{path} is no backup: it has no {DESCRIPTION}"


def _claim(handle: int, hidden: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BackupFailed(f"another process is writing this backup ({hidden}): wait for its end") from error
    if not _is(handle, hidden):  # the other process has just finished
        raise BackupFailed("another process has just written this backup: name another folder")


def _is(handle: int, folder: Path) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(handle), folder.stat())
    return False


def _clear(folder: Path) -> None:
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def _line(name: bytes, digest: str) -> bytes:
    """A name with a backslash or a line feed is escaped, and the line says so by a backslash."""
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return (b"\\" if escaped != name else b"") + digest.encode() + b"  " + escaped + b"\n"


def _unescaped(name: bytes) -> bytes:
    letters = {b"n": b"\n", b"r": b"\r"}
    return re.sub(rb"\\(.)", lambda found: letters.get(found[1], found[1]), name)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
