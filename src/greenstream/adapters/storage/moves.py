"""Moving a file to another name of the same file system without ever replacing what has that name."""

import ctypes
import errno
import os
import sys
from contextlib import suppress
from typing import NamedTuple

from greenstream.adapters.storage.directories import status_of

# What a file system says that doesn't know such a rename, and one that has no hard links, or has none for this file:
# Linux refuses them to files of others (fs.protected_hardlinks).
_NO_SUCH_RENAME = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_NO_LINK = {errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_RENAME_NOREPLACE = 1  # Linux
_RENAME_EXCL = 4  # macOS


class Name(NamedTuple):
    """A name in a folder, which is given by its descriptor."""

    folder: int
    name: str

    def unlink(self) -> None:
        """Remove the name, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(self.name, dir_fd=self.folder)


class CannotKeepOthers(Exception):
    """The file system offers no way to move the file that surely replaces nothing."""


def rename_new(source: Name, target: Name) -> bool:
    """Rename in one step; False where the target is taken, by whatever it may be.

    Raises OSError, and `CannotKeepOthers` where the system or the file system doesn't know such a rename.
    """
    try:
        _rename_exclusively(source, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno in _NO_SUCH_RENAME:
            raise CannotKeepOthers from error
        raise
    return True


def move(source: Name, target: Name) -> bool:
    """As `rename_new`, with a link where there is no such rename: for names that are only ours to remove."""
    try:
        moved = rename_new(source, target)
    except CannotKeepOthers:
        return _link(source, target) and _drop(source)
    return moved or (is_one_file(source, target) and _drop(source))


def _link(source: Name, target: Name) -> bool:
    try:
        os.link(source.name, target.name, src_dir_fd=source.folder, dst_dir_fd=target.folder, follow_symlinks=False)
    except FileExistsError:
        return is_one_file(source, target)
    except OSError as error:
        if error.errno in _NO_LINK:
            raise CannotKeepOthers from error
        raise
    return True


def is_one_file(source: Name, target: Name) -> bool:
    """Whether both names are of one file, as when somebody was killed between linking and unlinking."""
    one = status_of(*source)
    try:
        return os.path.samestat(one, status_of(*target))
    except FileNotFoundError:
        return False


def _drop(source: Name) -> bool:
    os.unlink(source.name, dir_fd=source.folder)
    return True


def _rename_exclusively(source: Name, target: Name) -> None:
    function, flag = ("renameatx_np", _RENAME_EXCL) if sys.platform == "darwin" else ("renameat2", _RENAME_NOREPLACE)
    call = getattr(_LIBC, function, None)
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    names = os.fsencode(source.name), os.fsencode(target.name)
    if call(source.folder, names[0], target.folder, names[1], flag) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), source.name, None, target.name)


_LIBC = ctypes.CDLL(None, use_errno=True)
