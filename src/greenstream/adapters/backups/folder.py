"""Writing a backup: a folder that appears whole or not at all.

It holds `backup.json`, which says what it is; `SHA256SUMS`, as sha256sum takes it; `database.dump`, as pg_restore takes
it; and below `files/` the files of the store, with their times in `files.json`, where they are in the backup.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from greenstream.adapters.backups.tree import LINKS, NOT_REGULAR
from greenstream.adapters.temporary import hidden_name, is_at, own, sweep
from greenstream.domain.backup import Backup
from greenstream.domain.errors import BackupFailed

DESCRIPTION = "backup.json"
SUMS = "SHA256SUMS"
DUMP = "database.dump"
FILES = "files"
TIMES = "files.json"
CHUNK_BYTES = 1 << 20
FOLDER_MODE, FILE_MODE = 0o700, 0o600

_ADVICE = {
    errno.ENOSPC: "free some space, or take another disk",
    errno.EDQUOT: "free some space, or raise the quota",
    errno.EACCES: "give this user the permission",
    errno.EPERM: "give this user the permission",
    errno.EROFS: "mount it for writing",
    errno.ENOENT: "make the folder above it first",
}


@contextmanager
def disk_errors(doing: str) -> Iterator[None]:
    """Raise BackupFailed for what the system refuses, in a line that says what to do."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "see to it and try again")
        where = f" ({os.fsdecode(error.filename)})" if error.filename else ""
        said = NOT_REGULAR if error.errno in LINKS else error.strerror
        raise BackupFailed(f"{doing}: {said}{where}; {advice}") from error


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill with a backup, which gets its name, `path`, when `complete` is called.

    It is hidden until then, and deleted when the block ends otherwise, or by the next backup beside it if the process
    was killed. Raises BackupFailed if the name is taken, or two processes want it at once.
    """
    if path.exists() or path.is_symlink():
        raise BackupFailed(f"{path} exists already: name a folder that doesn't, one for each backup")
    sweep(path.parent)
    hidden = unfinished(path)
    with disk_errors(f"{path} can't be made"):
        hidden.mkdir(FOLDER_MODE, exist_ok=True)
        handle = os.open(hidden, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _claim(handle, hidden)
        with disk_errors(f"{hidden} can't be cleared"):
            hidden.chmod(FOLDER_MODE)
            _clear(hidden)
        yield hidden
    finally:
        if is_at(handle, hidden):
            shutil.rmtree(hidden, ignore_errors=True)
        os.close(handle)


def unfinished(path: Path) -> Path:
    """Where a backup of this name lies until it is complete."""
    return hidden_name(path, "backup")


def check_outside(path: Path, root: Path) -> None:
    """Raise BackupFailed for a backup that would lie in the store that it is of, and be lost with it."""
    if path.parent.resolve().is_relative_to(root.resolve()):
        raise BackupFailed(f"{path} lies in the store {root}, and would be lost with it: name a folder outside of it")


def complete(hidden: Path, path: Path, backup: Backup) -> None:
    """Make the folder a backup: the description last, all of it on disk, then the name."""
    os.sync()  # once for however many files
    write(hidden / DESCRIPTION, backup.to_json())
    _sync(hidden)
    if path.exists() or path.is_symlink():
        raise BackupFailed(f"{path} was made by somebody else meanwhile: name another folder")
    hidden.rename(path)
    _sync(path.parent)


def write_sums(folder: Path, sums: Mapping[str, str]) -> str:
    """Write SHA256SUMS: hex by path below the folder. Its own sum."""
    content = b"".join(sum_line(os.fsencode(name), digest) for name, digest in sorted(sums.items()))
    write(folder / SUMS, content)
    return hashlib.sha256(content).hexdigest()


def sum_line(name: bytes, digest: str) -> bytes:
    """A name with a backslash or a line feed is escaped, and the line says so by a backslash."""
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return (b"\\" if escaped != name else b"") + digest.encode() + b"  " + escaped + b"\n"


def write(path: Path, content: bytes) -> None:
    """A new file for this user only, on disk."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _claim(handle: int, hidden: Path) -> None:
    if not own(handle):
        raise BackupFailed(f"another process is writing this backup ({hidden}): wait for its end")
    if not is_at(handle, hidden):  # the other process has just finished
        raise BackupFailed("another process has just written this backup: name another folder")


def _clear(folder: Path) -> None:
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
