"""Timestamp texts to instants: one strict format, with or without an offset, and the site's zone for the rest."""

import polars as pl

from greenstream.domain.readings.schema import INSTANT

PATTERN = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]"
    r"((?:[01][0-9]|2[0-3]):[0-5][0-9])(?::([0-5][0-9])(?:\.[0-9]+)?)?"
    r"(Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?$"
)


def read_timestamps(texts: pl.Series, timezone: str) -> pl.DataFrame:
    """Read each text as an instant; fractions of a second are dropped.

    Returns one row a text:
        wall: Datetime("us"), the time as written where it has no offset, else null.
        earliest, latest: Datetime("us", "UTC"), equal but for a wall time that occurs twice; null where the text can't
            be read or the wall time doesn't exist.
    """
    parts = texts.to_frame("text").select(pl.col("text").str.extract_groups(PATTERN)).to_series().struct.unnest()
    date, time, seconds, offset = (pl.col(name) for name in parts.columns)
    written = (date + " " + time + ":" + seconds.fill_null("00")).str.to_datetime(
        "%Y-%m-%d %H:%M:%S", time_unit="us", strict=False
    )
    return (
        parts.select(written=pl.when(~date.str.starts_with("0000")).then(written), offset=offset)
        .with_columns(_shift(pl.col("offset")).alias("shift"))
        .select(
            wall=pl.when(pl.col("offset").is_null()).then(pl.col("written")),
            earliest=_instant(timezone, "earliest"),
            latest=_instant(timezone, "latest"),
        )
    )


def _shift(offset: pl.Expr) -> pl.Expr:
    """An offset such as `+05:30` as a Duration; `Z` is none, null stays null."""
    sign = pl.when(offset.str.starts_with("-")).then(-1).otherwise(1)
    hours = offset.str.slice(1, 2).cast(pl.Int64, strict=False).fill_null(0)
    minutes = offset.str.slice(4, 2).cast(pl.Int64, strict=False).fill_null(0)
    shift = pl.duration(minutes=sign * (hours * 60 + minutes))
    return pl.when(offset.is_not_null()).then(shift)


def _instant(timezone: str, ambiguous: str) -> pl.Expr:
    with_offset = (pl.col("written") - pl.col("shift")).dt.replace_time_zone("UTC")
    local = pl.col("written").dt.replace_time_zone(
        timezone,
        ambiguous=pl.lit(ambiguous),
        non_existent="null",
    )
    return pl.coalesce(with_offset, local.dt.convert_time_zone("UTC")).cast(INSTANT)
