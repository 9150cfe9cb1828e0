"""`greenstream ingest`."""

import gzip
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from tests.acceptance.conftest import HEADER, Command

SAMPLE = "SM-48291,2024-03-15 18:45:00,3250 W,,Residential_Zone_7\n"
KEYS = ["file", "outcome", "reason", "rows", "stored", "duplicate", "rejected"]
CLOSED_PORT = "postgresql://greenstream@127.0.0.1:1/greenstream"


def row(meter: str, energy: str = "1.5 kW") -> str:
    return f"{meter},2024-03-15 18:45:00,{energy},,Commercial_Zone_2\n"


def test_the_sample_reading_is_stored_as_specified(greenstream: Command) -> None:
    greenstream("ingest", greenstream.file("sample.csv", HEADER + SAMPLE), code=0)
    found = greenstream("query", "--json", "SELECT * FROM meter_readings WHERE meter_id = 'SM-48291'", code=0).json
    [reading] = found
    assert reading["record_id"] == "94c80d433ed95d02340740bc2829980abb5ff0d27df139dd4e0cc2993741e00a"
    assert reading["consumption_kw"] == 3.25
    assert reading["energy_value"] == "3250 W"
    assert reading["reading_at"] == "2024-03-15T18:45:00+00:00"
    assert (reading["region"], reading["customer_class"]) == ("Zone7", "Residential")
    assert (reading["period"], reading["season"]) == ("peak", "spring")
    assert (reading["flags"], reading["quality_score"], reading["quality_grade"]) == ([], 100, "A")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("readings.txt", HEADER + row("T-1"), "BAD_EXTENSION"),
        ("empty.csv", b"", "EMPTY_FILE"),
        ("empty.csv.gz", gzip.compress(b"", mtime=0), "EMPTY_FILE"),
        ("large.csv", HEADER + row("T-2") * 100, "TOO_LARGE"),
        ("broken.csv.gz", b"no archive", "CORRUPT_ARCHIVE"),
        ("odd.csv", b"meter_id,timestamp,energy_value,\xff\xfe\n", "BAD_ENCODING"),
        ("short.csv", "meter_id,timestamp\nT-3,2024-03-15 18:45:00\n", "MISSING_COLUMN"),
    ],
)
def test_a_file_that_fails_a_check_is_rejected_with_its_reason(
    greenstream: Command, name: str, content: str | bytes, reason: str
) -> None:
    ended = greenstream("ingest", "--json", greenstream.file(name, content), MAX_FILE_BYTES="2000")
    assert ended.code == 1
    assert ended.json == dict(zip(KEYS, [name, "rejected", reason, 0, 0, 0, 0], strict=True))
    [line] = ended.err.splitlines()
    assert name in line
    assert reason in line


def test_a_giant_is_refused_before_it_is_copied(greenstream: Command, home: Path) -> None:
    giant = greenstream.file("giant.csv", "")
    os.truncate(greenstream.folder / giant, 1024**4)
    for _ in range(2):
        ended = greenstream("ingest", "--json", giant)
        assert ended.code == 1
        assert ended.json == dict(zip(KEYS, [giant, "rejected", "TOO_LARGE", 0, 0, 0, 0], strict=True))
        assert f"has {1024**4} bytes, more than 104857600" in ended.err
    found = greenstream("query", "--json", "SELECT * FROM source_files WHERE path LIKE '%/giant.csv'", code=0).json
    assert [(line["sha256"], line["size_bytes"], line["reason"]) for line in found] == [
        (None, 1024**4, "TOO_LARGE")
    ] * 2
    assert not list(home.rglob("giant*"))


def test_a_file_with_an_old_time_keeps_its_raw_copy(greenstream: Command, home: Path) -> None:
    """`cp -p`, rsync and unzip bring the sender's time; the night must not take it for the landing."""
    today = datetime.now(UTC).date()
    dropped = home / "raw-data" / str(today) / "old.csv"
    dropped.parent.mkdir(parents=True, exist_ok=True)
    dropped.write_text(HEADER + row("P-1"))
    long_ago = time.time() - 120 * 86400
    os.utime(dropped, (long_ago, long_ago))
    assert greenstream("ingest", "--json", str(dropped), code=0).json["outcome"] == "loaded"
    greenstream("nightly", code=0)
    assert dropped.exists()
    dropped.chmod(0o600)
    assert greenstream("ingest", "--json", str(dropped), code=0).json["outcome"] == "loaded"
    (line,) = greenstream("query", "--json", "SELECT * FROM source_files WHERE path LIKE '%/old.csv'", code=0).json
    assert line["received_at"][:10] == str(today)


def test_a_bad_or_absent_file_does_not_keep_the_others_out(greenstream: Command) -> None:
    greenstream.file("x/a.csv", "nothing\n")
    greenstream.file("x/b.csv", HEADER + row("B-1") + row("B-2", "12..5 kW") + row(""))
    greenstream.file("x/c.csv", HEADER + row("B-1"))
    names = ["./x/a.csv", "x/absent.csv", "x/b.csv", "x//c.csv"]
    ended = greenstream("ingest", "--json", *names)
    assert ended.code == 1
    assert [list(line.values()) for line in ended.json_lines] == [
        ["./x/a.csv", "rejected", "MISSING_COLUMN", 0, 0, 0, 0],
        ["x/b.csv", "loaded", None, 3, 2, 0, 1],
        ["x//c.csv", "loaded", None, 1, 0, 1, 0],
    ]
    assert all(list(line) == KEYS for line in ended.json_lines)
    assert [line for line in ended.err.splitlines() if "absent.csv" in line] == [
        "error: NotFound: x/absent.csv: no such file"
    ]


