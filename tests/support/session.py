"""Many commands in one process, for starting each costs more than running it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from greenstream.entrypoints.cli.app import run


class Session:
    """Runs `greenstream` with arguments; its exit code, stdout and stderr."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(arguments), file=self._process.stdin, flush=True)
        code, out, err = json.loads(self._process.stdout.readline())
        return code, out, err


@contextmanager
def session(folder: Path, home: Path) -> Iterator[Session]:
    command = [sys.executable, "-m", "tests.support.session"]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "GREENSTREAM_HOME": str(home), "PYTHONPATH": str(root)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Session(process)


def answer(arguments: list[str]) -> list[Any]:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = run(arguments)
    return [code, *(stream.buffer.getvalue().decode() for stream in (out, err))]


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
