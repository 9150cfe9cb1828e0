"""`greenstream evaluate`, with a small fleet."""

import os
import tempfile
from pathlib import Path

import pytest
from tests.acceptance.conftest import Command, Ended

SMALL = ("evaluate", "--meters", "120", "--days", "9")


@pytest.fixture(scope="module")
def command(tmp_path_factory) -> Command:
    """With a home and a database that it must not touch."""
    folder = tmp_path_factory.mktemp("evaluate")
    return Command(folder / "not-used", folder)


@pytest.fixture(scope="module")
def ended(command) -> Ended:
    before = passing_homes()
    ended = command(*SMALL, "--json", code=0, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert passing_homes() == before
    return ended


def passing_homes() -> set[Path]:
    return {path for path in Path(tempfile.gettempdir()).glob("greenstream-evaluate-*") if not is_running(path)}


def is_running(path: Path) -> bool:
    """Whether the process in its name is there yet: other tests evaluate at the same time."""
    try:
        os.kill(int(path.name.split("-")[2]), 0)
    except ProcessLookupError:
        return False
    return True


def test_faults_that_are_long_enough_are_found(ended: Ended) -> None:
    scored = {(each["rule_id"], each["fault"]): each for each in ended.json["faults"]}
    for rule_and_fault in (("B2.3", "silent"), ("B3.2", "dead"), ("B4.1", "stuck"), ("B4.3", "communication_failure")):
        each = scored[rule_and_fault]
        assert each["injected"] > 0
        assert each["found"] == each["findable"]
    assert scored["B4.2", "spike"]["recall"] > 0.9


def test_delays_are_those_of_the_thresholds(ended: Ended) -> None:
    scored = {(each["rule_id"], each["fault"]): each for each in ended.json["faults"]}
    assert scored["B2.3", "silent"]["max_delay_slots"] == 4
    assert scored["B3.2", "dead"]["median_delay_hours"] == 24
    assert scored["B4.1", "stuck"]["max_delay_slots"] <= 95
    assert scored["B1.2", "wrong_unit"]["max_delay_slots"] is None


def test_rules_on_a_row_are_right_nearly_always(ended: Ended) -> None:
    of_rows = [each for each in ended.json["rules"] if each["rule_id"] in ("parse", "B1.2", "B2.1", "B3.1", "B3.3")]
    assert [each["precision"] for each in of_rows] == [1] * 6


def test_a_home_of_yours_is_left_alone(command: Command, ended: Ended) -> None:
    assert not command.home.exists()


def test_the_tables_fit_a_hundred_columns_and_follow_the_thresholds(command: Command) -> None:
    few = ("evaluate", "--meters", "20", "--days", "3", "--faults", "silent,wrong_unit")
    ended = command(*few, code=0, MISSING_RUN_SLOTS="200")
    assert max(map(len, ended.out.splitlines())) <= 100
    [silent] = [line.split() for line in ended.out.splitlines() if line.startswith("B2.3")]
    assert silent == ["B2.3", "silent", "1", "0", "0"]


def test_a_fault_that_does_not_exist_is_wrong_usage(command: Command) -> None:
    assert "no faults" in command("evaluate", "--faults", "typo", code=2).err
