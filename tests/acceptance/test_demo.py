"""`greenstream demo`, run as its readers run it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.conftest import Command, Ended
from tests.integration.embedded_support import scratch

SMALL = ("--meters", "60", "--days", "2")
BY_HISTORY = {"silent", "dead", "stuck", "spike", "communication_failure"}
FIGURES = {
    "CONSECUTIVE_MISSING": r"\d+ slots missing",
    "DEAD_METER": r"\d+ slots at 0 kW",
    "STUCK_METER": r"variance 0\.\d+ kW²",
    "ERRATIC_SPIKE": r"[0-9.]+ kW: mean \+ \d+ std",
    "COMMUNICATION_FAILURE": r"\d+ of \d+ slots missing",
}


@pytest.fixture(scope="module")
def demo() -> Iterator[Command]:
    """The command in a folder where a demo can be made, with GREENSTREAM_HOME set to a home it must not touch."""
    with scratch() as folder:
        command = Command(folder / "not-used", folder)
        try:
            yield command
        finally:
            command("down", HOME=str(folder / "demo-data"))


@pytest.fixture(scope="module")
def first(demo) -> Ended:
    """The first run of the demo, from nothing."""
    return demo("demo", *SMALL, code=0)


@pytest.fixture(scope="module")
def facts(demo, first) -> dict:
    """What a later run says as JSON."""
    return demo("demo", "--json", code=0).json


def section(page: str, title: str) -> list[str]:
    lines = page.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(title))
    end = next((i for i in range(start, len(lines)) if not lines[i]), len(lines))
    return [line.strip() for line in lines[start + 1 : end]]


def test_it_shows_every_section(first):
    titles = [line for line in first.out.splitlines() if line and not line.startswith(" ")]
    assert [title.split()[0:3] for title in titles] == [
        ["What", "was", "simulated"],
        ["What", "arrived"],
        ["What", "was", "flagged:"],
        ["What", "was", "found"],
        ["What", "was", "quarantined:"],
        ["Were", "the", "faults"],
        ["Quality", "grades"],
        ["Load", "curve", "of"],
        ["What", "is", "in"],
        ["What", "to", "do"],
    ]


def test_what_arrived_adds_up(first):
    text = " ".join(section(first.out, "What arrived")).replace(",", "")
    found = re.search(r"(\d+) rows = (\d+) stored \+ (\d+) duplicate \+ (\d+) rejected", text)
    rows, stored, duplicate, rejected = map(int, found.groups())
    assert rows == stored + duplicate + rejected
    assert min(stored, duplicate, rejected) > 0


def test_not_on_a_terminal_it_is_plain_text(first):
    assert "\x1b" not in first.out + first.err
    assert max(map(len, first.out.split("What to do next")[0].splitlines())) <= 80


def test_every_fault_of_a_row_is_found(facts):
    of_rows = [each for each in facts["compared"] if each["fault"] not in BY_HISTORY]
    assert len(of_rows) >= 8
    assert [each for each in of_rows if each["found"] != each["simulated"]] == []


def test_every_fault_of_a_meter_that_can_be_found_is_found(facts):
    compared = {each["fault"]: each for each in facts["compared"]}
    assert set(compared) >= BY_HISTORY
    for fault in BY_HISTORY - {"spike"}:
        assert compared[fault]["found"] == compared[fault]["findable"] > 0
    assert compared["spike"]["found"] >= 0.5 * compared["spike"]["findable"]  # few, and on another day others


def test_each_code_about_a_meters_history_has_a_line_with_its_figures(first, facts):
    lines = section(first.out, "What was found in the history")
    assert {each["code"] for each in facts["history"]} == set(FIGURES)
    for code, figures in FIGURES.items():
        [line] = [line for line in lines if line.startswith(code)]
        assert re.search(figures, line)


def test_flags_grades_and_quarantine_are_those_of_the_database(demo, facts):
    def asked(query: str) -> dict[str, int]:
        rows = demo("query", "--json", query, HOME=str(demo.folder / "demo-data"), code=0).json
        return {row["code"]: row["times"] for row in rows}

    assert asked("SELECT code, count(*) AS times FROM data_quality_log GROUP BY code") == {
        each["code"]: each["times"] for each in facts["flagged"] + facts["history"]
    }
    assert asked("SELECT code, count(*) AS times FROM quarantined_rows GROUP BY code") == {
        each["code"]: each["times"] for each in facts["quarantined"]
    }
    grades = asked("SELECT quality_grade AS code, count(*) AS times FROM meter_readings GROUP BY 1")
    assert {"A": 0, "B": 0, "C": 0, "F": 0} | grades == facts["grades"]


def test_the_load_curve_is_that_of_the_database(demo, facts):
    curve = facts["curve"]
    query = f"""SELECT customer_class, avg(consumption_kw)::float AS kw FROM current_readings
        WHERE reading_at = '{curve["day"]} 12:00Z' AND consumption_kw < 50 GROUP BY customer_class"""
    rows = demo("query", "--json", query, HOME=str(demo.folder / "demo-data"), code=0).json
    assert {row["customer_class"]: row["kw"] for row in rows} == pytest.approx(
        {name: float(values[48]) for name, values in curve["mean_kw"].items()}, abs=1e-4
    )


def test_run_again_nothing_is_counted_twice(demo, first, facts):
    assert set(facts["arrived"]["outcomes"]) == {"duplicate"}
    again = demo("demo", code=0)
    assert "nothing was written twice" in " ".join(again.out.split())
    assert "--fresh" in again.out
    for title in ("What was flagged", "What was found in the history", "What was quarantined", "Quality grades"):
        assert section(again.out, title) == section(first.out, title)


def test_what_it_says_to_do_next_works(demo, first):
    lines = section(first.out, "What to do next")
    script = "\n".join(["set -e", *(line for line in lines if " down" not in line)])
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    ended = subprocess.run(
        ["/bin/sh", "-c", script], cwd=demo.folder, env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "postgresql://" in ended.stdout


def test_your_own_database_and_home_are_left_alone(demo, first):
    away = "postgresql://nobody@127.0.0.1:1/none"
    ended = demo("demo", "--json", code=0, DATABASE_URL=away, READER_URL=away)
    assert {"unset GREENSTREAM_DATABASE_URL", "unset GREENSTREAM_READER_URL"} <= set(ended.json["exports"])
    assert not demo.home.exists()


def test_another_demo_in_the_same_home_is_refused(demo, first):
    ended = demo("demo", "--meters", "61", code=2)
    assert "meters 60, not 61" in ended.err
    assert "--fresh" in ended.err


def test_a_folder_that_is_no_demo_is_refused_even_fresh(demo):
    demo.file("mine/notes.txt", "mine")
    for options in ((), ("--fresh",)):
        assert "something else than a demo" in demo("demo", "--home", "mine", *options, code=2).err
    assert [path.name for path in (demo.folder / "mine").iterdir()] == ["notes.txt"]


def test_fresh_starts_over(demo, first, facts):
    ended = demo("demo", "--meters", "12", "--days", "1", "--fresh", "--json", code=0).json
    assert ended["arrived"]["outcomes"]["loaded"] > 0
    assert sum(ended["grades"].values()) == ended["arrived"]["stored"]
    assert json.loads((demo.folder / "demo-data/demo.json").read_text())["meters"] == 12
