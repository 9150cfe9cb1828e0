"""The codes of what can be wrong, and the small fixed vocabularies."""

from enum import StrEnum


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
