"""The lines of a block of bytes: which of them are plain, and each of the others by itself.

A block ends in a line end. A line is *plain* when it can only be a record of the right width without quotes: then the
CSV reader may have it unseen.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from greenstream.domain.parsing.header import Header

LINE_NUMBER = pl.UInt32
LF, CR, TAB, BLANK, QUOTE, DELETE = b'\n\r\t "\x7f'

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]


def count(block: bytes, code: int) -> int:
    """How often a byte occurs; much faster than `bytes.count` for a common one."""
    return int(np.count_nonzero(_codes(block) == code))


def may_all_be_plain(block: bytes, lines: int, header: Header) -> bool:
    """Whether nothing in the block speaks against all its lines being plain.

    It can still be wrong in one way: one line has a field too many, and another one a field too few.
    """
    separator = ord(header.delimiter)
    return bool(
        b'"' not in block
        and count(block, separator) == lines * (header.width - 1)
        and not (separator == TAB and (block[:1] in (b"\t", b" ") or b"\n\t" in block or b"\n " in block))
        and _is_utf8(block)
        and _has_no_control_characters(block, lines)
    )


def plain_lines(block: bytes, header: Header) -> Mask:
    """Which lines of a block are plain; others may be records too, with quotes or letters beyond ASCII."""
    codes, separator = _codes(block), ord(header.delimiter)
    ends = np.flatnonzero(codes == LF)
    separators = np.searchsorted(np.flatnonzero(codes == separator), ends)
    plain: Mask = np.diff(separators, prepend=0) == header.width - 1
    plain[np.searchsorted(ends, np.flatnonzero(_odd_codes(block)))] = False
    if separator == TAB:  # a line of nothing but tabs is blank
        first = codes[np.concatenate([[0], ends[:-1] + 1])]
        plain &= (first != TAB) & (first != BLANK)
    return plain


def part_of(block: bytes, lines: Mask) -> bytes:
    """The chosen lines of a block."""
    starts = np.concatenate([[0], np.flatnonzero(_codes(block) == LF) + 1])
    runs = starts[np.flatnonzero(np.diff(lines, prepend=False, append=False))].reshape(-1, 2)
    return b"".join([block[start:end] for start, end in runs.tolist()])


def split_lines(block: bytes, numbers: pl.Series) -> pl.DataFrame:
    """Each line of a block: `line_number`, `raw` (Binary) and `text` (String), without its line end.

    Bytes that aren't UTF-8 become U+FFFD in `text`, so that there it differs from `raw`.
    """
    body = block[:-1]
    lines = pl.DataFrame(
        {
            "line_number": numbers.cast(LINE_NUMBER),
            "raw": pl.Series(body.split(b"\n"), dtype=pl.Binary),
            "text": pl.Series(body.decode("utf-8", "replace").split("\n"), dtype=pl.String),
        }
    )
    raw, text = pl.col("raw"), pl.col("text")
    return lines.with_columns(
        pl.when(raw.bin.ends_with(b"\r")).then(raw.bin.head(raw.bin.size() - 1)).otherwise(raw),
        text.str.strip_suffix("\r"),
    )


def _codes(block: bytes) -> Codes:
    return np.frombuffer(block, dtype=np.uint8)


def _is_utf8(block: bytes) -> bool:
    if block.isascii():
        return True
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _has_no_control_characters(block: bytes, lines: int) -> bool:
    """None but tabs, line feeds, and carriage returns just before them."""
    allowed = lines + count(block, TAB)
    if b"\r" in block:
        returns = count(block, CR)
        allowed += returns if returns == block.count(b"\r\n") else -1
    return bool(np.count_nonzero(_codes(block) < 0x20) == allowed) and b"\x7f" not in block


def _odd_codes(block: bytes) -> Mask:
    """Quotes, control characters but tabs and line ends, and bytes that may not be UTF-8."""
    codes = _codes(block)
    odd: Mask = (codes == QUOTE) | (codes == DELETE) | ((codes < 0x20) & (codes != LF) & (codes != TAB))
    if b"\r" in block:
        odd[:-1] &= ~((codes[:-1] == CR) & (codes[1:] == LF))
    return odd if _is_utf8(block) else odd | (codes >= 0x80)
