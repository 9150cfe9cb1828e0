"""Scoring: what counts as explained, findable and found, and from when on."""

from typing import Any

import polars as pl
import pytest

from greenstream.domain.codes import FindingCode, Flag, Rejection
from greenstream.domain.limits import Limits
from greenstream.domain.rules import CATALOGUE, HISTORY_RULES
from greenstream.domain.site import Site
from greenstream.evaluation.scoring import DETECTORS, FOUND, TRUTH, Precision, Recall, Scores, score
from greenstream.simulator.faults import KINDS

SITE = Site(timezone="UTC", limits=Limits())
Row = dict[str, Any]


def fault(kind: str, first: int, last: int | None = None, **more: Any) -> Row:
    return {"fault": kind, "meter_id": "M", "first": first, "last": first if last is None else last, **more}


def finding(code: str, first: int, last: int | None = None, **more: Any) -> Row:
    return {"code": code, "meter_id": "M", "first": first, "last": first if last is None else last, **more}


def scored(faults: list[Row], findings: list[Row]) -> Scores:
    return score(pl.DataFrame(faults, schema=TRUTH), pl.DataFrame(findings, schema=FOUND), 0, SITE)


def precision(faults: list[Row], findings: list[Row]) -> Precision:
    [only] = scored(faults, findings).precisions
    return only


def recall(faults: list[Row], findings: list[Row], rule_id: str) -> Recall:
    [only] = [each for each in scored(faults, findings).recalls if each.rule_id == rule_id]
    return only


def test_each_rule_that_finds_or_rejects_something_is_scored_and_each_of_its_codes_once() -> None:
    found = {rule.id for rule in CATALOGUE if rule.flag or rule.rejection} | {rule.id for rule in HISTORY_RULES}
    assert {detector.rule_id for detector in DETECTORS} == {*found, "parse"}
    codes = [str(code) for detector in DETECTORS for code in detector.codes]
    assert sorted(codes) == sorted({*Flag, *FindingCode, *Rejection} - {Rejection.MISSING_METER_ID})


def test_the_faults_are_those_of_the_simulator() -> None:
    assert {name for each in DETECTORS for name in each.finds + each.explained_by} <= set(KINDS)


@pytest.mark.parametrize(("first", "last", "explained"), [(4, 9, 0), (4, 10, 1), (12, 13, 1), (20, 30, 1), (21, 30, 0)])
def test_a_window_is_explained_by_a_fault_with_which_it_shares_a_slot(first: int, last: int, explained: int) -> None:
    found = precision([fault("silent", 10, 20)], [finding("CONSECUTIVE_MISSING", first, last)])
    assert (found.findings, found.explained, found.precision) == (1, explained, explained)


def test_a_fault_of_another_meter_or_kind_explains_nothing() -> None:
    others = [fault("silent", 10, 20, meter_id="other"), fault("stuck", 10, 20)]
    assert precision(others, [finding("CONSECUTIVE_MISSING", 10, 20)]).explained == 0


def test_a_finding_that_several_faults_explain_counts_once() -> None:
    several = [fault("gap", slot) for slot in range(5)]
    assert precision(several, [finding("CONSECUTIVE_MISSING", 0, 4)]).explained == 1


def test_zeros_are_constant_and_explained() -> None:
    assert precision([fault("dead", 0, 120)], [finding("STUCK_METER", 95, 122)]).explained == 1


def test_a_quarantined_row_is_matched_by_its_line() -> None:
    here = {"file": "a.csv", "line_number": 7}
    row = {"code": "MALFORMED_ROW", "meter_id": None, "first": None, "last": None}
    assert precision([fault("malformed_line", 3, **here)], [{**row, **here}]).explained == 1
    assert precision([fault("malformed_line", 3, **here)], [{**row, **here, "line_number": 8}]).explained == 0
    assert precision([fault("malformed_line", 3, **here)], [{**row, **here, "file": "b.csv"}]).explained == 0


