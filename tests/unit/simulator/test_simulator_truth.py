"""What truth.csv says is where the faults are: checked against the files, and against the same fleet undisturbed."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from tests.unit.simulator.simulated_runs import Simulated

from greenstream.simulator import PRESETS, SimulationPlan, without
from greenstream.simulator.faults import FILE_FAULTS, KINDS, ROW_FAULTS, WINDOW_FAULTS

Key = tuple[str, datetime]
STEP = timedelta(minutes=15)
ENERGY = re.compile(rb"\d+(\.\d+)? (W|kW|Watt|Kilowatt)")
OUTAGES = ("silent", "communication_failure")


@pytest.fixture(scope="module", params=["snapshot", "gateway-day"])
def faulty(request: pytest.FixtureRequest, simulated: Callable[[SimulationPlan], Simulated]) -> Simulated:
    layout = request.param
    return simulated(SimulationPlan(meters=200, days=3, layout=layout, meters_per_gateway=20, faults=PRESETS["demo"]))


@pytest.fixture(scope="module")
def clean(faulty: Simulated, simulated: Callable[[SimulationPlan], Simulated]) -> Simulated:
    return simulated(replace(faulty.plan, faults={}))


def instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def window(row: dict[str, str]) -> list[datetime]:
    first, last = instant(row["window_start"]), instant(row["window_end"])
    return [first + STEP * n for n in range((last - first) // STEP + 1)]


def key(line: bytes) -> Key:
    meter, time, *_ = line.decode().split(",")
    return meter, moment(time)


@cache
def moment(text: str) -> datetime:
    """Of the few there are in a fleet's lines, each is read once."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def keys(row: dict[str, str]) -> list[Key]:
    return [(row["meter_id"], slot) for slot in window(row)]


def kilowatts(line: bytes) -> float:
    number, unit = line.split(b",")[2].split()
    return float(number) / (1000 if unit in (b"W", b"Watt") else 1)


def readings(run: Simulated) -> dict[Key, bytes]:
    """The line of each meter and slot, in an undisturbed run."""
    return {key(line): line for lines in run.lines.values() for line in lines[1:]}


def present(run: Simulated) -> dict[Key, list[bytes]]:
    """The lines of each meter and slot that no truth line points at; repeats and corrections aside."""
    pointed = {(row["file"], int(row["line_number"])) for row in run.truth if row["line_number"]}
    found: dict[Key, list[bytes]] = {}
    for name, lines in run.lines.items():
        if "_resend" not in name and not name.startswith("Corrections"):
            for number, line in enumerate(lines[1:], start=2):
                if (name, number) not in pointed:
                    found.setdefault(key(line), []).append(line)
    return found


def test_every_kind_occurs_in_a_small_fleet(faulty: Simulated) -> None:
    assert set(faulty.report.faults) == set(KINDS)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_every_kind_occurs_whatever_the_seed(seed: int, simulated: Callable[[SimulationPlan], Simulated]) -> None:
    plan = SimulationPlan(seed=seed, layout="gateway-day", meters_per_gateway=20, faults=PRESETS["demo"])
    assert set(simulated(plan).report.faults) == set(KINDS)


def test_the_reports_counts_are_the_truths_lines(faulty: Simulated) -> None:
    assert faulty.report.faults == Counter(row["fault"] for row in faulty.truth)


def test_outside_of_the_truth_everything_is_as_in_an_undisturbed_fleet(faulty: Simulated, clean: Simulated) -> None:
    undisturbed = readings(clean)
    expected = {k: [line] for k, line in undisturbed.items()}
    for row in faulty.truth:
        name = row["fault"]
        replaced = name in ROW_FAULTS and name not in ("repeat_row", "correction")
        if replaced or name in WINDOW_FAULTS:
            for k in keys(row):
                expected.pop(k)
    found = present(faulty)
    for row in faulty.of("stuck") + faulty.of("dead") + faulty.of("communication_failure"):
        for k in keys(row):
            found.pop(k, None)
    assert found == expected


def test_windows_of_a_meter_never_overlap(faulty: Simulated) -> None:
    lasting = [row for row in faulty.truth if row["fault"] in WINDOW_FAULTS]
    assert max(Counter(k for row in lasting for k in keys(row)).values()) == 1


def test_wrong_units_keep_the_number(faulty: Simulated, clean: Simulated) -> None:
    undisturbed = readings(clean)
    for row in faulty.of("wrong_unit"):
        was, line = undisturbed[keys(row)[0]].split(b","), faulty.line(row).split(b",")
        number, _, unit = line[2].partition(b" ")
        assert unit in (b"Volts", b"MW", b"kWh", b"")
        assert number == was[2].split()[0]
        assert line[:2] + line[3:] == was[:2] + was[3:]
        assert line[2].decode() in row["detail"]


def test_invalid_values_are_no_numbers(faulty: Simulated) -> None:
    for row in faulty.of("invalid_value"):
        line = faulty.line(row)
        assert [key(line)] == keys(row)
        assert not ENERGY.fullmatch(line.split(b",")[2])


