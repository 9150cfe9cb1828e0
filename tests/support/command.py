"""The real command: in a process of its own, with a home and a folder."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.forking import run_command

HEADER = "meter_id,timestamp,energy_value,unit,location\n"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @classmethod
    def of(cls, code: int, out: bytes, err: bytes) -> "Ended":
        ended = cls(code, out.decode(), err.decode())
        assert "Traceback" not in ended.err, ended.err
        return ended

    def expected(self, code: int | None) -> "Ended":
        assert code in {None, self.code}, self
        return self

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Command:
    """`greenstream`, run in `folder` with `home`; `settings` are GREENSTREAM_ variables, without the prefix.

    What is called is forked with everything imported; `start` and `script` start the script that is installed.
    """

    def __init__(self, home: Path, folder: Path, **settings: str) -> None:
        self.home = home
        self.folder = folder
        self.settings = settings

    def __call__(self, *arguments: str, stdin: str = "", code: int | None = None, **settings: str) -> Ended:
        ran = run_command(
            arguments,
            folder=self.folder,
            environment=self._environment(settings),
            stdin=stdin.encode(errors="surrogateescape"),
        )
        return Ended.of(ran.code, ran.out, ran.err).expected(code)

    def script(self, *arguments: str, stdin: str = "", code: int | None = None, **settings: str) -> Ended:
        process = self.start(*arguments, **settings)
        out, err = process.communicate(stdin.encode(errors="surrogateescape"))
        return Ended.of(process.returncode, out, err).expected(code)

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
