"""Each way a landed file can end, and what happens when it comes again."""

import gzip
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
import zstandard
from tests.support.harness import DAY_FOLDER, HEADER, NOW, Databases, Harness, site_of

from greenstream.adapters.storage.names import escape
from greenstream.domain.codes import Reason
from greenstream.domain.errors import NotFound
from greenstream.domain.ledger import FileResult, Ledger, Outcome
from greenstream.domain.rules import b5_enrichment

GOOD = HEADER + "SM-1,2024-03-15 18:45:00,3250 W,Residential_Zone_7\nSM-2,2024-03-15 18:45:00,,\n,x,y,z\n"
LATER = NOW + timedelta(minutes=1)
CONTENT = "SELECT (SELECT count(*) FROM meter_readings) || ' ' || (SELECT count(*) FROM quarantined_rows)"


def line(harness: Harness, path: str) -> dict[str, Any]:
    (row,) = harness.query("SELECT * FROM source_files WHERE path = %s", path)
    return row


def ended(result: FileResult) -> tuple[Outcome, Reason | None, Ledger]:
    return result.outcome, result.reason, result.ledger


def quarantined_copies(harness: Harness) -> dict[str, bytes]:
    folder = harness.folder / "quarantine"
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_good_file_is_loaded_and_its_line_says_how(harness: Harness) -> None:
    result = harness.load("a.csv", GOOD)
    assert ended(result) == (Outcome.LOADED, None, Ledger(rows=3, stored=2, rejected=1))
    row = line(harness, result.delivery.path)
    assert (row["sha256"], row["size_bytes"], row["received_at"]) == (result.delivery.sha256, len(GOOD), NOW)
    assert (row["outcome"], row["rows"], row["stored"], row["duplicate"], row["rejected"]) == ("loaded", 3, 2, 0, 1)
    harness.assert_adds_up()
    assert harness.query("SELECT * FROM alerts") == []


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.CSV.GZ", gzip.compress), ("a.csv.zst", zstandard.compress)],
)
def test_a_compressed_file_is_loaded(harness: Harness, name: str, pack: Callable[[bytes], bytes]) -> None:
    assert ended(harness.load(name, pack(GOOD.encode())))[2] == Ledger(rows=3, stored=2, rejected=1)


def test_ignored_columns_are_named_once_in_the_files_record(harness: Harness) -> None:
    result = harness.load("a.csv", "meter_id,Phase,timestamp,energy_value,q\nSM-1,1,2024-03-15 18:45:00,1 kW,2\n")
    assert result.ignored_columns == ("Phase", "q")
    assert line(harness, result.delivery.path)["ignored_columns"] == ["Phase", "q"]


def test_a_header_alone_is_loaded_with_no_rows(harness: Harness) -> None:
    assert ended(harness.load("a.csv", HEADER)) == (Outcome.LOADED, None, Ledger())
    assert ended(harness.load("b.csv", HEADER)) == (Outcome.DUPLICATE, None, Ledger())


def test_a_file_of_rejected_rows_alone_is_loaded_with_nothing_stored(harness: Harness) -> None:
    assert ended(harness.load("a.csv", HEADER + "x\ny\n"))[2] == Ledger(rows=2, rejected=2)
    assert harness.query("SELECT * FROM meter_metadata") == []


@pytest.mark.parametrize("content", [GOOD, HEADER, b""])
def test_a_delivery_processed_again_gives_its_first_result_and_writes_nothing(
    harness: Harness, content: str | bytes
) -> None:
    path = harness.land("a.csv", content)
    first = harness.process(path)
    everything = (
        "SELECT source_files::text AS row FROM source_files UNION ALL SELECT alerts::text FROM alerts"
        " UNION ALL SELECT meter_readings::text FROM meter_readings"
    )
    before = harness.query(everything)
    again = harness.process(path)
    assert ended(again) == ended(first)
    assert (again.processed_at, again.delivery) == (first.processed_at, first.delivery)
    assert harness.query(everything) == before


