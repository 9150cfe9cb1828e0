"""The columns of each frame: dtype, unit and meaning. Every frame that crosses a module has its schema here.

Text that repeats (meter ids, timestamps, energy texts, locations) is held once in a *dictionary* and referred to by a
`UInt32` code, so that a rule about a text is judged once per distinct text and not once per row.
"""

from dataclasses import dataclass

import polars as pl

from greenstream.domain.codes import Rejection

INSTANT = pl.Datetime("us", "UTC")
CODE = pl.UInt32


def conform(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """The columns of `schema`, in its order and of its dtypes."""
    return frame.select(schema.names()).cast(schema)


UNITS_PER_KW = 10_000
"""Power is an integer of 0.1 W inside: the fourth decimal of a kW, exactly."""


REJECTION = pl.Enum([code.value for code in Rejection])
"""A column of `Rejection`s: a byte a row, for all rows of the largest file can be rejected."""


RECORDS = pl.Schema(
    {
        "line_number": pl.UInt32(),  # 1 = the header's line
        "meter": CODE(),  # into the dictionary of meter ids; never null
        "timestamp": CODE(),  # into the dictionary of timestamp texts; null where the field is null
        "energy": CODE(),  # into the dictionary of energy texts; null where the field is null
        "location": CODE(),  # into the dictionary of locations; null where the field is null
    }
)
"""One row a well-formed CSV record with a meter_id, in file order."""

REJECTED = pl.Schema(
    {
        "line_number": pl.UInt32(),
        "code": REJECTION,
    }
)
"""One row a rejected CSV record, in file order."""

QUARANTINED = pl.Schema(
    {
        "line_number": pl.UInt32(),
        "raw_bytes": pl.Binary(),
        "raw_line": pl.String(),  # the same, for people: bytes that aren't text as \\xNN
        "rule_id": pl.String(),
        "code": REJECTION,
    }
)
"""One row a rejected CSV record as it is kept, in file order."""

ENERGIES = pl.Schema(
    {
        "energy_value": pl.String(),  # the energy text
        "power": pl.Int64(),  # 0.1 W; null where there is no kW
        "energy_flags": pl.UInt8(),  # sum of Flag.bit of what is wrong with the energy
        "measured": pl.Boolean(),  # not null
        "valid": pl.Boolean(),  # neither INVALID_VALUE nor INVALID_UNIT
        "in_range": pl.Boolean(),  # there is a kW, and it is in range
    }
)
"""One row a distinct energy text, its position being its code; the last one stands for null."""

TIMES = pl.Schema(
    {
        "reading_at": INSTANT,
        "timestamp_utc": pl.String(),  # as B6.2 hashes it
        "day": pl.Date(),  # of the site's time zone
        "period": pl.UInt8(),  # position in PERIODS
        "season": pl.UInt8(),  # position in SEASONS
    }
)
"""One row a distinct instant, its position being its code."""

LOCATIONS = pl.Schema(
    {
        "location": pl.String(),
        "customer_class": pl.String(),  # null unless the location names one
        "region": pl.String(),
    }
)
"""One row a distinct location, its position being its code; the last one stands for null."""

ROWS = pl.Schema(
    {
        "line_number": pl.UInt32(),
        "meter": CODE(),
        "time": CODE(),
        "energy": CODE(),
        "location": CODE(),
        "inferred": pl.Boolean(),  # B2.2
    }
)
"""One row a CSV record to store, in file order; codes into the dictionaries, none of them null."""

READINGS = pl.Schema(
    {
        "line_number": pl.UInt32(),
        "meter": CODE(),
        "location": CODE(),
        "reading_at": INSTANT,
        "day": pl.Date(),
        "record_id": pl.String(),  # 64 hex digits
        "energy_value": pl.String(),
        "power": pl.Int64(),  # 0.1 W
        "period": pl.UInt8(),
        "season": pl.UInt8(),
        "flags": pl.UInt8(),  # sum of Flag.bit
        "quality_score": pl.UInt8(),
        "grade": pl.UInt8(),  # position in GRADES
        "reliable": pl.Boolean(),  # whether the score counts the meter as reliable
    }
)
"""One evaluated row, ready to store."""

STORED = pl.Schema(
    {
        "reading_at": INSTANT,
        "meter_key": pl.Int32(),
        "record_id": pl.String(),  # 64 hex digits
        "load_id": pl.Int64(),
        "energy_value": pl.String(),
        "power": pl.Int64(),  # 0.1 W
        "flags": pl.UInt8(),  # sum of Flag.bit
        "quality_score": pl.UInt8(),
        "grade": pl.UInt8(),  # position in GRADES
        "period": pl.UInt8(),  # position in PERIODS
        "season": pl.UInt8(),  # position in SEASONS
        "reliable": pl.Boolean(),
        "region": pl.String(),
        "source_file": pl.String(),
    }
)
"""One stored reading, as it was judged when it was stored or settled."""

FINDINGS = pl.Schema(
    {
        "code": pl.String(),  # a FindingCode
        "meter_key": pl.Int64(),
        "first": pl.Int64(),  # slot
        "last": pl.Int64(),  # slot
        "began_earlier": pl.Boolean(),  # the run may go on to the left, where the grid can't tell
        "detail": pl.String(),  # JSON: the figures at the last slot
    }
)
"""One row a finding over a grid."""


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


HELD = pl.Schema(
    {
        "meter_id": pl.String(),
        "reading_at": INSTANT,
        "energy_value": pl.String(),
        "power": pl.Int64(),  # 0.1 W
        "location": pl.String(),
        "customer_class": pl.String(),
        "region": pl.String(),
        "period": pl.UInt8(),  # position in PERIODS
        "season": pl.UInt8(),  # position in SEASONS
        "flags": pl.UInt8(),  # sum of Flag.bit
        "quality_score": pl.Int32(),
        "grade": pl.UInt8(),  # position in GRADES
        "processed_timestamp": INSTANT,
        "pipeline_version": pl.String(),
        "source_file": pl.String(),
        "source_file_id": pl.Int64(),
        "line_number": pl.Int32(),
    }
)
"""One reading as the database holds it, with what orders those of one slot."""


ARCHIVED = pl.Schema({**LAKE, "region": pl.String()})
"""One reading as the lake holds it; `region` is in the path of its object."""


ORDER = ("meter_id", "reading_at", "is_current", "processed_timestamp", "source_file", "energy_value")


EXPECTED = pl.Schema(
    {
        "meter_id": pl.String(),
        "slots": pl.Int32(),  # of the day, that lie between the meter's beginning and end
        "location": pl.String(),
        "customer_class": pl.String(),
        "region": pl.String(),
    }
)
"""One meter from which a day's readings are expected, and where it is by now."""


CURVE_PARTS = pl.Schema({"region": pl.String(), "slot_at": INSTANT, "meters": pl.Int64(), "power": pl.Int64()})
"""How many meters of a region have a usable reading in a slot, and their sum in 0.1 W."""


ERASED = pl.Schema({"meter_sha256": pl.String(), "until": INSTANT})
"""One erased meter, by the SHA-256 of its meter_id in hex, and the last instant that is erased."""


OF_FILE = pl.Schema({**STORED, "line_number": pl.UInt32(), "let_out": pl.Boolean()})
"""One stored reading of a file; `let_out` of those that came by a replay, so not as the file has them."""


QUARANTINE = pl.Schema(
    {"line_number": pl.UInt32(), "code": pl.String(), "replayed": pl.Boolean(), "discarded": pl.Boolean()}
)
"""One row of a file that is, or was, in the quarantine."""
