"""Each way a landed file can end, and what happens when it comes again."""

import gzip
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
import zstandard
from tests.support.bed import DAY_FOLDER, HEADER, NOW, Bed, Databases, site_of

from greenstream.adapters.storage.names import escape
from greenstream.domain.codes import Reason
from greenstream.domain.errors import NotFound
from greenstream.domain.ledger import FileResult, Ledger, Outcome
from greenstream.domain.rules import b5_enrichment

GOOD = HEADER + "SM-1,2024-03-15 18:45:00,3250 W,Residential_Zone_7\nSM-2,2024-03-15 18:45:00,,\n,x,y,z\n"
LATER = NOW + timedelta(minutes=1)
CONTENT = "SELECT (SELECT count(*) FROM meter_readings) || ' ' || (SELECT count(*) FROM quarantined_rows)"


def line(bed: Bed, path: str) -> dict[str, Any]:
    (row,) = bed.query("SELECT * FROM source_files WHERE path = %s", path)
    return row


def ended(result: FileResult) -> tuple[Outcome, Reason | None, Ledger]:
    return result.outcome, result.reason, result.ledger


def quarantined_copies(bed: Bed) -> dict[str, bytes]:
    folder = bed.folder / "quarantine"
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_good_file_is_loaded_and_its_line_says_how(bed: Bed) -> None:
    result = bed.load("a.csv", GOOD)
    assert ended(result) == (Outcome.LOADED, None, Ledger(rows=3, stored=2, rejected=1))
    row = line(bed, result.delivery.path)
    assert (row["sha256"], row["size_bytes"], row["received_at"]) == (result.delivery.sha256, len(GOOD), NOW)
    assert (row["outcome"], row["rows"], row["stored"], row["duplicate"], row["rejected"]) == ("loaded", 3, 2, 0, 1)
    bed.assert_adds_up()
    assert bed.query("SELECT * FROM alerts") == []


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.CSV.GZ", gzip.compress), ("a.csv.zst", zstandard.compress)],
)
def test_a_compressed_file_is_loaded(bed: Bed, name: str, pack: Callable[[bytes], bytes]) -> None:
    assert ended(bed.load(name, pack(GOOD.encode())))[2] == Ledger(rows=3, stored=2, rejected=1)


def test_ignored_columns_are_named_once_in_the_files_record(bed: Bed) -> None:
    result = bed.load("a.csv", "meter_id,Phase,timestamp,energy_value,q\nSM-1,1,2024-03-15 18:45:00,1 kW,2\n")
    assert result.ignored_columns == ("Phase", "q")
    assert line(bed, result.delivery.path)["ignored_columns"] == ["Phase", "q"]


def test_a_header_alone_is_loaded_with_no_rows(bed: Bed) -> None:
    assert ended(bed.load("a.csv", HEADER)) == (Outcome.LOADED, None, Ledger())
    assert ended(bed.load("b.csv", HEADER)) == (Outcome.DUPLICATE, None, Ledger())


def test_a_file_of_rejected_rows_alone_is_loaded_with_nothing_stored(bed: Bed) -> None:
    assert ended(bed.load("a.csv", HEADER + "x\ny\n"))[2] == Ledger(rows=2, rejected=2)
    assert bed.query("SELECT * FROM meter_metadata") == []


@pytest.mark.parametrize("content", [GOOD, HEADER, b""])
def test_a_delivery_processed_again_gives_its_first_result_and_writes_nothing(bed: Bed, content: str | bytes) -> None:
    path = bed.land("a.csv", content)
    first = bed.process(path)
    everything = (
        "SELECT source_files::text AS row FROM source_files UNION ALL SELECT alerts::text FROM alerts"
        " UNION ALL SELECT meter_readings::text FROM meter_readings"
    )
    before = bed.query(everything)
    again = bed.process(path)
    assert ended(again) == ended(first)
    assert (again.processed_at, again.delivery) == (first.processed_at, first.delivery)
    assert bed.query(everything) == before


def test_the_same_bytes_landed_again_are_a_duplicate(bed: Bed) -> None:
    bed.load("a.csv", GOOD)
    before = bed.one(CONTENT)
    again = bed.load("a.csv", GOOD, received_at=LATER)
    assert ended(again) == (Outcome.DUPLICATE, None, Ledger())
    assert bed.one(CONTENT) == before
    outcomes = bed.query("SELECT outcome, rows FROM source_files ORDER BY received_at")
    assert outcomes == [{"outcome": "loaded", "rows": 3}, {"outcome": "duplicate", "rows": 0}]


def test_a_renamed_file_is_a_duplicate(bed: Bed) -> None:
    bed.load("a.csv", GOOD)
    assert ended(bed.load("b.csv", GOOD)) == (Outcome.DUPLICATE, None, Ledger())


def test_the_same_rows_compressed_are_other_content_and_all_duplicates(bed: Bed) -> None:
    bed.load("a.csv", GOOD)
    packed = bed.load("a.csv.gz", gzip.compress(GOOD.encode()))
    assert ended(packed) == (Outcome.LOADED, None, Ledger(rows=3, duplicate=2, rejected=1))
    bed.assert_adds_up()


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
    with databases.bed(site_of(max_file_bytes=1000)) as bed:
        result = bed.load(name, content)
        assert ended(result) == (Outcome.REJECTED, Reason(reason), Ledger())
        assert line(bed, result.delivery.path)["reason"] == reason
        assert quarantined_copies(bed) == ({} if reason == "TOO_LARGE" else {name: content})
        assert (bed.folder / DAY_FOLDER / name).read_bytes() == content
        (alert,) = bed.query("SELECT * FROM alerts")
        assert (alert["code"], alert["subject"], alert["count"]) == ("FILE_REJECTED", result.delivery.path, 1)
        assert alert["message"].startswith(f"{reason}: ")
        assert bed.one("SELECT count(*) FROM dead_letters") == 0


