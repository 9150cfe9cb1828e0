"""Lines to records: quoting, line ends, null tokens, one bad line among good ones; whatever the blocks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.parsing_support import Parsed, packed, parse, reason

from greenstream.domain.formats import content as content_module

HEADER = "meter_id,timestamp,energy_value,unit,location\n"
DAY = "2024-03-15 18:45"
GOOD = f"SM-1,{DAY},1,kW,x"
MALFORMED = "MALFORMED_ROW"


def test_fields_are_trimmed_of_blanks_and_tabs_only() -> None:
    [record] = parse(HEADER + f" SM-1\t,\t{DAY} , 1 , kW ,\u00a0x").records
    assert record == (2, "SM-1", DAY, "1 kW", "\u00a0x")


def test_quoted_fields_hold_delimiters_quotes_and_blanks_to_trim() -> None:
    [record] = parse(HEADER + f'" SM,1 ","{DAY}","1 ""kW""",,"K, ""L"""').records
    assert record == (2, "SM,1", DAY, '1 "kW"', 'K, "L"')


@pytest.mark.parametrize(
    "token", ["", "null", "NULL", "None", "nan", "NaN", "na", "N/A", "-", " \t ", '""', '" null "']
)
def test_a_null_token_is_null_in_every_column(token: str) -> None:
    assert parse(HEADER + f"SM-1,{token},{token},{token},{token}").records == [(2, "SM-1", None, None, None)]
    assert parse(HEADER + f"{token},{DAY},1,kW,x").rejected == [(2, "MISSING_METER_ID")]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_end_in_lf_or_crlf_and_the_last_one_in_neither(end: str) -> None:
    text = HEADER.replace("\n", end) + GOOD + end + GOOD
    assert [record[-1] for record in parse(text).records] == ["x", "x"]
    assert parse(text) == parse(text + end)


def test_a_carriage_return_elsewhere_is_a_control_character() -> None:
    assert parse(HEADER + "SM-1\r," + DAY + ",1,kW,x\r\n" + GOOD).rejected == [(2, MALFORMED)]


def test_blank_lines_are_skipped_and_counted_as_lines() -> None:
    parsed = parse(HEADER + "\n \t \n" + GOOD + "\r\n\r\n" + GOOD)
    assert ([record[0] for record in parsed.records], parsed.rows) == ([4, 6], 2)


def test_a_line_of_delimiters_is_a_row_but_not_where_they_are_tabs() -> None:
    assert parse(HEADER + ",,,,").rejected == [(2, "MISSING_METER_ID")]
    assert parse((HEADER + ",,,,").replace(",", "\t")).rows == 0


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x00", b"\x1b", b"\x7f", b"\x0b", b'"', b","])
def test_one_bad_byte_costs_one_line(bad: bytes) -> None:
    good = GOOD.encode() + b"\n"
    parsed = parse(HEADER.encode() + good + b"SM-2," + bad + DAY.encode() + b",1,kW,x\n" + good)
    assert [record[0] for record in parsed.records] == [2, 4]
    assert parsed.rejected == [(3, MALFORMED)]


def test_a_quote_left_open_does_not_swallow_the_next_lines() -> None:
    parsed = parse(HEADER + f'"SM-1,{DAY},1,kW,x\n{GOOD}\n{GOOD}"\n{GOOD}')
    assert parsed.rejected == [(2, MALFORMED), (4, MALFORMED)]


def test_odd_letters_are_letters() -> None:
    odd = "\u0085\u2028\ufeff😀\\"
    assert parse(HEADER + f"{odd},{DAY},1,kW,x").records == [(2, odd, DAY, "1 kW", "x")]


def test_the_unit_is_left_out_where_the_value_ends_in_a_letter() -> None:
    lines = [f"SM-1,{DAY},{value},{unit}," for value, unit in (("1", "W"), ("1 W", "kW"), ("1 Ω", "W"), ("1.", "-"))]
    assert [record[3] for record in parse(HEADER + "\n".join(lines)).records] == ["1 W", "1 W", "1 Ω", "1."]


