"""B3.3: timestamp in range."""

from datetime import UTC, datetime

import pytest
from tests.rules.rows import fates, read_rows

OUTSIDE = "TIMESTAMP_OUT_OF_RANGE"


@pytest.mark.parametrize("text", ["1970-01-01 00:15", "1980-01-06 00:00", "2000-01-01 00:00", "2009-12-31 23:59:59"])
def test_a_reset_clock_is_rejected(text: str) -> None:
    assert fates(text) == [OUTSIDE]


def test_the_first_valid_instant_is_kept() -> None:
    assert fates("2010-01-01 00:00:00") == ["2010-01-01 00:00"]
    assert fates("2010-01-01 00:30", timezone="Europe/Berlin") == [OUTSIDE]


def test_five_minutes_ahead_are_kept_and_a_second_more_is_rejected() -> None:
    now = datetime(2024, 3, 15, 18, 40, tzinfo=UTC)
    assert fates("18:45:00", "18:45:01", now=now, received_at=now) == ["18:45", OUTSIDE]


def test_the_first_valid_instant_is_a_setting() -> None:
    assert fates("2000-01-01 00:00", earliest_reading=datetime(1999, 1, 1, tzinfo=UTC)) == ["2000-01-01 00:00"]


def test_the_row_is_kept_whole_in_quarantine() -> None:
    [row] = read_rows([("SM-1", "1970-01-01 00:15", "1 kW", "", "x")]).quarantined
    assert row == {
        "line_number": 2,
        "raw_line": '"SM-1","1970-01-01 00:15","1 kW","","x"',
        "rule_id": "B3.3",
        "code": OUTSIDE,
    }


def test_the_ends_of_the_calendar_do_no_harm() -> None:
    assert fates("9999-12-31 23:59:59-14:00", "0001-01-01 00:00:00+14:00", "18:45") == [OUTSIDE, OUTSIDE, "18:45"]
