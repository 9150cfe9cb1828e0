"""The real command, as a process of its own, against a real server that the whole folder shares."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.integration.embedded_support import scratch

HEADER = "meter_id,timestamp,energy_value,unit,location\n"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Command:
    """`greenstream`, run in `folder` with `home`; `settings` are GREENSTREAM_ variables, without the prefix."""

    def __init__(self, home: Path, folder: Path, **settings: str) -> None:
        self.home = home
        self.folder = folder
        self.settings = settings

    def __call__(self, *arguments: str, stdin: str = "", code: int | None = None, **settings: str) -> Ended:
        process = self.start(*arguments, **settings)
        out, err = process.communicate(stdin.encode(errors="surrogateescape"))
        ended = Ended(process.returncode, out.decode(), err.decode())
        assert "Traceback" not in ended.err, ended.err
        if code is not None:
            assert ended.code == code, ended
        return ended

    def start(
        self, *arguments: str, stdout: Any = subprocess.PIPE, stderr: Any = subprocess.PIPE, **settings: str
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(Path(sys.executable).parent / "greenstream"), *arguments],
            cwd=self.folder,
            env=self._environment(settings),
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
        )

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def _environment(self, settings: dict[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GREENSTREAM_")}
        own = {f"GREENSTREAM_{name}": value for name, value in {**self.settings, **settings}.items()}
        return {**kept, "GREENSTREAM_HOME": str(self.home), **own}


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
