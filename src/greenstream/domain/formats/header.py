"""The first line of a file: which delimiter it uses, and which column is where."""

import re
from dataclasses import dataclass

from greenstream.domain.codes import Reason
from greenstream.domain.errors import FileRejected
from greenstream.domain.limits import Limits
from greenstream.domain.text import excerpt

DELIMITERS = (",", ";", "\t", "|")
REQUIRED_COLUMNS = ("meter_id", "timestamp", "energy_value")
OPTIONAL_COLUMNS = ("unit", "location")
BLANKS = " \t"
CONTROL = r"[\x00-\x08\x0A-\x1F\x7F]"


@dataclass(frozen=True, kw_only=True)
class Header:
    """How the records of one file are laid out."""

    delimiter: str
    width: int
    positions: dict[str, int]  # of the required and optional columns that are there
    ignored_columns: tuple[str, ...]

    @property
    def decimal_comma(self) -> bool:
        return self.delimiter != ","


def read_header(line: bytes, limits: Limits) -> Header:
    """Read the header from the file's first line, without its line end.

    The delimiter is the one that makes the three required columns appear.

    Raises:
        FileRejected: TOO_LARGE, BAD_ENCODING or MISSING_COLUMN.
    """
    if len(line) > limits.max_line_bytes:
        raise FileRejected(Reason.TOO_LARGE, f"the header has more than {limits.max_line_bytes} bytes")
    text, widest = decode_header(line), 0
    for delimiter in (each for each in DELIMITERS if each in text):
        names = [name.strip(BLANKS) for name in _split(text, delimiter)]
        widest = max(widest, len(names))
        found = _positions(names)
        if all(column in found for column in REQUIRED_COLUMNS) and len(names) <= limits.max_columns:
            ignored = tuple(dict.fromkeys(name for i, name in enumerate(names) if i not in found.values()))
            return Header(delimiter=delimiter, width=len(names), positions=found, ignored_columns=ignored)
    if widest > limits.max_columns:
        raise FileRejected(Reason.TOO_LARGE, f"the header has {widest} columns, more than {limits.max_columns}")
    raise FileRejected(Reason.MISSING_COLUMN, f"the header needs {', '.join(REQUIRED_COLUMNS)}, it is {excerpt(text)}")


def decode_header(line: bytes) -> str:
    """The text of a header.

    Raises:
        FileRejected: BAD_ENCODING.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileRejected(
            Reason.BAD_ENCODING, f"the header isn't UTF-8: {error.reason} at byte {error.start}"
        ) from error
    if re.search(CONTROL, text):
        raise FileRejected(Reason.BAD_ENCODING, f"the header holds control characters: {excerpt(text)}")
    return text


def _positions(names: list[str]) -> dict[str, int]:
    """Where each known column is; of a repeated name the first counts."""
    lowered = [name.lower() for name in names]
    return {c: lowered.index(c) for c in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS) if c in lowered}


def _split(text: str, delimiter: str) -> list[str]:
    """Split by RFC 4180; a header with broken quoting has no columns."""
    if not re.fullmatch(record_pattern(delimiter), text):
        return []
    fields = re.findall(rf'(?:^|{re.escape(delimiter)})("[^"]*(?:""[^"]*)*"|[^"{re.escape(delimiter)}]*)', text)
    return [field[1:-1].replace('""', '"') if field.startswith('"') else field for field in fields]


def record_pattern(delimiter: str) -> str:
    """A regular expression for one record with sound RFC 4180 quoting, whatever its number of fields."""
    separator = re.escape(delimiter)
    field = rf'(?:"[^"]*(?:""[^"]*)*"|[^"{separator}]*)'
    return rf"{field}(?:{separator}{field})*"
