"""Raw records to records: fields trimmed, null tokens to null, each text once in a dictionary.

A dictionary is a Series of distinct texts; a row holds the position of its text. So a rule about a text is judged once
per distinct text, and a day of 4.8 million rows has some 10,000 of those.
"""

from dataclasses import dataclass

import polars as pl

from greenstream.domain.codes import Rejection
from greenstream.domain.formats.header import BLANKS
from greenstream.domain.limits import Limits
from greenstream.domain.readings.schema import CODE, REJECTED, conform

FIELDS = ("meter_id", "timestamp", "energy_value", "unit", "location")
NULL_TOKENS = ("", "null", "none", "nan", "na", "n/a", "-")


@dataclass(frozen=True, kw_only=True)
class RawRecords:
    """The fields of a file as they stand there.

    Attributes:
        decimal_comma: whether a comma in a value is a decimal one.
        ignored_columns: what the file has besides the columns of FIELDS.
        records: `line_number` (UInt32) and the columns of FIELDS (Categorical, untrimmed; null where empty or where the
            file lacks the column).
        malformed: the `line_number` of each line that is no record.
    """

    decimal_comma: bool
    ignored_columns: tuple[str, ...]
    records: pl.DataFrame
    malformed: pl.DataFrame

    @property
    def rows(self) -> int:
        return self.records.height + self.malformed.height


@dataclass(frozen=True, kw_only=True)
class ParsedFile:
    """The records of a file (schema RECORDS), the dictionaries they refer to, and the rows rejected so far.

    The dictionaries are String Series of distinct texts without nulls. `rejected` has schema REJECTED.
    """

    rows: int
    decimal_comma: bool
    ignored_columns: tuple[str, ...]
    records: pl.DataFrame
    rejected: pl.DataFrame
    meters: pl.Series
    timestamps: pl.Series
    energies: pl.Series
    locations: pl.Series


@dataclass(frozen=True, kw_only=True)
class _Column:
    codes: pl.Series
    texts: pl.Series


def with_dictionaries(raw: RawRecords, limits: Limits) -> ParsedFile:
    """Encode each column; rows with a field that is too long, or without a usable meter_id, are rejected here."""
    columns = {name: _encode(raw.records[name]) for name in FIELDS}
    meters = _drop_long(columns.pop("meter_id"), limits.max_meter_id_chars)
    too_long = [mask for column in columns.values() if (mask := _long_rows(column, limits.max_field_chars)) is not None]
    kept = {name: _drop_long(column, limits.max_field_chars) for name, column in columns.items()}
    energies = _energy_texts(kept["energy_value"], kept["unit"])
    records = pl.DataFrame(
        {
            "line_number": raw.records["line_number"].rechunk(),
            "meter": meters.codes,
            "timestamp": kept["timestamp"].codes,
            "energy": energies.codes,
            "location": kept["location"].codes,
        }
    )
    records, lost = _without_unusable(records, too_long)
    rejected = pl.concat([_rejected(raw.malformed, pl.lit(Rejection.MALFORMED_ROW.value)), lost])
    return ParsedFile(
        rows=raw.rows,
        decimal_comma=raw.decimal_comma,
        ignored_columns=raw.ignored_columns,
        records=records,
        rejected=rejected.sort("line_number"),
        meters=meters.texts,
        timestamps=kept["timestamp"].texts,
        energies=energies.texts,
        locations=kept["location"].texts,
    )


def _without_unusable(records: pl.DataFrame, too_long: list[pl.Series]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records that go on, and those that don't (schema REJECTED)."""
    if not too_long and not records["meter"].null_count():
        return records, _rejected(records.clear(), pl.lit(None))
    malformed = pl.any_horizontal(pl.lit(value=False), *too_long)
    lost = malformed | pl.col("meter").is_null()
    code = (
        pl.when(malformed)
        .then(pl.lit(Rejection.MALFORMED_ROW.value))
        .otherwise(pl.lit(Rejection.MISSING_METER_ID.value))
    )
    return records.filter(~lost), _rejected(records.with_columns(code=code).filter(lost), pl.col("code"))


def _rejected(rows: pl.DataFrame, code: pl.Expr) -> pl.DataFrame:
    return conform(rows.with_columns(code=code), REJECTED)


def _encode(column: pl.Series) -> _Column:
    """Trim each distinct text of a Categorical column, and drop the null tokens."""
    codes, highest = column.to_physical().rechunk(), column.to_physical().max()
    categories = _positions(highest + 1 if isinstance(highest, int) else 0).cat.to(column.dtype).cast(pl.String)
    trimmed = categories.str.strip_chars(BLANKS)
    return _recode(codes, trimmed.set(trimmed.str.to_lowercase().is_in(NULL_TOKENS), None))


def _recode(codes: pl.Series, texts: pl.Series) -> _Column:
    """Number the distinct texts, given the text of each code: equal ones get one code and null ones none."""
    distinct = texts.drop_nulls().unique(maintain_order=True)
    if len(distinct) == len(texts):
        return _Column(codes=codes, texts=distinct)
    numbered = pl.DataFrame({"text": distinct}).with_row_index("code")
    positions = pl.DataFrame({"text": texts}).join(numbered, on="text", how="left", maintain_order="left")["code"]
    return _Column(codes=_take(positions, codes), texts=distinct)


def _positions(count: int) -> pl.Series:
    return pl.int_range(count, dtype=CODE, eager=True)


def _take(values: pl.Series, positions: pl.Series) -> pl.Series:
    """`values[positions]`, null where the position is null, whatever the length of `values`."""
    if not len(values):
        return pl.repeat(None, len(positions), dtype=values.dtype, eager=True)
    return values.gather(positions)


def _long_rows(column: _Column, max_chars: int) -> pl.Series | None:
    """For each row whether its text is too long; None where none is."""
    too_long = column.texts.str.len_chars() > max_chars
    return _take(too_long, column.codes).fill_null(value=False) if too_long.any() else None


def _drop_long(column: _Column, max_chars: int) -> _Column:
    too_long = column.texts.str.len_chars() > max_chars
    if not too_long.any():
        return column
    return _recode(column.codes, column.texts.set(too_long, None))


def _energy_texts(values: _Column, units: _Column) -> _Column:
    """The energy text: the value, and the unit after a blank unless the value ends in a letter."""
    if not len(units.texts):
        return values
    pairs = pl.DataFrame({"value": values.codes, "unit": units.codes})
    distinct = pairs.unique(maintain_order=True).with_row_index("code")
    value, unit = _take(values.texts, distinct["value"]), _take(units.texts, distinct["unit"])
    texts = pl.select(
        pl.when(unit.is_null() | value.str.contains(r"\p{L}$")).then(value).otherwise(value + " " + unit)
    ).to_series()
    codes: pl.Series = pairs.join(distinct, on=["value", "unit"], how="left", nulls_equal=True, maintain_order="left")[
        "code"
    ]
    return _recode(codes, texts)
