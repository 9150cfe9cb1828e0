import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.simulator.simulated_runs import Simulated

from greenstream.domain.errors import StorageRefused
from greenstream.simulator import PRESETS, SimulationPlan, simulate
from greenstream.simulator.faults import KINDS
from greenstream.simulator.file_plans import BATCH_ROWS, batches_of, region_ranges
from greenstream.simulator.fleet import fleet_of
from greenstream.simulator.plan import MAX_FILE_BYTES, MAX_LINE_BYTES
from greenstream.simulator.timeline import days_of

Run = Callable[[SimulationPlan], Simulated]


def contents(out: Path) -> dict[str, str]:
    files = [path for path in out.rglob("*") if path.is_file()]
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("layout", ["snapshot", "gateway-day"])
@pytest.mark.parametrize("compression", ["none", "gz", "zst"])
def test_the_same_plan_gives_the_same_bytes(layout: str, compression: str, tmp_path: Path) -> None:
    plan = SimulationPlan(meters=60, days=2, regions=2, layout=layout, compression=compression, faults=PRESETS["demo"])
    reports = [simulate(plan, tmp_path / name) for name in ("one", "two")]
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert [f.path.name for f in reports[0].files] == [f.path.name for f in reports[1].files]


def test_the_bytes_are_those_of_every_machine(simulated: Run) -> None:
    """Pinned, so that a change of library, machine or code that alters the files is noticed."""
    run = simulated(SimulationPlan(meters=120, days=2, layout="gateway-day", faults=PRESETS["demo"]))
    digest = hashlib.sha256("".join(f"{k} {v}\n" for k, v in sorted(contents(run.out).items())).encode())
    assert digest.hexdigest() == "3119e6ad5b3c99df33ad98b6e3936b8fd571dc6db7a6095f915e8a94733a2741"


def test_another_seed_gives_another_fleet(simulated: Run) -> None:
    one, two = (simulated(SimulationPlan(meters=20, days=1, regions=1, seed=seed)) for seed in (1, 2))
    assert one.lines.keys() == two.lines.keys()
    assert one.lines != two.lines


def test_files_stay_when_days_are_added(simulated: Run) -> None:
    short, long = (simulated(SimulationPlan(meters=40, days=days, regions=2)) for days in (1, 2))
    assert short.lines.items() <= long.lines.items()


def test_both_layouts_hold_the_same_readings_and_the_same_faults(simulated: Run) -> None:
    faults = {k: v for k, v in PRESETS["demo"].items() if k != "repeat_file"}
    snapshots, gateways = (
        simulated(SimulationPlan(meters=200, days=3, layout=layout, faults=faults))
        for layout in ("snapshot", "gateway-day")
    )
    rows = [sorted(line for lines in run.lines.values() for line in lines[1:]) for run in (snapshots, gateways)]
    assert rows[0] == rows[1]
    of_files = ("late_file",)
    counts = [{k: v for k, v in run.report.faults.items() if k not in of_files} for run in (snapshots, gateways)]
    assert counts[0] == counts[1]


def test_a_snapshot_holds_one_slot_of_one_region(simulated: Run) -> None:
    run = simulated(SimulationPlan(meters=200, days=1, regions=10))
    lines = run.lines["Zone7_20240315T1845Z.csv"]
    assert lines[0] == b"meter_id,timestamp,energy_value,location"
    fields = [line.decode().split(",") for line in lines[1:]]
    assert [f[0] for f in fields] == [f"SM-{n}" for n in range(10_120, 10_140)]
    assert {f[1] for f in fields} == {"2024-03-15 18:45:00"}
    assert {f[3] for f in fields} <= {"Residential_Zone_7", "Commercial_Zone_7"}
    assert len(run.lines) == 960


def test_a_gateways_day_is_in_order_of_meter_and_time(simulated: Run) -> None:
    plan = SimulationPlan(meters=90, days=2, regions=2, meters_per_gateway=20, layout="gateway-day")
    run = simulated(plan)
    assert len(run.lines) == 2 * 6
    keys = [line.split(b",")[:2] for line in run.lines["GW-0003_2024-03-16.csv"][1:]]
    assert keys == sorted(keys)
    assert len({meter for meter, _ in keys}) == 5
    assert [len(run.lines[f"GW-000{n}_2024-03-15.csv"]) for n in range(1, 7)] == [1921, 1921, 481] * 2


