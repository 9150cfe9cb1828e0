"""What every format keeps: it reads and edits by the same lines, and no bytes break it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracle.generators import hostile_files
from tests.unit.parsing_support import Record, in_words, packed

from greenstream.domain.corrections.erased_lines import blanked, lines_to_erase
from greenstream.domain.corrections.fixes import by_themselves
from greenstream.domain.errors import FileRejected
from greenstream.domain.formats import Format, LandedText, format_of, landed_text
from greenstream.domain.formats import content as content_module
from greenstream.domain.formats.content import Compression
from greenstream.domain.formats.csv_rows import CsvRows
from greenstream.domain.formats.format import FORMATS
from greenstream.domain.formats.quarantine import LongRow, quarantined_rows
from greenstream.domain.limits import Limits

METERS = ("SM-1", "SM-10", 'SM "7"', "Zähler 1", "a.b*c")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A format, and how a test writes lines of it: of a meter at an hour, or one that can't be read but names it."""

    format: Format
    name: str
    header: bytes
    line: Callable[[str, int], bytes]
    bad_line: Callable[[str], bytes]

    def text(self, lines: Iterable[bytes], end: bytes = b"\n") -> LandedText:
        return landed_text(self.name, end.join([self.header, *lines, b""]), Limits())


def csv_line(meter: str, hour: int) -> bytes:
    quoted = meter.replace('"', '""')
    return f'"{quoted}";2024-03-15 {hour:02}:00;{hour},5 kW;'.encode()


CASES = [
    Case(
        format=CsvRows(),
        name="readings.csv",
        header=b"meter_id;timestamp;energy_value;location",
        line=csv_line,
        bad_line=lambda meter: f'"{meter.replace(chr(34), chr(34) * 2)}";too;few'.encode(),
    )
]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: type(case.format).__name__)
def case(request: pytest.FixtureRequest) -> Case:
    assert isinstance(request.param, Case)
    return request.param


meters = st.sampled_from(METERS)
readings = st.tuples(meters, st.integers(0, 23))
rows = st.lists(readings | meters, min_size=1, max_size=12)
ends = st.sampled_from([b"\n", b"\r\n"])


def lines_with(case: Case, drawn: Iterable[tuple[str, int] | str]) -> list[bytes]:
    return [case.bad_line(row) if isinstance(row, str) else case.line(*row) for row in drawn]


def records(case: Case, text: LandedText) -> list[Record]:
    return in_words(case.format.parse(text)).records


def rejected(case: Case, text: LandedText) -> list[int]:
    return case.format.parse(text).rejected["line_number"].to_list()


some = settings(max_examples=40)


def test_every_format_is_here() -> None:
    assert {type(each) for each in FORMATS} == {type(each.format) for each in CASES}


def test_its_own_files_are_recognised_and_those_of_others_are_not(case: Case) -> None:
    text = case.text([case.line("SM-1", 1)])
    assert case.format.recognises(text)
    assert type(format_of(text)) is type(case.format)
    assert type(format_of(text, [case.format, CsvRows()])) is type(case.format)
    assert not case.format.recognises(landed_text("a.csv", b"of no format\n", Limits()))
    assert not case.format.recognises(landed_text("a.csv.gz", b"no archive", Limits()))


def test_a_file_that_none_recognises_is_taken_for_the_native_one() -> None:
    text = landed_text("a.csv", b"of no format\n", Limits())
    assert isinstance(format_of(text), CsvRows)
    with pytest.raises(FileRejected, match="MISSING_COLUMN"):
        format_of(text).parse(text)


def test_a_file_with_another_extension_is_of_no_format() -> None:
    with pytest.raises(FileRejected, match=r"BAD_EXTENSION.*a\.txt ends in none of \.csv, \.csv\.gz, \.csv\.zst"):
        format_of(landed_text("a.txt", b"meter_id,timestamp,energy_value\n", Limits()))


@some
@given(drawn=rows, end=ends, data=st.data())
def test_blanking_lines_keeps_all_others(case: Case, drawn: list[tuple[str, int] | str], end: bytes, data) -> None:
    text = case.text(lines_with(case, drawn), end)
    gone = data.draw(st.sets(st.integers(2, len(drawn) + 1)))
    blank = case.format.blank(text, gone)
    assert records(case, blank) == [each for each in records(case, text) if each[0] not in gone]
    assert rejected(case, blank) == [each for each in rejected(case, text) if each not in gone]
    assert case.format.blank(text, []).raw == text.raw


@some
@given(drawn=rows, end=ends, data=st.data())
def test_a_replaced_line_is_read_as_if_it_had_come_so(
    case: Case, drawn: list[tuple[str, int] | str], end: bytes, data
) -> None:
    lines = lines_with(case, drawn)
    fixed = data.draw(st.dictionaries(st.integers(0, len(lines) - 1), readings.map(lambda row: case.line(*row))))
    replaced = case.format.replace(case.text(lines, end), {at + 2: line for at, line in fixed.items()})
    expected = case.text([fixed.get(at, line) for at, line in enumerate(lines)], end)
    assert replaced == expected
    assert in_words(case.format.parse(replaced)) == in_words(case.format.parse(expected))


