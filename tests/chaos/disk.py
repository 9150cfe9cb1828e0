"""A disk that fails: the n-th call of the operating system that changes something ends in an error."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from greenstream.adapters.storage import moves

ERRORS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO}
CALLS = ("open", "write", "fsync", "link", "mkdir", "rename", "utime")
"""What landing a file asks of the system; deleting is left out, for a full disk allows it."""


@dataclass
class FailingDisk:
    """Counts the calls; the one numbered `nth` (from 1) and, on a full disk, all later writes end in `error`."""

    nth: int
    error: int
    calls: int = 0

    @property
    def failed(self) -> bool:
        return self.calls >= self.nth

    def instead_of(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            if name == "open" and not args[1] & os.O_CREAT:
                return call(*args, **options)
            self.calls += 1
            if self.calls == self.nth or (self.failed and name == "write" and self.error == errno.ENOSPC):
                raise OSError(self.error, os.strerror(self.error))
            if name == "write":
                return call(args[0], bytes(args[1])[:SHORT_WRITE])
            return call(*args, **options)

        return counted


SHORT_WRITE = 40
"""No more bytes than these go in one write, as a disk that fills may do, so that small files take several."""


@contextmanager
def failing(nth: int, error: int) -> Iterator[FailingDisk]:
    disk = FailingDisk(nth, error)
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, disk.instead_of(name, getattr(os, name)))
        exclusively = moves._rename_exclusively
        patch.setattr(moves, "_rename_exclusively", disk.instead_of("rename", exclusively))
        yield disk