def test_nulls_are_null_tokens(faulty: Simulated) -> None:
    tokens = {"", "null", "none", "nan", "na", "n/a", "-"}
    found = {faulty.line(row).decode().split(",")[2].lower() for row in faulty.of("null_energy")}
    assert found == tokens
    assert all([key(faulty.line(row))] == keys(row) for row in faulty.of("null_energy"))


def test_corrupt_timestamps_cannot_be_read(faulty: Simulated, clean: Simulated) -> None:
    undisturbed = readings(clean)
    for row in faulty.of("corrupt_timestamp"):
        meter, time, *rest = faulty.line(row).split(b",")
        was = undisturbed[keys(row)[0]].split(b",")
        assert [meter, *rest] == [was[0], *was[2:]]
        with pytest.raises(ValueError, match=r"isoformat|range|month"):
            datetime.fromisoformat(time.decode())


def test_a_reset_clock_runs_on_from_a_new_year_long_gone(faulty: Simulated) -> None:
    runs: dict[tuple[str, int], list[timedelta]] = {}
    for row in faulty.of("clock_reset"):
        meter, shown = key(faulty.line(row))
        assert meter == row["meter_id"]
        assert shown.year in (1970, 1980, 2000)
        runs.setdefault((meter, shown.year), []).append(instant(row["window_start"]) - shown)
    assert all(len(set(offsets)) == 1 and len(offsets) >= 3 for offsets in runs.values())


def test_a_fast_clock_is_ahead_of_any_time_of_processing(faulty: Simulated) -> None:
    for row in faulty.of("future_clock"):
        meter, shown = key(faulty.line(row))
        assert meter == row["meter_id"]
        assert shown.year > 2100
        assert (shown - instant(row["window_start"])) % timedelta(days=1) == timedelta(0)