def test_a_meter_always_writes_its_unit_and_decimals_the_same_way(simulated: Run) -> None:
    run = simulated(SimulationPlan(meters=100, days=1, layout="gateway-day"))
    styles: dict[str, set[tuple[str, int]]] = {}
    for line in (line.decode() for lines in run.lines.values() for line in lines[1:]):
        meter, _, energy, _ = line.split(",")
        number, unit = energy.split(" ")
        styles.setdefault(meter, set()).add((unit, len(number.partition(".")[2])))
    assert all(len(style) == 1 for style in styles.values())
    assert set.union(*styles.values()) == {("W", 0), ("kW", 2), ("kW", 3), ("Watt", 0), ("Kilowatt", 3)}


@pytest.mark.parametrize(
    ("day", "slots", "missing", "twice"),
    [(date(2024, 3, 31), 92, "02:30", None), (date(2024, 10, 27), 100, None, "02:30")],
)
def test_days_on_which_the_clock_changes_have_92_and_100_slots(
    simulated: Run, day: date, slots: int, missing: str | None, twice: str | None
) -> None:
    plan = SimulationPlan(meters=3, days=1, start=day, regions=1, timezone="Europe/Berlin", layout="gateway-day")
    times = [line.decode().split(",")[1] for line in simulated(plan).lines[f"GW-0001_{day}.csv"][1:]]
    assert len(times) == 3 * slots
    assert times.count(f"{day} {missing}:00") == 0
    assert times.count(f"{day} {twice}:00") == (6 if twice else 0)


def test_snapshots_of_an_autumn_night_have_distinct_names(simulated: Run) -> None:
    plan = SimulationPlan(meters=2, days=1, start=date(2024, 10, 27), regions=1, timezone="Europe/Berlin")
    run = simulated(plan)
    assert len(run.lines) == 100
    night = [run.lines[f"Zone1_20241027T{hour}30Z.csv"][1].split(b",")[1] for hour in ("00", "01")]
    assert night == [b"2024-10-27 02:30:00"] * 2


def test_timestamps_can_be_utc(simulated: Run) -> None:
    plan = SimulationPlan(meters=1, days=1, regions=1, timezone="America/New_York", timestamps="utc")
    assert simulated(plan).lines["Zone1_20240315T0400Z.csv"][1].split(b",")[1] == b"2024-03-15T04:00:00Z"


@settings(max_examples=40, deadline=None)
@given(
    zone=st.sampled_from(["UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo"]),
    start=st.dates(date(2011, 1, 1), date(2035, 1, 1)),
    interval=st.sampled_from([5, 10, 15, 20, 30, 60]),
)
def test_the_slots_of_successive_days_follow_on_each_other(zone: str, start: date, interval: int) -> None:
    plan = SimulationPlan(days=5, start=start, timezone=zone, interval_minutes=interval)
    days = days_of(plan)
    instants = [int(i) for day in days for i in day.instants]
    assert instants == list(range(instants[0], instants[-1] + 1, interval * 60))
    assert all(i % (interval * 60) == 0 for i in instants)
    first_slots = [instants.index(int(day.instants[0])) for day in days]
    assert [day.first_slot for day in days] == first_slots


def test_files_are_reported_in_order_of_delivery_with_their_rows_and_bytes(simulated: Run) -> None:
    run = simulated(SimulationPlan(meters=200, days=3, regions=4, faults=PRESETS["demo"]))
    files = run.report.files
    assert [f.delivered_at for f in files] == sorted(f.delivered_at for f in files)
    assert {f.path.name for f in files} == set(run.lines)
    assert all(f.rows == len(run.lines[f.path.name]) - 1 for f in files)
    assert all(f.size_bytes == f.path.stat().st_size for f in files)
    assert run.report.rows == sum(f.rows for f in files)
    assert run.report.size_bytes == sum(f.size_bytes for f in files)
    manifest = (run.out / "manifest.csv").read_text().splitlines()[1:]
    assert [line.split(",")[0] for line in manifest] == [f.path.name for f in files]


