"""What lies in an open folder of the store."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from greenstream.adapters.storage.backend import OnStray
from greenstream.adapters.storage.directories import STAGING, names_in, open_folder, status_of
from greenstream.adapters.storage.filing import ASIDE, REWRITE, recover
from greenstream.adapters.storage.names import escape, text_of
from greenstream.adapters.storage.strays import why_stray
from greenstream.domain.landing import Stray


@dataclass(kw_only=True, slots=True)
class Entry:
    """A file or folder: the last part of its key, and its state."""

    segment: str
    status: os.stat_result

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.status.st_mode)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)


def entries(handle: int, folder: str, on_stray: OnStray) -> list[Entry]:
    """What lies in the folder with this key, by name, after killed processes' files were put back. Raises OSError."""
    names = names_in(handle)
    if left := [name for name in names if name.startswith((ASIDE, REWRITE))]:
        for name in left:
            _recover(handle, name, folder, on_stray)
        names = names_in(handle)
    return list(_entries(handle, sorted(names), folder, on_stray))


def sweep_zone(root: Path, zone: str, before: float) -> int:
    """Delete what killed processes left half-written before a time, in seconds, and their folders; how many files."""
    try:
        handle = open_folder(root, [zone])
    except OSError:  # there is none, or none of ours
        return 0
    try:
        walked = os.fwalk(".", topdown=False, dir_fd=handle)
        return sum(_sweep(opened, folders, files, before) for _, folders, files, opened in walked)
    finally:
        os.close(handle)


def _entries(handle: int, names: list[str], folder: str, on_stray: OnStray) -> Iterator[Entry]:
    for name in names:
        try:
            status = status_of(handle, name)
        except FileNotFoundError:  # it went while we were listing
            continue
        entry = Entry(segment=escape(text_of(name)), status=status)
        if not entry.is_file and (why := why_stray(folder, text_of(name), status.st_mode)):
            on_stray(Stray(path=f"{folder}/{entry.segment}", why=why))
        yield entry


def _recover(handle: int, left: str, folder: str, on_stray: OnStray) -> None:
    try:
        recover(handle, left)
    except FileNotFoundError:  # somebody else did it
        return
    except OSError as error:
        why = f"a killed process left a file in it, which can't be put back: {error.strerror}"
        on_stray(Stray(path=f"{folder}/{left}", why=why))


def _sweep(handle: int, folders: list[str], files: list[str], before: float) -> int:
    swept = 0
    for name in files:
        if name.startswith(STAGING) and name.endswith(".tmp") and _is_older(handle, name, before):
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=handle)
                swept += 1
    for name in folders:
        if name.startswith(STAGING) and _is_older(handle, name, before):
            with suppress(OSError):  # there is something in it
                os.rmdir(name, dir_fd=handle)
    return swept


def _is_older(handle: int, name: str, before: float) -> bool:
    with suppress(FileNotFoundError):
        return status_of(handle, name).st_mtime < before
    return False
