"""The oracle's history rules against answers worked out by hand, sentence by sentence of the contract."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.oracle.history import Finding, final_scores, findings, reliability
from tests.oracle.history_compare import compare_findings
from tests.oracle.reference import Reading, evaluate_file

START = datetime(2024, 5, 6, tzinfo=UTC)
NOW = datetime(2025, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=15)
NOTHING = None
LIVELY = ("1 kW", "2 kW")


def lively(count: int) -> list[str | None]:
    """1 and 2 kW in turn: mean 1.5 kW and standard deviation 0.5 kW over an even number of slots."""
    return [LIVELY[number % 2] for number in range(count)]


def readings_of(values: Sequence[str | None], *, meter: str = "SM-1", start: datetime = START) -> list[Reading]:
    """A reading a slot from `start`, of the energies given; none where that is `None`."""
    rows = [
        f"{meter},{start + number * STEP:%Y-%m-%dT%H:%MZ},{value}"
        for number, value in enumerate(values)
        if value is not None
    ]
    content = "\n".join(["meter_id,timestamp,energy_value", *rows]).encode()
    return evaluate_file("a.csv", content, received_at=NOW, now=NOW).readings


def of_rule(rule_id: str, readings: Sequence[Reading], **settings: Any) -> list[Finding]:
    return [each for each in findings(readings, **settings) if each.rule_id == rule_id]


def slots(found: Sequence[Finding], start: datetime = START) -> list[tuple[int, int]]:
    """The windows, in slots from `start`."""
    return [((each.window_start - start) // STEP, (each.window_end - start) // STEP) for each in found]


def spans(rule_id: str, values: Sequence[str | None], **settings: Any) -> list[tuple[int, int]]:
    return slots(of_rule(rule_id, readings_of(values), **settings))


# B2.3


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1 kW", *[NOTHING] * 4, "2 kW"], []),
        (["1 kW", *[NOTHING] * 5, "2 kW"], [(1, 5)]),
        (["1 kW", NOTHING, "null", NOTHING, "-", NOTHING, "2 kW"], [(1, 5)]),
        (["1 kW", *["n/a"] * 5], [(1, 5)]),
        # A reading of which the value or the unit is invalid came: nothing is missing.
        (["1 kW", NOTHING, NOTHING, "abc", NOTHING, NOTHING, "2 kW"], []),
        (["1 kW", NOTHING, NOTHING, NOTHING, "5 Volts", *[NOTHING] * 6, "2 kW"], [(5, 10)]),
        # The grid begins with the meter's first reading, also where that is null.
        (["null", NOTHING, NOTHING, NOTHING, NOTHING, "1 kW"], [(0, 4)]),
        ([NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, "1 kW"], []),
    ],
)
def test_a_run_of_more_than_four_missing_slots(values: list[str | None], expected: list[tuple[int, int]]) -> None:
    assert spans("B2.3", values) == expected


def test_a_silent_meter_is_missing_up_to_the_watermark_of_the_fleet() -> None:
    readings = readings_of(["1 kW"]) + readings_of(lively(6), meter="SM-2")
    [finding] = of_rule("B2.3", readings)
    assert (finding.meter_id, finding.code, finding.figures) == ("SM-1", "CONSECUTIVE_MISSING", {"run_slots": 5})
    assert slots([finding]) == [(1, 5)]
    assert not finding.resolved
    assert of_rule("B2.3", readings + readings_of(["1 kW"], start=START + 6 * STEP))[0].resolved


def test_the_watermark_of_a_settled_day_is_its_end_and_what_comes_later_is_not_looked_at() -> None:
    readings = readings_of([*lively(90), *[NOTHING] * 8, "1 kW"])
    day_end = START + 95 * STEP
    assert slots(of_rule("B2.3", readings, watermark=day_end)) == [(90, 95)]
    assert not of_rule("B2.3", readings, watermark=day_end)[0].resolved
    assert slots(of_rule("B2.3", readings)) == [(90, 97)]
    assert of_rule("B2.3", readings_of(lively(90)), watermark=day_end)[0].window_end == day_end


def test_a_slot_has_the_value_of_its_current_reading() -> None:
    late = readings_of(["1 kW"], start=START + 3 * STEP)
    assert of_rule("B2.3", readings_of(["1 kW", *["null"] * 5, "1 kW"]) + late) == []
    assert of_rule("B2.3", late + readings_of(["1 kW", *["null"] * 5, "1 kW"])) == []


def test_nothing_is_expected_of_a_meter_out_of_service() -> None:
    readings = readings_of(lively(90)) + readings_of(lively(200), meter="SM-2")
    [finding] = of_rule("B2.3", readings, decommissioned={"SM-1": date(2024, 5, 7)})
    assert slots([finding]) == [(90, 95)]
    assert finding.resolved
    assert of_rule("B2.3", readings, decommissioned={"SM-1": date(2024, 5, 6)}) == []


def test_no_readings_have_no_findings() -> None:
    assert findings([]) == []


# B3.2


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1 kW", *["0 kW"] * 96, "1 kW"], []),
        (["1 kW", *["0 kW"] * 97, "1 kW"], [(1, 97)]),
        # 0.00004 kW is 0 after rounding.
        ([*["0 W", "-0.0 kW", "0.04 W"] * 33, "1 kW"], [(0, 98)]),
        ([*["0 kW"] * 60, "0.05 W", *["0 kW"] * 60], []),
        ([*["0 kW"] * 60, NOTHING, *["0 kW"] * 60], []),
        ([*["0 kW"] * 60, "null", *["0 kW"] * 60], []),
        ([*["0 kW"] * 60, "abc", *["0 kW"] * 60], []),
    ],
)
def test_a_run_of_more_than_a_day_at_exactly_zero(values: list[str | None], expected: list[tuple[int, int]]) -> None:
    assert spans("B3.2", values) == expected


# B4.1


def test_a_meter_is_stuck_from_its_87th_value_on() -> None:
    assert spans("B4.1", ["3 kW"] * 86) == []
    assert spans("B4.1", ["3 kW"] * 87) == [(86, 86)]
    [finding] = of_rule("B4.1", readings_of(["3 kW"] * 100))
    assert slots([finding]) == [(86, 99)]
    assert finding.figures == {"usable": 96, "mean_kw": 3.0, "std_kw": 0.0, "variance_kw2": 0.0}
    assert (finding.code, finding.resolved, finding.record_id) == ("STUCK_METER", False, None)


def test_a_variance_of_exactly_the_threshold_is_not_below_it() -> None:
    # 48 times 3.1 and 48 times 2.9: mean 3, every deviation 0.1, variance 0.01.
    assert spans("B4.1", ["3.1 kW", "2.9 kW"] * 48, stuck_usable=96) == []
    assert spans("B4.1", ["3.0999 kW", "2.9 kW"] * 48, stuck_usable=96) == [(95, 95)]


@pytest.mark.parametrize("unusable", [NOTHING, "null", "abc", "-1 kW", "50 kW", "3"])
def test_nine_of_96_values_may_be_unusable(unusable: str | None) -> None:
    nine = ["3 kW", *[unusable] * 9, *["3 kW"] * 86]
    assert spans("B4.1", nine) == [(95, 95)]
    # With the first out of sight there are 86 left; a 96th slot that is usable makes 87 again.
    assert spans("B4.1", [*nine, "3 kW"]) == [(95, 96)]
    assert spans("B4.1", ["3 kW", *[unusable] * 10, *["3 kW"] * 85]) == []


def test_zero_is_usable() -> None:
    assert spans("B4.1", ["0 kW"] * 87) == [(86, 86)]


def test_a_stuck_run_ends_where_the_variance_grows_and_goes_on_over_missing_slots() -> None:
    # The 100th value lies 10 kW from the 95 others: variance 100·95/96² = 1.03 kW².
    [finding] = of_rule("B4.1", readings_of([*["3 kW"] * 99, "13 kW"]))
    assert (slots([finding]), finding.resolved) == ([(86, 98)], True)
    assert spans("B4.1", [*["3 kW"] * 96, *[NOTHING] * 9, "3 kW"]) == [(86, 105)]
    assert spans("B4.1", [*["3 kW"] * 96, *[NOTHING] * 10, "3 kW"]) == [(86, 104)]


# B4.2


def test_a_spike_is_above_mean_and_four_deviations_of_96_usable_values() -> None:
    [finding] = of_rule("B4.2", readings_of([*lively(96), "3.5001 kW"]))
    assert slots([finding]) == [(96, 96)]
    assert finding.figures == {"usable": 96, "mean_kw": 1.5, "std_kw": 0.5, "variance_kw2": 0.25, "kw": 3.5001}
    assert finding.record_id == readings_of([*lively(96), "3.5001 kW"])[-1].record_id
    assert spans("B4.2", [*lively(96), "3.5 kW"]) == []
    assert spans("B4.2", [*lively(95), "3.5001 kW"]) == []
    assert spans("B4.2", [*lively(48), NOTHING, *lively(48), "3.5001 kW"]) == [(97, 97)]


def test_a_fall_is_no_spike_and_neither_is_a_change_of_what_never_changed() -> None:
    assert spans("B4.2", [*lively(96), "-9 kW"]) == []
    assert spans("B4.2", [*["1 kW"] * 96, "9 kW"]) == []


def test_readings_out_of_range_are_spikes_but_not_part_of_a_mean() -> None:
    assert spans("B4.2", [*lively(96), "50 kW", "3.5001 kW"]) == [(96, 96), (97, 97)]
    assert spans("B4.2", [*lively(48), "-9999 kW", *lively(48), "3.5001 kW"]) == [(97, 97)]
    # The first spike is in range, and so part of what the second is measured by: threshold 3.91.
    assert spans("B4.2", [*lively(96), "4 kW", "3.6 kW"]) == [(96, 96)]


def test_a_spike_looks_back_on_672_slots_without_itself() -> None:
    old = ["40 kW", *["1 kW"] * 575, *lively(96)]
    assert len(old) == 672
    # With the 40 kW in sight the threshold is 7.22 kW, without them 2.1 kW.
    assert spans("B4.2", [*old, "7 kW"]) == []
    assert spans("B4.2", [*old, "1 kW", "7 kW"]) == [(673, 673)]


def test_a_spike_is_open_only_at_the_watermark() -> None:
    assert [each.resolved for each in of_rule("B4.2", readings_of([*lively(96), "9 kW", "49 kW"]))] == [True, False]


def test_a_spike_names_the_current_reading() -> None:
    readings = readings_of([*lively(96), "9 kW"])
    corrected = readings_of(["10 kW"], start=START + 96 * STEP)
    assert of_rule("B4.2", readings + corrected)[0].record_id == corrected[0].record_id
    # A reading that comes again is a duplicate: what is current stays so.
    assert of_rule("B4.2", readings + corrected + readings)[0].record_id == corrected[0].record_id


# B4.3


def days_of(*missing: int | None) -> list[str | None]:
    """Days of 96 slots, of which the last so many are missing."""
    values: list[str | None] = []
    for count in missing:
        values += [*lively(96 - (count or 0)), *[NOTHING] * (count or 0)]
    return values


def test_more_than_a_fifth_of_a_week_is_missing() -> None:
    other = readings_of(lively(672), meter="SM-2")
    assert of_rule("B4.3", readings_of(days_of(*[19] * 6, 20)) + other) == []
    [finding] = of_rule("B4.3", readings_of(days_of(*[19] * 5, 20, 20)) + other)
    assert slots([finding]) == [(576, 671)]
    assert finding.figures == {"missing": 135, "slots": 672, "share": 135 / 672}
    assert not finding.resolved


def test_a_young_meter_is_judged_from_96_slots_on() -> None:
    other = readings_of(lively(192), meter="SM-2")
    late = START + 96 * STEP
    assert of_rule("B4.3", readings_of(["1 kW"], start=late + STEP) + other) == []
    assert slots(of_rule("B4.3", readings_of(["1 kW"], start=late) + other)) == [(96, 191)]
    assert slots(of_rule("B4.3", readings_of(["1 kW"], start=late - STEP) + other)) == [(96, 191)]
    assert slots(of_rule("B4.3", readings_of(["1 kW"], start=START) + other)) == [(0, 191)]
    # In a grid of 100 slots a fifth is 20: not more than a fifth.
    hundred = lively(80)
    assert of_rule("B4.3", readings_of(hundred, start=late - 4 * STEP) + other) == []
    assert of_rule("B4.3", readings_of(hundred[1:], start=late - 4 * STEP) + other) != []


def test_a_failure_begins_with_its_first_day() -> None:
    # 93 slots of the meter's first day in Berlin are too few: the second is the first that is judged.
    start = datetime(2024, 5, 4, 22, 45, tzinfo=UTC)
    other = readings_of(lively(300), meter="SM-2", start=start)
    [finding] = of_rule("B4.3", readings_of(["1 kW"], start=start) + other, timezone="Europe/Berlin")
    assert (finding.window_start, finding.window_end) == (
        datetime(2024, 5, 5, 22, tzinfo=UTC),
        datetime(2024, 5, 7, 21, 45, tzinfo=UTC),
    )


def test_a_failure_begins_with_the_meter_where_that_is_later_than_the_day() -> None:
    # The day on which clocks go back has 100 slots: a meter that begins an hour late has 96 on it.
    start = datetime(2024, 10, 26, 22, tzinfo=UTC)
    late = start + 4 * STEP
    readings = readings_of(["1 kW"], start=late) + readings_of(lively(100), meter="SM-2", start=start)
    [finding] = of_rule("B4.3", readings, timezone="Europe/Berlin")
    assert (finding.window_start, finding.window_end) == (late, start + 99 * STEP)


@pytest.mark.parametrize(
    ("first", "slots_of_day"), [("2024-03-30T23:00", 92), ("2024-10-26T22:00", 100), ("2024-05-05T22:00", 96)]
)
def test_a_day_on_which_clocks_change_ends_when_its_local_day_ends(first: str, slots_of_day: int) -> None:
    start = datetime.fromisoformat(first).replace(tzinfo=UTC)
    readings = readings_of(["1 kW"], start=start) + readings_of(lively(slots_of_day), meter="SM-2", start=start)
    found = of_rule("B4.3", readings, timezone="Europe/Berlin", window_min_slots=92)
    assert slots(found, start) == [(0, slots_of_day - 1)]
    assert of_rule("B4.3", readings, timezone="Europe/Berlin", watermark=start + (slots_of_day - 2) * STEP) == []


def test_a_failure_is_over_after_a_day_that_is_none() -> None:
    readings = readings_of([*days_of(60, 0, 0, 0)])
    [finding] = of_rule("B4.3", readings)
    # 60 of 96, of 192, of 288 (20.8 %), of 384 (15.6 %).
    assert slots([finding]) == [(0, 287)]
    assert finding.figures["slots"] == 288
    assert finding.resolved
    assert not of_rule("B4.3", readings, watermark=START + 382 * STEP)[0].resolved


def test_a_day_of_a_silent_fleet_is_not_judged_and_breaks_the_run() -> None:
    found = of_rule("B4.3", readings_of(days_of(60, 96, 0)))
    assert slots(found) == [(0, 95), (192, 287)]
    assert [each.resolved for each in found] == [True, False]
    assert found[1].figures == {"missing": 156, "slots": 288, "share": 156 / 288}


def test_a_reading_of_any_meter_and_any_kind_makes_a_day_count() -> None:
    null = readings_of(["null"], meter="SM-2", start=START + 96 * STEP)
    found = of_rule("B4.3", readings_of(days_of(60, 96, 0)) + null)
    assert slots([each for each in found if each.meter_id == "SM-1"]) == [(0, 287)]


def test_a_meter_out_of_service_does_not_fail() -> None:
    readings = readings_of(["1 kW"]) + readings_of(lively(288), meter="SM-2")
    [finding] = of_rule("B4.3", readings, decommissioned={"SM-1": date(2024, 5, 7)})
    assert (slots([finding]), finding.resolved) == ([(0, 95)], True)


# Reliability and final scores


def test_reliability_is_the_share_of_usable_slots() -> None:
    values = [*lively(90), "0 kW", "null", "abc", "-1 kW", "50 kW", NOTHING]
    assert reliability(readings_of(values), date(2024, 5, 6)) == {"SM-1": 91 / 96}
    assert reliability(readings_of(values), date(2024, 5, 7)) == {}
    week = readings_of(days_of(96 - 1, *[0] * 7))
    assert reliability(week, date(2024, 5, 12)) == {"SM-1": 577 / 672}
    assert reliability(week, date(2024, 5, 13)) == {"SM-1": 1.0}


def test_reliability_of_a_young_meter_is_unknown_below_96_slots() -> None:
    day, other = date(2024, 5, 7), readings_of(lively(200), meter="SM-2")
    readings = readings_of(["1 kW"], start=START + 97 * STEP) + other
    assert reliability(readings, day) == {"SM-1": None, "SM-2": 1.0}
    assert reliability(readings, date(2024, 5, 6)) == {"SM-2": 1.0}
    assert reliability(readings_of(["1 kW"], start=START + 96 * STEP) + other, day)["SM-1"] == 1 / 96


@pytest.mark.parametrize(("missing", "expected"), [(4, (100, "A")), (5, (90, "A")), (96 - 1, (90, "A"))])
def test_final_scores_are_those_of_the_days_reliability(missing: int, expected: tuple[int, str]) -> None:
    # 92 of 96 is 95.8 %, 91 of 96 is 94.8 %.
    readings = readings_of(days_of(missing, 0))
    scores = final_scores(readings, date(2024, 5, 6))
    assert scores == {reading.record_id: expected for reading in readings[: 96 - missing]}


def test_exactly_95_percent_is_not_above() -> None:
    readings = readings_of(lively(95), start=START - 4 * STEP)
    assert reliability(readings, date(2024, 5, 6)) == {"SM-1": 0.95}
    assert set(final_scores(readings, date(2024, 5, 6)).values()) == {(90, "A")}


def test_final_scores_of_readings_that_are_not_current_and_of_an_unknown_reliability() -> None:
    start = START + STEP
    readings = readings_of(["null", "abc", "60 kW", "0 kW"], start=start) + readings_of(["5 kW", "6 kW"], start=start)
    scores = final_scores(readings, date(2024, 5, 6))
    assert list(scores.values()) == [(40, "F"), (50, "F"), (80, "B"), (80, "B"), (100, "A"), (100, "A")]


# The comparison


def as_row(finding: Finding, **changes: Any) -> dict[str, Any]:
    resolved_at = NOW if finding.resolved else None
    return {**vars(finding), "detail": {**finding.figures, "more": "x"}, "resolved_at": resolved_at, **changes}


SPIKE = [*lively(96), "9 kW"]


def test_rows_that_agree_have_no_differences() -> None:
    found = findings(readings_of([*SPIKE, *[NOTHING] * 5, *lively(9)]))
    flag = {"rule_id": "B3.1", "meter_id": "SM-1", "window_start": None}
    assert {each.rule_id for each in found} == {"B2.3", "B4.2"}
    assert compare_findings(found, [flag, *[as_row(each) for each in found][::-1]]) == []
    rounded = {name: f"{value:.6g}" for name, value in found[1].figures.items()}
    assert compare_findings(found[1:], [as_row(found[1], detail=rounded)]) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": "DEAD_METER"}, "code: expected 'ERRATIC_SPIKE'"),
        ({"window_end": NOW}, "window_end: expected"),
        ({"resolved_at": NOW}, "resolved: expected False, got True"),
        ({"record_id": None}, "record_id: expected"),
        ({"detail": {"usable": 96}}, "detail.mean_kw: expected 1.5, got None"),
        ({"window_start": NOW}, "unexpected, got"),
    ],
)
def test_a_difference_is_named(changes: dict[str, Any], words: str) -> None:
    [finding] = findings(readings_of(SPIKE))
    found = compare_findings([finding], [as_row(finding, **changes)])
    assert any(words in line for line in found)


def test_a_finding_that_is_lost_or_comes_twice_is_a_difference() -> None:
    [finding] = findings(readings_of(SPIKE))
    assert compare_findings([finding], [])[0].startswith("B4.2 SM-1 2024-05-07T00:00Z: missing")
    assert compare_findings([finding], [as_row(finding)] * 2) == ["B4.2 SM-1 2024-05-07T00:00Z: comes 2 times"]
