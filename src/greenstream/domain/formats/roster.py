"""A roster of meters, as CSV: which there are, where, and from when to when readings of them are due."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain

from greenstream.domain.codes import Reason
from greenstream.domain.errors import FileRejected
from greenstream.domain.formats.content import check_size, landed_text
from greenstream.domain.formats.header import BLANKS, CONTROL, DELIMITERS
from greenstream.domain.formats.records import NULL_TOKENS
from greenstream.domain.limits import Limits
from greenstream.domain.text import excerpt

COLUMNS = ("meter_id", "location", "commissioned", "decommissioned")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
EARLIEST, NEVER = date(1900, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True, kw_only=True)
class RosterMeter:
    """One meter as its line has it; `location` and the dates are None where the field is empty."""

    meter_id: str
    location: str | None = None
    commissioned: date | None = None
    decommissioned: date | None = None


@dataclass(frozen=True, kw_only=True)
class BadLine:
    """A line that can't be used, and why; 1 is the header's line."""

    line_number: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Roster:
    """A file's meters, once each; `lines` counts all lines but the header and blank ones.

    `columns` are those of COLUMNS that the file has: of the others it says nothing.
    """

    columns: frozenset[str]
    ignored_columns: tuple[str, ...]
    lines: int
    meters: tuple[RosterMeter, ...]
    bad: tuple[BadLine, ...]


class _LineError(ValueError):
    """Why a line can't be used."""


@dataclass(frozen=True, kw_only=True)
class _Header:
    delimiter: str
    names: tuple[str, ...]

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(self.names) & frozenset(COLUMNS)

    def fields(self, line: str) -> dict[str, str | None]:
        """Trimmed fields by column, null tokens as None; of a repeated column the first counts."""
        values = _split(line, self.delimiter)
        if len(values) != len(self.names):
            raise _LineError(f"{len(values)} fields, but the header has {len(self.names)}")
        return {name: _text(value) for name, value in reversed(list(zip(self.names, values, strict=True)))}


def read_roster(name: str, content: bytes, limits: Limits) -> Roster:
    """Read a roster as files of readings are read: the same extensions, delimiters, quoting and null tokens.

    Raises:
        FileRejected: as for readings; MISSING_COLUMN without a column `meter_id`.
    """
    check_size(name, len(content), limits)
    lines = _lines(name, content, limits)
    header = _read_header(name, next(lines, (1, b""))[1], limits)
    meters: dict[str, tuple[int, RosterMeter]] = {}
    bad, count = [], 0
    for number, line in lines:
        if not line.strip(BLANKS.encode()):
            continue
        count += 1
        try:
            meter = _read_meter(header, line, limits)
            known, before = meters.setdefault(meter.meter_id, (number, meter))
            if before != meter:
                raise _LineError(f"{meter.meter_id} is on line {known} already, with other details")
        except _LineError as error:
            bad.append(BadLine(line_number=number, reason=str(error)))
    return Roster(
        columns=header.columns,
        ignored_columns=tuple(dict.fromkeys(each for each in header.names if each not in COLUMNS)),
        lines=count,
        meters=tuple(meter for _, meter in meters.values()),
        bad=tuple(bad),
    )


def _lines(name: str, content: bytes, limits: Limits) -> Iterator[tuple[int, bytes]]:
    """Each line with its number, without its line end."""
    blocks = landed_text(name, content, limits).blocks()
    lines = chain.from_iterable(block.removesuffix(b"\n").split(b"\n") for block in blocks)
    return ((number, line.removesuffix(b"\r")) for number, line in enumerate(lines, start=1))


def _read_header(name: str, line: bytes, limits: Limits) -> _Header:
    """The delimiter is the one that makes the column `meter_id` appear."""
    if len(line) > limits.max_line_bytes:
        raise FileRejected(Reason.TOO_LARGE, f"{name}: the header has more than {limits.max_line_bytes} bytes")
    try:
        text = _decoded(line)
        for header in _headers(text):
            if "meter_id" in header.names:
                return header
    except _LineError as error:
        raise FileRejected(Reason.BAD_ENCODING, f"{name}: the header {error}") from error
    raise FileRejected(Reason.MISSING_COLUMN, f"{name}: the header needs meter_id, it is {excerpt(text)}")


def _headers(text: str) -> Iterator[_Header]:
    for delimiter in DELIMITERS:
        try:
            names = _split(text, delimiter)
        except _LineError:
            continue
        yield _Header(delimiter=delimiter, names=tuple(each.strip(BLANKS).lower() for each in names))


def _read_meter(header: _Header, line: bytes, limits: Limits) -> RosterMeter:
    if len(line) > limits.max_line_bytes:
        raise _LineError(f"more than {limits.max_line_bytes} bytes")
    fields = header.fields(_decoded(line))
    meter_id = fields["meter_id"]
    if meter_id is None:
        raise _LineError("no meter_id")
    if len(meter_id) > limits.max_meter_id_chars:
        raise _LineError(f"the meter_id has more than {limits.max_meter_id_chars} characters")
    if len(fields.get("location") or "") > limits.max_field_chars:
        raise _LineError(f"the location has more than {limits.max_field_chars} characters")
    commissioned, decommissioned = (_date(name, fields.get(name)) for name in ("commissioned", "decommissioned"))
    if commissioned and decommissioned and decommissioned < commissioned:
        raise _LineError(f"{meter_id} is decommissioned on {decommissioned}, before it is commissioned")
    return RosterMeter(
        meter_id=meter_id,
        location=fields.get("location"),
        commissioned=commissioned,
        decommissioned=decommissioned,
    )


def _date(column: str, text: str | None) -> date | None:
    """A day; 9999-12-31, as many systems write it, is none."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text if DATE.fullmatch(text) else "")
    except ValueError as error:
        raise _LineError(f"{column} {excerpt(text)} is no date as YYYY-MM-DD") from error
    if day < EARLIEST:
        raise _LineError(f"{column} {text} is before {EARLIEST}")
    return None if day == NEVER else day


def _decoded(line: bytes) -> str:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _LineError("isn't UTF-8 text") from error
    if re.search(CONTROL, text):
        raise _LineError("holds control characters")
    return text


def _split(line: str, delimiter: str) -> Sequence[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise _LineError(f"broken quoting: {error}") from error


def _text(field: str) -> str | None:
    trimmed = field.strip(BLANKS)
    return None if trimmed.lower() in NULL_TOKENS else trimmed
