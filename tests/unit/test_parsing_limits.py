"""How long a line, a header and a field may be; what is longer costs its row, or the file where it is the header."""

import time
from collections.abc import Callable

import pytest
from tests.unit.parsing_support import packed, parse, parsed_file, reason

from greenstream.domain.errors import FileRejected
from greenstream.domain.formats import content as content_module
from greenstream.domain.formats.roster import read_roster
from greenstream.domain.limits import MIB, Limits

HEADER = "meter_id,timestamp,energy_value,unit,location,note\n"
DAY = "2024-03-15 18:45"
GOOD = f"SM-1,{DAY},1,kW,x,"
MALFORMED = "MALFORMED_ROW"
COLUMNS = ("timestamp", "energy_value", "unit", "location")
LINE = 4 * MIB


def row(**fields: str) -> str:
    values = {"meter_id": "SM-1", "timestamp": DAY, "energy_value": "1", "unit": "kW", "location": "x", "note": ""}
    return ",".join((values | fields).values())


def padded(length: int, *, end: str = "") -> str:
    """A sound line of that many bytes, in a column that nobody reads."""
    return row(note="n" * (length - len(row()))) + end


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("letter", ["x", "ß", "電", "\U0001f600", "\u0301"])
def test_a_field_has_at_most_256_characters_after_trimming(column: str, letter: str) -> None:
    lines = [row(), row(**{column: f'" \t{letter * 256}\t "'}), row(**{column: letter * 257}), row()]
    parsed = parse(HEADER + "\n".join(lines))
    assert [record[0] for record in parsed.records] == [2, 3, 5]
    assert parsed.rejected == [(4, MALFORMED)]


def test_other_columns_may_hold_more() -> None:
    assert len(parse(HEADER + row(note="n" * 100_000)).records) == 1


def test_a_row_that_is_too_long_and_lacks_its_meter_is_malformed() -> None:
    assert parse(HEADER + row(meter_id="", location="x" * 257)).rejected == [(2, MALFORMED)]
    assert parse(HEADER + row(meter_id="M" * 65)).rejected == [(2, "MISSING_METER_ID")]


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize("block", [1 << 14, 2 * MIB, 8 * MIB])
def test_a_line_has_at_most_four_mebibytes(end: str, name: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_module, "BLOCK_BYTES", block)
    for length, rejected in ((LINE, []), (LINE + 1, [(3, MALFORMED)])):
        text = HEADER + f"{GOOD}\n" + padded(length) + (f"{end}{GOOD}\n{GOOD}" if end else "")
        parsed = parse(packed(name, text.encode()), name=name)
        assert parsed.rejected == rejected
        assert parsed.rows == (4 if end else 2)


def test_a_line_of_nothing_but_blanks_is_none_whatever_its_length() -> None:
    assert parse(HEADER + " \t" * LINE + "\r\n" + GOOD).rows == 1
    assert parse(HEADER + " \t" * LINE + "x\n" + GOOD).rejected == [(2, MALFORMED)]


def test_no_line_is_longer_than_the_database_can_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_module, "LONGEST_KEPT_LINE", 3 * MIB)
    text = (HEADER + "x" * (3 * MIB + 1)).encode()
    for name in ("a.csv", "a.csv.gz", "a.csv.zst"):
        assert reason(packed(name, text), name=name) == "TOO_LARGE"
        assert reason(packed(name, text[:-2]), name=name) is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (HEADER.strip() + "n" * (LINE - len(HEADER) + 1), None),
        (HEADER.strip() + "n" * (LINE - len(HEADER) + 2), "TOO_LARGE"),
        ("x" * 10 * MIB, "TOO_LARGE"),
        (HEADER.strip() + "," * 99_994, None),
        (HEADER.strip() + "," * 99_995, "TOO_LARGE"),
        ("," * 100_000, "TOO_LARGE"),
        (HEADER.strip().replace(",", ";") + ';"' + "," * 200_000 + '"', None),
        ('"' * LINE, "MISSING_COLUMN"),
        ('"' * (LINE - 1), "MISSING_COLUMN"),
    ],
    ids=["4 MiB", "a byte more", "no line", "100,000 columns", "one more", "commas", "quoted", "quotes", "an odd one"],
)
def test_a_header_has_at_most_four_mebibytes_and_100_000_columns(header: str, expected: str | None) -> None:
    assert reason(f"{header}\nx\n") == expected


def test_a_message_quotes_the_beginning_of_a_header_only() -> None:
    with pytest.raises(FileRejected) as caught:
        parsed_file(b"x" * MIB)
    assert len(str(caught.value)) < 300


def test_a_roster_has_the_same_limits() -> None:
    lines = ["SM-1," + "x" * 256, "SM-2," + "x" * 257, "SM-3," + "x" * LINE, '"' * 200_000]
    roster = read_roster("roster.csv", "\n".join(["meter_id,location", *lines]).encode(), Limits())
    assert [meter.meter_id for meter in roster.meters] == ["SM-1"]
    assert [bad.line_number for bad in roster.bad] == [3, 4, 5]
    with pytest.raises(FileRejected, match="TOO_LARGE"):
        read_roster("roster.csv", b"meter_id," + b"x" * LINE, Limits())


HUGE: dict[str, Callable[[int], bytes]] = {
    "one line": lambda size: b"x" * size,
    "quotes": lambda size: b'"' * size,
    "an open quote": lambda size: b'"' + b"x" * size,
    "delimiters": lambda size: b",,,,,\n" * (size // 6),
    "one line of delimiters": lambda size: b"," * size,
    "quoted lines": lambda size: b'""x\n' * (size // 4),
    "line feeds": lambda size: b"\n" * size,
    "carriage returns": lambda size: b"\r" * size,
    "NUL": lambda size: b"\0" * size,
    "no UTF-8": lambda size: b"\xff\n" * (size // 2),
}


@pytest.mark.parametrize("kind", HUGE)
def test_time_grows_with_the_size_and_no_faster(kind: str) -> None:
    """Quadratic ones took minutes for these; four times as much may take twelve times as long on a busy machine."""
    small, large = (best_seconds(HEADER.encode() + HUGE[kind](size)) for size in (2 * MIB, 8 * MIB))
    assert large < max(12 * small, 0.5)


def best_seconds(content: bytes) -> float:
    def once() -> float:
        began = time.process_time()
        parsed_file(content)
        return time.process_time() - began

    return min(once() for _ in range(2))
