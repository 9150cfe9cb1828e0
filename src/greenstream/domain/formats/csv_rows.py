"""The native format: CSV with a header, a reading a line."""

from collections.abc import Collection, Mapping

from greenstream.domain.errors import FileRejected
from greenstream.domain.formats.content import LandedText
from greenstream.domain.formats.csv_reader import read_records
from greenstream.domain.formats.editing import first_line, lines_that_name, with_lines, without_lines
from greenstream.domain.formats.header import read_header
from greenstream.domain.formats.records import ParsedFile, with_dictionaries


class CsvRows:
    """Columns by name, in any order; every line is by itself, so lines can be emptied and replaced one by one."""

    def recognises(self, text: LandedText) -> bool:
        try:
            read_header(first_line(text), text.limits)
        except FileRejected:
            return False
        return True

    def parse(self, text: LandedText) -> ParsedFile:
        return with_dictionaries(read_records(text), text.limits)

    def header_line(self, text: LandedText) -> str:
        return first_line(text).decode()

    def has_decimal_comma(self, text: LandedText) -> bool:
        return read_header(first_line(text), text.limits).decimal_comma

    def lines_of(self, text: LandedText, meter_id: str) -> list[int]:
        if not lines_that_name(text, meter_id):  # much faster than to parse it
            return []
        parsed = self.parse(text)
        is_own = (parsed.meters == meter_id).gather(parsed.records["meter"])
        own = parsed.records["line_number"].filter(is_own)
        return sorted({*own, *lines_that_name(text, meter_id, parsed.rejected["line_number"].to_list())})

    def blank(self, text: LandedText, line_numbers: Collection[int]) -> LandedText:
        return without_lines(text, line_numbers)

    def replace(self, text: LandedText, lines: Mapping[int, bytes]) -> LandedText:
        return with_lines(text, lines)
