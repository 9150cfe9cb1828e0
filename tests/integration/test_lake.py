"""A day into the lake, out of the database, and what comes of it when more of it arrives."""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.dataset
import pytest
from tests.support.harness import HEADER, Databases, Harness
from tests.support.nights import Nights

from greenstream.application.lake import archive as archiving
from greenstream.domain.lake.archive import with_record_ids
from greenstream.domain.lake.keys import meter_days_key, reading_key
from greenstream.domain.lake.lifetimes import Lifetimes
from greenstream.domain.readings.schema import LAKE

DAY = date(2024, 3, 15)
LONG_AFTER = datetime(2024, 8, 1, 3, tzinfo=UTC)
COLUMNS = [name for name in LAKE if name != "is_current"]


def day_file(day: date = DAY, *, meters: int = 3, zones: int = 2, slots: int = 96, kilowatts: float = 1.5) -> str:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return HEADER + "".join(
        f"SM-{meter},{start + timedelta(minutes=15 * slot):%Y-%m-%dT%H:%M:%SZ},{kilowatts + slot % 7} kW,"
        f"Residential_Zone_{meter % zones}\n"
        for meter in range(meters)
        for slot in range(slots)
    )


@pytest.fixture
def nights(harness: Harness) -> Nights:
    return Nights(harness)


def lake_rows(harness: Harness) -> pl.DataFrame:
    return pl.scan_parquet(harness.folder / "analytics", hive_partitioning=True).collect()


def with_faults() -> str:
    odd = (
        "SM-0,2024-03-15T00:00:00Z,9 kW,Residential_Zone_0\n"  # a correction
        "SM-1,2024-03-15T05:07:00Z,2 kW,Residential_Zone_1\n"  # a second reading in a slot
        "SM-1,2024-03-15T06:00:00Z,,Residential_Zone_1\n"
        "SM-2,2024-03-15T07:00:00Z,99 kW,\n"
        'SM-2,2024-03-15T08:00:00Z,"1,5 ""kW""",Harbour\n'
        "SM-9,2024-03-15T09:00:00Z,3 Volts,Commercial_Zone_77\n"
    )
    return day_file() + odd


def test_the_lake_has_each_reading_with_all_its_columns(harness: Harness, nights: Nights) -> None:
    harness.load("a.csv", with_faults())
    nights.run()
    stored = pl.DataFrame(harness.query("SELECT * FROM meter_readings"), infer_schema_length=None)
    found = with_record_ids(lake_rows(harness)).sort("record_id")
    assert found["record_id"].to_list() == stored.sort("record_id")["record_id"].to_list()
    by_id = stored.sort("record_id")
    for column in COLUMNS:
        expected = by_id[column].cast(LAKE[column])
        assert found[column].equals(expected, check_names=False), column
    assert found["region"].to_list() == by_id["region"].to_list()


def test_the_lakes_current_readings_are_those_of_the_database(harness: Harness, nights: Nights) -> None:
    harness.load("a.csv", with_faults())
    nights.run()
    current = {row["record_id"] for row in harness.query("SELECT record_id FROM current_readings")}
    assert set(with_record_ids(lake_rows(harness).filter("is_current"))["record_id"]) == current


def test_duckdb_polars_and_pyarrow_read_the_same_sums_and_partitions(harness: Harness, nights: Nights) -> None:
    harness.load("a.csv", with_faults())
    nights.run()
    folder = harness.folder / "analytics"
    stored = harness.query(
        "SELECT region, count(*) AS n, sum(consumption_kw) AS kw FROM meter_readings GROUP BY 1 ORDER BY 1"
    )
    expected = [(row["region"], row["n"], float(row["kw"] or 0)) for row in stored]
    by_polars = (
        pl.scan_parquet(folder, hive_partitioning=True)
        .filter((pl.col("year") == 2024) & (pl.col("month") == 3))
        .group_by("region")
        .agg(pl.len(), pl.col("consumption_kw").sum().cast(pl.Float64))
        .sort("region")
        .collect()
        .rows()
    )
    by_duckdb = duckdb.sql(
        "SELECT region, count(*), coalesce(sum(consumption_kw), 0)::double"
        f" FROM read_parquet('{folder}/**/*.parquet', hive_partitioning = true)"
        " WHERE year = 2024 AND month = 3 GROUP BY region ORDER BY region"
    ).fetchall()
    dataset = pyarrow.dataset.dataset(folder, partitioning="hive")
    table = dataset.to_table(columns=["region", "consumption_kw"], filter=pyarrow.dataset.field("year") == 2024)
    by_arrow = table.group_by("region").aggregate([([], "count_all"), ("consumption_kw", "sum")]).sort_by("region")
    assert by_polars == expected
    assert by_duckdb == expected
    assert [
        (row["region"], row["count_all"], float(row["consumption_kw_sum"] or 0)) for row in by_arrow.to_pylist()
    ] == expected


