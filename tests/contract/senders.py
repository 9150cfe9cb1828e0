"""Senders that are at a file while the store is: what they do, and a way to do it just before any system call."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
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


@dataclass
class Contents:
    """Contents that were complete under a name: all, and those that no sender has destroyed itself."""

    ever: set[bytes] = field(default_factory=set)
    whole: set[bytes] = field(default_factory=set)


class Sender:
    """Does things to a file, each time with a content that there never was before."""

    def __init__(self, path: Path, contents: Contents) -> None:
        self.path = path
        self._contents = contents
        self._numbers = count(1)
        self._held = -1
        self._rest = b""
        path.parent.mkdir(parents=True, exist_ok=True)

    def begin(self) -> bytes:
        """Put a file there unless there is one, and open it; its content."""
        if not self.path.is_file():
            self.path.unlink(missing_ok=True)
            self.path.write_bytes(self._new("first"))
            self._complete(self.path.read_bytes())
        self._held = os.open(self.path, os.O_RDWR | os.O_APPEND)
        return self.path.read_bytes()

    def finish(self) -> None:
        """Write what is left of a slow upload, and close the file."""
        if self._rest:
            self._write(self._rest)
        os.close(self._held)
        self._rest = b""

    def rename_over(self) -> None:
        part, content = self.path.with_name(f"{self.path.name}.part"), self._new("renamed over")
        part.write_bytes(content)
        self._destroy()
        part.rename(self.path)
        self._complete(content)

    def copy_over(self) -> None:
        """As `cp` does: the file is cut to nothing, and written anew."""
        content = self._new("copied over")
        self._destroy()
        self.path.write_bytes(content)
        self._complete(content)

    def upload_slowly(self) -> None:
        """As `copy_over`, with a pause inside, which is longer than what the store does."""
        self._destroy()
        self.path.write_bytes(self._new("first half"))
        os.close(self._held)
        self._held, self._rest = os.open(self.path, os.O_RDWR | os.O_APPEND), self._new("second half")

    def rewrite_in_place(self) -> None:
        with suppress(FileNotFoundError), self.path.open("r+b") as file:
            self._destroy()
            file.write(self._new("rewritten"))
            file.flush()
            self._complete(self.path.read_bytes())

    def append(self) -> None:
        """By the handle it has had all along, wherever the file is by now."""
        self._write(self._new("appended"))

    def append_by_name(self) -> None:
        with suppress(FileNotFoundError), self.path.open("ab") as file:
            self._destroy()
            file.write(self._new("appended by name"))
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

    def _new(self, what: str) -> bytes:
        return f"{what} {self.path.parent.name} {next(self._numbers)}\n".encode()

    def _destroy(self) -> None:
        """What has the name now is going to be lost by the sender's will."""
        with suppress(FileNotFoundError):
            self._contents.whole.discard(self.path.read_bytes())

    def _write(self, content: bytes) -> None:
        status = os.fstat(self._held)
        before = os.pread(self._held, status.st_size, 0)
        os.write(self._held, content)
        self._contents.whole.discard(before)
        if status.st_nlink:  # else the sender has taken its last name away itself
            self._complete(before + content)

    def _complete(self, content: bytes) -> None:
        self._contents.whole.add(content)
        self._contents.ever.add(content)


ACTIONS = [name for name in vars(Sender) if not name.startswith("_") and name not in {"begin", "finish"}]
if sys.platform != "linux":  # which alone tells whether somebody has a file open for writing
    ACTIONS.remove("append")
