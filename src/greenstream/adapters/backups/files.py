"""The files of a store that is a folder: into a backup, and back. No link is followed, on neither side."""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from greenstream.adapters.backups.bars import Bars
from greenstream.adapters.backups.folder import CHUNK_BYTES, FILE_MODE, FILES, FOLDER_MODE, TIMES, disk_errors, write
from greenstream.adapters.backups.reading import ZONES, Contents
from greenstream.adapters.backups.tree import LINKS, open_new, open_to_read, parent_of
from greenstream.adapters.storage.names import is_listed, text_of
from greenstream.domain.backup import StoredFiles
from greenstream.domain.errors import BackupFailed, InvalidBackup

STORE_FOLDER_MODE, STORE_FILE_MODE = 0o750, 0o640

Heard = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class FilesOut:
    """The files in a backup, the sum of each by its path in it, and what lay among them and is no regular file."""

    stored: StoredFiles
    sums: dict[str, str]
    left_out: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FilesBack:
    """What became of a backup's files: put back, there already, there with other content (which was left)."""

    put_back: int = 0
    same: int = 0
    other: int = 0


def copy_out(root: Path, folder: Path, bars: Bars) -> FilesOut:
    """Copy the files of a store into a backup.

    Uploads under way are left out, and so is a file that vanishes meanwhile, or is being written to. Their times are
    written down, for they are when files were received, and not every way of copying a backup keeps them.
    """
    left_out: list[str] = []
    sums, times, size = {}, {}, 0
    with disk_errors("files can't be copied"):
        names = [name for zone in ZONES for name in _files_of(root, zone, left_out)]
        with bars("copying files", sum(_size(root / name) for name in names), unit="bytes") as bar:
            for name in names:
                copied = _copy_still(root, folder, name, bar.advance)
                if copied is not None:
                    sums[f"{FILES}/{name}"], times[name] = copied.digest, copied.mtime_ns
                    size += copied.size_bytes
        described = json.dumps(times, indent=0).encode()
        write(folder / TIMES, described)
    sums[TIMES] = hashlib.sha256(described).hexdigest()
    stored = StoredFiles(count=len(times), size_bytes=size)
    return FilesOut(stored=stored, sums=sums, left_out=tuple(left_out))


def copy_back(folder: Path, contents: Contents, root: Path, bars: Bars) -> FilesBack:
    """Put the files of a backup back where there are none of that name. What is there is never overwritten."""
    done = {"put_back": 0, "same": 0, "other": 0}
    total = sum(_size(folder / FILES / name) for name in contents.times)
    with disk_errors(f"{root} can't be made"):
        root.mkdir(parents=True, exist_ok=True)
    with bars("putting files back", total, unit="bytes") as bar:
        for name in contents.times:
            done[_put_back(folder, contents, root, name, bar.advance)] += 1
    os.sync()
    return FilesBack(**done)


@dataclass(frozen=True, kw_only=True)
class _Copied:
    digest: str
    size_bytes: int
    mtime_ns: int


def _files_of(root: Path, zone: str, left_out: list[str]) -> Iterator[str]:
    if (root / zone).is_symlink():
        raise BackupFailed(f"{root / zone} is a link, which isn't followed: set GREENSTREAM_STORAGE to where it leads")
    if (root / zone).is_dir():
        yield from _names(root, zone, left_out)


def _names(root: Path, folder: str, left_out: list[str]) -> Iterator[str]:
    """The paths below a folder, as the system has them, in order; what is no regular file goes into `left_out`."""
    with os.scandir(root / folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        name = f"{folder}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _names(root, name, left_out)
        elif not is_listed(text_of(entry.name)):
            continue
        elif entry.is_file(follow_symlinks=False):
            yield name
        else:
            left_out.append(name)


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.lstat().st_size
    return 0


def _copy_still(root: Path, folder: Path, name: str, heard: Heard) -> _Copied | None:
    """None, and no copy, of a file that doesn't hold still."""
    try:
        source = open_to_read(root, name)
    except OSError as error:
        if error.errno not in LINKS and not isinstance(error, FileNotFoundError):
            raise
        return None
    with source, parent_of(folder, f"{FILES}/{name}", make=FOLDER_MODE) as (target_folder, last):
        before = os.fstat(source.fileno())
        with open_new(target_folder, last, FILE_MODE) as target:
            digest = _copy(source, target, heard)
            size = target.tell()
            os.utime(target.fileno(), ns=(before.st_atime_ns, before.st_mtime_ns))
        after = os.fstat(source.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != after.st_size:
            os.unlink(last, dir_fd=target_folder)
            return None
    return _Copied(digest=digest, size_bytes=size, mtime_ns=before.st_mtime_ns)


def _put_back(folder: Path, contents: Contents, root: Path, name: str, heard: Heard) -> str:
    """Whole at any instant, with the time it had: that is when it was received. What became of it, as FilesBack says.

    Raises InvalidBackup for a file that isn't what was checked any more.
    """
    with (
        disk_errors(f"{root / name} can't be put back"),
        open_to_read(folder, f"{FILES}/{name}") as source,
        parent_of(root, name, make=STORE_FOLDER_MODE) as (into, last),
    ):
        if not _is_taken(into, last) and _place(source, into, last, contents, name, heard):
            return "put_back"
        source.seek(0)
        return "same" if _is_same(source, root, name, heard) else "other"


def _place(source: BinaryIO, into: int, last: str, contents: Contents, name: str, heard: Heard) -> bool:
    """False where the name was taken meanwhile."""
    hidden = f".greenstream-{secrets.token_hex(8)}.tmp"
    try:
        with open_new(into, hidden, STORE_FILE_MODE) as target:
            if _copy(source, target, heard) != contents.sums[name]:
                raise InvalidBackup(f"{FILES}/{name} was changed since the backup was checked: take another backup")
            os.utime(target.fileno(), ns=(contents.times[name], contents.times[name]))
        # Unlike a rename it replaces nothing.
        os.link(hidden, last, src_dir_fd=into, dst_dir_fd=into, follow_symlinks=False)
    except FileExistsError:
        return False
    finally:
        with suppress(FileNotFoundError):
            os.unlink(hidden, dir_fd=into)
    return True


def _is_taken(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _is_same(source: BinaryIO, root: Path, name: str, heard: Heard) -> bool:
    """Whether a file of the store has the same content; something else of that name has not."""
    try:
        with open_to_read(root, name) as there:
            while chunk := source.read(CHUNK_BYTES):
                heard(len(chunk))
                if there.read(len(chunk)) != chunk:
                    return False
            return not there.read(1)
    except OSError as error:
        if error.errno not in LINKS:
            raise
        return False


def _copy(source: BinaryIO, target: BinaryIO, heard: Heard) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK_BYTES):
        digest.update(chunk)
        target.write(chunk)
        heard(len(chunk))
    target.flush()
    return digest.hexdigest()
