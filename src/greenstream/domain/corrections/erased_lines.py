"""Erasing a meter: which rows are its own, and files without them."""

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl
import polars_hash as plh

from greenstream.domain.codes import Reason
from greenstream.domain.errors import FileRejected
from greenstream.domain.formats import LandedText, ParsedFile, format_of
from greenstream.domain.formats.editing import lines_that_name, without_lines
from greenstream.domain.readings.judge import EvaluatedFile


@dataclass(frozen=True, kw_only=True)
class Spared:
    """A file's rows without those of erased meters, and the line numbers of the latter."""

    evaluated: EvaluatedFile
    erased_lines: pl.Series


def meter_sha256(meters: pl.Series) -> pl.Series:
    """As the table of erasures knows a meter."""
    return pl.DataFrame({"meter": meters}).select(plh.col("meter").chash.sha2_256()).to_series()


def without_erased(evaluated: EvaluatedFile, parsed: ParsedFile, erased: pl.DataFrame) -> Spared:
    """Leave out the rows that were erased (schema ERASED): those of the meter up to that instant.

    A row of such a meter that is rejected is left out too, for nobody can say when it was read.
    """
    if erased.is_empty():
        return Spared(evaluated=evaluated, erased_lines=pl.Series(dtype=pl.UInt32))
    known = erased.group_by("meter_sha256").agg(pl.col("until").max())
    until = _until(evaluated.meters, known)
    rows = evaluated.rows.with_columns(
        until=until.gather(evaluated.rows["meter"]), at=evaluated.times["reading_at"].gather(evaluated.rows["time"])
    )
    stored = rows.filter(pl.col("at") <= pl.col("until"))["line_number"]
    of_meters = parsed.records.filter(_until(parsed.meters, known).is_not_null().gather(parsed.records["meter"]))
    rejected = evaluated.rejected["line_number"].filter(
        evaluated.rejected["line_number"].is_in(of_meters["line_number"].implode())
    )
    lines = pl.concat([stored, rejected.cast(pl.UInt32)])
    if lines.is_empty():
        return Spared(evaluated=evaluated, erased_lines=lines)
    others = pl.concat([evaluated.rows["line_number"], evaluated.rejected["line_number"]])
    return Spared(evaluated=evaluated.only(others.filter(~others.is_in(lines.implode()))), erased_lines=lines.sort())


def lines_to_erase(text: LandedText, meter_id: str) -> list[int]:
    """A meter's lines; of a file that is of no format, those that name it.

    Raises:
        FileRejected: TOO_LARGE or CORRUPT_ARCHIVE: nobody can look for it there.
    """
    try:
        return format_of(text).lines_of(text, meter_id)
    except FileRejected as error:
        if error.reason is Reason.EMPTY_FILE:
            return []
        if error.reason in (Reason.CORRUPT_ARCHIVE, Reason.TOO_LARGE):
            raise
        return lines_that_name(text, meter_id)


def blanked(text: LandedText, line_numbers: Collection[int]) -> bytes:
    """The file with some of its lines empty, so that all others keep their numbers; packed as it was."""
    try:
        edited = format_of(text).blank(text, line_numbers)
    except FileRejected as error:
        if error.reason is not Reason.BAD_EXTENSION:
            raise
        edited = without_lines(text, line_numbers)
    return edited.packed(text.compression)


def _until(meters: pl.Series, known: pl.DataFrame) -> pl.Series:
    """Up to when each meter was erased; null where it wasn't."""
    ids = pl.DataFrame({"meter_sha256": meter_sha256(meters)})
    return ids.join(known, on="meter_sha256", how="left", maintain_order="left")["until"]
