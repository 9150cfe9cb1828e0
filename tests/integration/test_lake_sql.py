"""SQL over the lake in this process: what it answers, and what it refuses."""

import hashlib
import json
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from tests.contract.storage_fixtures import BUCKET, S3Server, running_s3_server
from tests.support.lake import readings, write_day

from greenstream.adapters.lake.answers import LakeAnswer, quoted
from greenstream.adapters.lake.duckdb_query import ask_lake
from greenstream.adapters.storage import ObjectStore, open_store
from greenstream.domain.errors import InvalidQuery, LakeDamaged, NotFound, StorageUnavailable
from greenstream.domain.lake.archive import with_record_ids
from greenstream.domain.limits import QueryLimits
from greenstream.domain.readings.schema import METER_DAYS

DAY = date(2026, 3, 2)
OBJECT = "analytics/year=2026/month=03/region=Zone1/2026-03-02.parquet"
FORMS = ["table", "csv", "json", "parquet"]
LIMITS = QueryLimits(seconds=60, rows=100_000, memory_mb=512, temp_mb=256)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A day of the lake in a folder."""
    write_day(str(tmp_path / "lake"), DAY, readings(DAY))
    return tmp_path / "lake"


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """A day of the lake in a folder and on S3."""
    url = str(tmp_path / "lake")
    if request.param == "s3":
        for name, value in request.getfixturevalue("s3_server").environment.items():
            monkeypatch.setenv(name, value)
        url = f"s3://{BUCKET}/{uuid.uuid4()}"
    write_day(url, DAY, readings(DAY))
    return open_store(url)


def written(folder: Path, sql: str, form: str) -> bytes:
    with ask_lake(open_store(folder), sql, LIMITS) as answer, closing(pieces(answer, form)) as found:
        return b"".join(found)


def pieces(answer: LakeAnswer, form: str) -> Iterator[bytes]:
    if form == "table":
        yield from (repr(batch).encode() for batch in answer.texts())
    elif form == "json":
        yield b"[" + ",".join(row for batch in answer.json_rows() for row in batch).encode() + b"]"
    else:
        yield from answer.csv() if form == "csv" else answer.parquet()


def rows(folder: Path, sql: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(written(folder, sql, "json"), parse_constant=pytest.fail)
    return found


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_record_ids_drop_microseconds(lake: Path) -> None:
    found = rows(lake, "SELECT record_id FROM meter_readings ORDER BY 1")
    expected = with_record_ids(readings(DAY))["record_id"].sort().to_list()
    assert [row["record_id"] for row in found] == expected


@pytest.mark.parametrize(
    "sql",
    [
        "WITH x AS (COPY (SELECT 1) TO 'LAKE/x.parquet') SELECT 1",
        "WITH x AS (COPY (SELECT 1) TO 'LAKE/year=2026/month=03/region=Zone1/2026-03-02.parquet') SELECT 1",
        "EXPLAIN ANALYZE WITH x AS (COPY (SELECT 1) TO 'LAKE/x.parquet') SELECT 1",
        "EXPLAIN (ANALYZE, FORMAT json) WITH x AS (COPY (SELECT 1) TO 'LAKE/x.parquet') SELECT 1",
        "EXPLAIN ANALYZE (WITH x AS (COPY (SELECT 1) TO 'LAKE/x) SELECT 1 --') SELECT 1)",
        "SELECT * FROM (WITH x AS (COPY (SELECT 1) TO 'LAKE/x.parquet') SELECT 1)",
        "FROM query('COPY (SELECT 1) TO ''LAKE/x.parquet''')",
        "SELECT 1; COPY (SELECT 1) TO 'LAKE/x.parquet'",
        "SELECT 1) TO 'LAKE/x.parquet'; SELECT (1",
        "COPY meter_days TO 'LAKE/x.parquet'",
        "CREATE TABLE x AS SELECT 1",
        "ATTACH 'LAKE/x.db'",
        "PRAGMA enable_profiling",
        "CALL enable_logging()",
        "SET memory_limit = '1GB'",
        "SELECT * FROM enable_logging()",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_text('LAKE/../raw-data/a.csv')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM sqlite_scan('a', 'b')",
        "SELECT nothing FROM meter_readings",
        "-- nothing",
    ],
)
def test_what_does_more_than_read_the_lake_is_refused(lake: Path, sql: str) -> None:
    before = content(lake)
    with pytest.raises(InvalidQuery) as refused:
        written(lake, sql.replace("LAKE", str(lake / "analytics")), "csv")
    assert "\n" not in str(refused.value)
    assert content(lake) == before


def test_only_what_was_checked_is_explained(lake: Path) -> None:
    before = content(lake)
    copy = f"WITH x AS (COPY (SELECT 1) TO '{lake / 'analytics/x'}') SELECT 1"
    assert written(lake, f"/* /* */ EXPLAIN SELECT 1 -- */ EXPLAIN ANALYZE {copy}", "csv")
    assert content(lake) == before


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "sql",
    [
        "EXPLAIN SELECT * FROM meter_days",
        "-- why\nexplain (analyze, format json) (SELECT 1)",
        "EXPLAIN (SELECT 1)",
        "DESCRIBE meter_readings",
        "SUMMARIZE load_curves",
        "SHOW TABLES",
        "VALUES (1), (2)",
        "FROM meter_days ORDER BY meter_id",
        "SELECT 1; -- that's all",
        'SELECT 1 AS "answer""s", 2 AS q, 3 AS c0',
    ],
)
def test_every_statement_that_reads_works(lake: Path, sql: str, form: str) -> None:
    found = written(lake, sql, form)
    assert pl.read_parquet(found).height if form == "parquet" else found


def test_a_column_is_not_taken_for_the_row(lake: Path) -> None:
    row = {"q": "x", "answer": 2, "c0": 3, "Q": None}
    assert rows(lake, """SELECT 'x' AS q, 2 AS answer, 3 AS c0, NULL AS "Q" """) == [row]


def test_columns_of_one_name_are_not_lost_silently(lake: Path) -> None:
    sql = "SELECT 1 AS n, 2 AS n"
    for form in ("json", "parquet"):
        with pytest.raises(InvalidQuery, match="called n"):
            written(lake, sql, form)
    assert written(lake, sql, "csv") == b"n,n\n1,2\n"


def test_what_is_no_number_in_json_is_text(lake: Path) -> None:
    sql = "SELECT 'nan'::DOUBLE AS a, -1.0 / 0 AS b, 'infinity'::TIMESTAMPTZ AS c, 0.5::FLOAT AS d"
    assert rows(lake, sql) == [{"a": "NaN", "b": "-Infinity", "c": "infinity", "d": 0.5}]


def test_no_rows_have_their_header(lake: Path) -> None:
    assert written(lake, "SELECT 1 AS n WHERE false", "csv") == b"n\n"
    assert rows(lake, "SELECT 1 AS n WHERE false") == []
    assert pl.read_parquet(written(lake, "SELECT * FROM meter_days WHERE false", "parquet")).columns == list(METER_DAYS)


def test_an_empty_lake_has_the_types_of_a_full_one(lake: Path, tmp_path: Path) -> None:
    for relation in ("meter_readings", "current_readings", "meter_days", "load_curves"):
        sql = f"DESCRIBE {relation}"
        assert rows(tmp_path / "absent", sql) == rows(lake, sql)


def test_a_query_is_computed_once_and_streamed(lake: Path) -> None:
    """A second run of this, or a whole result in memory, would take minutes."""
    with ask_lake(open_store(lake), "SELECT i FROM range(100000000000) AS t(i)", LIMITS) as answer:
        assert next(iter(answer.texts()))[:2] == [("0",), ("1",)]


@pytest.mark.parametrize("form", FORMS)
def test_a_damaged_object_is_told_from_a_wrong_query(lake: Path, form: str) -> None:
    path = lake / OBJECT
    for damaged in (path.read_bytes()[:-20], b""):
        path.write_bytes(damaged)
        with pytest.raises(LakeDamaged, match="greenstream verify") as said:
            written(lake, "SELECT sum(consumption_kw) AS kw FROM meter_readings", form)
        assert str(path) in str(said.value)


@pytest.mark.parametrize("name", ["a b[*]?{x}ü#1%20'", "year=1999/region=Eu"])
def test_the_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    write_day(str(tmp_path / name), DAY, readings(DAY))
    sql = "SELECT year, month, region, count(*) AS n FROM meter_readings GROUP BY ALL ORDER BY ALL"
    assert written(tmp_path / name, sql, "csv") == b"year,month,region,n\n2026,3,Zone1,4\n2026,3,Zone2,4\n"


def test_a_condition_on_a_partition_leaves_the_others_unread(lake: Path) -> None:
    (lake / OBJECT).write_bytes(b"no Parquet at all")
    other = lake / "analytics/year=2025/month=01/region=Zone2/2025-01-01.parquet"
    other.parent.mkdir(parents=True)
    (lake / OBJECT.replace("Zone1", "Zone2")).rename(other)
    assert rows(lake, "SELECT count(*) AS n FROM meter_readings WHERE region = 'Zone2'") == [{"n": 4}]


def test_an_object_written_anew_meanwhile_is_not_mixed_with_the_old_one(place: ObjectStore) -> None:
    changed = pytest.raises(StorageUnavailable, match="changed while it was being read: try again")
    with changed, ask_lake(place, "SELECT consumption_kw FROM meter_readings", LIMITS) as answer:
        place.put(OBJECT, b"something else")
        list(answer.texts())


def test_an_object_that_goes_meanwhile_is_named(place: ObjectStore) -> None:
    gone = pytest.raises(NotFound, match="region=Zone1")
    with gone, ask_lake(place, "SELECT consumption_kw FROM meter_readings", LIMITS) as answer:
        place.remove(OBJECT)
        list(answer.texts())


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("SELECT count(*) FROM read_parquet('lake://analytics/year=2026/month=03/region=Zone2/*.parquet')", "4"),
        ("SELECT count(*) FROM glob('lake://aggregates/*/*/*/*')", "2"),
    ],
)
def test_objects_can_be_named(place: ObjectStore, sql: str, count: str) -> None:
    with ask_lake(place, sql, LIMITS) as answer:
        assert list(answer.texts()) == [[(count,)]]


# What names a file or an address, for each function that opens one; {} is the folder of the store.
ELSEWHERE = """
/etc/passwd
{}/raw-data/a.csv
{}/analytics/../raw-data/a.csv
/proc/self/environ
/dev/stdin
~/.duckdb/stored_secrets
file:///etc/passwd
http://127.0.0.1:1/x
s3://greenstream/raw-data/a.csv
memory://x
lake://raw-data/a.csv
lake:///raw-data/a.csv
lake://quarantine/a.csv
lake://manifests/*
lake://*/a.csv
lake://**/*.csv
lake://analytics/../raw-data/a.csv
lake://analytics/%2e%2e/raw-data/a.csv
LAKE://raw-data/a.csv
""".strip().splitlines()
WAYS_OUT = """
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM read_csv('lake://raw-data/a.csv')
SELECT * FROM read_json('/etc/passwd')
SELECT * FROM read_blob('/etc/passwd')
SELECT * FROM read_parquet('/etc/passwd')
SELECT * FROM sniff_csv('/etc/passwd')
SELECT * FROM parquet_metadata('/etc/passwd')
SELECT * FROM read_duckdb('/tmp/x.db')
SELECT * FROM glob('/*')
SELECT * FROM glob('lake://raw-data/*')
SELECT * FROM '/etc/passwd'
SELECT * FROM 'lake://raw-data/a.csv'
SELECT * FROM query_table('/etc/passwd')
SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')
SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM read_text(''/etc/passwd'')'))
DESCRIBE SELECT * FROM read_text('/etc/passwd')
EXPLAIN ANALYZE SELECT * FROM read_text('/etc/passwd')
SUMMARIZE '/etc/passwd'
SELECT * FROM sqlite_scan('/tmp/a.db', 'x')
SELECT * FROM postgres_scan('', 'public', 'x')
SELECT * FROM read_xlsx('/tmp/a.xlsx')
SELECT * FROM arrow_scan(1, 1, 1)
SELECT * FROM pandas_scan(1)
SELECT * FROM python_map_function((SELECT 1))
SELECT * FROM frame
SELECT * FROM store
SELECT * FROM files
SELECT getenv('HOME')
SELECT * FROM duckdb_extensions()
SELECT * FROM enable_logging(storage := 'file', storage_path := '/tmp/x')
SELECT * FROM enable_profiling(save_location := '/tmp/x.json')
SELECT * FROM force_checkpoint()
INSTALL httpfs
LOAD httpfs
CREATE SECRET s (TYPE s3)
ATTACH '/tmp/x.db'
EXPORT DATABASE '/tmp/x'
IMPORT DATABASE '/tmp/x'
COPY meter_days TO '/tmp/x.csv'
COPY meter_days TO 'lake://analytics/x.parquet'
WITH x AS (COPY (SELECT 1) TO 'lake://analytics/x.parquet') SELECT 1
CREATE MACRO m() AS 1
CREATE VIEW v AS SELECT 1
DROP VIEW meter_days
SET memory_limit = '100GB'
SET enable_external_access = true
SET lock_configuration = false
RESET ALL
PRAGMA database_list
CALL pragma_version()
USE own
BEGIN
CHECKPOINT
PREPARE x AS SELECT 1
SELECT 1; SELECT 2
""".strip().splitlines()


def test_no_path_leads_out_of_the_lake(place: ObjectStore) -> None:
    for key in ("raw-data/a.csv", "quarantine/a.csv", "analytics-secret/a.csv"):
        place.put(key, b"secret")
    for path in (*ELSEWHERE, "lake://analytics-secret/a.csv", "lake://analytics-secret/*"):
        text = f"SELECT * FROM read_text({quoted(path.format(place))})"
        with pytest.raises((InvalidQuery, LakeDamaged)), ask_lake(place, text, LIMITS) as answer:
            pytest.fail(f"{path}: {list(answer.texts())}")


def test_every_way_out_is_refused_in_a_line_and_leaves_no_trace(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, before = pl.DataFrame({"secret": [1]}), content(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    for statement in WAYS_OUT:
        with pytest.raises(InvalidQuery) as refused:
            pytest.fail(f"{statement}: {written(lake, statement, 'table')!r}")
        assert "\n" not in str(refused.value)
    assert frame.height == 1
    assert content(tmp_path) == before


def test_no_secret_is_told(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "GREENSTREAM_DATABASE_URL"):
        monkeypatch.setenv(name, "canary")
    for source in ("duckdb_settings()", "duckdb_variables()", "duckdb_databases()", "pg_settings"):
        assert b"canary" not in written(lake, f"SELECT * FROM {source}", "table")
    assert written(lake, "SELECT * FROM duckdb_secrets()", "table") == b""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("SELECT sum(hash(i)) AS n FROM range(1000000000000) AS t(i)", "SECONDS"),
        ("SELECT i FROM range(1001) AS t(i)", "ROWS"),
        ("SELECT length(string_agg(repeat('x', 1000000), '')) AS n FROM range(1000) AS t(i)", "MEMORY_MB"),
        ("SELECT count(*) AS n FROM (SELECT DISTINCT hash(i) FROM range(10000000) AS t(i))", "TEMP_MB"),
    ],
)
def test_what_wants_more_than_a_limit_names_it(lake: Path, text: str, setting: str, form: str) -> None:
    limits = QueryLimits(seconds=1 if setting == "SECONDS" else 60, rows=1000, memory_mb=64, temp_mb=1)
    said = pytest.raises(InvalidQuery, match=f"or raise GREENSTREAM_QUERY_MAX_{setting}$")
    with said, ask_lake(open_store(lake), text, limits) as answer:
        list(pieces(answer, form))


def test_as_many_rows_as_are_allowed_are_a_whole_answer(lake: Path) -> None:
    for form in FORMS:
        assert written(lake, f"SELECT i FROM range({LIMITS.rows}) AS t(i)", form)


def test_what_fits_in_no_memory_is_put_aside_in_a_folder_that_names_its_owner(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    limits = QueryLimits(seconds=60, rows=10, memory_mb=64, temp_mb=1000)
    text = "SELECT i FROM (SELECT i FROM range(8000000) AS t(i) ORDER BY hash(i) LIMIT 7900000) OFFSET 7899999"
    with ask_lake(open_store(lake), text, limits) as answer:
        [folder] = tmp_path.glob("greenstream-tmp-query-*")
        assert folder.name.startswith(f"greenstream-tmp-query-{os.getpid()}-")
        assert len(list(answer.texts())) == 1
    assert list(tmp_path.glob("greenstream-tmp-query-*")) == []


def test_a_store_that_does_not_answer_is_unavailable(place: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> bytes:
        raise StorageUnavailable("no answer from the store")

    monkeypatch.setattr(place, "read_range", fails)
    with pytest.raises(StorageUnavailable, match="no answer"), ask_lake(place, "FROM meter_readings", LIMITS) as answer:
        list(answer.texts())