CELLS = st.sampled_from(
    [
        "SM-1",
        "SM-2",
        "",
        "-",
        "null",
        DAY,
        "1",
        "kW",
        "x",
        " x ",
        "ü",
        '"a,b"',
        '"a""b"',
        '"',
        'a"b',
        "\x01",
        "\t",
        "M" * 65,
    ]
)
LINES = st.lists(CELLS, max_size=7) | st.lists(CELLS, min_size=5, max_size=5)
ENDS = st.sampled_from(["\n", "\r\n", "\n\n"])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Files whose header is sound, of sound lines and others."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    lines = draw(st.lists(st.tuples(LINES, ENDS), max_size=12))
    body = "".join(delimiter.join(cells) + end for cells, end in lines).encode()
    noise = draw(st.sampled_from([b"", b"", b"\xff", b"\xef\xbb\xbf", b"\r", b"SM-9"]))
    return HEADER.replace(",", delimiter).encode() + body + noise


def in_blocks(content: bytes, size: int, *, name: str = "readings.csv") -> Parsed:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content_module, "BLOCK_BYTES", size)
        return parse(packed(name, content), name=name)


@settings(max_examples=80, deadline=None)
@given(files(), st.integers(3, 80), st.sampled_from(["a.csv", "a.csv.gz", "a.csv.zst"]))
def test_where_a_file_is_cut_into_blocks_makes_no_difference(content: bytes, size: int, name: str) -> None:
    assert in_blocks(content, size, name=name) == parse(content)


def test_fields_that_one_line_has_too_many_and_another_too_few_reject_both() -> None:
    parsed = parse(HEADER.encode() + b"SM-1,t,1,W,x,x,x\nSM-2,t,1,W,x\nSM-3,t,1\n")
    assert [record[0] for record in parsed.records] == [3]
    assert parsed.rows == 3


@pytest.mark.parametrize("rest", [b"", b'"SM-2",t,1,W,x\n'], ids=["plain", "mixed"])
def test_a_byte_order_mark_that_isnt_the_files_own_stays(rest: bytes) -> None:
    parsed = parse(HEADER.encode() + b"\xef\xbb\xbfSM-1,t,1,W,x\n" + rest)
    assert parsed.records[0][1] == "\ufeffSM-1"


@settings(max_examples=80, deadline=None)
@given(files())
def test_a_line_that_needs_a_closer_look_changes_no_other_line(content: bytes) -> None:
    whole = content.removesuffix(b"\r").rstrip(b"\n") + b"\n"
    delimiter = whole[8:9]
    closer = parse(whole + delimiter.join([b'"last"', b"x", b"1", b"W", b"x"]))
    plain = parse(whole)
    assert closer.records[:-1] == plain.records
    assert (closer.rejected, closer.rows) == (plain.rejected, plain.rows + 1)


@settings(max_examples=80, deadline=None)
@given(files() | st.binary(max_size=200).map(lambda noise: HEADER.encode() + noise))
def test_each_line_that_is_not_blank_is_a_record_or_rejected(content: bytes) -> None:
    parsed = parse(content)
    lines = [line.removesuffix(b"\r") for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    expected = [number for number, line in enumerate(lines, 1) if number > 1 and line.strip(b" \t")]
    assert sorted([*(r[0] for r in parsed.records), *(r[0] for r in parsed.rejected)]) == expected
    assert parsed.rows == len(expected)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.csv.gz", "a.csv.zst"]))
def test_whatever_the_bytes_a_file_is_parsed_or_rejected_with_a_reason(content: bytes, name: str) -> None:
    assert reason(content, name=name) in {
        None, "EMPTY_FILE", "CORRUPT_ARCHIVE", "BAD_ENCODING", "MISSING_COLUMN",
    }  # fmt: skip