def test_spikes_are_far_above_four_deviations(faulty: Simulated, clean: Simulated) -> None:
    history: dict[str, list[float]] = {}
    for (meter, _), line in readings(clean).items():
        history.setdefault(meter, []).append(kilowatts(line))
    heights = []
    for row in faulty.of("spike"):
        values = history[row["meter_id"]]
        mean = sum(values) / len(values)
        deviation = (sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5
        line = faulty.line(row)
        assert [key(line)] == keys(row)
        assert kilowatts(line) > 1.5 * (mean + 4 * deviation)
        heights.append(kilowatts(line))
    assert min(heights) < 50 < max(heights)


@pytest.mark.parametrize("fault", ["stuck", "dead"])
def test_stuck_and_dead_meters_repeat_one_value_for_more_than_a_day(faulty: Simulated, fault: str) -> None:
    found = present(faulty)
    for row in faulty.of(fault):
        energies = [line.split(b",")[2] for k in keys(row) for line in found[k]]
        assert len(energies) == len(keys(row)) > 96
        assert len(set(energies)) == 1
        assert (float(energies[0].split()[0]) == 0) == (fault == "dead")


def test_stuck_meters_cross_midnight(faulty: Simulated) -> None:
    assert all(len({slot.date() for slot in window(row)}) > 1 for row in faulty.of("stuck"))


def test_silent_meters_send_nothing_for_five_slots_and_more(faulty: Simulated) -> None:
    found = present(faulty)
    for row in faulty.of("silent"):
        assert len(window(row)) >= 5
        assert not any(k in found for k in keys(row))


def test_gaps_are_single_missing_rows(faulty: Simulated) -> None:
    found = present(faulty)
    for row in faulty.of("gap"):
        assert len(keys(row)) == 1
        assert keys(row)[0] not in found
        assert row["file"] in faulty.lines
        assert row["line_number"] == ""


def test_failing_communication_misses_more_than_a_fifth_of_whole_days(faulty: Simulated, clean: Simulated) -> None:
    undisturbed, found = readings(clean), present(faulty)
    for row in faulty.of("communication_failure"):
        missing = [k for k in keys(row) if k not in found]
        assert row["detail"] == f"{len(missing)} of {len(window(row))} slots missing"
        assert len(missing) > 0.2 * len(window(row))
        assert len(window(row)) == 3 * 96
        assert all(found[k] == [undisturbed[k]] for k in keys(row) if k in found)


def test_malformed_lines_are_no_records(faulty: Simulated) -> None:
    seen = set()
    for row in faulty.of("malformed_line"):
        line = faulty.line(row)
        seen.add(row["detail"])
        assert row["meter_id"].encode() in line
        assert {
            "too few fields": line.count(b",") < 3,
            "too many fields": line.count(b",") > 3,
            "open quote": line.count(b'"') == 1,
            "byte FF": b"\xff" in line,
            "control character 07": b"\x07" in line,
            "control character 00": b"\x00" in line,
        }[row["detail"]]
    assert len(seen) == 6


def test_repeated_rows_stand_behind_their_original(faulty: Simulated) -> None:
    for row in faulty.of("repeat_row"):
        lines, number = faulty.lines[row["file"]], int(row["line_number"])
        assert lines[number - 1] == lines[number - 2]
        assert [key(lines[number - 1])] == keys(row)


def test_corrections_are_other_values_in_a_later_file(faulty: Simulated, clean: Simulated) -> None:
    arrival: dict[str, datetime] = {}
    for file in faulty.report.files:
        arrival.setdefault(file.path.name, file.delivered_at)
    latest = max(at for name, at in arrival.items() if not name.startswith("Corrections"))
    undisturbed = readings(clean)
    for row in faulty.of("correction"):
        line = faulty.line(row)
        assert [key(line)] == keys(row)
        assert line != undisturbed[keys(row)[0]]
        assert arrival[row["file"]] > instant(row["window_end"]) + timedelta(days=3)
    assert max(at for name, at in arrival.items() if name.startswith("Corrections")) > latest


def test_repeated_files_have_the_content_of_an_earlier_one(faulty: Simulated) -> None:
    arrivals = Counter(file.path.name for file in faulty.report.files)
    again = {name for name, count in arrivals.items() if count > 1}
    same_name = [row for row in faulty.of("repeat_file") if row["detail"] == "same name"]
    renamed = [row for row in faulty.of("repeat_file") if row["detail"] != "same name"]
    assert {row["file"] for row in same_name} == again
    assert {row["file"] for row in renamed} == {name for name in faulty.lines if "_resend" in name}
    for row in renamed:
        assert faulty.lines[row["file"]] == faulty.lines[row["detail"].removeprefix("content of ")]


def test_late_files_arrive_after_newer_ones(faulty: Simulated, clean: Simulated) -> None:
    planned = {file.path.name: file.delivered_at for file in clean.report.files}
    arrivals = reversed(list(enumerate(file.path.name for file in faulty.report.files)))
    order = {name: position for position, name in arrivals}
    late = faulty.of("late_file")
    for row in late:
        name = row["file"]
        delay = next(f.delivered_at for f in faulty.report.files if f.path.name == name) - planned[name]
        assert row["detail"] == f"{delay.total_seconds() / 3600:.2f} h late"
        newer = [other for other, at in planned.items() if planned[name] < at < planned[name] + delay]
        punctual = [other for other in newer if other not in {r["file"] for r in late}]
        assert all(order[other] < order[name] for other in punctual)
    assert late


def test_a_files_truth_spans_the_slots_in_it(faulty: Simulated, clean: Simulated) -> None:
    for row in (row for row in faulty.truth if row["fault"] in FILE_FAULTS):
        name = row["detail"].removeprefix("content of ") if "content of" in row["detail"] else row["file"]
        slots = [key(line)[1] for line in clean.lines[name][1:]]
        assert (min(slots), max(slots)) == (window(row)[0], window(row)[-1])
        assert row["meter_id"] == row["line_number"] == ""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_that_is_switched_off_does_not_occur_and_the_others_do(
    kind: str, simulated: Callable[[SimulationPlan], Simulated]
) -> None:
    plan = SimulationPlan(layout="gateway-day", meters_per_gateway=20, faults=without(PRESETS["demo"], kind))
    assert set(simulated(plan).report.faults) == set(KINDS) - {kind}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_can_occur_alone(kind: str, simulated: Callable[[SimulationPlan], Simulated]) -> None:
    plan = SimulationPlan(layout="gateway-day", faults={kind: PRESETS["demo"][kind]})
    assert set(simulated(plan).report.faults) == {kind}


def test_faults_longer_than_the_plan_do_not_occur(simulated: Callable[[SimulationPlan], Simulated]) -> None:
    plan = SimulationPlan(days=1, layout="gateway-day", faults=PRESETS["demo"])
    assert set(KINDS) - set(simulated(plan).report.faults) == {"stuck", "dead", "communication_failure"}


def test_the_default_preset_touches_one_to_two_rows_in_a_hundred(
    simulated: Callable[[SimulationPlan], Simulated],
) -> None:
    plan = SimulationPlan(meters=1000, days=7, layout="gateway-day", meters_per_gateway=100, faults=PRESETS["default"])
    run = simulated(plan)
    touched = sum(len(window(row)) for row in run.truth if row["fault"] not in FILE_FAULTS)
    assert 0.01 < touched / (1000 * 7 * 96) < 0.02


def test_windows_and_lines_stay_exact_where_the_clock_changes(
    simulated: Callable[[SimulationPlan], Simulated],
) -> None:
    plan = SimulationPlan(
        meters=100,
        start=datetime(2024, 10, 26, tzinfo=UTC).date(),
        timezone="Europe/Berlin",
        timestamps="utc",
        layout="gateway-day",
        faults=PRESETS["demo"],
    )
    run = simulated(plan)
    for row in (row for row in run.truth if row["fault"] in ("null_energy", "repeat_row", "spike", "wrong_unit")):
        meter, time, *_ = run.line(row).decode().split(",")
        assert (meter, time) == (row["meter_id"], row["window_start"])
    assert any(len(window(row)) == 96 + 100 + 96 for row in run.of("communication_failure"))
