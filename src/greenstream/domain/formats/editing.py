"""The lines of a text, whatever its format: found by what stands in them, emptied, replaced."""

import re
from collections.abc import Collection, Iterator, Mapping

from greenstream.domain.formats.content import LandedText
from greenstream.domain.formats.lines import count_lines


def first_line(text: LandedText) -> bytes:
    """Without its line end.

    Raises:
        FileRejected: as `LandedText.blocks`.
    """
    line, _, _ = next(text.blocks(), b"").partition(b"\n")
    return line.removesuffix(b"\r")


def lines_that_name(text: LandedText, meter_id: str, among: Collection[int] | None = None) -> list[int]:
    """Of some lines (None: of all), those in which the meter_id stands as a whole word, as it is or quoted for CSV."""
    names = {each.encode() for each in (meter_id, meter_id.replace('"', '""'))}
    word = re.compile(rb"(?<![\w-])(?:" + b"|".join(map(re.escape, names)) + rb")(?![\w-])")
    wanted = None if among is None else frozenset(among)
    found, number = list[int](), 1
    for block in text.blocks():
        whole = block.removesuffix(b"\n")
        if any(each in whole for each in names):  # a plain search is many times faster than that for whole words
            lines = enumerate(whole.split(b"\n"), start=number)
            found += [at for at, line in lines if (wanted is None or at in wanted) and word.search(line)]
        number += whole.count(b"\n") + 1
    return found


def without_lines(text: LandedText, line_numbers: Collection[int]) -> LandedText:
    """The text with some of its lines empty, so that all others keep their numbers."""
    return text.with_blocks(_edited(text, dict.fromkeys(line_numbers, None)))


def with_lines(text: LandedText, lines: Mapping[int, bytes]) -> LandedText:
    """The text with some of its lines (1 = the first) replaced; line ends stay as they are."""
    return text.with_blocks(_edited(text, lines))


def _edited(text: LandedText, lines: Mapping[int, bytes | None]) -> Iterator[bytes]:
    """A line for which there is None goes with its carriage return."""
    first, numbers = 1, frozenset(lines)
    for block in text.blocks():
        behind = first + count_lines(block)
        chosen = numbers.intersection(range(first, behind))
        yield _block_with(block, {at - first: lines[at] for at in chosen}) if chosen else block
        first = behind


def _block_with(block: bytes, lines: Mapping[int, bytes | None]) -> bytes:
    found = block.split(b"\n")
    for at, line in lines.items():
        found[at] = b"" if line is None else line + (b"\r" if found[at].endswith(b"\r") else b"")
    return b"\n".join(found)
