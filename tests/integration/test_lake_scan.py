"""The lake as frames, in a folder and on S3."""

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from tests.contract.storage_fixtures import BUCKET, S3Server
from tests.integration.test_lake import DAY, LONG_AFTER, day_file, with_faults
from tests.support.harness import VERSION, Harness
from tests.support.nights import Nights

from greenstream import lake
from greenstream.adapters.lake.objects import ObjectLake
from greenstream.adapters.storage import open_store

NEXT = date(2024, 3, 16)


@pytest.fixture
def archived(harness: Harness) -> Harness:
    """Two days, both in the lake and in the database."""
    harness.load("a.csv", with_faults())
    harness.load("b.csv", day_file(NEXT))
    Nights(harness).run()
    return harness


def url(harness: Harness) -> str:
    return harness.folder.resolve().as_uri()


def test_a_span_of_days_and_a_region_are_what_is_read(archived: Harness) -> None:
    rows = lake.scan("2024-03-15", NEXT, storage=url(archived)).collect()
    assert rows.height == archived.one("SELECT count(*) FROM meter_readings")
    midnight = datetime.fromisoformat("2024-03-15 00:00")  # a day as pandas has it
    assert lake.scan(midnight, NEXT, storage=url(archived)).collect().equals(rows)
    one = lake.scan(DAY, DAY, "Zone1", storage=url(archived))
    stored = archived.one("SELECT count(*) FROM meter_readings WHERE region = 'Zone1' AND reading_at < '2024-03-16Z'")
    assert one.collect().height == stored
    assert one.select("year", "month", "region").unique().collect().rows() == [(2024, 3, "Zone1")]
    assert "region=Zone0" not in one.explain()
    two = lake.scan(DAY, DAY, ["Zone0", "Zone1"], storage=url(archived)).collect()
    assert set(two["region"]) == {"Zone0", "Zone1"}


def test_conditions_and_columns_reach_the_objects(archived: Harness) -> None:
    frame = lake.scan(DAY, NEXT, storage=url(archived)).filter(pl.col("meter_id") == "SM-1").select("consumption_kw")
    plan = frame.explain()
    assert "PROJECT 2/" in plan
    assert "SELECTION" in plan


def test_days_without_data_are_an_empty_frame_of_the_same_columns(archived: Harness, tmp_path: Path) -> None:
    full = lake.scan(DAY, DAY, storage=url(archived)).collect()
    empty = lake.scan("2020-01-01", "2020-01-31", storage=tmp_path.as_uri()).collect()
    assert empty.height == 0
    assert empty.schema == full.schema
    assert lake.meter_days(DAY, DAY, storage=url(archived)).collect().height == 4
    assert lake.load_curves("2020-01-01", DAY, storage=tmp_path.as_uri()).collect().is_empty()


def test_a_day_that_is_none_is_said(archived: Harness) -> None:
    with pytest.raises(ValueError, match="2024-13-01"):
        lake.scan("2024-13-01", DAY, storage=url(archived))
    with pytest.raises(ValueError, match="before"):
        lake.scan(NEXT, DAY, storage=url(archived))


def test_on_s3_all_of_it_goes_as_in_a_folder(harness: Harness, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Archive, retention, a late reading that is merged, verification, and reading it."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    storage = f"s3://{BUCKET}/site"
    harness.now = LONG_AFTER
    harness.lake = ObjectLake(open_store(storage), version=VERSION)
    nights = Nights(harness)
    harness.load("a.csv", with_faults())
    stored = harness.one("SELECT count(*) FROM meter_readings")
    nights.run()
    assert harness.one("SELECT count(*) FROM meter_readings") == 0
    late = harness.load("b.csv", with_faults() + "SM-1,2024-03-15T05:08:00Z,7 kW,Residential_Zone_1\n")
    assert (late.ledger.stored, late.ledger.duplicate) == (1, stored)
    nights.run()
    assert nights.verify(DAY).differences == ()
    assert lake.scan(DAY, DAY, storage=storage).collect().height == stored + 1
    assert lake.meter_days(DAY, DAY, storage=storage).collect().height == 4
