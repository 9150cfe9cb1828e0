"""What it costs to start a command, against importing the libraries that nearly each of them needs.

Processor time of whole processes, the least of several, in turns; and how many modules each of them imports.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

LIBRARIES = "typer, rich, psycopg, pydantic_settings"
RUNS = 7
SAYING, ASKING = 1.0, 1.6
WANTED = {
    "--version": SAYING,
    "--help": SAYING,
    "status": ASKING,
    "db url": ASKING,
    "alerts list": ASKING,
}
"""At most so many times the processor time of the libraries alone."""

HEAVY = ("polars", "numpy", "alembic", "sqlalchemy", "procrastinate", "duckdb", "apprise", "obstore")
COUNT = (
    "import json, sys; from greenstream.entrypoints.cli.app import run; run(sys.argv[1:]);"
    f"print(json.dumps([len(sys.modules), [name for name in {HEAVY} if name in sys.modules]]), file=sys.stderr)"
)
SCRIPT = str(Path(sys.executable).with_name("greenstream"))


def main() -> None:
    home = Path(mkdtemp(prefix="gs-bench-"))
    home.chmod(0o755)  # another user's server has to enter it
    environment = {**os.environ, "GREENSTREAM_HOME": str(home / "home")}
    try:
        _run([SCRIPT, "db", "migrate"], environment)
        _measure(environment)
    finally:
        _run([SCRIPT, "down"], environment)
        rmtree(home)


def _measure(environment: dict[str, str]) -> None:
    commands = {"the libraries": [sys.executable, "-c", f"import {LIBRARIES}"]}
    commands |= {words: [SCRIPT, *words.split()] for words in WANTED}
    seconds = dict.fromkeys(commands, float("inf"))
    for _ in range(RUNS):
        for name, command in commands.items():
            seconds[name] = min(seconds[name], _processor_seconds(command, environment))
    floor = seconds["the libraries"]
    print(f"importing {LIBRARIES}: {floor:.2f} s of the processor")
    for words, wanted in WANTED.items():
        modules, heavy = _imported(words.split(), environment)
        print(
            f"greenstream {words}: {seconds[words] / floor:.2f} times that (wanted: at most {wanted:.1f}), "
            f"{modules} modules, of the heavy ones {', '.join(heavy) or 'none'}",
            flush=True,
        )


def _processor_seconds(command: Sequence[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _run(command, environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _imported(words: Sequence[str], environment: dict[str, str]) -> tuple[int, list[str]]:
    said = _run([sys.executable, "-c", COUNT, *words], environment).stderr.splitlines()[-1]
    modules, heavy = json.loads(said)
    return modules, heavy


def _run(command: Sequence[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


if __name__ == "__main__":
    main()
