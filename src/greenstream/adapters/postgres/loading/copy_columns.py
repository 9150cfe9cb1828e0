"""Readings as COPY takes them."""

import polars as pl

READING_COLUMNS = (
    "reading_at",
    "load_id",
    "power",
    "meter_key",
    "location_key",
    "line_number",
    "flags",
    "quality_score",
    "period",
    "season",
    "grade",
    "record_id",
    "energy_value",
    "reliable",
)


def bytea(hex_digits: pl.Expr) -> pl.Expr:
    """As PostgreSQL reads bytes in hex."""
    return pl.concat_str(pl.lit("\\x"), hex_digits).alias(hex_digits.meta.output_name())
