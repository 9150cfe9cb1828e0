"""Tests that start no process and connect to nothing: the interpreter itself reports what they do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

FORBIDDEN = {"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "socket.connect"}

_running: list[str] = []
"""The test that has to stay alone: an audit hook can't be taken away again, only be given nothing to watch."""


class NotAlone(AssertionError):
    """A test that belongs to tests/integration or tests/acceptance."""


@contextmanager
def alone(test: str) -> Iterator[None]:
    """Within the block, whoever starts a process (and by that PostgreSQL) or connects fails."""
    _running.append(test)
    try:
        yield
    finally:
        _running.pop()


@pytest.fixture(autouse=True)
def stays_alone(request: pytest.FixtureRequest) -> Iterator[None]:
    with alone(request.node.nodeid):
        yield


def _look(event: str, _: tuple[object, ...]) -> None:
    if event in FORBIDDEN and _running:
        raise NotAlone(f"{_running[-1]} does {event}: tests that start or reach something live elsewhere")


sys.addaudithook(_look)
