"""A rule of the catalogue has its ID, its examples and its tests; and its examples are true."""

import inspect
import re
from math import isnan
from pathlib import Path
from typing import Any

import pytest
from tests.rules.rows import COLUMNS, read_rows
from tests.rules.slots import findings
from tests.rules.test_reliability import reliability_of

from greenstream.domain.codes import FindingCode, Flag, Rejection
from greenstream.domain.rules import CATALOGUE, HISTORY_RULES, HistoryRule, Rule, b4_faults, b6_metadata
from greenstream.entrypoints.docs.examples import KINDS, Example, examples_in

CLEAN_ROW = {
    "meter_id": "SM-48291",
    "timestamp": "2024-03-15 18:45:00",
    "energy_value": "3250 W",
    "unit": "",
    "location": "",
}


RULES = (*CATALOGUE, *HISTORY_RULES)
FUNCTIONS = [*(rule.apply for rule in CATALOGUE), b6_metadata.timestamp_utc]
EXAMPLES = [example for function in FUNCTIONS for example in examples_in(inspect.getdoc(function) or "")]
HISTORY_EXAMPLES = [(rule, each) for rule in HISTORY_RULES for each in examples_in(inspect.getdoc(rule.apply) or "")]


def named(rule: Rule) -> str:
    return f"{rule.id} {rule.title}"


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_has_a_docstring_with_its_id(rule: Rule) -> None:
    assert (inspect.getdoc(rule.apply) or "").startswith(f"{rule.id}: ")


@pytest.mark.parametrize("rule", CATALOGUE, ids=named)
def test_a_rule_has_examples_of_what_it_does(rule: Rule) -> None:
    found = examples_in(inspect.getdoc(rule.apply) or "")
    kinds = {example.kind for example in found}
    codes = {code for example in found for code in example.codes}
    if rule.flag:
        assert {"Flagged", "Clean"} <= kinds
        assert rule.flag in codes
    if rule.rejection:
        assert {"Rejected", "Clean"} <= kinds
        assert rule.rejection in codes
    if not rule.flag and not rule.rejection:
        assert kinds == {"Example"}


@pytest.mark.parametrize("rule", HISTORY_RULES, ids=named)
def test_a_history_rule_has_an_example_that_it_finds_and_one_that_is_clean(rule: HistoryRule) -> None:
    found = examples_in(inspect.getdoc(rule.apply) or "")
    assert {example.kind for example in found} == {"Flagged", "Clean"}
    assert {code for example in found for code in example.codes} == {rule.finding}


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_has_a_test_file_with_its_id(rule: Rule) -> None:
    path = Path(__file__).with_name(f"test_{re.sub('[^a-z0-9]', '_', rule.id.lower())}.py")
    assert path.read_text(encoding="utf-8").startswith(f'"""{rule.id}: ')


def test_each_flag_and_each_rejection_is_of_one_rule() -> None:
    assert sorted(rule.flag for rule in CATALOGUE if rule.flag) == sorted(Flag)
    of_rules = [rule.rejection for rule in CATALOGUE if rule.rejection]
    assert sorted(of_rules) == sorted(code for code in Rejection if code.rule_id != "parse")
    assert all(rule.rejection.rule_id == rule.id for rule in CATALOGUE if rule.rejection)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.column} {example.texts}")
def test_an_example_is_true(example: Example) -> None:
    outcomes = outcomes_of(example)
    chosen = outcomes if example.row is None else [outcomes[example.row - 1]]
    for outcome in chosen:
        assert example.kind == "Example" or outcome["codes"] == example.codes
        assert {column: as_text(outcome[column]) for column in example.values} == example.values


def test_each_finding_is_of_one_history_rule() -> None:
    assert sorted(rule.finding for rule in HISTORY_RULES) == sorted(FindingCode)


@pytest.mark.parametrize(("rule", "example"), HISTORY_EXAMPLES, ids=lambda each: getattr(each, "texts", [each])[0])
def test_an_example_of_a_history_rule_is_true(rule: HistoryRule, example: Example) -> None:
    [meter] = example.texts
    found = set(findings(meter)["code"]) & {rule.finding}
    assert found == set(example.codes)
    assert example.kind == "Flagged" or example.outcome == "no finding"


@pytest.mark.parametrize("example", examples_in(inspect.getdoc(b4_faults.reliability) or ""))
def test_an_example_of_reliability_is_true(example: Example) -> None:
    [meter] = example.texts
    found = reliability_of(meter)
    assert example.values == {"reliability": "unknown" if isnan(found) else f"{found:.4f}"}


def outcomes_of(example: Example) -> list[dict[str, Any]]:
    """What becomes of each row of an example, in order, with `codes`."""
    assert example.kind in KINDS
    result = read_rows([cells_of(example.column, text) for text in example.texts])
    stored = [{**row, "codes": row["flags"]} for row in result.readings]
    rejected = [{**row, "codes": (row["code"],)} for row in result.quarantined]
    return sorted([*stored, *rejected], key=lambda row: int(row["line_number"]))


def cells_of(column: str, text: str) -> tuple[str, ...]:
    cells = dict(zip(COLUMNS, text.split(","), strict=False)) if column == "row" else {column: text}
    return tuple({**CLEAN_ROW, **cells}.values())


def as_text(value: object) -> str:
    return "null" if value is None else str(value).removesuffix("+00:00")


def test_an_irregular_example_is_refused() -> None:
    with pytest.raises(ValueError, match="no regular example"):
        examples_in("B9: nothing.\n\nExample: `5 kW` is 5 kW.")


def test_an_example_may_span_lines() -> None:
    [found] = examples_in("Flagged: timestamp `a`,\n`b` → row 2: X_Y,\nregion `Zone7`\n\nReturns: nothing")
    assert (found.texts, found.row, found.codes, found.values) == (("a", "b"), 2, ("X_Y",), {"region": "Zone7"})
