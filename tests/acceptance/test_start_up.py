"""What commands import before they do anything: nobody waits for what isn't used."""

import json
import subprocess
import sys

import pytest
import typer
from tests.acceptance.conftest import Command

from greenstream.entrypoints.cli.app import MODULES, application

COMPUTING = {"polars", "polars_hash", "numpy", "duckdb", "apprise"}
MIGRATING = {"alembic", "sqlalchemy", "procrastinate"}
ASKING = {"psycopg", "pydantic_settings", "obstore"}
REPORT = (
    "import json, sys; from greenstream.entrypoints.cli.app import run; code = run(sys.argv[1:]);"
    "print(json.dumps([code, sorted({name.partition('.')[0] for name in sys.modules})]), file=sys.stderr)"
)


def imported(greenstream: Command, *words: str) -> set[str]:
    """The packages that a command has imported when it ends."""
    environment = greenstream._environment({})
    ended = subprocess.run(
        [sys.executable, "-c", REPORT, *words],
        cwd=greenstream.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    code, names = json.loads(ended.stderr.splitlines()[-1])
    assert code == 0, ended
    return set(names)


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["status", "--help"], ["up", "--help"]], ids=" ".join)
def test_what_only_says_something_imports_no_library_but_that_of_the_command_line(
    greenstream: Command, words: list[str]
) -> None:
    assert imported(greenstream, *words) & (COMPUTING | MIGRATING | ASKING | {"rich"}) == set()


@pytest.mark.parametrize(
    "words",
    [["status"], ["status", "--json"], ["db", "url"], ["alerts", "list"], ["dead-letters", "list"], ["meters", "list"]],
    ids=" ".join,
)
def test_what_only_asks_the_database_computes_and_migrates_nothing(greenstream: Command, words: list[str]) -> None:
    found = imported(greenstream, *words)
    assert "psycopg" in found
    assert found & (COMPUTING | MIGRATING) == set()


def test_a_command_alone_is_as_among_all() -> None:
    everything = typer.main.get_command(application())
    assert set(everything.commands) == set(MODULES)
    for name in MODULES:
        alone = typer.main.get_command(application(name)).commands[name]
        assert alone.help == everything.commands[name].help
        assert [parameter.opts for parameter in alone.params] == [p.opts for p in everything.commands[name].params]


def test_help_of_all_is_of_all_whatever_follows(greenstream: Command) -> None:
    assert greenstream.script("--help", "status", code=0).out == greenstream.script("--help", code=0).out
    assert greenstream.script("-q", "status", "--help", code=0).out.startswith("Usage: greenstream status")
