"""`lake.scan` wherever the lake may be."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from tests.contract.storage_fixtures import BUCKET, free_ports, running_s3_server
from tests.support.lake import readings, write_day

from greenstream import lake
from greenstream.domain.errors import LakeDamaged, SettingsError, StorageRefused, StorageUnavailable
from greenstream.domain.lake.keys import manifest_key
from greenstream.domain.readings.schema import LAKE, LOAD_CURVES, METER_DAYS, PARTITIONS, conform

DAYS = [date(2026, 2, 28), date(2026, 3, 1)]
FULL = pl.Schema({**LAKE, **PARTITIONS})
BY_TIME = ["reading_at", "region"]


def write(root: str) -> pl.DataFrame:
    """Two days in two months; what `scan` must give."""
    for day in DAYS:
        write_day(root, day, readings(day))
    rows = [readings(day).with_columns(year=pl.lit(day.year), month=pl.lit(day.month)) for day in DAYS]
    return pl.concat(rows).pipe(conform, FULL).sort(BY_TIME)


def assert_read(storage: str | Path, expected: pl.DataFrame) -> None:
    """Whole, and by conditions on a partition and a column."""
    frame = lake.scan(*DAYS, storage=storage)
    assert frame.collect_schema() == FULL
    assert frame.collect().sort(BY_TIME).equals(expected)
    some = (pl.col("region") == "Zone2") & (pl.col("month") == 3) & pl.col("is_current")
    found = frame.filter(some).select("year", "reading_at", "consumption_kw").collect()
    assert found.sort("reading_at").equals(expected.filter(some).select("year", "reading_at", "consumption_kw"))
    assert lake.meter_days(*DAYS, storage=storage).collect().height == 4
    assert lake.load_curves(DAYS[1], DAYS[1], storage=storage).collect().height == 6


@pytest.mark.parametrize("name", ["lake", "a b[*]?{x}ü#1%20'", "year=1999/region=Eu", "site=1"])
def test_the_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    expected = write(str(root))
    for storage in (root, str(root), root.as_uri()):
        assert_read(storage, expected)


def test_a_folder_may_be_named_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expected = write("lake")
    assert_read("lake", expected)
    frame = lake.scan(*DAYS, storage="lake")
    monkeypatch.chdir("/")
    assert frame.collect().height == expected.height


def test_the_settings_say_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENSTREAM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GREENSTREAM_STORAGE", raising=False)
    expected = write(str(tmp_path / "home"))
    assert lake.scan("2026-02-28", "2026-03-01").collect().height == expected.height
    monkeypatch.setenv("GREENSTREAM_STORAGE", "ftp://nowhere")
    with pytest.raises(SettingsError):
        lake.scan("2026-02-28", "2026-03-01")


def test_on_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_s3_server(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        for prefix in ("", "/some where/[1]*", "/site=1/region=Eu"):
            root = f"s3://{BUCKET}{prefix}"
            assert_read(root, write(root))
        with pytest.raises(StorageRefused, match="bucket"):
            lake.scan(*DAYS, storage="s3://absent/lake")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        with pytest.raises(StorageRefused, match="AWS_SECRET_ACCESS_KEY"):
            lake.scan(*DAYS, storage=f"s3://{BUCKET}")


def test_a_store_that_is_away_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_ports(1)[0]}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with pytest.raises(StorageUnavailable):
        lake.scan(*DAYS, storage="s3://bucket/lake")


def test_a_manifest_that_is_none_is_said(tmp_path: Path) -> None:
    write(str(tmp_path))
    (tmp_path / manifest_key(DAYS[0])).write_text("{}")
    with pytest.raises(LakeDamaged, match="2026-02-28"):
        lake.scan(*DAYS, storage=tmp_path)


def test_an_instant_is_no_day(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="local day"):
        lake.scan(datetime(2026, 3, 1, 12, tzinfo=UTC), DAYS[1], storage=tmp_path)


def test_only_named_objects_are_read(tmp_path: Path) -> None:
    """Days outside the span, other regions, and what no manifest names."""
    write(str(tmp_path))
    month = tmp_path / "analytics/year=2026/month=03"
    for other in (month / "region=Zone1/2026-03-01.parquet", month / "region=Zone2/2026-03-02.parquet"):
        other.write_bytes(b"no Parquet at all")
    (tmp_path / "analytics/year=2026/month=02/region=Zone2/2026-02-28.parquet").write_bytes(b"neither")
    assert lake.scan(DAYS[1], DAYS[1], ["Zone2", "Zone3"], storage=tmp_path).collect().height == 4


def test_a_span_without_data_has_all_columns(tmp_path: Path) -> None:
    write(str(tmp_path))
    span = ("2020-01-01", "2020-02-01")
    assert lake.scan(*span, storage=tmp_path).collect().schema == FULL
    assert lake.scan(*DAYS, region="Zone9", storage=tmp_path).collect().schema == FULL
    assert lake.scan(*DAYS, region=[], storage=tmp_path).collect().schema == FULL
    assert lake.meter_days(*span, storage=tmp_path).collect().schema == METER_DAYS
    assert lake.load_curves(*span, storage=tmp_path).collect().schema == LOAD_CURVES
