"""The lake's layout: the columns of its objects, and the keys under which they lie.

Days are local days. `year`, `month` and `region` are partition columns: they are in the key, not in the object.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from greenstream.domain.schema import INSTANT

READINGS_ZONE = "analytics"
AGGREGATES_ZONE = "aggregates"
MANIFEST_ZONE = "manifest"


@dataclass(frozen=True)
class Column:
    """A column of an object of the lake."""

    name: str
    dtype: pl.DataType
    unit: str
    meaning: str


READING_COLUMNS = (
    Column("meter_id", pl.String(), "", "who measured"),
    Column("reading_at", INSTANT, "", "the instant as read, or inferred"),
    Column("energy_value", pl.String(), "", "the energy text; null where none came"),
    Column("consumption_kw", pl.Decimal(18, 4), "kW", "mean power of the interval; null where there is none"),
    Column("location", pl.String(), "", "as written in the row"),
    Column("customer_class", pl.String(), "", "`Residential`, `Commercial` or null"),
    Column("period", pl.String(), "", "`peak`, `off_peak` or `standard`"),
    Column("season", pl.String(), "", "`winter`, `spring`, `summer` or `fall`"),
    Column("flags", pl.List(pl.String()), "", "what is wrong with it; empty when nothing is"),
    Column("quality_score", pl.Int32(), "points", "0 to 100, final"),
    Column("quality_grade", pl.String(), "", "`A`, `B`, `C` or `F`"),
    Column("processed_timestamp", INSTANT, "", "when the row was processed"),
    Column("pipeline_version", pl.String(), "", "the version of GreenStream that processed it"),
    Column("source_file", pl.String(), "", "the file it came in"),
    Column("is_current", pl.Boolean(), "", "whether it is the one reading of its meter and slot that counts"),
)
METER_DAY_COLUMNS = (
    Column("meter_id", pl.String(), "", "each meter of the fleet, also those that sent nothing"),
    Column("day", pl.Date(), "", "local day"),
    Column("region", pl.String(), "", "of its newest reading of the day; without one, where the meter is by now"),
    Column("customer_class", pl.String(), "", "likewise"),
    Column("location", pl.String(), "", "likewise"),
    Column("kwh", pl.Float64(), "kWh", "energy of the usable readings; null without any"),
    Column("peak_kw", pl.Float64(), "kW", "the highest usable reading; null without any"),
    Column("peak_at", INSTANT, "", "when it was reached first"),
    Column(
        "slots",
        pl.Int32(),
        "slots",
        "expected of the meter: 96 of 15 minutes; 92 or 100 where the clock is changed;"
        " fewer where the meter begins or ends",
    ),
    Column("readings", pl.Int32(), "slots", "that have a kW"),
    Column("completeness", pl.Float64(), "0 to 1", "usable slots ÷ slots; null without slots"),
    Column("mean_score", pl.Float64(), "points", "of the current readings; null without any"),
    Column("grade_a", pl.Int32(), "readings", "current readings of grade A"),
    Column("grade_b", pl.Int32(), "readings", "of grade B"),
    Column("grade_c", pl.Int32(), "readings", "of grade C"),
    Column("grade_f", pl.Int32(), "readings", "of grade F"),
)
LOAD_CURVE_COLUMNS = (
    Column("region", pl.String(), "", ""),
    Column("slot_at", INSTANT, "", "start of the slot; one without a usable reading has no row"),
    Column("meters", pl.Int32(), "meters", "with a usable reading"),
    Column("mean_kw", pl.Float64(), "kW", "mean of those meters"),
    Column("total_kw", pl.Float64(), "kW", "sum of those meters"),
    Column("kwh", pl.Float64(), "kWh", "of those meters in this slot"),
)


def _schema(columns: tuple[Column, ...]) -> pl.Schema:
    return pl.Schema({column.name: column.dtype for column in columns})


LAKE = _schema(READING_COLUMNS)
"""One reading of a region, by meter and time."""

METER_DAYS = _schema(METER_DAY_COLUMNS)
"""One meter on one local day."""

LOAD_CURVES = _schema(LOAD_CURVE_COLUMNS)
"""One slot of a region."""

PARTITIONS = pl.Schema({"year": pl.Int32(), "month": pl.Int32(), "region": pl.String()})
"""The columns of LAKE's objects that are in their keys."""


def reading_key(day: date, region: str) -> str:
    return f"{READINGS_ZONE}/{_month(day)}/region={region}/{day}.parquet"


def month_key(day: date) -> str:
    """Where the folders of the regions are."""
    return f"{READINGS_ZONE}/{_month(day)}"


def meter_days_key(day: date) -> str:
    return f"{AGGREGATES_ZONE}/meter_days/{_month(day)}/{day}.parquet"


def load_curves_key(day: date) -> str:
    return f"{AGGREGATES_ZONE}/load_curves/{_month(day)}/{day}.parquet"


def manifest_key(day: date) -> str:
    return f"{MANIFEST_ZONE}/{_month(day)}/{day}.json"


def _month(day: date) -> str:
    return f"year={day:%Y}/month={day:%m}"
