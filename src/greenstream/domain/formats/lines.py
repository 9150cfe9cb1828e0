"""The lines of a block of bytes: which of them are plain, which can't be records, and each by itself.

A line is *plain* when it can only be a record of the right width without quotes: then the CSV reader may have it
unseen. All of this takes a small multiple of the block's memory, however many lines it has.
"""

from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from greenstream.domain.formats.header import Header

LINE_NUMBER = pl.UInt32
LF, CR, TAB, BLANK, QUOTE, DELETE = b'\n\r\t "\x7f'
PIECE_BYTES = 8 * 1024 * 1024

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.int32]


def count(block: bytes, code: int) -> int:
    """How often a byte occurs; much faster than `bytes.count` for a common one."""
    codes = _codes(block)
    pieces = range(0, len(codes), PIECE_BYTES)
    return sum(int(np.count_nonzero(codes[at : at + PIECE_BYTES] == code)) for at in pieces)


def count_lines(block: bytes) -> int:
    return count(block, LF) + (not block.endswith(b"\n"))


def may_all_be_plain(block: bytes, lines: int, header: Header, most_bytes: int) -> bool:
    """Whether nothing in a block that ends in a line end speaks against all its lines being plain.

    It can still be wrong in one way: one line has a field too many, and another one a field too few.
    """
    separator = ord(header.delimiter)
    return bool(
        b'"' not in block
        and count(block, separator) == lines * (header.width - 1)
        and not (separator == TAB and (block[:1] in (b"\t", b" ") or b"\n\t" in block or b"\n " in block))
        and not _has_long_line(block, most_bytes)
        and is_utf8(block)
        and _has_no_control_characters(block, lines)
    )


class Lines:
    """The lines of a block that ends in a line end, as numpy sees them: each mask has a value a line."""

    def __init__(self, block: bytes) -> None:
        self.block = block
        self._codes = _codes(block)
        self._ends: Positions = np.flatnonzero(self._codes == LF).astype(np.int32)
        self._starts: Positions = np.concatenate([[0], self._ends[:-1] + 1], dtype=np.int32)

    def plain(self, header: Header, most_bytes: int) -> Mask:
        """Lines that are plain; others may be records too, with quotes or letters beyond ASCII."""
        separator = ord(header.delimiter)
        plain: Mask = self._count(separator) == header.width - 1
        plain &= ~self._any(_odd_codes(self.block)) & ~self.long(most_bytes)
        if separator == TAB:  # a line of nothing but tabs is blank
            first = self._codes[self._starts]
            plain &= (first != TAB) & (first != BLANK)
        return plain

    def doubtful(self, header: Header, most_bytes: int) -> Mask:
        """Lines that may be records, plain or not: none of the others can be."""
        separators, quotes = self._count(ord(header.delimiter)), self._count(QUOTE)
        enough: Mask = (separators == header.width - 1) | ((separators >= header.width) & (quotes > 0))
        doubtful: Mask = enough & (quotes % 2 == 0) & ~self.long(most_bytes)
        return doubtful

    def blank(self) -> Mask:
        """Lines of nothing but blanks."""
        codes = self._codes
        shown: Mask = (codes != LF) & (codes != BLANK) & (codes != TAB)
        shown[self._ends - 1] &= codes[self._ends - 1] != CR
        return ~self._any(shown)

    def long(self, most_bytes: int) -> Mask:
        return self._lengths > most_bytes

    def mask(self, positions: npt.NDArray[np.int64]) -> Mask:
        """The lines at these positions, the first one's being 0."""
        chosen: Mask = np.zeros(len(self._ends), dtype=np.bool_)
        chosen[positions] = True
        return chosen

    def part(self, chosen: Mask) -> bytes:
        """The chosen lines, with their line ends."""
        if chosen.all():
            return self.block
        return self._codes[np.repeat(chosen, self._ends - self._starts + 1)].tobytes()

    def raw(self) -> pl.Series:
        """Each line as Binary, without its line end."""
        where = pl.DataFrame({"start": self._starts, "length": self._lengths})
        sliced = pl.lit(self.block).bin.slice(pl.col("start"), pl.col("length"))
        return where.select(raw=sliced).to_series()

    def texts(self) -> pl.Series:
        """Each line as String, without its line end; null where it isn't UTF-8."""
        if is_utf8(self.block):
            return texts_of(self.block.decode("utf-8"))
        texts = texts_of(self.block.decode("utf-8", "replace"))
        return texts.set(texts.cast(pl.Binary) != self.raw(), None)

    @cached_property
    def _lengths(self) -> Positions:
        """In bytes, without the line ends."""
        lengths: Positions = self._ends - self._starts
        lengths -= self._codes[self._ends - 1] == CR
        return lengths

    def _count(self, code: int) -> npt.NDArray[np.int32]:
        return np.add.reduceat(self._codes == code, self._starts, dtype=np.int32)

    def _any(self, codes: Mask) -> Mask:
        found: Mask = np.logical_or.reduceat(codes, self._starts)
        return found


def texts_of(block: str) -> pl.Series:
    """The lines of a text that ends in a line end, without their line ends."""
    return pl.Series("text", [block[:-1]]).str.split("\n").explode().str.strip_suffix("\r")


def is_utf8(block: bytes) -> bool:
    if block.isascii():
        return True
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _codes(block: bytes) -> Codes:
    return np.frombuffer(block, dtype=np.uint8)


def _has_long_line(block: bytes, most_bytes: int) -> bool:
    """Whether a line may be longer than that: such a one covers a multiple of it."""
    covered = range(most_bytes, len(block), most_bytes)
    return any(block.find(b"\n", at) - block.rfind(b"\n", 0, at) > most_bytes for at in covered)


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
    return odd if is_utf8(block) else odd | (codes >= 0x80)
