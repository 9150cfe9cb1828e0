"""Tables of the lake's columns."""

import polars as pl

from greenstream.domain.readings.schema import LOAD_CURVE_COLUMNS, METER_DAY_COLUMNS, READING_COLUMNS, Column
from greenstream.entrypoints.docs.markdown import code, table

TYPES: dict[pl.DataType, str] = {
    pl.String(): "string",
    pl.Datetime("us", "UTC"): "timestamp (µs, UTC)",
    pl.List(pl.String()): "list of string",
    pl.Int32(): "int32",
    pl.Float64(): "double",
    pl.Boolean(): "boolean",
    pl.Date(): "date",
    pl.Decimal(18, 4): "decimal(18, 4)",
}


def readings() -> str:
    return _columns(READING_COLUMNS)


def meter_days() -> str:
    return _columns(METER_DAY_COLUMNS)


def load_curves() -> str:
    return _columns(LOAD_CURVE_COLUMNS)


def _columns(columns: tuple[Column, ...]) -> str:
    rows = [[code(column.name), TYPES[column.dtype], column.unit, column.meaning] for column in columns]
    return table(["column", "type", "unit", "meaning"], rows)
