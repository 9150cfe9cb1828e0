"""Folders of a store, opened one after the other from its root, so that no link among them is ever followed.

All functions raise OSError: `NotADirectoryError`, or ELOOP, where a link or a file stands for a folder.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from greenstream.adapters.storage.rights import FOLDER_MODE, Rights

STAGING = ".greenstream-"
"""How names of what is not landed yet, or set aside, begin."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a fifo that was swapped in must not block


def open_folder(root: Path, names: Sequence[str]) -> int:
    """A descriptor of the folder with these names below the root, which itself may be reached through links."""
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for name in names:
        above = handle
        try:
            handle = enter(above, name)
        finally:
            os.close(above)
    return handle


def enter(folder: int, name: str) -> int:
    return os.open(name, _FOLDER, dir_fd=folder)


def make_folder(root: Path, names: Sequence[str], rights: Rights) -> int:
    """As `open_folder`, after making what is missing, so that it outlives a power cut."""
    _make_root(root)
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for name in names:
        above = handle
        try:
            handle = _made(above, name, names[0], rights)
        finally:
            os.close(above)
    return handle


def open_file(folder: int, name: str) -> int:
    """A descriptor for reading whatever has the name, but a link; it may be no regular file."""
    return os.open(name, _FILE, dir_fd=folder)


def open_regular(folder: int, name: str) -> FileIO:
    """A file for reading; FileNotFoundError for a link, or whatever else is no regular file."""
    try:
        handle = open_file(folder, name)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileNotFoundError(errno.ENOENT, "no regular file", name) from error
        raise
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return FileIO(handle, "rb")
    os.close(handle)
    raise FileNotFoundError(errno.ENOENT, "no regular file", name)


def names_in(folder: int) -> list[str]:
    with os.scandir(folder) as found:
        return [entry.name for entry in found]


def status_of(folder: int, name: str) -> os.stat_result:
    return os.stat(name, dir_fd=folder, follow_symlinks=False)


@contextmanager
def hidden_folder(folder: int, prefix: str) -> Iterator[int]:
    """A fresh folder in another one, under a name that nobody else has; it goes if it is empty at the end."""
    name = f"{prefix}{secrets.token_hex(8)}"
    os.mkdir(name, 0o700, dir_fd=folder)
    handle = enter(folder, name)
    try:
        yield handle
    finally:
        os.close(handle)
        with suppress(OSError):
            os.rmdir(name, dir_fd=folder)


def _made(above: int, name: str, zone: str, rights: Rights) -> int:
    try:
        handle = enter(above, name)
    except FileNotFoundError:
        with suppress(FileExistsError):
            os.mkdir(name, FOLDER_MODE, dir_fd=above)
        os.fsync(above)
        handle = enter(above, name)
    try:
        rights.settle(handle, zone)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _make_root(folder: Path) -> None:
    """The root is as open as the umask has it: it may be a home, through which the database's user must come."""
    if folder.is_dir():
        return
    _make_root(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir()
    handle = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
