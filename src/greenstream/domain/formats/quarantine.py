"""Rejected rows as they are kept: whole, as bytes, and as text that any terminal or database can hold."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from greenstream.domain.codes import Rejection
from greenstream.domain.formats.content import BLOCK_BYTES, LandedText
from greenstream.domain.formats.lines import Lines, count_lines, texts_of
from greenstream.domain.readings.schema import QUARANTINED, conform

RULES = {code.value: code.rule_id for code in Rejection}
CONTROLS = [code for code in (*range(0x20), 0x7F) if code not in b"\t\n"]
PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class LongRow:
    """A rejected row that is longer than a block; `raw` has no line end. `escaped` makes the text for people of it."""

    line_number: int
    raw: memoryview
    code: Rejection


def quarantined_rows(text: LandedText, rejected: pl.DataFrame) -> Iterator[pl.DataFrame | LongRow]:
    """Look up the rejected rows (schema REJECTED, by line number) of a file that was parsed before.

    Yields frames of schema QUARANTINED, a block of the file each, and long rows by themselves.
    """
    numbers, first, done = rejected["line_number"], 1, 0
    for block in text.blocks() if len(numbers) else ():
        behind = first + count_lines(block)
        upto = numbers.search_sorted(behind)
        if upto > done:
            rows = rejected[done:upto]
            is_one_line = behind - first == 1 and len(block) > BLOCK_BYTES
            yield _long_row(block, rows) if is_one_line else _of_block(block, first, rows)
        first, done = behind, upto


def escape(raw: bytes) -> str:
    r"""Lines as text, with bytes that aren't UTF-8, and control characters but the tab, as `\xNN`."""
    return _without_controls(raw).decode("utf-8", "backslashreplace")


def escaped(raw: memoryview) -> Iterator[str]:
    """The same, piece by piece."""
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    for piece in pieces_of(raw):
        yield decoder.decode(_without_controls(piece))
    yield decoder.decode(b"", final=True)


def pieces_of(raw: memoryview) -> Iterator[bytes]:
    return (bytes(raw[start : start + PIECE_BYTES]) for start in range(0, len(raw), PIECE_BYTES))


def _long_row(block: bytes, rows: pl.DataFrame) -> LongRow:
    line_number, code = rows.row(0)
    end = len(block) - block.endswith(b"\n")
    return LongRow(
        line_number=line_number, raw=memoryview(block)[: end - (block[end - 1 : end] == b"\r")], code=Rejection(code)
    )


def _of_block(block: bytes, first: int, rows: pl.DataFrame) -> pl.DataFrame:
    """The rejected rows of a block; `first` is the number of its first line."""
    rule_id = pl.col("code").cast(pl.String).replace_strict(RULES, return_dtype=pl.String)
    lines = Lines(block if block.endswith(b"\n") else block + b"\n")
    part = lines.part(lines.mask(rows["line_number"].cast(pl.Int64).to_numpy() - first))
    kept = rows.with_columns(rule_id=rule_id, raw_bytes=Lines(part).raw(), raw_line=_escaped_lines(part))
    return conform(kept, QUARANTINED)


def _escaped_lines(block: bytes) -> pl.Series:
    return texts_of(escape(block.replace(b"\r\n", b"\n")))


def _without_controls(raw: bytes) -> bytes:
    for code in CONTROLS:
        raw = raw.replace(bytes([code]), b"\\x%02x" % code)
    return raw
