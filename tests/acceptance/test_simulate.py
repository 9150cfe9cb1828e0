"""`greenstream simulate`, as a process of its own."""

import csv
import resource
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

SMALL = ("--meters", "20", "--layout", "gateway-day", "--start", "2026-03-01")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "files").iterdir()}


def test_says_what_was_made_and_where_the_truth_is(greenstream):
    made = greenstream("simulate", "out", *SMALL, "--days", "2", "--json", code=0).json
    out = greenstream.folder / "out"
    files = contents(out)
    assert made["files"] == len(files)
    assert made["size_bytes"] == sum(map(len, files.values()))
    assert made["rows"] == sum(content.count(b"\n") - 1 for content in files.values())
    assert (made["first_day"], made["last_day"]) == ("2026-03-01", "2026-03-02")
    with (greenstream.folder / made["truth"]).open() as truth:
        assert made["faults"] == Counter(line["fault"] for line in csv.DictReader(truth))


def test_the_same_choices_make_the_same_files(greenstream):
    for folder in ("one", "two"):
        greenstream("simulate", folder, *SMALL, "--seed", "7", code=0)
    greenstream("simulate", "other", *SMALL, "--seed", "8", code=0)
    assert contents(greenstream.folder / "one") == contents(greenstream.folder / "two")
    assert contents(greenstream.folder / "one") != contents(greenstream.folder / "other")


def test_the_command_it_names_repeats_a_run_of_any_day(greenstream):
    made = greenstream("simulate", "out", "--meters", "5", "--layout", "gateway-day", "--json", code=0).json
    before = contents(greenstream.folder / "out")
    again = shlex.split(made["again"])[1:]
    greenstream(*again, "--force", code=0)
    assert contents(greenstream.folder / "out") == before
    assert made["first_day"] in made["again"]


def test_its_files_can_be_ingested_as_it_says(greenstream):
    ended = greenstream("simulate", "out", *SMALL, "--days", "1", "--faults", "none", code=0)
    next_command = ended.err.split("Next:")[1].splitlines()[0]
    done = greenstream(*shlex.split(next_command)[1:], "--json", code=0).json_lines
    assert sum(file["stored"] for file in done) == 20 * 96


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--days", "0", "days must be at least 1"),
        ("--faults", "spike,wrong", "['wrong']"),
        ("--timezone", "Mars/Base", "no time zone 'Mars/Base'"),
        ("--layout", "heap", "layout must be one of"),
        ("--start", "2026-02-30", "2026-02-30"),
        ("--start", "1999-01-01", "2010"),
    ],
)
def test_a_bad_value_is_wrong_usage_and_nothing_is_written(greenstream, option, value, reason):
    ended = greenstream("simulate", "out", option, value, code=2)
    assert reason in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not (greenstream.folder / "out").exists()


def test_a_folder_with_something_in_it_is_left_alone(greenstream):
    greenstream.file("out/precious.txt", "mine")
    ended = greenstream("simulate", "out", *SMALL, code=2)
    assert "--force" in ended.err
    assert [path.name for path in (greenstream.folder / "out").iterdir()] == ["precious.txt"]


def test_force_replaces_an_earlier_run_and_nothing_else(greenstream):
    greenstream("simulate", "out", *SMALL, "--days", "3", code=0)
    greenstream.file("out/precious.txt", "mine")
    greenstream("simulate", "out", *SMALL, "--days", "1", "--faults", "none", "--force", code=0)
    assert {name.partition("_")[2] for name in contents(greenstream.folder / "out")} == {"2026-03-01.csv"}
    assert (greenstream.folder / "out/precious.txt").read_text() == "mine"


def test_faults_can_be_chosen_by_kind(greenstream):
    made = greenstream("simulate", "out", *SMALL, "--days", "8", "--faults", "wrong_unit, gap", "--json", code=0).json
    assert set(made["faults"]) == {"wrong_unit", "gap"}


def test_a_full_disk_is_one_line(greenstream):
    """The limit on a file's size makes the system refuse the write, as a full disk does."""
    command = [str(Path(sys.executable).parent / "greenstream"), "simulate", "out", *SMALL]
    ended = subprocess.run(
        command,
        cwd=greenstream.folder,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000)),
    )
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "can't write" in ended.stderr


def test_quiet_keeps_the_data_and_drops_the_hints(greenstream):
    ended = greenstream("simulate", "out", *SMALL, "-q", code=0)
    assert ended.err == ""
    assert "out/truth.csv" in ended.out