def test_a_file_is_delivered_after_the_slots_it_holds(simulated: Run) -> None:
    run = simulated(SimulationPlan(meters=2, days=1, regions=1))
    for file in run.report.files:
        slot = datetime.strptime(file.path.stem, "Zone1_%Y%m%dT%H%MZ").replace(tzinfo=UTC)
        assert slot + timedelta(minutes=15) <= file.delivered_at <= slot + timedelta(minutes=30)


def test_no_line_is_longer_than_the_limit_that_bounds_the_files(simulated: Run) -> None:
    plan = SimulationPlan(
        meters=300,
        days=2,
        regions=300,
        residential_share=0.3,
        layout="gateway-day",
        timestamps="utc",
        faults=dict.fromkeys(PRESETS["demo"], 0.05),
    )
    run = simulated(plan)
    assert max(len(line) for lines in run.lines.values() for line in lines) < MAX_LINE_BYTES - 10


def test_the_largest_files_a_plan_allows_stay_within_100_mib(simulated: Run) -> None:
    most = MAX_FILE_BYTES // MAX_LINE_BYTES // 100
    plan = SimulationPlan(
        meters=most, days=1, regions=1, meters_per_gateway=most, layout="gateway-day", compression="zst"
    )
    run = simulated(plan)
    [lines] = run.lines.values()
    assert sum(len(line) + 1 for line in lines) <= MAX_FILE_BYTES


@settings(max_examples=25, deadline=None)
@given(
    meters=st.integers(1, 30),
    days=st.integers(1, 3),
    interval=st.sampled_from([15, 30, 60]),
    layout=st.sampled_from(["snapshot", "gateway-day"]),
    faults=st.dictionaries(st.sampled_from(sorted(KINDS)), st.floats(0, 1)),
    seed=st.integers(0, 2**64),
)
def test_any_plan_gives_files_whose_truth_points_into_them(
    meters: int, days: int, interval: int, layout: str, faults: dict[str, float], seed: int, simulated: Run
) -> None:
    plan = SimulationPlan(
        meters=meters,
        days=days,
        start=date(2024, 10, 26),
        timezone="Europe/Berlin",
        interval_minutes=interval,
        layout=layout,
        regions=min(meters, 3),
        meters_per_gateway=7,
        faults=faults,
        seed=seed,
    )
    run = simulated(plan)
    assert run.report.faults == Counter(row["fault"] for row in run.truth)
    for row in run.truth:
        assert row["window_start"] <= row["window_end"]
        assert not row["file"] or row["file"] in run.lines
        assert not row["line_number"] or 2 <= int(row["line_number"]) <= len(run.lines[row["file"]])
        assert not row["line_number"] or row["meter_id"].encode() in run.line(row)


def test_progress_counts_every_file_up_to_the_total(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    simulate(SimulationPlan(meters=5, days=1, regions=1), tmp_path, lambda *done: seen.append(done))
    assert seen == [(n, 96) for n in range(1, 97)]


def test_work_is_cut_into_pieces_that_do_not_grow_with_the_fleet() -> None:
    for layout in ("snapshot", "gateway-day"):
        plan = SimulationPlan(meters=120_000, days=2, regions=2, layout=layout)
        batches = list(batches_of(plan, region_ranges(fleet_of(plan)), days_of(plan)))
        rows = [sum(file.cells for file in batch.files) for batch in batches]
        assert max(rows) <= BATCH_ROWS
        assert sum(rows) == 120_000 * 192


def test_an_earlier_runs_files_are_never_mixed_with_new_ones(tmp_path: Path) -> None:
    plan = SimulationPlan(meters=2, days=1, regions=1)
    simulate(plan, tmp_path)
    before = contents(tmp_path)
    with pytest.raises(StorageRefused, match="holds files already"):
        simulate(plan, tmp_path)
    assert contents(tmp_path) == before


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageRefused, match="can't write"):
        simulate(SimulationPlan(meters=2, days=1, regions=1), tmp_path / "file")
