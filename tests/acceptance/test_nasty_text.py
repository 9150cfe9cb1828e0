"""No command lets a terminal obey what others have written: names, ids, places, lines, SQL, settings."""

import json
import os
import pty
import select
from collections.abc import Iterator

import pytest
from tests.acceptance.conftest import HEADER, Command
from tests.support.session import Session, session
from tests.unit.test_text import HIDDEN

TITLE, TURN, MARKUP = "\x1b]0;owned\x07", "\u202egnp", "[bold red][link=x]y[/link]"
NASTY = f"n{TURN}\u2028\u2066\x9b31m{MARKUP}"
"""What a field may hold: no control character of ASCII."""
NAME = f"{TITLE}\n{NASTY}.csv"
ALLOWED = {"\n"}


def row(meter: str, timestamp: str = "2024-03-15 18:45:00", energy: str = "1.5 kW", location: str = NASTY) -> str:
    return f"{meter},{timestamp},{energy},,{location}\n"


def hidden_in(said: str) -> set[str]:
    return set(said) & set(HIDDEN) - ALLOWED


@pytest.fixture
def place(new_greenstream: Command) -> Command:
    """A home with a file, a rejected file, rejected rows, a finding and a meter of nasty names."""
    rows = row(NASTY) + row(NASTY, energy=f"5 {NASTY}") + row(NASTY, timestamp=NASTY) + f"{NASTY}{TITLE}\n"
    new_greenstream.file(NAME, HEADER + rows)
    new_greenstream.file(f"bad{NAME}", f"{NASTY},{TITLE}\nx\n")
    new_greenstream.file("bad.csv", f"{NASTY},x\nx\n")
    new_greenstream.file("roster.csv", f"meter_id,location,{NASTY}\n{NASTY}2,{NASTY},\n{NASTY}{TITLE},,\n")
    return new_greenstream


def steps(greenstream: Session) -> Iterator[tuple[str, ...]]:
    """Each command that prints, the earlier ones making what the later ones show."""
    yield "ingest", NAME, f"bad{NAME}", "bad.csv", f"absent{NAME}"
    yield "ingest", "--json", NAME, f"bad{NAME}"
    yield "meters", "import", "roster.csv"
    yield "meters", "import", "--json", "roster.csv"
    yield "meters", "list"
    yield "meters", "list", "--json"
    yield "quarantine", "list"
    yield "quarantine", "list", "--json"
    listed = json.loads(greenstream("quarantine", "list", "--json")[1])["rows"]
    for each in listed:
        yield "quarantine", "show", each["source_file"], str(each["line_number"])
        yield "quarantine", "show", "--json", each["source_file"], str(each["line_number"])
    yield "quarantine", "show", NASTY + TITLE, "1"
    yield "quarantine", "replay", "--dry-run"
    yield "quarantine", "discard", listed[0]["source_file"], "999"
    yield ("alerts",)
    yield "alerts", "list", "--all", "--json"
    yield "dead-letters", "list"
    yield "dead-letters", "list", "--json"
    yield ("status",)
    yield "status", "--json"
    yield ("doctor",)
    yield "doctor", "--json"
    yield "verify", "--date", "2024-03-15"
    yield "settle", "--date", "2024-03-15"
    yield "archive", "--date", "2024-03-15"
    yield "reprocess", "--from", "2024-03-15", "--to", "2024-03-15"
    for query in ("SELECT * FROM meter_readings", "SELECT * FROM quarantined_rows", "SELECT * FROM alerts"):
        yield "query", query
        yield "query", "--json", query
    yield "query", "--lake", "SELECT * FROM meter_readings"
    yield "query", "--lake", "--json", "SELECT * FROM meter_readings"
    yield "query", f'SELECT "{NASTY}{TITLE}"'
    yield "query", "--lake", f'SELECT "{NASTY}{TITLE}"'
    yield "query", "--debug", f'SELECT "{NASTY}{TITLE}"'
    yield "restore", NAME
    yield "backup", f"{NAME}/x"
    yield (f"--{NASTY}{TITLE}",)
    yield "ingest", f"--{NASTY}{TITLE}"
    yield "replay", "--rule", NASTY + TITLE
    yield "erase", NASTY, "--reason", NASTY + TITLE
    yield "erase", NASTY, "--yes", "--reason", NASTY + TITLE


def test_nothing_that_a_command_prints_can_be_obeyed(place: Command) -> None:
    with session(place.folder, place.home) as greenstream:
        for arguments in steps(greenstream):
            code, out, err = greenstream(*arguments)
            assert hidden_in(out + err) == set(), (arguments, out, err)
            assert out or err, arguments
            if "--json" in arguments and code == 0:
                for line in [out] if arguments[0] == "query" else out.splitlines():
                    json.loads(line)


def test_an_error_of_the_system_or_a_setting_is_told_without_what_can_be_obeyed(greenstream: Command) -> None:
    for ended in (
        greenstream("quarantine", "export", f"absent/{NAME}", code=1),
        greenstream("status", TIMEZONE=NASTY + TITLE, code=1),
    ):
        assert len(ended.err.splitlines()) == 1
        assert hidden_in(ended.out + ended.err) == set()


def test_csv_is_exact_in_a_pipe_and_harmless_on_a_terminal(greenstream: Command) -> None:
    arguments = ("query", "--format", "csv", f"SELECT '{NASTY}' AS place")
    assert NASTY in greenstream(*arguments, code=0).out
    shown = on_terminal(greenstream, *arguments)
    assert "place" in shown
    assert "\\u202egnp" in shown
    assert set(shown) & set(HIDDEN) <= {"\n", "\r"}


def on_terminal(greenstream: Command, *arguments: str) -> str:
    """What a command writes to a terminal."""
    master, slave = pty.openpty()
    process = greenstream.start(*arguments, stdout=slave)
    os.close(slave)
    said = b""
    while select.select([master], [], [], 30)[0]:
        try:
            said += os.read(master, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
    process.communicate()
    os.close(master)
    return said.decode()
