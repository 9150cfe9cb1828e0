"""A meter is erased: nothing that is kept, in whatever layer, names it or holds its readings any more."""

import gzip
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from tests.contract.storage_fixtures import BUCKET, S3Server
from tests.integration.test_lake import DAY, LONG_AFTER, day_file, lake_rows, with_faults
from tests.support.harness import HEADER, VERSION, Harness
from tests.support.nights import Nights

from greenstream.adapters.lake.objects import ObjectLake
from greenstream.adapters.storage import open_store
from greenstream.application.corrections import erase as erasing
from greenstream.application.corrections.discard_file import Discarding, discard_file
from greenstream.domain.corrections.erased_lines import blanked
from greenstream.domain.errors import NotFound
from greenstream.domain.formats import landed_text
from greenstream.domain.limits import Limits

GONE, STAYS = "SM-1", "SM-10"
BAD = f"{GONE},no time,1 kW,Residential_Zone_1\n{GONE},2024-03-15,too,many,fields\n{STAYS},2024-03-15,too,many,fields\n"


@pytest.fixture
def nights(harness: Harness) -> Nights:
    return Nights(harness)


def tables_that_name_it(harness: Harness) -> list[str]:
    listed = (
        "SELECT table_schema AS s, table_name AS t FROM information_schema.tables"
        " WHERE table_schema IN ('public', 'greenstream') AND table_type IN ('BASE TABLE', 'VIEW')"
    )
    word, found = re.compile(r"(?<![\w-])SM-1(?![\w-])"), []
    with psycopg.connect(harness.dsn) as connection:
        for row in harness.query(listed):
            rows = connection.execute(sql.SQL("SELECT r::text FROM {} r").format(sql.Identifier(row["s"], row["t"])))
            if any(word.search(text) for (text,) in rows):
                found.append(f"{row['s']}.{row['t']}")
    return found


def names_it(harness: Harness) -> list[str]:
    """Everything kept in which the meter_id stands as a whole word."""
    found = tables_that_name_it(harness)
    for path in sorted(each for each in harness.folder.rglob("*") if each.is_file()):
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        if path.suffix == ".parquet":
            raw = "\n".join(map(str, pl.read_parquet(path)["meter_id"] if has_meters(path) else [])).encode()
        if any(word == GONE.encode() for line in raw.split(b"\n") for word in line.replace(b'"', b",").split(b",")):
            found.append(str(path.relative_to(harness.folder)))
    return found


def has_meters(path: Path) -> bool:
    return "meter_id" in pl.read_parquet_schema(path)


def filled(harness: Harness) -> None:
    more = f"{STAYS},2024-03-15T00:00:00Z,1 kW,Residential_Zone_1\n"
    harness.load("a.csv", with_faults() + BAD + more)
    harness.load("b.csv.gz", gzip.compress(day_file(kilowatts=9).encode()))
    harness.load("wrong.txt", f"{GONE},x\nother,y\n")


def test_nothing_of_it_is_left_and_all_else_is(harness: Harness, nights: Nights) -> None:
    filled(harness)
    nights.run()
    others = harness.query("SELECT record_id FROM meter_readings WHERE meter_id <> 'SM-1' ORDER BY 1")
    assert len(names_it(harness)) > 10
    done = nights.erase(GONE)
    assert {each.layer for each in done if isinstance(each, erasing.Deletion)} == {
        *("raw", "quarantine", "database", "findings", "lake")
    }
    assert names_it(harness) == []
    assert harness.query("SELECT record_id FROM meter_readings ORDER BY 1") == others
    assert lake_rows(harness).height == len(others)
    assert nights.verify(DAY).differences == ()
    assert harness.one("SELECT sum(readings) FROM greenstream.grade_count") == len(others)
    assert harness.one("SELECT count(*) FROM quarantined_rows") == 1
    (erasure,) = harness.query("SELECT reason, completed_at FROM erasures")
    assert erasure["reason"] == "asked for"
    assert erasure["completed_at"] is not None
    assert harness.one("SELECT count(*) FROM deletions WHERE layer = 'lake'") == 1
    before = {path: path.read_bytes() for path in harness.folder.rglob("*.parquet")}
    nights.run()
    assert nights.archive(DAY).changed == 0
    assert {path: path.read_bytes() for path in harness.folder.rglob("*.parquet")} == before


