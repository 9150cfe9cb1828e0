"""Who may read and write what a store in a folder holds.

Folders are made 0750 and files 0640, less the umask. A group that is named may write in the landing zone whatever the
umask: folders of ours there are 2770, files 0660.
"""

import os
import stat
from dataclasses import dataclass

from greenstream.adapters.storage.backend import LANDING
from greenstream.domain.errors import StorageRefused

FOLDER_MODE = 0o750
FILE_MODE = 0o640
_OTHERS = 0o007
_GROUPS_FOLDER = stat.S_ISGID | 0o070
_GROUPS_FILE = 0o060


@dataclass(frozen=True, kw_only=True)
class Rights:
    """`group` is the id of one that may drop files into the landing zone. All methods raise OSError.

    What belongs to another user is left alone. `owner` is the user that root, in somebody's store, gives all new to.
    """

    group: int | None = None
    owner: int | None = None

    def settle(self, handle: int, zone: str) -> None:
        """Give an open file or folder in a zone, new or ours, to whom it is for."""
        status = os.fstat(handle)
        if _is_ours(status) and not self._is_settled(status, zone):
            self._let_in(handle, status)
        if self.owner is not None and _is_ours(status):
            os.fchown(handle, self.owner, -1)

    def is_closed(self, status: os.stat_result, zone: str) -> bool:
        """Whether nothing has to be done about it: only the group may come in, or it isn't ours."""
        return not _is_ours(status) or (not status.st_mode & _OTHERS and self._is_settled(status, zone))

    def close(self, handle: int, zone: str) -> None:
        """Take from others what they may do with an open file or folder, and settle it."""
        status = os.fstat(handle)
        os.fchmod(handle, stat.S_IMODE(status.st_mode) & ~_OTHERS)
        self.settle(handle, zone)

    def _let_in(self, handle: int, status: os.stat_result) -> None:
        assert self.group is not None
        if status.st_gid != self.group:
            _give(handle, self.group)
        os.fchmod(handle, stat.S_IMODE(status.st_mode) | _bits(status))

    def _is_settled(self, status: os.stat_result, zone: str) -> bool:
        if self.group is None or zone != LANDING:
            return True
        return status.st_gid == self.group and status.st_mode & _bits(status) == _bits(status)


def _bits(status: os.stat_result) -> int:
    return _GROUPS_FOLDER if stat.S_ISDIR(status.st_mode) else _GROUPS_FILE


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid()


def _give(handle: int, group: int) -> None:
    try:
        os.fchown(handle, -1, group)
    except PermissionError as error:
        raise StorageRefused(
            f"the landing zone can't be given to group {group} (GREENSTREAM_STORAGE_GROUP): make GreenStream's user "
            "a member of it"
        ) from error
