"""CSV text to records and rejected lines, a block at a time.

Plain lines go to the CSV reader as they are. Each other line is judged by itself: sound ones go to the CSV reader too,
the rest is malformed. A record never spans lines, so one bad byte costs one line.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import polars as pl

from greenstream.domain.codes import Reason
from greenstream.domain.errors import FileRejected
from greenstream.domain.formats.content import UTF8_BOM, LandedText
from greenstream.domain.formats.header import BLANKS, CONTROL, Header, read_header, record_pattern
from greenstream.domain.formats.lines import LINE_NUMBER, Lines, count_lines, may_all_be_plain
from greenstream.domain.formats.records import FIELDS, RawRecords
from greenstream.domain.limits import Limits

PARALLEL_BLOCKS = 3
BLANK_LINE = re.compile(rb"[ \t]*+\r?\n?")


@dataclass(frozen=True, kw_only=True)
class _Block:
    records: pl.DataFrame
    malformed: pl.DataFrame


def read_records(text: LandedText) -> RawRecords:
    """Read a whole file of at most `max_content_bytes` of text.

    Raises:
        FileRejected: any reason but those of `check_size`.
    """
    blocks = text.blocks()
    first, rest = _take_line(next(blocks, b""))
    header = _header_once_all_is_read(first, blocks, text.limits)
    reader = _BlockReader(header, text.limits.max_line_bytes)
    parsed = list(_parse_blocks(reader, chain([rest] if rest else [], blocks)))
    return RawRecords(
        decimal_comma=header.decimal_comma,
        ignored_columns=header.ignored_columns,
        records=pl.concat([reader.nothing, *(block.records for block in parsed)]),
        malformed=pl.concat([_line_numbers([]), *(block.malformed for block in parsed)]),
    )


def _take_line(block: bytes) -> tuple[bytes, bytes]:
    line, _, rest = block.partition(b"\n")
    return line.removesuffix(b"\r"), rest


def _header_once_all_is_read(line: bytes, blocks: Iterator[bytes], limits: Limits) -> Header:
    """Read the header; where it is bad, a fault of the archive further on still goes first, unless it is too large."""
    try:
        return read_header(line, limits)
    except FileRejected as error:
        if error.reason is not Reason.TOO_LARGE:
            deque(blocks, maxlen=0)
        raise


def _parse_blocks(reader: "_BlockReader", blocks: Iterable[bytes]) -> Iterator[_Block]:
    """Parse the blocks after the header's line, in order, two at a time."""
    with ThreadPoolExecutor(PARALLEL_BLOCKS) as pool:
        pending: deque[Future[_Block]] = deque()
        line_number = 2
        for block in blocks:
            lines = count_lines(block)
            pending.append(pool.submit(reader.read, block, line_number, lines))
            line_number += lines
            if len(pending) > PARALLEL_BLOCKS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _line_numbers(values: list[int] | pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"line_number": pl.Series(values, dtype=LINE_NUMBER)})


