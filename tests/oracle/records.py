"""From bytes to lines, from a line to fields."""

import re
from dataclasses import dataclass

from tests.oracle.archive import FileRejected

BOM = b"\xef\xbb\xbf"
DELIMITERS = (",", ";", "\t", "|")
REQUIRED = ("meter_id", "timestamp", "energy_value")
OPTIONAL = ("unit", "location")
NULL_TOKENS = ("", "null", "none", "nan", "na", "n/a", "-")
LONGEST_HEADER = 4 * 1024 * 1024
MOST_COLUMNS = 100_000
CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
QUOTED = re.compile('"((?:[^"]|"")*)"')


@dataclass(frozen=True, kw_only=True)
class Header:
    delimiter: str
    width: int
    position: dict[str, int]
    ignored: tuple[str, ...]


def split_lines(content: bytes) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in content.removeprefix(BOM).split(b"\n")]


def is_blank(line: bytes) -> bool:
    return line.strip(b" \t") == b""


def trimmed(field: str) -> str:
    return field.strip(" \t")


def null_if_token(field: str) -> str | None:
    """The field trimmed, or None where it is a null token."""
    value = trimmed(field)
    return None if value.lower() in NULL_TOKENS else value


def decode(line: bytes) -> str | None:
    """The line's text, or None where it isn't UTF-8 or holds a control character."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if CONTROL.search(text) else text


def raw_text(line: bytes) -> str:
    text = line.decode("utf-8", errors="backslashreplace")
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def split_fields(line: str, delimiter: str) -> list[str] | None:
    """The fields of one record by RFC 4180, untrimmed, or None where its quoting is broken."""
    fields: list[str] = []
    at = 0
    while True:
        if line.startswith('"', at):
            quoted = QUOTED.match(line, at)
            if quoted is None:
                return None
            fields.append(quoted[1].replace('""', '"'))
            at = quoted.end()
        else:
            end = line.find(delimiter, at)
            end = len(line) if end == -1 else end
            if '"' in line[at:end]:
                return None
            fields.append(line[at:end])
            at = end
        if at == len(line):
            return fields
        if line[at] != delimiter:
            return None
        at += 1


def read_header(line: bytes) -> Header:
    if len(line) > LONGEST_HEADER:
        raise FileRejected("TOO_LARGE")
    text = decode(line)
    if text is None:
        raise FileRejected("BAD_ENCODING")
    split = [(delimiter, split_fields(text, delimiter) or []) for delimiter in DELIMITERS]
    for delimiter, names in split:
        header = header_of([trimmed(name) for name in names], delimiter)
        if len(names) <= MOST_COLUMNS and all(name in header.position for name in REQUIRED):
            return header
    raise FileRejected("TOO_LARGE" if any(len(names) > MOST_COLUMNS for _, names in split) else "MISSING_COLUMN")


def header_of(names: list[str], delimiter: str) -> Header:
    position: dict[str, int] = {}
    ignored: list[str] = []
    for index, name in enumerate(names):
        known = name.lower()
        if known in REQUIRED + OPTIONAL and known not in position:
            position[known] = index
        elif name not in ignored:
            ignored.append(name)
    return Header(delimiter=delimiter, width=len(names), position=position, ignored=tuple(ignored))