def test_it_goes_from_days_that_are_in_the_lake_only(harness: Harness, nights: Nights) -> None:
    harness.now = LONG_AFTER
    filled(harness)
    nights.run()
    assert harness.one("SELECT count(*) FROM meter_readings") == 0
    nights.erase(GONE)
    assert names_it(harness) == []
    assert lake_rows(harness).height > 0
    assert nights.verify(DAY).differences == ()


def test_objects_of_other_regions_are_not_written_anew(harness: Harness, nights: Nights) -> None:
    filled(harness)
    nights.run()
    objects = {path.parent.name: path for path in (harness.folder / "analytics").rglob("*.parquet")}
    before = {region: path.stat().st_mtime_ns for region, path in objects.items()}
    nights.erase(GONE)
    changed = {region for region, path in objects.items() if path.stat().st_mtime_ns != before[region]}
    assert changed == {"region=Zone1"}


def test_what_is_delivered_again_does_not_bring_it_back(harness: Harness, nights: Nights) -> None:
    filled(harness)
    nights.run()
    nights.erase(GONE)
    same = harness.load("again.csv", with_faults() + BAD + f"{STAYS},2024-03-15T00:00:00Z,1 kW,Residential_Zone_1\n")
    assert same.outcome == "duplicate"
    other = harness.load("other.csv", day_file() + f"{STAYS},2024-03-15T00:15:00Z,1 kW,Residential_Zone_1\n")
    assert (other.ledger.stored, other.ledger.duplicate) == (1, 3 * 96)
    assert harness.one("SELECT count(*) FROM meter_readings WHERE meter_id = 'SM-1'") == 0
    nights.run()
    assert names_it(harness) == []
    assert nights.verify(DAY).differences == ()


def test_readings_of_later_are_a_new_meters(harness: Harness, nights: Nights) -> None:
    filled(harness)
    nights.erase(GONE)
    harness.now = datetime(2024, 4, 20, tzinfo=UTC)
    later = harness.load(
        "later.csv", HEADER + f"{GONE},2024-04-01T00:00:00Z,1 kW,\n{GONE},2024-03-15T00:00:00Z,1 kW,\n"
    )
    assert (later.ledger.stored, later.ledger.duplicate) == (1, 1)


@pytest.mark.parametrize("meter", ['SM "7"', "Zähler 1", "a.b*c", "(1)", "SM-1 "])
def test_whatever_its_name_is(harness: Harness, nights: Nights, meter: str) -> None:
    """Also one that CSV has to quote."""
    quoted = meter.replace('"', '""')
    rows = f'"{quoted}",2024-03-15 10:00,1 kW,\n"{quoted}",lost,1 kW,\nother,2024-03-15 10:00,2 kW,\n'
    harness.load("a.csv", HEADER + rows)
    harness.load("nothing.csv.gz", gzip.compress(b""))
    nights.run()
    done = nights.erase(meter.strip())
    assert [each for each in done if isinstance(each, erasing.Unsearchable)] == []
    assert harness.query("SELECT meter_id FROM meter_readings") == [{"meter_id": "other"}]
    assert harness.query("SELECT * FROM quarantined_rows") == []
    assert (harness.folder / "raw-data/2024-03-20/a.csv").read_text() == HEADER + "\n\nother,2024-03-15 10:00,2 kW,\n"
    assert lake_rows(harness)["meter_id"].to_list() == ["other"]


def test_a_meter_nobody_knows_is_said(harness: Harness, nights: Nights) -> None:
    with pytest.raises(NotFound, match="SM-404"):
        nights.erase("SM-404")
    assert harness.query("SELECT * FROM erasures") == []