@some
@given(drawn=rows, meter=meters)
def test_nothing_names_a_meter_once_its_lines_are_blank(
    case: Case, drawn: list[tuple[str, int] | str], meter: str
) -> None:
    text = case.text(lines_with(case, drawn))
    own = case.format.lines_of(text, meter)
    assert own == [at for at, row in enumerate(drawn, 2) if meter in (row, row[0])]
    blank = case.format.blank(text, own)
    assert case.format.lines_of(blank, meter) == []
    assert records(case, blank) == [each for each in records(case, text) if each[1] != meter]


@some
@given(drawn=rows, end=ends)
def test_the_quarantine_keeps_the_lines_that_the_format_counts(
    case: Case, drawn: list[tuple[str, int] | str], end: bytes
) -> None:
    lines = lines_with(case, drawn)
    text = case.text(lines, end)
    kept = [row for batch in quarantined_rows(text, case.format.parse(text).rejected) for row in batch.to_dicts()]
    assert {row["line_number"]: row["raw_bytes"] for row in kept} == {
        at: line for at, (line, row) in enumerate(zip(lines, drawn, strict=True), 2) if isinstance(row, str)
    }
    assert {each[0] for each in records(case, text)}.isdisjoint(row["line_number"] for row in kept)


@some
@given(drawn=rows)
def test_its_beginning_tells_what_its_parsing_does(case: Case, drawn: list[tuple[str, int] | str]) -> None:
    text = case.text(lines_with(case, drawn))
    assert case.format.header_line(text) == case.header.decode()
    assert case.format.has_decimal_comma(text) == case.format.parse(text).decimal_comma


@some
@given(drawn=rows)
def test_a_line_by_itself_is_read_as_in_its_file(case: Case, drawn: list[tuple[str, int] | str]) -> None:
    lines = dict(enumerate(lines_with(case, drawn), start=2))
    text = by_themselves(case.name, case.header.decode(), lines, Limits())
    assert in_words(case.format.parse(text)) == in_words(case.format.parse(case.text(lines.values())))


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_what_is_blanked_is_packed_as_it_was(case: Case, ending: str) -> None:
    plain = case.text([case.line("SM-1", 1), case.bad_line("SM-1"), case.line("SM-2", 2)])
    name = case.name + ending
    text = landed_text(name, packed(name, plain.raw), Limits())
    lines = lines_to_erase(text, "SM-1")
    assert lines == [2, 3]
    again = landed_text(name, blanked(text, lines), Limits())
    assert again.compression is text.compression
    assert again.raw == blanked(text, lines)
    assert b"".join(again.blocks()) == case.format.blank(plain, lines).raw
    assert case.format.replace(text, {2: b"x"}).compression is Compression.NONE


@pytest.mark.parametrize("size", [1, 30, 100])
def test_blocks_of_any_size_make_no_difference(case: Case, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = case.text([case.line("SM-1", hour) for hour in range(12)] + [case.bad_line("SM-10")] * 3)
    whole = (in_words(case.format.parse(text)), case.format.lines_of(text, "SM-10"), case.format.blank(text, [3, 9]))
    replaced = case.format.replace(text, {4: b"four", 15: b"fifteen"})
    monkeypatch.setattr(content_module, "BLOCK_BYTES", size)
    assert whole == (
        in_words(case.format.parse(text)),
        case.format.lines_of(text, "SM-10"),
        case.format.blank(text, [3, 9]),
    )
    assert replaced == case.format.replace(text, {4: b"four", 15: b"fifteen"})


any_bytes = st.binary(max_size=200) | hostile_files().map(lambda file: file[1])


@settings(max_examples=80, deadline=None)
@given(raw=any_bytes, whole=st.booleans(), ending=st.sampled_from(["", ".gz", ".zst"]), data=st.data())
def test_no_bytes_break_it(case: Case, raw: bytes, whole: bool, ending: str, data) -> None:
    """They are rejected, or each line of theirs has one fate."""
    content = raw if whole else case.text([raw, case.line("SM-1", 1), raw]).raw
    text = replace(case.text([]), name=case.name + ending, raw=content)
    assert case.format.recognises(text) in (True, False)
    try:
        parsed = case.format.parse(text)
    except FileRejected as error:
        with pytest.raises(FileRejected, match=error.reason.value):
            case.format.parse(text)
        assert lines_to_erase(text, "SM-1") == lines_to_erase(text, "SM-1")
        return
    numbers = sorted([*parsed.records["line_number"], *parsed.rejected["line_number"]])
    assert len(numbers) == len(set(numbers)) == parsed.rows
    lines = content.count(b"\n") + 1
    assert all(1 < number <= lines for number in numbers)
    kept = list(quarantined_rows(text, parsed.rejected))
    assert sum(1 if isinstance(each, LongRow) else each.height for each in kept) == parsed.rejected.height
    some = data.draw(st.sets(st.sampled_from(numbers))) if numbers else set()
    after = case.format.parse(case.format.blank(text, some))
    assert sorted([*after.records["line_number"], *after.rejected["line_number"]]) == [
        each for each in numbers if each not in some
    ]
    assert set(case.format.lines_of(text, "SM-1")) <= set(numbers)
