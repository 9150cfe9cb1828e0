"""`greenstream quarantine`, `greenstream dead-letters` and `greenstream replay`."""

import csv
import io
from collections.abc import Iterator

import psycopg
import pytest
from tests.acceptance.conftest import HEADER, Command

FUTURE = "2030-01-01 10:00:00"
AHEAD = {"MAX_FUTURE_MINUTES": "100000000"}
"""By this setting there is no future."""


def row(meter: str, timestamp: str = "2024-03-15 18:45:00", energy: str = "1.5 kW") -> str:
    return f"{meter},{timestamp},{energy},,Commercial_Zone_2\n"


def load(greenstream: Command, name: str, *rows: str) -> str:
    """Ingest a file; its path in the landing zone."""
    greenstream("ingest", "-q", greenstream.file(name, HEADER + "".join(rows)), code=0)
    (found,) = greenstream("query", "--json", f"SELECT path FROM source_files WHERE path LIKE '%/{name}'", code=0).json
    return str(found["path"])


@pytest.fixture
def poison(dsn: str) -> Iterator[None]:
    """The database refuses rows of the quarantine."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'poisoned' USING ERRCODE = '22000'; END $$;"
            "CREATE TRIGGER poison BEFORE INSERT ON greenstream.quarantined_row"
            " FOR EACH ROW WHEN (NEW.raw_line LIKE 'poison%') EXECUTE FUNCTION poison()"
        )
        yield
        connection.execute("DROP FUNCTION IF EXISTS poison CASCADE")


def test_rejected_rows_are_listed_counted_and_shown(greenstream: Command) -> None:
    path = load(greenstream, "listed.csv", row("Q-1"), row("Q-1", FUTURE), "broken\n")
    listed = greenstream("quarantine", "list", "--source-file", path, code=0).out
    assert [line.split()[:3] for line in listed.splitlines()[2:4]] == [
        [path, "3", "TIMESTAMP_OUT_OF_RANGE"],
        [path, "4", "MALFORMED_ROW"],
    ]
    assert "2 rows: 1 MALFORMED_ROW, 1 TIMESTAMP_OUT_OF_RANGE" in listed
    found = greenstream("quarantine", "list", "--source-file", path, "--limit", "1", "--json", code=0).json
    assert found["counts"] == {"MALFORMED_ROW": 1, "TIMESTAMP_OUT_OF_RANGE": 1}
    assert [each["line_number"] for each in found["rows"]] == [3]
    shown = greenstream("quarantine", "show", path, "4", "--json", code=0).json
    assert (shown["raw_line"], shown["raw_bytes"], shown["rule_id"]) == ("broken", b"broken".hex(), "parse")
    assert "MALFORMED_ROW" in greenstream("quarantine", "show", path, "4", code=0).out
    assert (
        greenstream("quarantine", "list", "--source-file", path, "--since", "2999-01-01", "--json").json["rows"] == []
    )


def test_a_long_line_is_listed_by_its_beginning_and_shown_whole(greenstream: Command) -> None:
    line = "long" * 100_000
    path = load(greenstream, "long.csv", row("L-1"), f"{line}\n")
    assert f"{line[:100]}… " in greenstream("quarantine", "list", "--source-file", path, code=0).out
    assert line in greenstream("quarantine", "show", path, "3", code=0).out
    (listed,) = greenstream("quarantine", "list", "--source-file", path, "--json", code=0).json["rows"]
    assert listed["raw_line"] == line
    said = greenstream("quarantine", "replay", "--source-file", path, code=0).out
    assert "0 rows replayed = 0 stored + 0 duplicate; 1 stay in the quarantine" in said


def test_a_row_that_was_never_rejected_is_not_found(greenstream: Command) -> None:
    ended = greenstream("quarantine", "show", "raw-data/x.csv", "4", code=1)
    assert len(ended.err.splitlines()) == 1
    assert "error: NotFound: no row of raw-data/x.csv, line 4" in ended.err


def test_rows_that_pass_now_are_replayed_once_and_the_ledger_says_so(greenstream: Command) -> None:
    path = load(greenstream, "future.csv", row("R-1"), row("R-1", FUTURE), "broken\n")
    arguments = ("quarantine", "replay", "--source-file", path)
    said = greenstream(*arguments, "--dry-run", code=0, **AHEAD).out
    assert "1 rows would pass, 1 would stay; nothing was changed" in said
    done = greenstream(*arguments, code=0, **AHEAD).out
    assert "1 rows replayed = 1 stored + 0 duplicate; 1 stay in the quarantine" in done
    assert "1 file now: 3 rows = 2 stored + 0 duplicate + 1 rejected: it adds up" in done
    assert ["TIMESTAMP_OUT_OF_RANGE", "OK", "1"] in [line.split() for line in done.splitlines()]
    (again,) = greenstream(*arguments, "--json", code=0, **AHEAD).json_lines
    assert (again["passed"], again["ledger"]["rejected"]) == (0, 1)
    everything = greenstream("quarantine", "list", "--all", "--source-file", path, code=0).out
    assert [line.split()[-1] for line in everything.splitlines()[2:4]] == ["replayed", "waits"]


def test_an_export_fixed_by_hand_is_replayed(greenstream: Command) -> None:
    path = load(greenstream, "fix.csv", row("X-1"), "X-1;2024-03-15 19:00:00;2 kW;;\n", "lost\n")
    greenstream("quarantine", "export", "--source-file", path, "out.csv", code=0)
    out = greenstream.folder / "out.csv"
    first, _ = csv.DictReader(io.StringIO(out.read_text()))
    assert first == {
        "source_file": path,
        "line_number": "3",
        "code": "MALFORMED_ROW",
        "header": HEADER.strip(),
        "raw_line": "X-1;2024-03-15 19:00:00;2 kW;;",
    }
    assert greenstream("quarantine", "export", "out.csv", code=2).out == ""  # it may hold fixes
    out.write_text(out.read_text().replace("X-1;2024-03-15 19:00:00;2 kW;;", "X-1,2024-03-15 19:00:00,2 kW,,"))
    (done,) = greenstream("quarantine", "replay", "--from", "out.csv", "--json", code=0).json_lines
    assert (done["stored"], done["ledger"]) == (1, {"rows": 3, "stored": 2, "duplicate": 0, "rejected": 1})
    ended = greenstream("quarantine", "replay", "--from", "out.csv", code=1)
    assert "1 fixed lines are about no row that waits" in ended.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("meter_id,timestamp\n", "has no column source_file, line_number, raw_line"),
        ("source_file,line_number,raw_line\na.csv,x,b\n", "record 1 has a line_number that is none"),
        ("source_file;line_number;raw_line\na.csv;2;b\na.csv;2;c\n", "record 1 is about the same line"),
        ('source_file,line_number,raw_line\na.csv,2,"a\nb"\n', "record 1 has a raw_line of several lines"),
        ("source_file,line_number,raw_line\na.csv,2,\n", "record 1 has an empty raw_line"),
        ("", "can't be read as CSV"),
    ],
)
def test_a_file_of_fixes_that_is_none_is_refused_in_a_line(greenstream: Command, text: str, said: str) -> None:
    ended = greenstream("quarantine", "replay", "--from", greenstream.file("bad.csv", text), code=1)
    (line,) = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert "InvalidFixes" in line
    assert said in line


def test_discarded_rows_wait_no_longer_and_still_count(greenstream: Command) -> None:
    path = load(greenstream, "discard.csv", row("D-9"), "one\n", "two\n")
    said = greenstream("quarantine", "discard", "--source-file", path, "--dry-run", code=0).out
    assert said == "2 rows would be discarded; nothing was changed: 2 MALFORMED_ROW\n"
    done = greenstream("quarantine", "discard", path, "3", "--reason", "a test", "--json", code=0).json
    assert done == {"discarded": 1, "counts": {"MALFORMED_ROW": 1}, "dry_run": False}
    assert greenstream("quarantine", "show", path, "3", "--json").json["discard_reason"] == "a test"
    assert greenstream("quarantine", "list", "--source-file", path, "--json").json["counts"] == {"MALFORMED_ROW": 1}
    found = greenstream("query", "--json", f"SELECT rejected FROM source_files WHERE path = '{path}'").json
    assert found == [{"rejected": 2}]
    ended = greenstream("quarantine", "discard", path, "3", code=1)
    assert "1 of these rows don't wait" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("quarantine", "discard"),
        ("quarantine", "discard", "a.csv"),
        ("quarantine", "list", "--code", "NONSENSE"),
        ("quarantine", "list", "--since", "yesterday"),
        ("quarantine", "replay", "--from", "a.csv", "--code", "MALFORMED_ROW"),
        ("replay",),
        ("replay", "--rule", "B9.9"),
        ("replay", "--rule", "B6.2"),
        ("replay", "--rule", "B5.1"),
        ("replay", "--rule", "B1.2", "--from", "2024-03-02", "--to", "2024-03-01"),
        ("dead-letters", "replay"),
        ("dead-letters", "replay", "1", "--all"),
        ("dead-letters", "discard"),
    ],
)
def test_a_wrong_call_is_said_in_a_line(greenstream: Command, arguments: tuple[str, ...]) -> None:
    ended = greenstream(*arguments, code=2)
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1


def test_after_a_threshold_changed_its_readings_are_judged_anew(greenstream: Command) -> None:
    load(
        greenstream, "high.csv", row("H-1", "2023-07-01 12:00:00", "60 kW"), row("H-2", "2023-07-02 12:00:00", "60 kW")
    )
    arguments = ("replay", "--rule", "B3.1", "--from", "2023-07-01", "--to", "2023-07-01")
    said = greenstream(*arguments, "--dry-run", code=0, MAX_KW="70").out
    assert "1 readings of 1 days judged anew: 1 would change; nothing was changed" in said
    (done,) = greenstream(*arguments, "--json", code=0, MAX_KW="70").json_lines
    assert done == {
        "what": "day",
        "date": "2023-07-01",
        "readings": 1,
        "changes": [{"from": "OUT_OF_RANGE", "to": "OK", "count": 1}],
        "unknown": 0,
    }
    query = "SELECT flags, quality_grade FROM meter_readings WHERE meter_id LIKE 'H-%' ORDER BY meter_id"
    assert greenstream("query", "--json", query).json == [
        {"flags": [], "quality_grade": "A"},
        {"flags": ["OUT_OF_RANGE"], "quality_grade": "B"},
    ]


def test_after_a_rule_was_fixed_the_rows_it_rejected_are_replayed(greenstream: Command) -> None:
    load(greenstream, "b33.csv", row("B-33", FUTURE))
    files = greenstream("replay", "--rule", "B3.3", "--json", code=0, **AHEAD).json_lines
    (done,) = [file for file in files if file["source_file"].endswith("/b33.csv")]
    assert (done["what"], done["stored"], done["changes"]) == (
        "file",
        1,
        [{"from": "TIMESTAMP_OUT_OF_RANGE", "to": "OK", "count": 1}],
    )


@pytest.mark.usefixtures("poison")
def test_a_dead_letter_is_looked_at_replayed_and_given_up(greenstream: Command, dsn: str) -> None:
    name = greenstream.file("letter.csv", HEADER + row("DL-1") + "poison\n")
    greenstream("ingest", "-q", name, code=1)
    (letter,) = greenstream("dead-letters", "list", "--json", code=0).json
    number = str(letter["id"])
    assert (letter["attempts"], letter["replayed_at"]) == (1, None)
    assert "poisoned" in letter["error"]
    assert "poisoned" in greenstream("dead-letters", "list", code=0).out
    assert "Traceback (most recent call last)" in greenstream("dead-letters", "show", number, code=0).out
    ended = greenstream("dead-letters", "replay", number, "--json", code=1)
    assert (ended.json["id"], ended.json["outcome"]) == (letter["id"], "failed")
    assert len(ended.err.splitlines()) == 1
    assert greenstream("dead-letters", "show", number, "--json", code=0).json["attempts"] == 2
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP FUNCTION poison CASCADE")
    (done,) = greenstream("dead-letters", "replay", "--all", "--json", code=0).json_lines
    assert (done["outcome"], done["rows"], done["stored"], done["rejected"]) == ("loaded", 2, 1, 1)
    assert greenstream("dead-letters", "list", "--json", code=0).json == []
    assert "no dead letter" in greenstream("dead-letters", "discard", number, code=1).err


@pytest.mark.usefixtures("poison")
def test_a_dead_letter_without_its_file_can_only_be_given_up(greenstream: Command) -> None:
    name = greenstream.file("gone.csv", HEADER + row("DL-2") + "poison\n")
    greenstream("ingest", "-q", name, code=1)
    (letter,) = greenstream("dead-letters", "list", "--json", code=0).json
    (greenstream.home / letter["source_file"]).unlink()
    ended = greenstream("dead-letters", "replay", str(letter["id"]), code=1)
    assert "no longer in the landing zone" in ended.err
    assert greenstream("dead-letters", "discard", str(letter["id"]), "--json", code=0).json == {
        "discarded": [letter["id"]]
    }
    assert greenstream("dead-letters", "list", "--json", code=0).json == []
