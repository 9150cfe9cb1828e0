"""Which of several readings of a meter and slot counts: the current one, the last in this order.

PostgreSQL has the same order as the column `precedence` of `greenstream.ranked_reading`; a test compares the two.
"""

import polars as pl

from greenstream.domain.codes import Flag

LATENESS = ("processed_timestamp", "source_file_id", "line_number")
"""What decides between two readings that are equally good: the later processed, the later line of a file."""


def precedence() -> dict[str, pl.Expr]:
    """By what readings with `power`, `flags` (bits) and LATENESS are compared, in this order, each ascending."""
    return {
        "has_power": pl.col("power").is_not_null(),
        "is_as_read": (pl.col("flags") & Flag.TIMESTAMP_INFERRED.bit) == 0,
        **{name: pl.col(name) for name in LATENESS},
    }


def with_current(rows: pl.DataFrame) -> pl.DataFrame:
    """Readings, given by meter and time, with `is_current`: the one that counts of its `meter_id` and `slot`."""
    as_before = (pl.col("meter_id") == pl.col("meter_id").shift()) & (pl.col("slot") == pl.col("slot").shift())
    beside = as_before.fill_null(value=False)
    contested = rows.select((beside | beside.shift(-1, fill_value=False)).alias("contested"))["contested"]
    if not contested.any():
        return rows.with_columns(is_current=pl.lit(value=True))
    alone = rows.filter(~contested).with_columns(is_current=pl.lit(value=True))
    several = rows.filter(contested).sort("meter_id", "slot", *precedence().values(), nulls_last=True)
    last = ~(pl.col("meter_id") == pl.col("meter_id").shift(-1)) | ~(pl.col("slot") == pl.col("slot").shift(-1))
    return pl.concat([alone, several.with_columns(is_current=last.fill_null(value=True))])
