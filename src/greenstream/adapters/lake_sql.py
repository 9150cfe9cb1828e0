"""SQL over the lake's objects: DuckDB in this process, reading what lies in a folder."""

import csv
import io
import re
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from greenstream.domain.errors import InvalidQuery
from greenstream.domain.lake import AGGREGATES_ZONE, LAKE, LOAD_CURVES, METER_DAYS, READINGS_ZONE

BATCH_ROWS = 5_000
PIECE_BYTES = 1 << 20
TYPES: dict[pl.DataType, str] = {
    pl.String(): "VARCHAR",
    pl.Datetime("us", "UTC"): "TIMESTAMPTZ",
    pl.List(pl.String()): "VARCHAR[]",
    pl.Int32(): "INTEGER",
    pl.Float64(): "DOUBLE",
    pl.Boolean(): "BOOLEAN",
    pl.Date(): "DATE",
    pl.Decimal(18, 4): "DECIMAL(18, 4)",
}
PARTITIONS = pl.Schema({"year": pl.Int32(), "month": pl.Int32(), "region": pl.String()})
RECORD_ID = (
    "sha256(meter_id || strftime(reading_at AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S') || coalesce(energy_value, ''))"
)
EXPLAIN = re.compile(r"\s*explain(\s+analyze\b|\s*\([^)]*\))*", re.IGNORECASE)
REFUSED = (
    "only one SELECT, WITH, VALUES, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN of them is run here; nothing can be written"
)


class LakeAnswer:
    """Columns and rows of a query; the rows can be read once, by one of the methods. Values look as in DuckDB."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, sql: str, scratch: Path, *, explains: bool) -> None:
        self._connection = connection
        self._scratch = scratch
        self._sql = sql
        self._explains = explains
        described = connection.execute(sql).description or []
        self.names = [str(column[0]) for column in described]
        self.numeric = [str(column[0]) for column in described if str(column[1]).upper() in NUMBERS]

    def texts(self) -> Iterator[list[tuple[str | None, ...]]]:
        if self._explains:
            yield [tuple(None if value is None else str(value) for value in row) for row in self._connection.fetchall()]
            return
        with _explained():
            self._connection.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (\n{self._sql}\n)")
            while rows := self._connection.fetchmany(BATCH_ROWS):
                yield rows

    def json_rows(self) -> Iterator[list[str]]:
        with _explained():
            self._connection.execute(f"SELECT CAST(to_json(q) AS VARCHAR) FROM (\n{self._sql}\n) q")
            while rows := self._connection.fetchmany(BATCH_ROWS):
                yield [row[0] for row in rows]

    def csv(self) -> Generator[bytes]:
        yield _csv_lines([self.names])
        for rows in self.texts():
            yield _csv_lines(rows)

    def parquet(self) -> Generator[bytes]:
        """One Parquet file, Snappy, in pieces."""
        path = self._scratch / "answer.parquet"
        with _explained():
            target = _quoted(str(path))
            self._connection.execute(f"COPY (\n{self._sql}\n) TO {target} (FORMAT parquet, COMPRESSION snappy)")
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece


NUMBERS = frozenset(
    (
        *("NUMBER", "FLOAT", "DOUBLE", "DECIMAL"),
        *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
    )
)


@contextmanager
def ask_lake(folder: Path, text: str) -> Iterator[LakeAnswer]:
    """Run one query over the lake in a folder: views `meter_readings`, `current_readings`, `meter_days`, `load_curves`.

    The statement can only read, and no file but the lake's.

    Raises:
        InvalidQuery: the SQL is wrong, wants to write, or fails on the data.
    """
    with _scratch() as scratch, duckdb.connect(":memory:") as connection, _explained():
        explains = _check(connection, text)
        connection.execute("SET TimeZone = 'UTC'")
        for statement in _views(folder):
            connection.execute(statement)
        connection.execute(f"SET temp_directory = {_quoted(str(scratch))}")
        quoted = ", ".join(
            _quoted(f"{place}/") for place in (folder / READINGS_ZONE, folder / AGGREGATES_ZONE, scratch)
        )
        connection.execute(f"SET allowed_directories = [{quoted}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield LakeAnswer(connection, text.strip().rstrip("; \t\r\n"), scratch, explains=explains)


def _check(connection: duckdb.DuckDBPyConnection, text: str) -> bool:
    """Whether it is an EXPLAIN; raises InvalidQuery for what isn't one query."""
    statements = connection.extract_statements(text)
    if len(statements) != 1:
        raise InvalidQuery(f"{'nothing' if not statements else 'more than one statement'} was asked: {REFUSED}")
    explains = statements[0].type == duckdb.StatementType.EXPLAIN
    if explains:
        statements = connection.extract_statements(EXPLAIN.sub("", text, count=1))
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise InvalidQuery(REFUSED)
    return explains


def _views(folder: Path) -> Iterator[str]:
    readings = _source(folder / READINGS_ZONE, "year=*/month=*/region=*/*.parquet", LAKE)
    columns = ", ".join([*LAKE.names(), *PARTITIONS.names()])
    yield f"CREATE VIEW meter_readings AS SELECT {RECORD_ID} AS record_id, {columns} FROM {readings}"
    yield "CREATE VIEW current_readings AS SELECT * EXCLUDE (is_current) FROM meter_readings WHERE is_current"
    for name, schema in (("meter_days", METER_DAYS), ("load_curves", LOAD_CURVES)):
        source = _source(folder / AGGREGATES_ZONE / name, "year=*/month=*/*.parquet", schema)
        yield f"CREATE VIEW {name} AS SELECT {', '.join(schema.names())} FROM {source}"


def _source(folder: Path, pattern: str, schema: pl.Schema) -> str:
    """The objects of a folder, or no rows of the same types where there are none."""
    if any(folder.glob(pattern)):
        types = "{'year': INTEGER, 'month': INTEGER, 'region': VARCHAR}" if "region" in pattern else ""
        options = f"hive_partitioning = true, hive_types = {types}" if types else "hive_partitioning = false"
        return f"read_parquet({_quoted(f'{folder}/{pattern}')}, {options})"
    columns = {**schema, **PARTITIONS}.items()
    return f"(SELECT {', '.join(f'CAST(NULL AS {TYPES[dtype]}) AS {name}' for name, dtype in columns)} WHERE false)"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _csv_lines(rows: Sequence[Sequence[str | None]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        first_line = str(error).strip().splitlines()[0]
        raise InvalidQuery(first_line) from error


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="greenstream-") as folder:
        yield Path(folder).resolve()