def test_the_same_content_is_a_duplicate_and_no_trouble(greenstream: Command) -> None:
    first, copy = (greenstream.file(name, HEADER + row("D-1")) for name in ("d.csv", "renamed.csv"))
    ended = greenstream("ingest", "--json", "--quiet", first, first, copy, code=0)
    assert [line["outcome"] for line in ended.json_lines] == ["loaded", "duplicate", "duplicate"]
    assert ended.err == ""


def test_a_person_sees_the_ledger_and_where_to_look(greenstream: Command) -> None:
    good = greenstream.file("ledger.csv", HEADER + row("LEDGER-1") + row("LEDGER-2") + "broken\n")
    ended = greenstream("ingest", good, greenstream.file("none.csv", ""))
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert lines[0].split() == ["file", "outcome", "reason", "rows", "stored", "duplicate", "rejected", "rows/s"]
    assert lines[2].split()[:6] == ["ledger.csv", "loaded", "3", "2", "0", "1"]
    assert lines[3].split() == ["none.csv", "rejected", "EMPTY_FILE", "0", "0", "0", "0"]
    assert lines[-1].startswith("2 files: 3 rows = 2 stored + 0 duplicate + 1 rejected")
    assert "greenstream quarantine list" in ended.err


def test_quiet_takes_the_hints_and_leaves_data_and_errors(greenstream: Command) -> None:
    names = [greenstream.file("quiet.csv", HEADER + row("QUIET-1") + "broken\n"), greenstream.file("quiet.txt", "")]
    ended = greenstream("ingest", "-q", *names)
    assert "2 files: 2 rows = 1 stored + 0 duplicate + 1 rejected" in ended.out
    assert [line.split()[1] for line in ended.err.splitlines()] == ["quiet.txt"]


def test_a_folder_stands_for_the_csv_files_in_it(greenstream: Command) -> None:
    for name in ("b.CSV", "a.csv.gz", "notes.txt", "sub/c.csv"):
        content = (HEADER + row(f"F-{name[0]}")).encode()
        greenstream.file(f"folder/{name}", gzip.compress(content) if name.endswith("gz") else content)
    ended = greenstream("ingest", "--json", "folder", code=0)
    assert [line["file"] for line in ended.json_lines] == ["folder/a.csv.gz", "folder/b.CSV"]
    assert "2 CSV files in it, 2 other entries left out" in ended.err


def test_a_folder_without_csv_files_is_wrong_usage(greenstream: Command) -> None:
    (greenstream.folder / "bare").mkdir()
    assert greenstream("ingest", "bare", code=2).out == ""


def test_a_name_that_is_not_text_is_reported_as_it_is(greenstream: Command) -> None:
    name = os.fsdecode(b"caf\xe9.csv")
    greenstream.file(name, HEADER + row("N-1"))
    [line] = greenstream("ingest", "--json", name, code=0).json_lines
    assert line["file"] == name


def test_all_landed_files_are_kept_by_day(greenstream: Command, home: Path) -> None:
    greenstream("ingest", greenstream.file("kept.csv", HEADER + row("K-1")), code=0)
    [landed] = home.glob("raw-data/????-??-??/kept.csv")
    assert landed.read_text() == HEADER + row("K-1")


def test_a_database_that_is_away_is_asked_again_and_nothing_lands(new_greenstream: Command) -> None:
    name = new_greenstream.file("a.csv", HEADER + row("A-1"))
    ended = new_greenstream("ingest", "--json", name, DATABASE_URL=CLOSED_PORT)
    assert (ended.code, ended.out) == (1, "")
    assert [pause for pause in (2, 4, 8) if f"(in {pause} s)" in ended.err] == [2, 4, 8]
    assert ended.err.splitlines()[-1].startswith("error: DatabaseUnavailable: ")
    assert not new_greenstream.home.exists()


def test_a_database_that_refuses_is_one_line_and_nothing_lands(new_greenstream: Command, dsn: str) -> None:
    name = new_greenstream.file("a.csv", HEADER + row("A-1"))
    ended = new_greenstream("ingest", name, DATABASE_URL=dsn.replace("greenstream@", "nobody@"))
    assert (ended.code, ended.out) == (1, "")
    [line] = ended.err.splitlines()
    assert line.startswith("error: DatabaseRefused: ")
    assert not new_greenstream.home.exists()


def test_a_reading_is_visible_to_other_programs(greenstream: Command, dsn: str) -> None:
    greenstream("ingest", greenstream.file("seen.csv", HEADER + row("S-1")), code=0)
    with psycopg.connect(dsn) as connection:
        found = connection.execute("SELECT count(*) FROM meter_readings WHERE meter_id = 'S-1'").fetchone()
    assert found == (1,)
