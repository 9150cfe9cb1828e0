"""A file through parsing alone, its records as plain tuples."""

import gzip
from dataclasses import dataclass

import zstandard

from greenstream.domain.errors import FileRejected
from greenstream.domain.formats import ParsedFile, check_size, format_of, landed_text
from greenstream.domain.limits import Limits

Record = tuple[int, str, str | None, str | None, str | None]


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """`records` are line number, meter_id, timestamp, energy text and location; `rejected` are line number and code."""

    rows: int
    records: list[Record]
    rejected: list[tuple[int, str]]
    ignored_columns: tuple[str, ...]


def parse(content: bytes | str, *, name: str = "readings.csv", **limits: int) -> Parsed:
    raw = content.encode() if isinstance(content, str) else content
    bounds = Limits(**limits)
    check_size(name, len(raw), bounds)
    return in_words(parsed_file(raw, name=name, limits=bounds))


def parsed_file(content: bytes, *, name: str = "a.csv", limits: Limits | None = None) -> ParsedFile:
    text = landed_text(name, content, limits or Limits())
    return format_of(text).parse(text)


def reason(content: bytes | str, *, name: str = "readings.csv", **limits: int) -> str | None:
    try:
        parse(content, name=name, **limits)
    except FileRejected as rejection:
        return rejection.reason.value
    return None


def in_words(parsed: ParsedFile) -> Parsed:
    texts = {
        "meter": parsed.meters.to_list(),
        "timestamp": parsed.timestamps.to_list(),
        "energy": parsed.energies.to_list(),
        "location": parsed.locations.to_list(),
    }
    return Parsed(
        rows=parsed.rows,
        records=[
            (row["line_number"], *(None if row[c] is None else texts[c][row[c]] for c in texts))
            for row in parsed.records.to_dicts()
        ],
        rejected=parsed.rejected.rows(),
        ignored_columns=parsed.ignored_columns,
    )


def packed(name: str, content: bytes) -> bytes:
    """The content as an archive of the name's extension."""
    if name.endswith(".gz"):
        return gzip.compress(content, mtime=0)
    return zstandard.ZstdCompressor().compress(content) if name.endswith(".zst") else content