@pytest.mark.parametrize("step", ["_rewrite", "_erase_from_lake"])
def test_broken_off_it_goes_on(harness: Harness, nights: Nights, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    filled(harness)
    nights.run()

    def die(*_: object) -> Iterator[object]:
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(erasing, step, die)
        with pytest.raises(InterruptedError):
            nights.erase(GONE)
    assert names_it(harness) != []
    nights.erase(GONE)
    assert names_it(harness) == []


def test_a_file_nobody_can_look_into_is_told(harness: Harness, nights: Nights) -> None:
    filled(harness)
    harness.load("torn.csv.gz", gzip.compress(day_file().encode())[:200])
    told = [each for each in nights.erase(GONE) if isinstance(each, erasing.Unsearchable)]
    assert {each.path for each in told} == {"raw-data/2024-03-20/torn.csv.gz", "quarantine/2024-03-20/torn.csv.gz"}


def test_what_nobody_can_look_into_is_discarded_by_name_and_then_erasing_is_done(
    harness: Harness, nights: Nights
) -> None:
    filled(harness)
    harness.load("torn.csv.gz", gzip.compress(day_file().encode())[:200])
    told = [each.path for each in nights.erase(GONE) if isinstance(each, erasing.Unsearchable)]
    size = (harness.folder / told[0]).stat().st_size
    for path in told:
        discard_file(path, "of nobody", discarding(harness, dry_run=True))
        assert (harness.folder / path).exists()
        discard_file(path, "of nobody", discarding(harness))
        assert not (harness.folder / path).exists()
        with pytest.raises(NotFound):
            discard_file(path, None, discarding(harness))
    assert harness.one("SELECT completed_at FROM erasures") is None
    assert nights.erase(GONE) == []
    assert harness.one("SELECT completed_at FROM erasures") is not None
    noted = "SELECT layer, subject, amount FROM deletions WHERE reason = 'discarded: of nobody' ORDER BY layer"
    assert harness.query(noted) == [
        {"layer": "quarantine", "subject": told[1], "amount": size},
        {"layer": "raw", "subject": told[0], "amount": size},
    ]
    harness.now = LONG_AFTER
    nights.run()
    assert harness.one("SELECT count(*) FROM deletions WHERE subject = %s", told[0]) == 1


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("raw-data/2024-03-20/a.csv", "is loaded, not rejected, so it stays"),
        ("raw-data/2024-03-20/new.csv.gz", "was not processed yet"),
        ("raw-data/2024-03-20/none.csv", "was not processed yet"),
        ("quarantine/2024-03-20/none.csv", "no such file"),
        ("quarantine/2024-03-20/..", "is no key of a file"),
        ("quarantine/2024-03-20/../../raw-data/2024-03-20/a.csv", "is no key of a file"),
        ("analytics/2024-03-20/a.csv", "is no key of a file"),
        ("/etc/passwd", "is no key of a file"),
    ],
)
def test_nothing_else_is_discarded(harness: Harness, path: str, said: str) -> None:
    filled(harness)
    harness.land("new.csv.gz", b"torn")
    before = sorted(harness.folder.rglob("*"))
    with pytest.raises(NotFound, match=said):
        discard_file(path, None, discarding(harness))
    assert sorted(harness.folder.rglob("*")) == before
    assert harness.query("SELECT * FROM deletions") == []


def discarding(harness: Harness, *, dry_run: bool = False) -> Discarding:
    archives = harness.database.archives()
    return Discarding(archives=archives, landing=harness.store, clock=harness.clock, dry_run=dry_run)


def test_on_s3_a_rewritten_file_is_no_new_delivery(
    harness: Harness, nights: Nights, s3: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """There a file gets a new time with its new bytes."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    harness.store = open_store(f"s3://{BUCKET}/erased")
    harness.lake = ObjectLake(harness.store, version=VERSION)
    source = tmp_path / "a.csv"
    source.write_text(with_faults() + BAD)
    landed = harness.store.land(source, day=DAY)
    assert harness.process(landed.path).outcome == "loaded"
    nights.run()
    time.sleep(1.1)  # its clock has seconds
    nights.erase(GONE)
    rewritten = harness.store.head(landed.path)
    assert rewritten.received_at > landed.received_at
    assert b"SM-1," not in b"".join(harness.store.read(rewritten))
    assert harness.database.waiting().unknown([rewritten]) == set()
    assert nights.verify(DAY).differences == ()


LINES = st.lists(st.binary(max_size=8).map(lambda raw: raw.replace(b"\n", b"")), min_size=1, max_size=6)


@given(lines=LINES, gone=st.sets(st.integers(1, 6)), ending=st.sampled_from([b"", b"\n"]))
def test_blanked_lines_leave_all_others_where_they_are(lines: list[bytes], gone: set[int], ending: bytes) -> None:
    content = b"\n".join(lines) + ending
    expected = [b"" if number in gone else line for number, line in enumerate(lines, start=1)]
    if content and not content.startswith(b"\xef\xbb\xbf"):
        assert blanked(landed_text("a.csv", content, Limits()), gone) == b"\n".join(expected) + ending
