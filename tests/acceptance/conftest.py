"""The real command, as a process of its own, against a real server that the whole folder shares."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.embedded_support import scratch
from tests.support.command import HEADER, Command, Ended

__all__ = ["HEADER", "Command", "Ended"]


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A home with a running server, for the whole run."""
    with scratch() as folder:
        command = Command(folder / "home", folder)
        command("db", "migrate", code=0)
        try:
            yield command.home
        finally:
            command("down", code=0)


@pytest.fixture
def greenstream(home: Path, tmp_path: Path) -> Command:
    """The command with the shared home, in a folder of the test's own."""
    return Command(home, tmp_path)


@pytest.fixture
def new_greenstream(tmp_path: Path) -> Iterator[Command]:
    """The command with a home where nothing was set up yet."""
    with scratch() as folder:
        command = Command(folder / "home", tmp_path)
        try:
            yield command
        finally:
            command("down")


@pytest.fixture(scope="session")
def dsn(home: Path) -> str:
    return Command(home, home)("db", "url", code=0).out.strip()
