"""Senders that are at a file while the store is: what they do, and a way to do it just before any system call."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

# The rename that replaces nothing is made by ctypes, which a profiler doesn't see.
UNSEEN = "_rename_exclusively"


@dataclass
class Interruption:
    """Runs `act` before the system call of the store with this number, from 1."""

    number: int
    act: Callable[[], None]
    calls: int = 0

    @property
    def was_reached(self) -> bool:
        return self.calls >= self.number

    @contextmanager
    def __call__(self) -> Iterator[None]:
        sys.setprofile(self._seen)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _seen(self, frame: FrameType, event: str, called: object) -> None:
        if not (_is_system_call(called) if event == "c_call" else (event, frame.f_code.co_name) == ("call", UNSEEN)):
            return
        if not _is_ours(frame):
            return
        self.calls += 1
        if self.calls == self.number:
            sys.setprofile(None)
            self.act()
            sys.setprofile(self._seen)


def _is_system_call(called: object) -> bool:
    home = getattr(called, "__self__", None)
    return getattr(called, "__module__", None) in {"posix", "fcntl"} or type(home).__module__ == "_io"


def _is_ours(frame: FrameType | None) -> bool:
    while frame is not None:
        if "adapters/storage" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


class Sender:
    """Does things to a file.

    `ever` holds each content that was complete under a name, `whole` those of them that it hasn't destroyed itself.
    """

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.whole, self.ever = {content}, {content}
        self._held = os.open(path, os.O_RDWR | os.O_APPEND)
        self._rest = b""

    def finish(self) -> None:
        """Write what is left of a slow upload, and close the file."""
        if self._rest:
            self._write(self._rest)
        os.close(self._held)

    def rename_over(self) -> None:
        part = self.path.with_name(f"{self.path.name}.part")
        part.write_bytes(b"renamed over\n")
        self._destroy()
        part.rename(self.path)
        self._complete(b"renamed over\n")

    def copy_over(self) -> None:
        """As `cp` does: the file is cut to nothing, and written anew."""
        self._destroy()
        self.path.write_bytes(b"copied over\n")
        self._complete(b"copied over\n")

    def upload_slowly(self) -> None:
        """As `copy_over`, with a pause inside, which is longer than what the store does."""
        self._destroy()
        self.path.write_bytes(b"first half, ")
        os.close(self._held)
        self._held, self._rest = os.open(self.path, os.O_RDWR | os.O_APPEND), b"second half\n"

    def rewrite_in_place(self) -> None:
        with suppress(FileNotFoundError), self.path.open("r+b") as file:
            self._destroy()
            file.write(b"REWRITTEN")
            file.flush()
            self._complete(self.path.read_bytes())

    def append(self) -> None:
        """By the handle it has had all along, wherever the file is by now."""
        self._write(b"appended\n")

    def append_by_name(self) -> None:
        with suppress(FileNotFoundError), self.path.open("r+b") as file:
            self._destroy()
            file.seek(0, os.SEEK_END)
            file.write(b"appended by name\n")
            file.flush()
            self._complete(self.path.read_bytes())

    def delete(self) -> None:
        self._destroy()
        self.path.unlink(missing_ok=True)

    def chmod(self) -> None:
        with suppress(FileNotFoundError):
            self.path.chmod(0o600)

    def link(self) -> None:
        with suppress(FileNotFoundError, FileExistsError, PermissionError):
            self.path.with_name("another name.csv").hardlink_to(self.path)

    def swap_in_a_fifo(self) -> None:
        self._destroy()
        self.path.unlink(missing_ok=True)
        os.mkfifo(self.path)

    def _destroy(self) -> None:
        """What has the name now is going to be lost by the sender's will."""
        with suppress(FileNotFoundError):
            self.whole.discard(self.path.read_bytes())

    def _write(self, content: bytes) -> None:
        size = os.fstat(self._held).st_size
        before = os.pread(self._held, size, 0)
        os.write(self._held, content)
        self.whole.discard(before)
        self._complete(before + content)

    def _complete(self, content: bytes) -> None:
        self.whole.add(content)
        self.ever.add(content)


ACTIONS = [name for name in vars(Sender) if not name.startswith("_") and name != "finish"]
