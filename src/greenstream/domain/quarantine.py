"""Rejected rows as they are kept: whole, as bytes, and as text that any terminal or database can hold."""

import re

import polars as pl

from greenstream.domain.limits import Limits
from greenstream.domain.parsing.content import text_blocks
from greenstream.domain.parsing.header import CONTROL
from greenstream.domain.parsing.lines import LF, LINE_NUMBER, count, part_of, split_lines
from greenstream.domain.schema import QUARANTINED, Rejection, conform


def quarantined_rows(name: str, content: bytes, rejected: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Look up the rejected rows (schema REJECTED) of a file that was parsed before: schema QUARANTINED."""
    rules = {code.value: code.rule_id for code in Rejection}
    lines = _raw_lines(name, content, rejected["line_number"], limits)
    return (
        rejected.join(lines, on="line_number", how="left", maintain_order="left")
        .with_columns(rule_id=pl.col("code").replace_strict(rules, return_dtype=pl.String))
        .pipe(conform, QUARANTINED)
    )


def _raw_lines(name: str, content: bytes, line_numbers: pl.Series, limits: Limits) -> pl.DataFrame:
    found = [pl.DataFrame(schema={"line_number": LINE_NUMBER, "raw_bytes": pl.Binary, "raw_line": pl.String})]
    number = 1
    for block in text_blocks(name, content, limits) if len(line_numbers) else ():
        whole = block if block.endswith(b"\n") else block + b"\n"
        numbers = pl.int_range(number, number + count(whole, LF), dtype=LINE_NUMBER, eager=True)
        number += len(numbers)
        wanted = numbers.is_in(line_numbers.implode())
        if wanted.any():
            lines = split_lines(part_of(whole, wanted.to_numpy()), numbers.filter(wanted))
            found.append(lines.select("line_number", raw_bytes="raw", raw_line=_as_text(lines)))
    return pl.concat(found)


def _as_text(lines: pl.DataFrame) -> pl.Series:
    clean = (pl.col("text").cast(pl.Binary) == pl.col("raw")) & ~pl.col("text").str.contains(CONTROL)
    is_clean = lines.select(clean).to_series()
    if is_clean.all():
        return lines["text"]
    odd = lines["raw"].filter(~is_clean).to_list()
    return lines["text"].scatter((~is_clean).arg_true(), [escape(raw) for raw in odd])


def escape(raw: bytes) -> str:
    r"""Bytes as text, with those that aren't UTF-8, and control characters but the tab, as `\xNN`."""
    text = raw.decode("utf-8", "backslashreplace")
    return re.sub(CONTROL, lambda match: f"\\x{ord(match[0]):02x}", text)
