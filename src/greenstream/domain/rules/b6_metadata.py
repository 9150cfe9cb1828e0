"""B6: who a row is, for ever."""

import polars as pl
import polars_hash as plh

TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S"


def lineage(batch: pl.DataFrame, *, load_id: int) -> pl.DataFrame:
    """B6.1: where a row comes from: `processed_timestamp`, `pipeline_version`, `source_file`, and its line in there.

    Example: row `SM-48291,2024-03-15 18:45:00,3250 W` → line_number `2`

    Returns:
        The batch with `load_id` (Int64), the load that names all but the line.
    """
    return batch.with_columns(load_id=pl.lit(load_id, dtype=pl.Int64))


def timestamp_utc(instant: pl.Expr) -> pl.Expr:
    """B6.2: an instant as it is hashed, in UTC, to the second.

    Example: timestamp `2024-03-15T19:45+01:00` → reading_at `2024-03-15 18:45:00`
    """
    return instant.dt.strftime(TIMESTAMP_FORMAT)


def record_id(meter_id: str, timestamp: str, energy_value: str) -> pl.Expr:
    """B6.2: lower-case hex SHA-256 of meter_id + timestamp + energy_value, without separators.

    The timestamp is hashed as `YYYY-MM-DD HH:MM:SS` in UTC, after inference and without fractions; the energy as
    the energy text, a null one as the empty text.

    Example: row `SM-48291,2024-03-15 18:45:00,3250 W` → record_id
    `94c80d433ed95d02340740bc2829980abb5ff0d27df139dd4e0cc2993741e00a`
    """
    return plh.concat_str(
        plh.col(meter_id), plh.col(timestamp), plh.col(energy_value), ignore_nulls=True
    ).chash.sha2_256()