def test_the_same_bytes_landed_again_are_a_duplicate(harness: Harness) -> None:
    harness.load("a.csv", GOOD)
    before = harness.one(CONTENT)
    again = harness.load("a.csv", GOOD, received_at=LATER)
    assert ended(again) == (Outcome.DUPLICATE, None, Ledger())
    assert harness.one(CONTENT) == before
    outcomes = harness.query("SELECT outcome, rows FROM source_files ORDER BY received_at")
    assert outcomes == [{"outcome": "loaded", "rows": 3}, {"outcome": "duplicate", "rows": 0}]


def test_a_renamed_file_is_a_duplicate(harness: Harness) -> None:
    harness.load("a.csv", GOOD)
    assert ended(harness.load("b.csv", GOOD)) == (Outcome.DUPLICATE, None, Ledger())


def test_the_same_rows_compressed_are_other_content_and_all_duplicates(harness: Harness) -> None:
    harness.load("a.csv", GOOD)
    packed = harness.load("a.csv.gz", gzip.compress(GOOD.encode()))
    assert ended(packed) == (Outcome.LOADED, None, Ledger(rows=3, duplicate=2, rejected=1))
    harness.assert_adds_up()


REJECTED = {
    "BAD_EXTENSION": ("a.txt", GOOD.encode()),
    "EMPTY_FILE": ("a.csv", b""),
    "TOO_LARGE": ("a.csv", GOOD.encode() * 20),
    "CORRUPT_ARCHIVE": ("a.csv.gz", gzip.compress(GOOD.encode())[:-9]),
    "BAD_ENCODING": ("a.csv", GOOD.encode("utf-16")),
    "MISSING_COLUMN": ("a.csv", b"meter_id,timestamp\nSM-1,2024-03-15 18:45:00\n"),
}


@pytest.mark.parametrize("reason", REJECTED)
def test_a_bad_file_is_rejected_with_a_copy_and_an_alert(databases: Databases, reason: str) -> None:
    name, content = REJECTED[reason]
    with databases.harness(site_of(max_file_bytes=1000)) as harness:
        result = harness.load(name, content)
        assert ended(result) == (Outcome.REJECTED, Reason(reason), Ledger())
        assert line(harness, result.delivery.path)["reason"] == reason
        assert quarantined_copies(harness) == ({} if reason == "TOO_LARGE" else {name: content})
        assert (harness.folder / DAY_FOLDER / name).read_bytes() == content
        (alert,) = harness.query("SELECT * FROM alerts")
        assert (alert["code"], alert["subject"], alert["count"]) == ("FILE_REJECTED", result.delivery.path, 1)
        assert alert["message"].startswith(f"{reason}: ")
        assert harness.one("SELECT count(*) FROM dead_letters") == 0


def test_a_compressed_empty_file_is_rejected_as_empty(harness: Harness) -> None:
    assert harness.load("a.csv.gz", gzip.compress(b"")).reason is Reason.EMPTY_FILE


def test_a_rejected_file_landed_again_counts_up_its_alert(harness: Harness) -> None:
    for minutes in range(3):
        harness.load("a.csv", b"", received_at=NOW + timedelta(minutes=minutes))
    (alert,) = harness.query("SELECT * FROM alerts")
    assert alert["count"] == 3
    assert alert["first_at"] < alert["last_at"]
    assert quarantined_copies(harness) == {"a.csv": b""}
    harness.execute("UPDATE greenstream.alert SET acknowledged_at = now()")
    harness.load("a.csv", b"", received_at=NOW + timedelta(minutes=9))
    assert [row["count"] for row in harness.query("SELECT count FROM alerts ORDER BY first_at")] == [3, 1]


def poison(harness: Harness) -> None:
    harness.execute(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'poisoned' USING ERRCODE = '22000'; END $$;"
        "CREATE TRIGGER poison BEFORE INSERT ON greenstream.quarantined_row FOR EACH ROW EXECUTE FUNCTION poison()"
    )


