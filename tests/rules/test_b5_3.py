"""B5.3: quality score and grade."""

import polars as pl
import pytest
from tests.rules.rows import NOW, read_rows, reading

from greenstream.domain.codes import GRADES
from greenstream.domain.limits import Limits
from greenstream.domain.rules import b5_enrichment

METER = "SM-48291"


@pytest.mark.parametrize(
    ("energy", "expected"),
    [
        ("3250 W", (100, "A")),
        ("0 W", (80, "B")),
        ("50 kW", (80, "B")),
        ("null", (40, "F")),
        ("12..5 kW", (50, "F")),
        ("230 Volts", (50, "F")),
    ],
)
def test_of_a_reliable_meter(energy: str, expected: tuple[int, str]) -> None:
    only = reading(energy_value=energy)
    assert (only["quality_score"], only["quality_grade"]) == expected


@pytest.mark.parametrize(
    ("energy", "expected"),
    [("3250 W", (90, "A")), ("0 W", (70, "C")), ("null", (30, "F")), ("abc", (40, "F")), ("5 MW", (40, "F"))],
)
def test_of_an_unreliable_meter(energy: str, expected: tuple[int, str]) -> None:
    only = reading(energy_value=energy, reliability={METER: 0.5})
    assert (only["quality_score"], only["quality_grade"]) == expected


@pytest.mark.parametrize(
    ("energy", "expected"), [("3250 W", (60, "C")), ("0 W", (40, "F")), ("null", (40, "F")), ("abc", (10, "F"))]
)
def test_of_an_inferred_timestamp(energy: str, expected: tuple[int, str]) -> None:
    rows = [(METER, "2024-03-15 18:30", "1 kW", "", ""), (METER, "?", energy, "", "")]
    inferred = read_rows(rows).readings[1]
    assert (inferred["quality_score"], inferred["quality_grade"]) == expected


def test_an_unreliable_meter_with_an_inferred_timestamp_fails() -> None:
    rows = [(METER, "2024-03-15 18:30", "1 kW", "", ""), (METER, "?", "1 kW", "", "")]
    inferred = read_rows(rows, reliability={METER: 0.5}).readings[1]
    assert (inferred["quality_score"], inferred["quality_grade"]) == (50, "F")


@pytest.mark.parametrize(
    ("reliability", "score"), [(None, 100), (1.0, 100), (0.9501, 100), (0.95, 90), (0.9499, 90), (0.0, 90)]
)
def test_reliable_is_above_95_percent_or_unknown(reliability: float | None, score: int) -> None:
    assert reading(reliability={METER: reliability})["quality_score"] == score


def test_a_new_meter_counts_as_reliable() -> None:
    assert reading(meter_id="SM-new", now=NOW)["quality_score"] == 100


@pytest.mark.parametrize(
    ("score", "expected"), [(100, "A"), (90, "A"), (89, "B"), (75, "B"), (74, "C"), (60, "C"), (59, "F"), (0, "F")]
)
def test_the_grade_of_a_score(score: int, expected: str) -> None:
    grades = pl.select(b5_enrichment.grade(pl.lit(score, dtype=pl.UInt8), Limits())).item()
    assert GRADES[grades] == expected
