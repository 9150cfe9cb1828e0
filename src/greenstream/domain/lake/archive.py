"""A day's readings as the lake keeps them, and what can be told from them again."""

from dataclasses import dataclass
from functools import reduce

import numpy as np
import polars as pl

from greenstream.domain.codes import GRADES, PERIODS, SEASONS, Flag
from greenstream.domain.limits import Limits
from greenstream.domain.readings.current import with_current
from greenstream.domain.readings.schema import ARCHIVED, LAKE, ORDER, UNITS_PER_KW, conform
from greenstream.domain.rules import b5_enrichment, b6_metadata

KW = LAKE["consumption_kw"]


def archived(held: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Readings (schema HELD) of some meters, all of a day, as ARCHIVED, in the lake's order."""
    words = {"period": PERIODS, "season": SEASONS, "grade": GRADES}
    slot = pl.col("reading_at").dt.epoch("s") // (limits.interval_minutes * 60)
    rows = with_current(held.sort("meter_id", "reading_at").with_columns(slot=slot))
    spelled = rows.with_columns(
        *(pl.Series(name, all_words).gather(rows[name]).alias(name) for name, all_words in words.items()),
        _flag_lists().gather(rows["flags"]).alias("flags"),
        consumption_kw=pl.col("power").cast(pl.Decimal(38, 4)).truediv(UNITS_PER_KW).cast(KW),
    )
    return in_order(spelled.rename({"grade": "quality_grade"}).pipe(conform, ARCHIVED))


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """ARCHIVED by meter and time; the rest only makes the order of repeats a matter of content."""
    return rows.sort(ORDER, nulls_last=True)


def with_record_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """Readings with `record_id` (String, 64 hex digits), computed from meter, time and energy text."""
    return rows.with_columns(timestamp_utc=b6_metadata.timestamp_utc(pl.col("reading_at"))).with_columns(
        record_id=b6_metadata.record_id("meter_id", "timestamp_utc", "energy_value")
    )


def held_again(rows: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """ARCHIVED rows on their way back into the database.

    Adds `record_id`, `power` (Int64), `flag_bits`, `period_code`, `season_code`, `grade` (positions), `reliable` and
    `line_number`: among the readings of a slot the current one has the highest, as it had.
    """
    unreliable = _score(pl.lit(value=False), limits)
    codes = {"period": PERIODS, "season": SEASONS}
    return with_record_ids(rows).with_columns(
        power=(pl.col("consumption_kw") * UNITS_PER_KW).cast(pl.Int64),
        flag_bits=_flag_bits(),
        grade=pl.col("quality_grade").replace_strict(list(GRADES), range(len(GRADES)), return_dtype=pl.UInt8),
        reliable=pl.col("quality_score") > unreliable,
        line_number=pl.int_range(pl.len(), dtype=pl.Int32) + pl.len().cast(pl.Int32) * pl.col("is_current"),
        **{
            f"{name}_code": pl.col(name).replace_strict(list(words), range(len(words)), return_dtype=pl.UInt8)
            for name, words in codes.items()
        },
    )


@dataclass(frozen=True, kw_only=True)
class Checksum:
    """Which record_ids a set of readings has: how many, and their sum, whatever their order.

    `digest` adds the ids up as four numbers of 64 bits each (big-endian, wrapping), 64 hex digits.
    """

    rows: int = 0
    digest: str = "0" * 64

    def __add__(self, other: "Checksum") -> "Checksum":
        return Checksum(rows=self.rows + other.rows, digest=_hex(_lanes(self.digest) + _lanes(other.digest)))


def checksum(record_ids: bytes) -> Checksum:
    """Of ids of 32 bytes each, one behind the other."""
    ids = np.frombuffer(record_ids, dtype=">u8").reshape(-1, 4)
    return Checksum(rows=len(ids), digest=_hex(ids.astype(np.uint64).sum(axis=0, dtype=np.uint64)))


def id_bytes(record_ids: pl.Series) -> bytes:
    """Ids of 64 hex digits as 32 bytes each."""
    return b"".join(record_ids.str.decode("hex").to_list())


def _lanes(digest: str) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    return np.frombuffer(bytes.fromhex(digest), dtype=">u8").astype(np.uint64)


def _hex(lanes: "np.ndarray[tuple[int], np.dtype[np.uint64]]") -> str:
    return lanes.astype(">u8").tobytes().hex()


def _score(reliable: pl.Expr, limits: Limits) -> pl.Expr:
    """B5.3 from what the lake holds."""
    flags, kw = pl.col("flags").list, pl.col("consumption_kw")
    return b5_enrichment.quality_score(
        measured=pl.col("energy_value").is_not_null(),
        inferred=flags.contains(Flag.TIMESTAMP_INFERRED.value),
        valid=~(flags.contains(Flag.INVALID_UNIT.value) | flags.contains(Flag.INVALID_VALUE.value)),
        in_range=kw.is_not_null() & ~flags.contains(Flag.OUT_OF_RANGE.value),
        reliable=reliable,
        limits=limits,
    ).cast(pl.Int32)


def _flag_lists() -> pl.Series:
    sets = [[flag.value for flag in Flag if flag.bit & bits] for bits in range(2 ** len(Flag))]
    return pl.Series("flags", sets, dtype=pl.List(pl.String))


def _flag_bits() -> pl.Expr:
    bits = (pl.col("flags").list.contains(flag.value).cast(pl.UInt8) * flag.bit for flag in Flag)
    return reduce(lambda all_bits, bit: all_bits + bit, bits)