def test_without_findings_there_is_no_precision_and_without_findable_faults_no_recall() -> None:
    nothing = scored([], [])
    assert nothing == Scores(precisions=(), recalls=())
    assert recall([fault("dead", 0, 95)], [], "B3.2").recall is None


@pytest.mark.parametrize(
    ("rule_id", "short", "long"),
    [
        ("B2.3", fault("silent", 1, 4), fault("silent", 1, 5)),
        ("B2.3", fault("communication_failure", 0, 95, missing=4), fault("communication_failure", 0, 95, missing=5)),
        ("B3.1", fault("spike", 1, kw=49.9), fault("spike", 1, kw=50.0)),
        ("B3.2", fault("dead", 1, 96), fault("dead", 1, 97)),
        ("B4.1", fault("stuck", 1, 95, kw=1.0), fault("stuck", 1, 96, kw=1.0)),
        ("B4.1", fault("stuck", 1, 96, kw=50.0), fault("stuck", 1, 96, kw=49.9)),
        ("B4.2", fault("spike", 95, kw=9.0), fault("spike", 96, kw=9.0)),
        ("B4.3", fault("communication_failure", 0, 95, missing=19), fault("communication_failure", 0, 95, missing=20)),
        ("B4.3", fault("communication_failure", 0, 94, missing=90), fault("communication_failure", 0, 95, missing=90)),
        (
            "B4.3",
            fault("communication_failure", 800, 1471, missing=134),
            fault("communication_failure", 800, 1471, missing=135),
        ),
    ],
)
def test_a_fault_is_findable_from_the_rules_own_threshold_on(rule_id: str, short: Row, long: Row) -> None:
    assert recall([short, long], [], rule_id).findable == 1
    assert recall([short], [], rule_id).injected == 1


def test_recall_is_the_share_of_the_findable_faults_that_were_found() -> None:
    faults = [fault("dead", 0, 200), fault("dead", 300, 400), fault("dead", 500, 510)]
    found = recall(faults, [finding("DEAD_METER", 0, 200), finding("DEAD_METER", 500, 510)], "B3.2")
    assert (found.injected, found.findable, found.found, found.recall) == (3, 2, 1, 0.5)


@pytest.mark.parametrize(
    ("rule_id", "injected", "found", "delay"),
    [
        ("B2.3", fault("silent", 10, 30), finding("CONSECUTIVE_MISSING", 10, 30), 4),
        ("B2.3", fault("silent", 10, 30), finding("CONSECUTIVE_MISSING", 9, 30), 3),
        ("B3.2", fault("dead", 10, 200), finding("DEAD_METER", 10, 200), 96),
        ("B4.1", fault("stuck", 10, 200), finding("STUCK_METER", 98, 205), 88),
        ("B4.1", fault("stuck", 10, 200), finding("STUCK_METER", 2, 205), 0),
        ("B4.2", fault("spike", 100), finding("ERRATIC_SPIKE", 100), 0),
        ("B4.3", fault("communication_failure", 96, 767, missing=270), finding("COMMUNICATION_FAILURE", 192, 767), 191),
    ],
)
def test_the_delay_is_until_the_rule_first_held(rule_id: str, injected: Row, found: Row, delay: int) -> None:
    scored = recall([injected], [found], rule_id)
    assert (scored.median_delay, scored.max_delay) == (delay, delay)


def test_the_delay_of_a_fault_is_that_of_its_first_finding() -> None:
    several = [finding("CONSECUTIVE_MISSING", 30, 40), finding("CONSECUTIVE_MISSING", 12, 20)]
    found = recall([fault("communication_failure", 0, 95, missing=40)], several, "B2.3")
    assert (found.found, found.max_delay) == (1, 16)


def test_a_rule_on_a_row_has_no_delay() -> None:
    found = recall([fault("null_energy", 5)], [finding("MISSING_READING", 5)], "B2.1")
    assert (found.found, found.median_delay, found.max_delay) == (1, None, None)
