"""The differential runner and the generators keep what they promise."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from tests.oracle.compare import differences
from tests.oracle.generators import HostileFile, hostile_files, random_file
from tests.oracle.reference import Evaluation, evaluate_file

NOW = datetime(2024, 3, 20, tzinfo=UTC)
ONE_ROW = b"meter_id,timestamp,energy_value\nSM-1,2024-03-15 10:00,5 kW\n"


def evaluate(content: bytes) -> Evaluation:
    return evaluate_file("readings.csv", content, received_at=NOW, now=NOW)


def as_dicts(evaluation: Evaluation) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return [vars(each) for each in evaluation.readings], [vars(each) for each in evaluation.quarantined]


@given(hostile_files())
def test_every_row_has_one_fate(file: HostileFile) -> None:
    name, content, settings = file
    evaluation = evaluate_file(name, content, **settings)
    lines = [each.line_number for each in evaluation.readings]
    lines += [each.line_number for each in evaluation.quarantined]
    assert len(lines) == len(set(lines)) == evaluation.rows


def test_random_files_meet_every_code_reason_and_flag() -> None:
    evaluations = [evaluate_file(name, content, **kwargs) for name, content, kwargs in map(random_file, range(300))]
    flags = {flag for each in evaluations for reading in each.readings for flag in reading.flags}
    codes = {row.code for each in evaluations for row in each.quarantined}
    reasons = {each.reason for each in evaluations}
    assert len(flags) == 5
    assert len(codes) == 4
    assert reasons >= {None, "BAD_EXTENSION", "EMPTY_FILE", "CORRUPT_ARCHIVE", "BAD_ENCODING", "MISSING_COLUMN"}


def test_an_implementation_that_agrees_has_no_differences() -> None:
    evaluation = evaluate(ONE_ROW + b"SM-1,x\nSM-2,2024-03-15 10:00,\n")
    rows, quarantined = as_dicts(evaluation)
    floats = [{**row, "consumption_kw": row["consumption_kw"] and float(row["consumption_kw"])} for row in rows]
    assert differences(evaluation, floats[::-1], quarantined) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"consumption_kw": None}, "reading line 2: consumption_kw: expected Decimal('5.0000'), got None"),
        ({"flags": ["OUT_OF_RANGE"]}, "reading line 2: flags: expected (), got ['OUT_OF_RANGE']"),
        ({"line_number": 9}, "reading line 9: unexpected"),
        ({"reading_at": NOW}, "reading line 2: reading_at: expected"),
    ],
)
def test_a_difference_names_line_and_field(change: dict[str, Any], words: str) -> None:
    evaluation = evaluate(ONE_ROW)
    rows, quarantined = as_dicts(evaluation)
    assert any(line.startswith(words) for line in differences(evaluation, [{**rows[0], **change}], quarantined))


def test_a_lost_row_is_a_difference() -> None:
    found = differences(evaluate(ONE_ROW), [], [])
    assert found[0].startswith("reading line 2: missing")
    assert found[-1] == "rows: expected 1 fates, got 0"


def test_a_seed_names_a_file() -> None:
    assert random_file(7) == random_file(7)
