"""The columns of each frame: dtype, unit and meaning. Every frame that crosses a module has its schema here.

Text that repeats (meter ids, timestamps, energy texts, locations) is held once in a *dictionary* and referred to by a
`UInt32` code, so that a rule about a text is judged once per distinct text and not once per row.
"""

from enum import StrEnum

import polars as pl

INSTANT = pl.Datetime("us", "UTC")
CODE = pl.UInt32

UNITS_PER_KW = 10_000
"""Power is an integer of 0.1 W inside: the fourth decimal of a kW, exactly."""


class Flag(StrEnum):
    """What can be wrong with a stored reading. The order is the order of `flags` and of the bits that store them."""

    INVALID_VALUE = "INVALID_VALUE"
    INVALID_UNIT = "INVALID_UNIT"
    MISSING_READING = "MISSING_READING"
    TIMESTAMP_INFERRED = "TIMESTAMP_INFERRED"
    OUT_OF_RANGE = "OUT_OF_RANGE"

    @property
    def bit(self) -> int:
        return 1 << list(Flag).index(self)


class FindingCode(StrEnum):
    """What can be wrong with a meter over time."""

    CONSECUTIVE_MISSING = "CONSECUTIVE_MISSING"
    DEAD_METER = "DEAD_METER"
    STUCK_METER = "STUCK_METER"
    ERRATIC_SPIKE = "ERRATIC_SPIKE"
    COMMUNICATION_FAILURE = "COMMUNICATION_FAILURE"


class Rejection(StrEnum):
    """Why a row is quarantined instead of stored."""

    MALFORMED_ROW = "MALFORMED_ROW"
    MISSING_METER_ID = "MISSING_METER_ID"
    TIMESTAMP_UNRECOVERABLE = "TIMESTAMP_UNRECOVERABLE"
    TIMESTAMP_OUT_OF_RANGE = "TIMESTAMP_OUT_OF_RANGE"

    @property
    def rule_id(self) -> str:
        """The rule that rejects; rows that are no records at all are rejected by the parser."""
        return {"TIMESTAMP_UNRECOVERABLE": "B2.2", "TIMESTAMP_OUT_OF_RANGE": "B3.3"}.get(self.value, "parse")


REJECTION = pl.Enum([code.value for code in Rejection])
"""A column of `Rejection`s: a byte a row, for all rows of the largest file can be rejected."""


class Reason(StrEnum):
    """Why a whole file is rejected, in the order of checking."""

    BAD_EXTENSION = "BAD_EXTENSION"
    EMPTY_FILE = "EMPTY_FILE"
    TOO_LARGE = "TOO_LARGE"
    CORRUPT_ARCHIVE = "CORRUPT_ARCHIVE"
    BAD_ENCODING = "BAD_ENCODING"
    MISSING_COLUMN = "MISSING_COLUMN"


class Severity(StrEnum):
    """How urgent a finding is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


PERIODS = ("peak", "off_peak", "standard")
SEASONS = ("winter", "spring", "summer", "fall")
GRADES = ("A", "B", "C", "F")
CUSTOMER_CLASSES = ("Residential", "Commercial")
UNKNOWN_REGION = "Unknown"

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


def conform(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """The columns of `schema`, in its order and of its dtypes."""
    return frame.select(schema.names()).cast(schema)
