"""Erasing a meter: which rows are its own, and files without them."""

import gzip
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import polars_hash as plh

from greenstream.domain.formats import ParsedFile, compression_of
from greenstream.domain.formats.content import UTF8_BOM, Compression, text_blocks
from greenstream.domain.limits import Limits
from greenstream.domain.readings.judge import EvaluatedFile

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


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


def lines_of(parsed: ParsedFile, meter_id: str) -> pl.Series:
    """The numbers of a meter's lines."""
    own = (parsed.meters == meter_id).gather(parsed.records["meter"])
    return parsed.records["line_number"].filter(own)


def lines_that_name(
    name: str, content: bytes, line_numbers: Sequence[int] | None, meter_id: str, limits: Limits
) -> list[int]:
    """Of some lines (None: of all), those in which the meter_id stands as a whole word, as it is or quoted for CSV."""
    names = {text.encode() for text in (meter_id, meter_id.replace('"', '""'))}
    word = re.compile(rb"(?<![\w-])(?:" + b"|".join(map(re.escape, names)) + rb")(?![\w-])")
    wanted = None if line_numbers is None else set(line_numbers)
    found, number = [], 1
    for block in text_blocks(name, content, limits):
        text = block.removesuffix(b"\n")
        if any(each in text for each in names):  # a plain search is many times faster than that for whole words
            lines = enumerate(text.split(b"\n"), start=number)
            found += [at for at, line in lines if (wanted is None or at in wanted) and word.search(line)]
        number += text.count(b"\n") + 1
    return found


def blanked(name: str, content: bytes, line_numbers: Sequence[int], limits: Limits) -> bytes:
    """The file with some of its lines empty, so that all others keep their numbers; packed as it was."""
    gone, number, out = set(line_numbers), 1, []
    for block in text_blocks(name, content, limits):
        lines = block.split(b"\n")
        count = len(lines) - block.endswith(b"\n")
        for at in gone.intersection(range(number, number + count)):
            lines[at - number] = b""
        out.append(b"\n".join(lines))
        number += count
    text = b"".join([UTF8_BOM if content.startswith(UTF8_BOM) else b"", *out])
    return _packed(compression_of(name), text)


def _until(meters: pl.Series, known: pl.DataFrame) -> pl.Series:
    """Up to when each meter was erased; null where it wasn't."""
    ids = pl.DataFrame({"meter_sha256": meter_sha256(meters)})
    return ids.join(known, on="meter_sha256", how="left", maintain_order="left")["until"]


def _packed(compression: Compression, text: bytes) -> bytes:
    if compression is Compression.GZIP:
        return gzip.compress(text, mtime=0)
    return zstd.compress(text) if compression is Compression.ZSTD else text