class _BlockReader:
    """Reads the blocks of one file into the same dictionaries."""

    def __init__(self, header: Header, max_line_bytes: int) -> None:
        self._header = header
        self._max_line_bytes = max_line_bytes
        self._types = {name: pl.Categorical(pl.Categories.random(name)) for name in FIELDS}
        known = {position: name for name, position in header.positions.items()}
        names = [known.get(position, f"ignored {position}") for position in range(header.width)]
        self._schema = dict.fromkeys(names, pl.String())
        self.nothing = pl.DataFrame(schema={"line_number": LINE_NUMBER, **self._types})
        """No records, and what keeps the dictionaries alive between blocks."""

    def read(self, block: bytes, first_line: int, lines: int) -> _Block:
        """Parse a block, of which `lines` is how many it has."""
        if lines == 1 and len(block) > self._max_line_bytes + len(b"\r\n"):
            malformed = [] if BLANK_LINE.fullmatch(block) else [first_line]
            return _Block(records=self.nothing, malformed=_line_numbers(malformed))
        whole = block if block.endswith(b"\n") else block + b"\n"
        numbers = pl.int_range(first_line, first_line + lines, dtype=LINE_NUMBER, eager=True)
        return self._read_plain(whole, numbers) or self._read_mixed(Lines(whole), numbers)

    def _read_plain(self, block: bytes, numbers: pl.Series) -> _Block | None:
        """The whole block at once, or None where anything in it needs a closer look."""
        if not may_all_be_plain(block, len(numbers), self._header, self._max_line_bytes):
            return None
        try:
            fields = self._read_csv(block, quote=False)
        except (
            pl.exceptions.ComputeError,
            pl.exceptions.SchemaError,
        ):  # some line has too many fields, another one too few
            return None
        return _Block(records=self._numbered(fields, numbers), malformed=_line_numbers([]))

    def _read_mixed(self, lines: Lines, numbers: pl.Series) -> _Block:
        """The plain lines together, the others each by itself."""
        plain = lines.plain(self._header, self._max_line_bytes)
        if not plain.any():
            return self._read_by_line(lines, numbers)
        records = self._numbered(self._read_csv(lines.part(plain), quote=False), numbers.filter(plain))
        if plain.all():
            return _Block(records=records, malformed=_line_numbers([]))
        others = self._read_by_line(Lines(lines.part(~plain)), numbers.filter(~plain))
        if others.records.height:
            records = pl.concat([records, others.records]).sort("line_number")
        return _Block(records=records, malformed=others.malformed)

    def _read_csv(self, block: bytes, *, quote: bool) -> pl.DataFrame:
        # The reader drops a byte order mark, but the file's own is gone by now: this one belongs to the first field.
        whole = UTF8_BOM + block if block.startswith(UTF8_BOM) else block
        return pl.read_csv(
            whole,
            has_header=False,
            columns=sorted(self._header.positions.values()),
            separator=self._header.delimiter,
            quote_char='"' if quote else None,
            schema=self._schema,
        )

    def _numbered(self, fields: pl.DataFrame, numbers: pl.Series) -> pl.DataFrame:
        """All columns of FIELDS, those the file lacks as nulls."""
        return fields.select(
            numbers.alias("line_number"),
            *(
                (pl.col(name) if name in fields.columns else pl.lit(None).alias(name)).cast(dtype)
                for name, dtype in self._types.items()
            ),
        )

    def _read_by_line(self, lines: Lines, numbers: pl.Series) -> _Block:
        """Lines that aren't plain; most of those that are no records can be told by their bytes."""
        doubtful = lines.doubtful(self._header, self._max_line_bytes)
        hopeless = numbers.filter(~doubtful & ~lines.blank())
        if not doubtful.any():
            return _Block(records=self.nothing, malformed=_line_numbers(hopeless))
        judged = self._judge(Lines(lines.part(doubtful)).texts(), numbers.filter(doubtful))
        malformed = pl.concat([_line_numbers(hopeless), judged.malformed]).sort("line_number")
        return _Block(records=judged.records, malformed=malformed)

    def _judge(self, texts: pl.Series, numbers: pl.Series) -> _Block:
        """`texts` are null where they aren't UTF-8."""
        blank = texts.str.strip_chars(BLANKS) == ""
        sound = texts.to_frame("text").select(self._is_sound()).to_series()
        malformed = _line_numbers(numbers.filter(~sound & ~blank.fill_null(value=False)))
        if not (sound & ~blank).any():
            return _Block(records=self.nothing, malformed=malformed)
        records = texts.filter(sound & ~blank).str.join("\n").item() + "\n"
        fields = self._read_csv(records.encode(), quote=True)
        return _Block(records=self._numbered(fields, numbers.filter(sound & ~blank)), malformed=malformed)

    def _is_sound(self) -> pl.Expr:
        text, separator = pl.col("text"), self._header.delimiter
        fields = text.str.replace_all('"[^"]*"', "").str.count_matches(separator, literal=True) + 1
        sound = (
            ~text.str.contains(CONTROL)
            & (fields == self._header.width)
            & (~text.str.contains('"', literal=True) | text.str.contains(f"^{record_pattern(separator)}$"))
        )
        return sound.fill_null(value=False)
