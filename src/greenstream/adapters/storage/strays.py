"""What lies in the landing zone and is no file of ours."""

import stat

from greenstream.adapters.storage.backend import LANDING
from greenstream.adapters.storage.names import is_day, is_listed

_KINDS = (
    (stat.S_ISLNK, "a symbolic link, which isn't followed"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
)


def why_stray(folder: str, text: str, mode: int) -> str | None:
    """What this is, if somebody should know that it isn't looked at; `folder` is the key of where it lies.

    Hidden files, and those named like uploads under way, are expected there.
    """
    if folder.split("/")[0] != LANDING or not is_listed(text):
        return None
    if stat.S_ISDIR(mode):
        return _of_folder(folder, text)
    return next((kind for is_kind, kind in _KINDS if is_kind(mode)), None)


def _of_folder(folder: str, text: str) -> str | None:
    if folder != LANDING:
        return "a folder in a day's folder"
    return None if is_day(text) else "a folder whose name is no day (YYYY-MM-DD)"
