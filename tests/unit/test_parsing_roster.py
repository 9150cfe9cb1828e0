"""A roster, whatever its bytes: each line is a meter, a repetition of one, or named as bad."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenstream.domain.errors import FileRejected
from greenstream.domain.formats.roster import Roster, RosterMeter, read_roster
from greenstream.domain.limits import Limits

TEXTS = ["SM-1", "SM-2", "2024-03-01", "2024-03-02", "", "null", "9999-12-31", '"', '"a,b"', "\x00", "é"]
FIELDS = st.sampled_from(TEXTS)
LINES = st.lists(st.lists(FIELDS, min_size=1, max_size=5).map(",".join), max_size=8)


def read(content: str | bytes) -> Roster:
    return read_roster("roster.csv", content.encode() if isinstance(content, str) else content, Limits())


@given(LINES, st.sampled_from(["\n", "\r\n"]))
def test_each_line_is_a_meter_a_repetition_or_bad(lines: list[str], end: str) -> None:
    roster = read(end.join(["meter_id,commissioned,decommissioned", *lines]))
    assert roster.lines == sum(bool(line) for line in lines)
    assert len({meter.meter_id for meter in roster.meters}) == len(roster.meters)
    repeated = roster.lines - len(roster.meters) - len(roster.bad)
    assert 0 <= repeated <= roster.lines - len(roster.meters)
    assert all(bad.reason for bad in roster.bad)
    assert sorted({bad.line_number for bad in roster.bad}) == [bad.line_number for bad in roster.bad]


@given(st.binary(max_size=60))
def test_no_bytes_break_it(content: bytes) -> None:
    with suppress(FileRejected):
        read(content)
    read(b"meter_id,location\n" + content)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_come_in_any_order_case_and_delimiter(delimiter: str) -> None:
    lines = [["note", " Decommissioned", "METER_ID", "location "], ["", "2024-03-02", " SM-1", '"Zone ""7"""']]
    roster = read("\ufeff" + "\n".join(delimiter.join(line) for line in lines))
    assert roster.meters == (RosterMeter(meter_id="SM-1", location='Zone "7"', decommissioned=date(2024, 3, 2)),)
    assert roster.columns == {"meter_id", "location", "decommissioned"}
    assert roster.ignored_columns == ("note",)
    assert roster.bad == ()


@pytest.mark.parametrize("text", ["20240301", "2024-3-1", "2024-02-30", "01.03.2024", "1899-12-31", "2024-03-01 00:00"])
def test_other_dates_are_not_guessed(text: str) -> None:
    roster = read(f"meter_id,commissioned\nSM-1,{text}\n")
    assert roster.meters == ()
    assert text in roster.bad[0].reason
