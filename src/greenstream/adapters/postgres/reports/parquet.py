"""A query's answer as Parquet, batch by batch."""

import json
from collections.abc import Generator, Iterator

import polars as pl
from polars.io.plugins import register_io_source
from psycopg import Column

from greenstream.adapters.postgres.reports.answers import Answer, Row
from greenstream.adapters.query.column_names import check_names
from greenstream.adapters.temporary import temporary_folder

TYPES: dict[int, pl.DataType] = {
    16: pl.Boolean(),
    20: pl.Int64(),
    21: pl.Int16(),
    23: pl.Int32(),
    26: pl.Int64(),
    700: pl.Float32(),
    701: pl.Float64(),
    1082: pl.Date(),
    1114: pl.Datetime("us"),
    1184: pl.Datetime("us", "UTC"),
    17: pl.Binary(),
    1009: pl.List(pl.String()),
    1007: pl.List(pl.Int32()),
    1016: pl.List(pl.Int64()),
}
NUMERIC = 1700
PIECE_BYTES = 1 << 20


def parquet(answer: Answer) -> Generator[bytes]:
    """One Parquet file, Snappy, in pieces.

    Types that Parquet lacks (jsonb, interval, …) become text; numeric without a scale, as of avg(), becomes float64.
    """
    check_names(column.name for column in answer.columns)
    schema = pl.Schema({column.name: _type(column) for column in answer.columns})
    rows = _Rows(answer, schema)
    with temporary_folder("query") as folder:
        path = folder / "answer.parquet"
        try:
            register_io_source(rows.frames, schema=schema).sink_parquet(path, compression="snappy")
        except pl.exceptions.PolarsError as error:
            raise rows.failure or error from error
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece


class _Rows:
    """The rows as frames, for Polars to pull; it hides an error of the query, which is therefore kept."""

    def __init__(self, answer: Answer, schema: pl.Schema) -> None:
        self._answer = answer
        self._schema = schema
        self.failure: Exception | None = None

    def frames(
        self, columns: list[str] | None, where: pl.Expr | None, rows: int | None, batch: int | None
    ) -> Iterator[pl.DataFrame]:
        try:
            for each in self._answer.values():
                yield self._frame(each)
        except Exception as error:
            self.failure = error
            raise

    def _frame(self, rows: list[Row]) -> pl.DataFrame:
        columns = zip(self._schema.items(), zip(*rows, strict=True), strict=True)
        return pl.DataFrame([_series(name, dtype, values) for (name, dtype), values in columns])


def _series(name: str, dtype: pl.DataType, values: tuple[object, ...]) -> pl.Series:
    if dtype == pl.String():
        return pl.Series(name, [None if value is None else _text(value) for value in values], dtype=dtype)
    if dtype == pl.Float64():
        return pl.Series(name, [None if value is None else float(str(value)) for value in values], dtype=dtype)
    return pl.Series(name, values, dtype=dtype)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)


def _type(column: Column) -> pl.DataType:
    if column.type_code == NUMERIC:
        bounded = column.precision is not None and column.scale is not None and column.precision <= 38
        return pl.Decimal(column.precision, column.scale or 0) if bounded else pl.Float64()
    return TYPES.get(column.type_code, pl.String())
