"""Rejected rows out to a person, and back: one CSV for rows of many files, whatever the delimiters of those are.

Each record has the columns of COLUMNS. A person edits `raw_line`, the line as it stood in the file, and leaves the
rest, which says where it belongs. `header` is the header of that file; a person gives it where the file itself is gone.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from greenstream.domain.errors import InvalidFixes
from greenstream.domain.formats import LandedText, format_of, landed_text
from greenstream.domain.limits import Limits
from greenstream.domain.text import beginning

COLUMNS = ("source_file", "line_number", "code", "header", "raw_line")
NEEDED = ("source_file", "line_number", "raw_line")


@dataclass(frozen=True, kw_only=True)
class Fixes:
    """The fixed lines of one file, by line number, and its header where it was given."""

    lines: Mapping[int, str] = field(default_factory=dict)
    header: str | None = None


def to_csv(parts: Sequence[pl.DataFrame]) -> bytes:
    """Frames of rows with the columns of COLUMNS as one CSV."""
    nothing = pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
    rows = pl.concat([nothing, *(part.select(COLUMNS).cast(pl.String) for part in parts)])
    return rows.write_csv(quote_style="always").encode()


def read_fixes(name: str, content: bytes) -> dict[str, Fixes]:
    """The fixed lines of an edited export, by source file.

    Raises:
        InvalidFixes: it is no such CSV, or a line is named twice, or is no line.
    """
    try:
        table = pl.read_csv(io.BytesIO(content), separator=_separator(content), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise InvalidFixes(
            f"{name} can't be read as CSV: {beginning(str(error).splitlines()[0])}; export the rows again"
        ) from error
    if missing := [column for column in NEEDED if column not in table.columns]:
        raise InvalidFixes(f"{name} has no column {', '.join(missing)}; keep those of the export, and edit raw_line")
    header = pl.col("header") if "header" in table.columns else pl.lit(None, dtype=pl.String).alias("header")
    rows = table.select(*NEEDED, header).with_columns(
        number=pl.col("line_number").str.strip_chars().cast(pl.UInt32, strict=False)
    )
    _check(name, rows)
    return {
        str(source_file): Fixes(
            lines=dict(zip(part["number"].to_list(), part["raw_line"].to_list(), strict=True)),
            header=next(iter(part["header"].drop_nulls()), None),
        )
        for (source_file,), part in rows.group_by("source_file", maintain_order=True)
    }


def _separator(content: bytes) -> str:
    """A spreadsheet may have saved the export with the separator of its country."""
    first = content.partition(b"\n")[0]
    return next((each for each in (",", ";", "\t") if first.count(each.encode()) >= len(NEEDED) - 1), ",")


def _check(name: str, rows: pl.DataFrame) -> None:
    faults = {
        "has no source_file": pl.col("source_file").is_null(),
        "has a line_number that is none from 2 on": (pl.col("number") < 2).fill_null(value=True),
        "is about the same line as another one": pl.struct("source_file", "number").is_duplicated(),
        "has an empty raw_line; to give a row up, take it out of the file and discard it": pl.col("raw_line")
        .str.strip_chars()
        .fill_null("")
        == "",
        "has a raw_line of several lines": pl.col("raw_line").str.contains("\n", literal=True).fill_null(value=False),
    }
    for fault, condition in faults.items():
        found = rows.with_row_index("at", 1).filter(condition)
        if found.height:
            raise InvalidFixes(f"{name}: record {found['at'][0]} {fault}")


def by_themselves(name: str, header: str, lines: Mapping[int, bytes], limits: Limits) -> LandedText:
    """A file that has nothing but its header and these lines, each with the number it had there."""
    packed = landed_text(name, b"", limits)
    blank = packed.with_blocks([header.encode() + b"\n" * max(lines)])
    return format_of(blank).replace(blank, lines)
