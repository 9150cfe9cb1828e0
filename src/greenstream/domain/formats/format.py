"""What a format must be able to do, which there are, and which one a file is of."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from greenstream.domain.formats.content import LandedText, compression_of
from greenstream.domain.formats.csv_rows import CsvRows
from greenstream.domain.formats.records import ParsedFile


class Format(Protocol):
    """How files of one kind are read and edited.

    Lines are those of the text, unpacked, from 1 on, whatever the format makes of them. All methods but `recognises`
    raise FileRejected where the text can't be unpacked, or isn't of the format.
    """

    def recognises(self, text: LandedText) -> bool:
        """Whether a file is of this format, by its name or by how it begins; False where that can't be read."""
        ...

    def parse(self, text: LandedText) -> ParsedFile:
        """All of its records; a line that can't be read costs that line.

        Raises:
            FileRejected: any Reason; those that need no look inside have been ruled out by `check_size`.
        """
        ...

    def header_line(self, text: LandedText) -> str:
        """The line without which no other one of a file can be understood."""
        ...

    def has_decimal_comma(self, text: LandedText) -> bool:
        """Whether a comma in a value is a decimal one, as `parse` would say; only the file's beginning is read."""
        ...

    def lines_of(self, text: LandedText, meter_id: str) -> list[int]:
        """A meter's lines, in order: those of its records, and rejected ones in which it is named."""
        ...

    def blank(self, text: LandedText, line_numbers: Collection[int]) -> LandedText:
        """The text without what stands in some lines; all others keep their numbers, and what they mean."""
        ...

    def replace(self, text: LandedText, lines: Mapping[int, bytes]) -> LandedText:
        """The text with other bytes (without a line end) in the place of some lines; all others stay as they are."""
        ...


FORMATS: tuple[Format, ...] = (CsvRows(),)
"""In the order of asking. The last one is the native one: it says what is wrong with a file that none recognises."""


def format_of(text: LandedText, formats: Sequence[Format] = FORMATS) -> Format:
    """The format of a landed file.

    Raises:
        FileRejected: BAD_EXTENSION.
    """
    compression_of(text.name)
    *others, native = formats
    return next((each for each in others if each.recognises(text)), native)
