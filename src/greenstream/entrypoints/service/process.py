"""One `up` a home: who runs, and how to stop it from another process."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from greenstream.domain.errors import PermanentError, ServerError

LOCK_NAME = "up.lock"
STOP_SECONDS = 120.0


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the home's lock, with our pid in it; the kernel lets go of it when we die.

    Raises:
        ServerError: another `up` runs here.
    """
    home.mkdir(parents=True, exist_ok=True)
    handle = os.open(home / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _locked(handle):
            raise ServerError(
                f"GreenStream runs already for {home}, as process {_pid(handle)}; stop it by: greenstream down"
            )
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def running(home: Path) -> int | None:
    """The pid of the `up` of a home, None if there is none."""
    try:
        handle = os.open(home / LOCK_NAME, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        return None if _locked(handle) else _pid(handle)
    finally:
        os.close(handle)


def stop_running(home: Path) -> bool:
    """Ask a home's `up` to stop and wait for its end; whether there was one.

    Raises:
        PermanentError: it doesn't end, or belongs to another user.
    """
    pid = running(home)
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return True
    except PermissionError as error:
        raise PermanentError(f"process {pid} of another user runs for {home}: stop it as that user") from error
    deadline = time.monotonic() + STOP_SECONDS
    while running(home) == pid:
        if time.monotonic() > deadline:
            raise PermanentError(f"process {pid} did not stop within {STOP_SECONDS:.0f} s: look at what it does")
        time.sleep(0.05)
    return True


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid(handle: int) -> int:
    return int(os.pread(handle, 20, 0) or b"0")
