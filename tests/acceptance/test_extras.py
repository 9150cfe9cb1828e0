"""GreenStream without its extras: what needs one says how to get it, and all else works."""

import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from tests.acceptance.conftest import HEADER, Command
from tests.support.databases import database

from greenstream.adapters.extras import EXTRAS

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.fixture
def plain(greenstream: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command in a Python that finds no module of an extra."""
    absent = [module for modules in EXTRAS.values() for module in modules]
    greenstream.file("path/sitecustomize.py", f"import sys\nsys.modules.update(dict.fromkeys({absent}))\n")
    monkeypatch.setenv("PYTHONPATH", str(greenstream.folder / "path"))
    return greenstream


def test_sql_over_the_lake_says_what_to_install(plain: Command) -> None:
    ended = plain.script("query", "--lake", "SELECT 1", code=1)
    needed = "SQL over the lake needs the package duckdb: pip install 'greenstream[lake-sql]'"
    assert ended.err == f"error: NotInstalled: {needed}\n"


def test_a_channel_says_what_to_install(plain: Command) -> None:
    ended = plain.script("alerts", "test", ALERT_URLS="json://localhost", code=1)
    assert "sending alerts needs the package apprise: pip install 'greenstream[alerts]'" in ended.out + ended.err


def test_the_doctor_names_what_is_not_installed_and_finds_no_fault_in_it(plain: Command, dsn: str) -> None:
    checks = plain.script("doctor", "--json", DATABASE_URL=dsn, ALERT_URLS="json://localhost", code=0).json["checks"]
    said, warned = [check for check in checks if check["check"] == "extras"]
    assert said["level"] == "ok"
    assert "not installed: alerts, embedded, lake-sql" in said["found"]
    assert "pip install 'greenstream[alerts,embedded,lake-sql]'" in said["found"]
    assert (warned["level"], warned["mend"]) == ("warning", "pip install 'greenstream[alerts]'")


def test_a_worker_needs_no_extra(plain: Command, dsn: str) -> None:
    with database(dsn, "no_extras", "template1") as url:
        file = plain.file("a.csv", HEADER + "SM-1,2024-03-15 18:45:00,1 kW,,\n")
        assert plain.script("ingest", "--json", file, DATABASE_URL=url, code=0).json["stored"] == 1
        plain.script("nightly", DATABASE_URL=url, code=0)
        assert plain.script("status", "--json", DATABASE_URL=url, code=0).json["rows"]["stored"] == 1


def test_extras_are_those_of_the_package() -> None:
    declared = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    distributions = packages_distributions()
    named = {extra: {distributions[module][0] for module in modules} for extra, modules in EXTRAS.items()}
    assert named == {extra: {line.partition(">")[0] for line in lines} for extra, lines in declared.items()}