def test_a_file_the_database_refuses_is_a_dead_letter_and_loads_later(harness: Harness) -> None:
    poison(harness)
    path = harness.land("a.csv", GOOD)
    result = harness.process(path)
    assert ended(result) == (Outcome.FAILED, None, Ledger())
    assert harness.one(CONTENT) == "0 0"
    assert line(harness, path)["outcome"] == "failed"
    (letter,) = harness.query("SELECT * FROM dead_letters")
    assert (letter["source_file"], letter["attempts"], letter["replayed_at"]) == (path, 1, None)
    assert "poisoned" in letter["error"]
    (alert,) = harness.query("SELECT * FROM alerts")
    assert (alert["code"], alert["subject"]) == ("DEAD_LETTER", path)
    harness.execute("DROP TRIGGER poison ON greenstream.quarantined_row")
    assert ended(harness.process(path))[2] == Ledger(rows=3, stored=2, rejected=1)
    assert line(harness, path)["outcome"] == "loaded"
    harness.assert_adds_up()


BUGS = {
    "an error": ValueError("no such rule"),
    "one whose text PostgreSQL can't hold": ValueError("bad text \x00 \ud800"),
    "one without a text": AssertionError(),
    "a panic of the dataframe engine": pl.exceptions.PanicException("unreachable"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_makes_a_dead_letter_and_the_next_file_is_loaded(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, bug: str
) -> None:
    def fail(*_: object) -> pl.Expr:
        raise BUGS[bug]

    path = harness.land("a.csv", GOOD)
    with monkeypatch.context() as patched:
        patched.setattr(b5_enrichment, "season", fail)
        assert harness.process(path).outcome is Outcome.FAILED
        assert harness.process(path).outcome is Outcome.FAILED
    assert harness.one("SELECT count(*) FROM source_files WHERE outcome = 'failed'") == 1
    assert type(BUGS[bug]).__name__ in harness.one("SELECT error FROM dead_letters LIMIT 1")
    assert harness.one("SELECT count FROM alerts") == 2
    assert harness.load("b.csv", GOOD).outcome is Outcome.LOADED
    assert harness.process(path).outcome is Outcome.DUPLICATE
    assert line(harness, path)["outcome"] == "duplicate"
    assert ended(harness.process(path))[0] is Outcome.DUPLICATE
    harness.assert_adds_up()


def test_a_failed_file_that_proves_bad_is_then_rejected(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> pl.Expr:
        raise ValueError("a bug")

    path = harness.land("a.csv", b"meter_id\n")
    with monkeypatch.context() as patched:
        patched.setattr("greenstream.application.loading.process_file.judge_delivery", fail)
        harness.process(path)
    assert harness.process(path).reason is Reason.MISSING_COLUMN
    assert line(harness, path)["reason"] == "MISSING_COLUMN"


def test_a_file_that_is_gone_is_not_found_and_leaves_no_trace(harness: Harness) -> None:
    with pytest.raises(NotFound):
        harness.process(f"{DAY_FOLDER}/gone.csv")
    assert harness.query("SELECT * FROM source_files") == []


def test_file_names_of_any_kind_keep_their_own_line(harness: Harness) -> None:
    names = ["a b.csv", "ü.csv", "u\u0308.csv", "%41.csv", "a'\\\".csv", "A.csv", "a.csv"]
    for number, name in enumerate(names):
        (harness.folder / DAY_FOLDER).mkdir(parents=True, exist_ok=True)
        (harness.folder / DAY_FOLDER / name).write_text(GOOD + f"SM-{number},2024-03-15 18:45:00,1 kW,\n")
        assert harness.process(f"{DAY_FOLDER}/{escape(name)}").outcome is Outcome.LOADED
    assert harness.one("SELECT count(DISTINCT source_file) FROM meter_readings") == len(names)
    harness.assert_adds_up()
