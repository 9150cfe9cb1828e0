"""The files of a store that is a folder: into a backup, and back."""

import filecmp
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from greenstream.adapters.backups.bars import Bars
from greenstream.adapters.backups.folder import CHUNK_BYTES, FILES, TIMES, disk_errors
from greenstream.adapters.storage.backend import LANDING, QUARANTINE
from greenstream.adapters.storage.names import is_listed, text_of
from greenstream.domain.backup import StoredFiles
from greenstream.domain.errors import InvalidBackup
from greenstream.domain.lake import AGGREGATES_ZONE, MANIFEST_ZONE, READINGS_ZONE

ZONES = (LANDING, QUARANTINE, READINGS_ZONE, AGGREGATES_ZONE, MANIFEST_ZONE)


@dataclass(frozen=True, kw_only=True)
class FilesBack:
    """What became of a backup's files: put back, there already, there with other content (which was left)."""

    put_back: int = 0
    same: int = 0
    other: int = 0


def copy_out(root: Path, folder: Path, bars: Bars) -> tuple[StoredFiles, dict[str, str]]:
    """Copy the files of a store into a backup; how many, and the sum of each by its path in the backup.

    Uploads under way are left out, and so is a file that vanishes meanwhile, or is being written to. Their times are
    written down, for they are when files were received, and not every way of copying a backup keeps them.
    """
    names = list(_names(root))
    sums, times, size = {}, {}, 0
    total = sum(_size(root / name) for name in names)
    with bars("copying files", total, unit="bytes") as bar, disk_errors("files can't be copied"):
        for name in names:
            target = folder / FILES / name
            target.parent.mkdir(parents=True, exist_ok=True)
            digest = _copy_still(root / name, target, bar.advance)
            if digest is not None:
                sums[f"{FILES}/{name}"] = digest
                times[name] = target.stat().st_mtime_ns
                size += target.stat().st_size
        described = json.dumps(times, indent=0).encode()
        (folder / TIMES).write_bytes(described)
    return StoredFiles(count=len(times), size_bytes=size), {**sums, TIMES: hashlib.sha256(described).hexdigest()}


def copy_back(folder: Path, root: Path, bars: Bars) -> FilesBack:
    """Put the files of a backup back where there are none of that name. What is there is never overwritten."""
    files = folder / FILES
    times = _times(folder)
    put_back = same = other = 0
    with bars("putting files back", sum(_size(files / name) for name in times), unit="bytes") as bar:
        for name, mtime_ns in times.items():
            if _put_back(files / name, root / name, mtime_ns, bar.advance):
                put_back += 1
            elif _is_same(files / name, root / name):
                same += 1
            else:
                other += 1
    os.sync()
    return FilesBack(put_back=put_back, same=same, other=other)


def _times(folder: Path) -> dict[str, int]:
    """When each file of a backup was received, in ns, by its path in the store. Raises InvalidBackup."""
    try:
        times: dict[str, int] = json.loads((folder / TIMES).read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidBackup(f"{folder / TIMES} can't be read ({error}): take another backup") from error
    for name in times:
        if Path(name).parts[0] not in ZONES or ".." in Path(name).parts:
            raise InvalidBackup(f"{folder / TIMES} names {name!r}, which is no file of a store: take another backup")
    return times


def _names(root: Path) -> Iterator[str]:
    """The paths below the root, as the system has them."""
    for zone in ZONES:
        for folder, folders, files in os.walk(root / zone):
            folders.sort()
            for file in sorted(files):
                path = Path(folder, file)
                if is_listed(text_of(file)) and path.is_file() and not path.is_symlink():
                    yield str(path.relative_to(root))


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _copy_still(source: Path, target: Path, heard: Callable[[int], None]) -> str | None:
    """The sum of the copy; None, and no copy, of a file that doesn't hold still."""
    try:
        before = source.stat()
        digest = _copy(source, target, heard)
        after = source.stat()
    except FileNotFoundError:
        target.unlink(missing_ok=True)
        return None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        target.unlink()
        return None
    return digest


def _put_back(source: Path, target: Path, mtime_ns: int, heard: Callable[[int], None]) -> bool:
    """Whole at any instant, with the time it had: that is when it was received. False where the name is taken."""
    if os.path.lexists(target):
        heard(_size(source))
        return False
    with disk_errors(f"{target} can't be put back"):
        target.parent.mkdir(parents=True, exist_ok=True)
        hidden = target.with_name(f".greenstream-{secrets.token_hex(8)}.tmp")
        try:
            _copy(source, hidden, heard)
            os.utime(hidden, ns=(mtime_ns, mtime_ns))
            target.hardlink_to(hidden)  # unlike a rename it replaces nothing
        except FileExistsError:
            return False
        finally:
            hidden.unlink(missing_ok=True)
    return True


def _is_same(file: Path, other: Path) -> bool:
    with disk_errors(f"{other} can't be read"):
        return other.is_file() and filecmp.cmp(file, other, shallow=False)


def _copy(source: Path, target: Path, heard: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as written:
        status = os.fstat(read.fileno())
        while chunk := read.read(CHUNK_BYTES):
            digest.update(chunk)
            written.write(chunk)
            heard(len(chunk))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    return digest.hexdigest()
