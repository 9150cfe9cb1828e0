"""Existing stores are closed to other users, as new ones are from the start."""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from greenstream.adapters.storage.directories import open_file, open_folder, status_of
from greenstream.adapters.storage.rights import Rights


def close_zones(root: Path, zones: Iterable[str], rights: Rights) -> int:
    """Put the rights of files and folders of ours right; how many were changed. No link is followed.

    The folder of a zone comes last: its rights tell that all in it was done, so that later calls are quick.
    """
    return sum(_close_zone(root, zone, rights) for zone in zones)


def _close_zone(root: Path, zone: str, rights: Rights) -> int:
    try:
        handle = open_folder(root, [zone])
    except OSError:  # there is none, or none of ours
        return 0
    try:
        if rights.is_closed(os.fstat(handle), zone):
            return 0
        return _close_all(handle, zone, rights)
    finally:
        os.close(handle)


def _close_all(handle: int, zone: str, rights: Rights) -> int:
    changed = 0
    for _, _, files, folder in os.fwalk(".", topdown=False, dir_fd=handle):
        changed += sum(_close_file(folder, name, zone, rights) for name in files)
        if not rights.is_closed(os.fstat(folder), zone):
            rights.close(folder, zone)
            changed += 1
    return changed


def _close_file(folder: int, name: str, zone: str, rights: Rights) -> bool:
    with suppress(FileNotFoundError, PermissionError):
        if not _may_be_closed(status_of(folder, name), zone, rights):
            return False
        handle = open_file(folder, name)
        try:
            if _may_be_closed(os.fstat(handle), zone, rights):
                rights.close(handle, zone)
                return True
        finally:
            os.close(handle)
    return False


def _may_be_closed(status: os.stat_result, zone: str, rights: Rights) -> bool:
    """A file with a second name may be somebody's elsewhere."""
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and not rights.is_closed(status, zone)
