"""Files below a folder: reached without following a link, and never waited for.

The folder itself may be named by a link, for that is somebody's decision.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

LINKS = frozenset((errno.ELOOP, errno.ENOTDIR, errno.EMLINK))
"""How systems refuse to go through a link, or a file that stands where a folder should be."""

NOT_REGULAR = "no regular file, or reached through a link"


@contextmanager
def parent_of(root: Path, name: str, *, make: int | None = None) -> Iterator[tuple[int, str]]:
    """The folder of a file as a handle, and the file's own name; `make` is the mode of folders that aren't there yet.

    Raises OSError, of LINKS where a folder on the way is none of ours.
    """
    *folders, last = name.split("/")
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            if make is not None:
                with suppress(FileExistsError):
                    os.mkdir(folder, make, dir_fd=handle)
            above, handle = handle, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
            os.close(above)
        yield handle, last
    finally:
        os.close(handle)


def open_to_read(root: Path, name: str) -> BinaryIO:
    """A regular file. Raises OSError, of LINKS for anything else."""
    with parent_of(root, name) as (folder, last):
        handle = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.ELOOP, NOT_REGULAR, name)
    return os.fdopen(handle, "rb")


def open_new(folder: int, name: str, mode: int) -> BinaryIO:
    """A file that wasn't there, in a folder given by its handle. Raises OSError."""
    return os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode, dir_fd=folder), "wb")


def what_is_wrong(error: OSError) -> str:
    """The system's words, or where it met a link, ours."""
    return NOT_REGULAR if error.errno in LINKS else error.strerror or str(error)
