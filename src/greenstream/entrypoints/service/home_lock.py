"""One `up` a home: who runs, and how to stop it from another process.

The lock is one of POSIX, for of these the kernel tells who holds it. The process that holds one loses it when it
closes the file, so it must not ask about its own home.
"""

import errno
import fcntl
import os
import signal
import stat
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from greenstream.adapters.postgres.embedded.account import user_name
from greenstream.adapters.postgres.embedded.processes import find_process
from greenstream.domain.errors import PermanentError, ServerError

LOCK_NAME = "up.lock"
STOP_SECONDS = 120.0

# struct flock: type, whence, start, length, pid.
_FLOCK = "@qqihh" if sys.platform == "darwin" else "@hhqqi4x"


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the home's lock; the kernel frees it when we die.

    Raises:
        ServerError: another `up` runs here, or the home or its lock isn't ours.
    """
    handle = _opened(home, os.O_RDWR | os.O_CREAT)
    try:
        if not _locked(handle):
            other = _holder(handle)
            who = f"as process {other}" if other else "in another container or on another machine"
            raise ServerError(f"GreenStream runs already for {home}, {who}; stop it by: greenstream down")
        with suppress(OSError):  # a full disk; it is for people, and nobody goes by it
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def running(home: Path) -> int | None:
    """The pid of another process that is the `up` of a home, None if there is none; 0 if it can't be seen from here.

    Raises:
        ServerError: the lock isn't ours.
    """
    try:
        handle = _opened(home, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        return _holder(handle)
    finally:
        os.close(handle)


def stop_running(home: Path) -> bool:
    """Ask a home's `up` to stop and wait for its end; whether there was one.

    Raises:
        PermanentError: it doesn't end, or can't be asked.
        ServerError: it, or its lock, is another user's.
    """
    pid = running(home)
    if pid is None:
        return False
    process = find_process(pid) if pid else None
    if process is None:
        if running(home) is None:
            return True
        raise PermanentError(f"a process that can't be seen from here runs for {home}: stop it where it was started")
    if process.uid not in _trusted(home):
        raise ServerError(f"process {pid} of the user {user_name(process.uid)} runs for {home}: stop it as that user")
    _ask_to_stop(pid)
    deadline = time.monotonic() + STOP_SECONDS
    while running(home) == pid:
        if time.monotonic() > deadline:
            raise PermanentError(f"process {pid} did not stop within {STOP_SECONDS:.0f} s: look at what it does")
        time.sleep(0.05)
    return True


def _opened(home: Path, flags: int) -> int:
    """The lock, which nobody but we can have opened, from now on at least."""
    path = home / LOCK_NAME
    try:
        if flags & os.O_CREAT:
            home.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ServerError(f"{path} can't be opened: {error.strerror}; {_remedy(error)}") from error
    try:
        _make_ours(handle, path, home)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _make_ours(handle: int, path: Path, home: Path) -> None:
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        raise ServerError(f"{path} is no file: remove it")
    if status.st_uid not in _trusted(home):
        owner = user_name(status.st_uid)
        raise ServerError(f"{path} belongs to the user {owner}: run GreenStream as {owner}, or remove it")
    if os.geteuid() == 0:  # else root's lock would keep the home's owner out
        os.fchown(handle, home.stat().st_uid, -1)
    if stat.S_IMODE(status.st_mode) != 0o600:  # those that can read a file can lock it
        os.fchmod(handle, 0o600)


def _trusted(home: Path) -> set[int]:
    """Whose lock and whose `up` it may be: ours; for root also those of the home's owner."""
    own = os.geteuid()
    return {own, home.stat().st_uid} if own == 0 else {own}


def _remedy(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "it is a link: remove it"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "give GreenStream's user the permission, or set GREENSTREAM_HOME to a folder of its own"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space"
    return "set GREENSTREAM_HOME to a folder that can be written to"


def _locked(handle: int) -> bool:
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _holder(handle: int) -> int | None:
    """The process that keeps us from the lock, by the kernel's word; 0 for one of another container or machine."""
    darwin = sys.platform == "darwin"
    asked = (0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET) if darwin else (fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    answer = struct.unpack(_FLOCK, fcntl.fcntl(handle, fcntl.F_GETLK, struct.pack(_FLOCK, *asked)))
    kind, pid = (answer[3], answer[2]) if darwin else (answer[0], answer[4])
    return None if kind == fcntl.F_UNLCK else max(int(pid), 0)


def _ask_to_stop(pid: int) -> None:
    try:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    except PermissionError as error:
        raise PermanentError(f"process {pid} can't be stopped: stop it as its user") from error