def content(folder: Path) -> dict[str, bytes]:
    zones = ("analytics", "aggregates", "manifest")
    files = [path for zone in zones for path in (folder / zone).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("batch_rows", [96, 200, 100_000])
def test_two_archivings_are_equal_byte_by_byte(
    harness: Harness, nights: Nights, monkeypatch: pytest.MonkeyPatch, batch_rows: int
) -> None:
    """Also where they read the database in other pieces."""
    harness.load("a.csv", with_faults())
    nights.run()
    first = content(harness.folder)
    assert len(first) == 4 + 3
    monkeypatch.setattr(archiving, "BATCH_ROWS", batch_rows)
    assert nights.archive(DAY).changed == 0
    for path in first:
        (harness.folder / path).unlink()
    assert nights.archive(DAY).changed == len(first)
    assert content(harness.folder) == first


def test_a_day_that_was_not_settled_since_it_changed_is_not_archived(harness: Harness, nights: Nights) -> None:
    harness.load("a.csv", day_file())
    assert nights.archive(DAY).state == "not settled"
    nights.run()
    harness.load("b.csv", day_file(kilowatts=20))
    assert nights.archive(DAY).state == "not settled"


def test_the_lake_is_not_made_less_by_a_database_that_knows_less(harness: Harness, nights: Nights) -> None:
    """As after a backup was restored that is older than the lake."""
    harness.load("a.csv", day_file())
    nights.run()
    before = content(harness.folder)
    harness.execute("DELETE FROM greenstream.reading WHERE meter_key = 1")
    harness.execute("UPDATE greenstream.day SET archived_at = NULL")
    assert nights.archive(DAY).state == "would lose"
    assert content(harness.folder) == before


def test_what_a_meter_used_is_beside_its_readings(harness: Harness, nights: Nights) -> None:
    harness.load("a.csv", with_faults())
    nights.run()
    days = pl.read_parquet(harness.folder / meter_days_key(DAY)).rows_by_key("meter_id", named=True, unique=True)
    expected = harness.query(
        "SELECT meter_id, sum(consumption_kw) FILTER (WHERE consumption_kw >= 0 AND consumption_kw < 50) * 0.25 AS kwh,"
        " count(consumption_kw) AS readings, avg(quality_score) AS score FROM current_readings GROUP BY 1"
    )
    assert {row["meter_id"] for row in expected} == set(days)
    for row in expected:
        day = days[row["meter_id"]]
        assert day["kwh"] == pytest.approx(float(row["kwh"])) if row["kwh"] is not None else day["kwh"] is None
        assert day["readings"] == row["readings"]
        assert day["mean_score"] == pytest.approx(float(row["score"]))
    assert (days["SM-0"]["peak_kw"], days["SM-0"]["peak_at"]) == (9.0, datetime(2024, 3, 15, tzinfo=UTC))
    assert days["SM-0"]["slots"] == 96
    assert days["SM-0"]["completeness"] == 1.0
    assert days["SM-9"]["kwh"] is None
    assert days["SM-9"]["slots"] == 60  # it began at nine


class TestRetention:
    """A harness whose clock is long after the day."""

    @pytest.fixture
    def harness(self, harness: Harness) -> Harness:
        harness.now = LONG_AFTER
        return harness

    @pytest.fixture
    def twin(self, databases: Databases) -> Iterator[Harness]:
        """Another harness, to compare with."""
        with databases.harness() as twin:
            twin.now = LONG_AFTER
            yield twin

    def test_a_day_leaves_the_database_when_the_lake_has_it(self, harness: Harness, nights: Nights) -> None:
        harness.load("a.csv", with_faults(), received_at=datetime(2024, 3, 16, tzinfo=UTC))
        stored = harness.one("SELECT count(*) FROM meter_readings")
        nights.run()
        assert harness.one("SELECT count(*) FROM meter_readings") == 0
        assert lake_rows(harness).height == stored
        assert harness.query("SELECT state FROM days WHERE day = '2024-03-15'") == [{"state": "retired"}]
        assert harness.query("SELECT layer, subject, amount FROM deletions ORDER BY 1") == [
            {"layer": "database", "subject": "2024-03-15", "amount": stored},
            {"layer": "raw", "subject": "raw-data/2024-03-20/a.csv", "amount": len(with_faults().encode())},
        ]
        assert not (harness.folder / "raw-data/2024-03-20/a.csv").exists()
        assert nights.verify(DAY).differences == ()

    def test_what_came_since_the_last_night_is_no_difference(self, harness: Harness, nights: Nights) -> None:
        harness.load("a.csv", day_file())
        nights.run()
        harness.load("late.csv", HEADER + "SM-1,2024-03-15T05:08:00Z,7 kW,Residential_Zone_1\n")
        verified = nights.verify(DAY)
        assert verified.differences == ()
        assert verified.notes != ()
        do_damage(harness, "flipped byte")
        assert any(reading_key(DAY, "Zone1") in each for each in nights.verify(DAY).differences)

    def test_a_lake_that_is_damaged_later_keeps_the_raw_files_and_is_told_once_a_day(
        self, harness: Harness, nights: Nights
    ) -> None:
        for name in ("a.csv", "b.csv"):
            harness.load(name, day_file(kilowatts=float(len(name) + ord(name[0]) % 2)), received_at=LONG_AFTER)
        nights.run()
        do_damage(harness, "missing object")
        harness.now += timedelta(days=100)
        found = list(nights.retire())
        assert [each.subject for each in found if each.is_trouble] == [str(DAY)]
        assert len([each for each in found if each.layer == "raw" and each.kept_because]) == 2
        assert len(list((harness.folder / "raw-data").rglob("*.csv"))) == 2

    if sys.platform == "linux":  # which alone tells whether somebody has a file open for writing

        def test_a_raw_file_that_somebody_writes_to_stays_until_the_next_night(
            self, harness: Harness, nights: Nights
        ) -> None:
            harness.load("a.csv", day_file(), received_at=LONG_AFTER)
            nights.run()
            harness.now += timedelta(days=100)
            path = harness.folder / "raw-data/2024-03-20/a.csv"
            with path.open("r+b"):
                (kept,) = [each for each in nights.retire() if each.layer == "raw"]
            assert kept.kept_because == "somebody is writing to it"
            assert path.read_text() == day_file()
            (gone,) = [each for each in nights.retire() if each.layer == "raw"]
            assert gone.kept_because is None
            assert not path.exists()

    def test_a_dry_run_deletes_nothing(self, harness: Harness, nights: Nights) -> None:
        harness.load("a.csv", day_file(), received_at=datetime(2024, 3, 16, tzinfo=UTC))
        nights.settle_and_archive()
        planned = list(nights.retire(dry_run=True))
        assert [(each.layer, each.kept_because) for each in planned] == [("database", None), ("raw", None)]
        assert harness.one("SELECT count(*) FROM meter_readings") == 3 * 96
        assert harness.query("SELECT * FROM deletions") == []
        assert (harness.folder / "raw-data/2024-03-20/a.csv").exists()

    @pytest.mark.parametrize("damage", ["flipped byte", "missing object", "missing manifest", "a row too few"])
    def test_nothing_goes_while_the_lake_is_damaged(self, harness: Harness, nights: Nights, damage: str) -> None:
        harness.load("a.csv", day_file(), received_at=datetime(2024, 3, 16, tzinfo=UTC))
        nights.settle_and_archive()
        do_damage(harness, damage)
        (kept,) = [each for each in nights.retire() if each.layer == "database"]
        assert kept.kept_because
        assert harness.one("SELECT count(*) FROM meter_readings") == 3 * 96
        assert (harness.folder / "raw-data/2024-03-20/a.csv").exists()

    def test_known_rows_of_a_retired_day_are_duplicates(self, harness: Harness, nights: Nights) -> None:
        harness.load("a.csv", with_faults())
        nights.run()
        before = content(harness.folder)
        again = harness.load("b.csv", with_faults() + "SM-1,2024-03-15T05:08:00Z,7 kW,Residential_Zone_1\n")
        assert (again.ledger.stored, again.ledger.duplicate) == (1, again.ledger.rows - 1)
        nights.run()
        assert harness.one("SELECT count(*) FROM meter_readings") == 0
        changed = {path for path, bytes_ in content(harness.folder).items() if before.get(path) != bytes_}
        assert reading_key(DAY, "Zone1") in changed
        assert reading_key(DAY, "Zone0") not in changed
        assert nights.verify(DAY).differences == ()
        assert nights.verify(DAY).readings == again.ledger.rows

    def test_late_data_make_the_same_lake_as_data_in_time(
        self, harness: Harness, nights: Nights, twin: Harness
    ) -> None:
        """A week in two halves: the second one comes when the first is in the lake only, and earlier than it."""
        days = [DAY + timedelta(days=number) for number in range(10)]
        for day in days[1:]:
            harness.load(f"{day}.csv", day_file(day, kilowatts=float(day.day)))
        nights.run()
        assert harness.one("SELECT count(*) FROM meter_readings") == 0
        harness.load("late.csv", day_file(DAY, slots=40))
        nights.run()
        assert harness.one("SELECT count(*) FROM meter_readings") == 0

        twin.load("late.csv", day_file(DAY, slots=40))
        for day in days[1:]:
            twin.load(f"{day}.csv", day_file(day, kilowatts=float(day.day)))
        Nights(twin).run()
        ignored = ("processed_timestamp", "source_file")
        order = ("meter_id", "reading_at", "energy_value")
        assert lake_rows(harness).drop(ignored).sort(order).equals(lake_rows(twin).drop(ignored).sort(order))
        log = "SELECT rule_id, meter_id, window_start, window_end, record_id FROM data_quality_log ORDER BY 1,2,3"
        assert harness.query(log) == twin.query(log)
        grades = "SELECT day, region, grade, sum(readings) FROM greenstream.grade_count GROUP BY 1,2,3 ORDER BY 1,2,3"
        assert harness.query(grades) == twin.query(grades)

    def test_partitions_of_retired_days_join_the_older_ones(self, harness: Harness, nights: Nights) -> None:
        harness.load("a.csv", day_file())
        harness.load("b.csv", day_file(date(2024, 7, 31)))
        nights.run()
        names = harness.query("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^reading_' ORDER BY 1")
        assert [row["relname"] for row in names] == ["reading_20240731", "reading_older"]
        assert harness.load("c.csv", day_file(kilowatts=3)).ledger.stored > 0
        assert harness.one("SELECT count(*) FROM meter_readings WHERE reading_at < '2024-04-01'") > 3 * 96

    def test_lifetimes_of_what_is_kept_about_readings(self, harness: Harness) -> None:
        """The ledger of a file may be gone when more of its day comes: the lake knows what it needs."""
        nights = Nights(harness, Lifetimes(readings=90, findings=300, quarantine=190, ledger=190))
        harness.load("a.csv", with_faults() + "no meter,line\n", received_at=datetime(2024, 3, 16, tzinfo=UTC))
        harness.load("b.txt", "x", received_at=datetime(2024, 3, 16, tzinfo=UTC))
        stored = harness.one("SELECT count(*) FROM meter_readings")
        nights.run()
        assert harness.one("SELECT count(*) FROM data_quality_log") > 0
        harness.now += timedelta(days=200)
        planned = list(nights.retire(dry_run=True))
        gone = [(each.layer, each.subject) for each in nights.retire()]
        assert [(each.layer, each.subject) for each in planned] == gone
        assert {layer for layer, _ in gone} == {"quarantine", "findings", "ledger"}
        assert harness.query("SELECT path FROM source_files") == []
        assert harness.query("SELECT * FROM quarantined_rows") == []
        assert (
            harness.query("SELECT * FROM greenstream.load")
            == harness.query("SELECT * FROM greenstream.grade_count")
            == []
        )
        assert not list((harness.folder / "quarantine").rglob("*.txt"))
        before = lake_rows(harness)
        late = harness.load("c.csv", with_faults() + "SM-1,2024-03-15T05:08:00Z,7 kW,Residential_Zone_1\n")
        assert (late.ledger.stored, late.ledger.duplicate) == (1, stored)
        assert [row["path"] for row in harness.query("SELECT path FROM source_files")] == ["raw-data/2024-03-20/c.csv"]
        nights.run()
        after = lake_rows(harness).filter(pl.col("source_file") != "raw-data/2024-03-20/c.csv")
        assert (
            after.drop("is_current").sort(after.columns[:3]).equals(before.drop("is_current").sort(before.columns[:3]))
        )
        assert nights.verify(DAY).differences == ()


def do_damage(harness: Harness, damage: str) -> None:
    path = harness.folder / reading_key(DAY, "Zone1")
    if damage == "missing object":
        path.unlink()
    elif damage == "missing manifest":
        (harness.folder / "manifest/year=2024/month=03/2024-03-15.json").unlink()
    elif damage == "flipped byte":
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 1
        path.write_bytes(raw)
    else:
        pl.read_parquet(path).slice(1).write_parquet(path, compression="snappy")


class TestVerify:
    """What `verify` finds."""

    @pytest.mark.parametrize("damage", ["flipped byte", "missing object", "missing manifest", "a row too few"])
    def test_damage_in_the_lake_is_named(self, harness: Harness, nights: Nights, damage: str) -> None:
        harness.load("a.csv", day_file())
        nights.run()
        assert nights.verify(DAY).differences == ()
        do_damage(harness, damage)
        found = nights.verify(DAY).differences
        assert found
        named = "2024-03-15" if damage == "missing manifest" else reading_key(DAY, "Zone1")
        assert named in found[0]

    def test_a_reading_gone_from_the_database_is_found(self, harness: Harness, nights: Nights) -> None:
        harness.load("a.csv", day_file())
        nights.run()
        harness.execute("DELETE FROM greenstream.reading WHERE reading_at = '2024-03-15 10:00Z' AND power = 65000")
        found = nights.verify(DAY, raw=False).differences
        assert any("readings in the database" in each for each in found)

    def test_a_raw_file_that_was_changed_is_found(self, harness: Harness, nights: Nights) -> None:
        harness.load("a.csv", day_file())
        nights.run()
        path = harness.folder / "raw-data/2024-03-20/a.csv"
        path.write_text(path.read_text().replace("1.5 kW", "1.6 kW", 1))
        assert any("a.csv" in each for each in nights.verify(DAY).differences)
        path.unlink()
        assert any("missing" in each for each in nights.verify(DAY).differences)

    @pytest.mark.parametrize("dirty", [False, True])
    def test_a_manifest_that_cant_be_read_is_found(self, harness: Harness, nights: Nights, dirty: bool) -> None:
        harness.load("a.csv", day_file())
        nights.run()
        if dirty:
            harness.load("b.csv", day_file(kilowatts=20))
        (harness.folder / "manifest/year=2024/month=03/2024-03-15.json").write_text("{")
        assert any("manifest" in each for each in nights.verify(DAY).differences)
        nights.run()
        nights.archive(DAY)
        assert nights.verify(DAY).differences == ()

    def test_an_object_beside_the_manifest_is_found(self, harness: Harness, nights: Nights) -> None:
        harness.load("a.csv", day_file())
        nights.run()
        stray = harness.folder / reading_key(DAY, "Zone5")
        stray.parent.mkdir(parents=True)
        stray.write_bytes((harness.folder / reading_key(DAY, "Zone1")).read_bytes())
        assert any("Zone5" in each for each in nights.verify(DAY).differences)
