"""conservation: every row has exactly one fate."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.rows import read

CELLS = st.sampled_from(
    ["SM-1", "SM-2", "", "null", "2024-03-15 18:45", "?", "1970-01-01 00:00", "1 kW", "x", '"', "\x01"]
)
LINES = st.lists(CELLS, max_size=4).map(",".join)
SOUND = st.tuples(CELLS, CELLS, CELLS).map(",".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(SOUND | LINES, max_size=12))
def test_each_line_that_is_not_blank_is_stored_or_rejected_once(lines: list[str]) -> None:
    result = read("\n".join(["meter_id,timestamp,energy_value", *lines]))
    fates = [row["line_number"] for row in [*result.readings, *result.quarantined]]
    assert sorted(fates) == [number for number, line in enumerate(lines, 2) if line.strip(" \t")]
    assert result.rows == len(fates)


def test_one_bad_row_does_not_cost_the_good_rows_around_it() -> None:
    good = "SM-1,2024-03-15 18:{:02d},1 kW"
    result = read("\n".join(["meter_id,timestamp,energy_value", good.format(0), 'SM-1,"x', good.format(30)]))
    assert [row["line_number"] for row in result.readings] == [2, 4]
    assert [(row["line_number"], row["code"]) for row in result.quarantined] == [(3, "MALFORMED_ROW")]


def test_blank_lines_are_no_rows_and_do_count_as_lines() -> None:
    result = read("meter_id,timestamp,energy_value\n\n \t\r\nSM-1,2024-03-15 18:45,1 kW\n\n")
    assert (result.rows, [row["line_number"] for row in result.readings]) == (1, [4])