def test_a_compressed_empty_file_is_rejected_as_empty(bed: Bed) -> None:
    assert bed.load("a.csv.gz", gzip.compress(b"")).reason is Reason.EMPTY_FILE


def test_a_rejected_file_landed_again_counts_up_its_alert(bed: Bed) -> None:
    for minutes in range(3):
        bed.load("a.csv", b"", received_at=NOW + timedelta(minutes=minutes))
    (alert,) = bed.query("SELECT * FROM alerts")
    assert alert["count"] == 3
    assert alert["first_at"] < alert["last_at"]
    assert quarantined_copies(bed) == {"a.csv": b""}
    bed.execute("UPDATE greenstream.alert SET acknowledged_at = now()")
    bed.load("a.csv", b"", received_at=NOW + timedelta(minutes=9))
    assert [row["count"] for row in bed.query("SELECT count FROM alerts ORDER BY first_at")] == [3, 1]


def poison(bed: Bed) -> None:
    bed.execute(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'poisoned' USING ERRCODE = '22000'; END $$;"
        "CREATE TRIGGER poison BEFORE INSERT ON greenstream.quarantined_row FOR EACH ROW EXECUTE FUNCTION poison()"
    )


def test_a_file_the_database_refuses_is_a_dead_letter_and_loads_later(bed: Bed) -> None:
    poison(bed)
    path = bed.land("a.csv", GOOD)
    result = bed.process(path)
    assert ended(result) == (Outcome.FAILED, None, Ledger())
    assert bed.one(CONTENT) == "0 0"
    assert line(bed, path)["outcome"] == "failed"
    (letter,) = bed.query("SELECT * FROM dead_letters")
    assert (letter["source_file"], letter["attempts"], letter["replayed_at"]) == (path, 1, None)
    assert "poisoned" in letter["error"]
    (alert,) = bed.query("SELECT * FROM alerts")
    assert (alert["code"], alert["subject"]) == ("DEAD_LETTER", path)
    bed.execute("DROP TRIGGER poison ON greenstream.quarantined_row")
    assert ended(bed.process(path))[2] == Ledger(rows=3, stored=2, rejected=1)
    assert line(bed, path)["outcome"] == "loaded"
    bed.assert_adds_up()


BUGS = {
    "an error": ValueError("no such rule"),
    "one whose text PostgreSQL can't hold": ValueError("bad text \x00 \ud800"),
    "one without a text": AssertionError(),
    "a panic of the dataframe engine": pl.exceptions.PanicException("unreachable"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_makes_a_dead_letter_and_the_next_file_is_loaded(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, bug: str
) -> None:
    def fail(*_: object) -> pl.Expr:
        raise BUGS[bug]

    path = bed.land("a.csv", GOOD)
    with monkeypatch.context() as patched:
        patched.setattr(b5_enrichment, "season", fail)
        assert bed.process(path).outcome is Outcome.FAILED
        assert bed.process(path).outcome is Outcome.FAILED
    assert bed.one("SELECT count(*) FROM source_files WHERE outcome = 'failed'") == 1
    assert type(BUGS[bug]).__name__ in bed.one("SELECT error FROM dead_letters LIMIT 1")
    assert bed.one("SELECT count FROM alerts") == 2
    assert bed.load("b.csv", GOOD).outcome is Outcome.LOADED
    assert bed.process(path).outcome is Outcome.DUPLICATE
    assert line(bed, path)["outcome"] == "duplicate"
    assert ended(bed.process(path))[0] is Outcome.DUPLICATE
    bed.assert_adds_up()


def test_a_failed_file_that_proves_bad_is_then_rejected(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> pl.Expr:
        raise ValueError("a bug")

    path = bed.land("a.csv", b"meter_id\n")
    with monkeypatch.context() as patched:
        patched.setattr("greenstream.application.loading.process_file.judge_delivery", fail)
        bed.process(path)
    assert bed.process(path).reason is Reason.MISSING_COLUMN
    assert line(bed, path)["reason"] == "MISSING_COLUMN"


def test_a_file_that_is_gone_is_not_found_and_leaves_no_trace(bed: Bed) -> None:
    with pytest.raises(NotFound):
        bed.process(f"{DAY_FOLDER}/gone.csv")
    assert bed.query("SELECT * FROM source_files") == []


def test_file_names_of_any_kind_keep_their_own_line(bed: Bed) -> None:
    names = ["a b.csv", "ü.csv", "u\u0308.csv", "%41.csv", "a'\\\".csv", "A.csv", "a.csv"]
    for number, name in enumerate(names):
        (bed.folder / DAY_FOLDER).mkdir(parents=True, exist_ok=True)
        (bed.folder / DAY_FOLDER / name).write_text(GOOD + f"SM-{number},2024-03-15 18:45:00,1 kW,\n")
        assert bed.process(f"{DAY_FOLDER}/{escape(name)}").outcome is Outcome.LOADED
    assert bed.one("SELECT count(DISTINCT source_file) FROM meter_readings") == len(names)
    bed.assert_adds_up()
