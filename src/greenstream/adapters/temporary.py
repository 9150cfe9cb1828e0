"""Temporary files and folders with an owner: the process that holds the lock on them.

The kernel frees the lock when the process ends, in whatever way. So what can be locked has lost its owner, and the next
process that makes one beside it deletes it. Names say whose they are: `greenstream-tmp-…`, or hidden beside the file or
folder that they become, `.name.greenstream-tmp-…`.
"""

import fcntl
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MARK = "greenstream-tmp-"
EVALUATION = "greenstream-evaluate-"
"""Homes of `evaluate`, in which a server may still run: their next run clears them."""


@contextmanager
def temporary_folder(kind: str, where: Path | None = None) -> Iterator[Path]:
    """An empty folder for this user only, gone after the block; by default where the system has temporary files."""
    where = where or Path(tempfile.gettempdir())
    sweep(where)
    with owned_folder(where, f"{MARK}{kind}-") as folder:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def owned_folder(where: Path, prefix: str) -> Iterator[Path]:
    """An empty folder for this user only, whose owner we are for the time of the block; it stays."""
    folder, handle = _owned(lambda: _new_folder(where, f"{prefix}{os.getpid()}-"))
    try:
        yield folder
    finally:
        os.close(handle)


@contextmanager
def file_in_place_of(target: Path) -> Iterator[Path]:
    """An empty file beside another one that it is to become, by a rename within the block, or else is gone."""
    sweep(target.parent)
    path, handle = _owned(lambda: _new_file(hidden_name(target, secrets.token_hex(4))))
    try:
        yield path
    finally:
        if is_at(handle, path):
            path.unlink(missing_ok=True)
        os.close(handle)


def hidden_name(target: Path, kind: str) -> Path:
    """Where something lies that isn't yet complete; the name of the target may be as long as names can be."""
    stem = os.fsdecode(os.fsencode(target.name)[:200])
    return target.with_name(f".{stem}.{MARK}{kind}")


def sweep(folder: Path) -> None:
    """Delete what processes that are gone left in a folder; never another user's, or what isn't ours by its name."""
    for pattern in (f"{MARK}*", f".*.{MARK}*"):
        for path in orphans(folder, pattern):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def orphans(folder: Path, pattern: str) -> Iterator[Path]:
    """Files and folders of this user whose owner is gone; each is locked until the next one is asked for."""
    for path in sorted(folder.glob(pattern)):
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                if _is_ours(os.fstat(handle)) and own(handle) and is_at(handle, path):
                    yield path
            finally:
                os.close(handle)


def own(handle: int) -> bool:
    """Become the owner of what a handle is of; False if another process is."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_at(handle: int, path: Path) -> bool:
    """Whether what a handle is of still has this name."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(handle), path.lstat())
    return False


def _owned(make: Callable[[], tuple[Path, int]]) -> tuple[Path, int]:
    """Something new, and the handle that holds its lock; anew where another process swept it before it was locked."""
    while True:
        path, handle = make()
        if own(handle) and is_at(handle, path):
            return path, handle
        os.close(handle)


def _new_folder(where: Path, prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=where)).resolve()
        with suppress(FileNotFoundError):
            return folder, os.open(folder, os.O_RDONLY | os.O_DIRECTORY)


def _new_file(path: Path) -> tuple[Path, int]:
    return path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode))
