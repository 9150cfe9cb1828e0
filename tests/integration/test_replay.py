"""Rejected rows and dead letters get another chance, and the ledger still adds up."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.forking import CONTEXT
from tests.support.harness import HEADER, NOW, Databases, Harness, site_of
from tests.support.nights import Nights

from greenstream.adapters.postgres.corrections.replay import PostgresReplay
from greenstream.adapters.postgres.loading.load import PostgresLoad
from greenstream.application.corrections.context import CorrectionContext
from greenstream.application.corrections.rejudge import RejudgedDay, rejudge_days
from greenstream.application.corrections.replay import ReplayedFile, export_rows, replay_fixes, replay_rows
from greenstream.application.history.detect import detect_findings
from greenstream.application.history.settle import settle
from greenstream.domain.corrections.fixes import Fixes, read_fixes, to_csv
from greenstream.domain.corrections.rejudge import reach_of
from greenstream.domain.corrections.values import RowChoice
from greenstream.domain.ledger import Delivery, FileResult, Ledger, Outcome
from greenstream.domain.reports.rows import DeadLetter
from greenstream.domain.rules import b1_units, b5_enrichment
from greenstream.domain.site import Site

LATER = NOW + timedelta(days=30)
ALL = RowChoice()
FUTURE = "SM-1,2024-04-01 10:00:00,2 kW,Residential_Zone_1\n"
"""A row that is in the future at NOW and in the past at LATER."""
FUTURE_CODE = "TIMESTAMP_OUT_OF_RANGE"


def context(
    harness: Harness, now: datetime = LATER, *, site: Site | None = None, dry_run: bool = False
) -> CorrectionContext:
    return CorrectionContext(
        landing=harness.store,
        replays=harness.database.replays(),
        lake=harness.lake,
        site=site or harness.site,
        clock=lambda: now,
        dry_run=dry_run,
    )


def replay(harness: Harness, choice: RowChoice = ALL, **options: Any) -> list[ReplayedFile]:
    return list(replay_rows(choice, context(harness, **options)))


def fix(harness: Harness, lines: Mapping[str, Fixes], **options: Any) -> list[ReplayedFile]:
    return list(replay_fixes(lines, context(harness, **options)))


def rejudged(harness: Harness, rule: str, first: date | None = None, **options: Any) -> list[RejudgedDay]:
    return list(rejudge_days(reach_of(rule).flags, first, None, context(harness, **options)))


def raw_file(harness: Harness, path: str) -> Path:
    return harness.folder / path


# rows


def test_a_row_that_passes_now_is_a_reading_of_its_file_and_the_ledger_moves(harness: Harness) -> None:
    harness.load("a.csv", HEADER + "SM-1,2024-03-15 10:00:00,1 kW,\n" + FUTURE + "broken\n")
    path = harness.one("SELECT path FROM source_files")
    (done,) = replay(harness)
    assert done.ledger == Ledger(rows=3, stored=2, duplicate=0, rejected=1)
    assert done.changes == {(FUTURE_CODE, "OK"): 1, ("MALFORMED_ROW", "MALFORMED_ROW"): 1}
    (reading,) = harness.query(
        "SELECT source_file, processed_timestamp, region, r.line_number FROM meter_readings m"
        " JOIN greenstream.reading r ON m.record_id = encode(r.record_id, 'hex') WHERE m.energy_value = '2 kW'"
    )
    assert reading == {"source_file": path, "processed_timestamp": LATER, "region": "Zone1", "line_number": 3}
    states = harness.query("SELECT line_number, replayed_at FROM quarantined_rows ORDER BY 1")
    assert [row["replayed_at"] for row in states] == [LATER, None]
    assert harness.sums() == (3, 2, 0, 1)
    harness.assert_adds_up()


def test_replaying_twice_is_replaying_once(harness: Harness) -> None:
    harness.load("a.csv", HEADER + FUTURE)
    assert [done.stored for done in replay(harness)] == [1]
    before = harness.query("SELECT * FROM source_files")
    assert replay(harness) == []
    assert harness.query("SELECT * FROM source_files") == before
    harness.assert_adds_up()


def test_a_dry_run_says_the_same_and_changes_nothing(harness: Harness) -> None:
    harness.load("a.csv", HEADER + FUTURE + "broken\n")
    tables = ("greenstream.load", "greenstream.quarantined_row", "greenstream.day", "greenstream.source_file")
    before = [harness.one(f"SELECT json_agg(t)::text FROM {table} t") for table in tables]
    (said,) = replay(harness, dry_run=True)
    assert [harness.one(f"SELECT json_agg(t)::text FROM {table} t") for table in tables] == before
    (done,) = replay(harness)
    assert said.changes == done.changes


def test_a_row_that_came_again_meanwhile_is_a_duplicate(harness: Harness) -> None:
    harness.load("a.csv", HEADER + FUTURE)
    harness.process(harness.land("b.csv", HEADER + FUTURE + "SM-2,2024-03-15 10:00:00,1 kW,\n"), now=LATER)
    (done,) = replay(harness)
    assert (done.stored, done.duplicate) == (0, 1)
    assert done.ledger == Ledger(rows=1, duplicate=1)
    harness.assert_adds_up()


def test_a_row_that_comes_again_after_its_replay_is_a_duplicate(harness: Harness) -> None:
    harness.load("a.csv", HEADER + FUTURE)
    replay(harness)
    again = harness.process(harness.land("b.csv", HEADER + FUTURE + FUTURE), now=LATER + timedelta(seconds=1))
    assert again.ledger == Ledger(rows=2, duplicate=2)
    harness.assert_adds_up()


def test_a_row_that_fails_for_another_reason_now_says_so(harness: Harness) -> None:
    harness.load("a.csv", HEADER + FUTURE)
    (done,) = replay(harness, site=site_of(earliest_reading=datetime(2024, 5, 1, tzinfo=UTC), max_meter_id_chars=3))
    assert done.changes == {(FUTURE_CODE, "MISSING_METER_ID"): 1}
    (row,) = harness.query("SELECT code, rule_id, replayed_at FROM quarantined_rows")
    assert row == {"code": "MISSING_METER_ID", "rule_id": "parse", "replayed_at": None}
    harness.assert_adds_up()


def test_only_the_chosen_rows_are_replayed(harness: Harness) -> None:
    paths = [harness.load(f"{name}.csv", HEADER + FUTURE.replace("SM-1", name) * 2).delivery.path for name in "ab"]
    assert sum(done.rows for done in replay(harness, RowChoice(code="MALFORMED_ROW"))) == 0
    (done,) = replay(harness, RowChoice(source_file=paths[1], lines=[3]))
    assert (done.source_file, done.rows) == (paths[1], 1)
    assert harness.sums() == (4, 1, 0, 3)
    harness.assert_adds_up()


def test_a_row_is_judged_in_the_company_of_its_file(harness: Harness) -> None:
    lines = [f"SM-1,2024-04-01 10:{minute},1 kW,\n" for minute in ("00", "??", "30")]
    harness.load("a.csv", HEADER + "".join(lines))
    assert harness.sums() == (3, 0, 0, 3)
    (done,) = replay(harness, RowChoice(lines=[3]))
    assert done.changes == {("TIMESTAMP_UNRECOVERABLE", "OK"): 1}
    (reading,) = harness.query("SELECT reading_at, flags FROM meter_readings")
    assert reading == {"reading_at": datetime(2024, 4, 1, 10, 15, tzinfo=UTC), "flags": ["TIMESTAMP_INFERRED"]}
    harness.assert_adds_up()


def test_the_wall_time_of_a_repeated_hour_is_that_of_the_first_landing(databases: Databases) -> None:
    row = "SM-1,2024-10-27 02:30,1 kW,\n"
    landed = datetime(2024, 10, 27, 1, 40, tzinfo=UTC)
    with databases.harness(site_of("Europe/Berlin"), now=NOW) as harness:
        harness.load("a.csv", HEADER + row, received_at=landed)
        replay(harness, now=datetime(2024, 11, 20, tzinfo=UTC))
        assert harness.one("SELECT reading_at FROM meter_readings") == datetime(2024, 10, 27, 1, 30, tzinfo=UTC)


# fixes


def exported(harness: Harness) -> str:
    return to_csv(list(export_rows(ALL, context(harness)))).decode()


def test_an_export_that_was_fixed_is_replayed_in_the_places_of_the_rows(harness: Harness) -> None:
    semicolons = 'meter_id;timestamp;energy_value\n"SM-2;2024-03-15 10:15;1,5 kW\n'
    harness.load("a.csv", HEADER + "SM-1,2024-03-15 10:00,1 kW,\nSM-1,cut o\nSM-1,2024-03-15 10:30,1 kW,\n")
    harness.load("b.csv", semicolons)
    text = exported(harness).replace("SM-1,cut o", "SM-1,???,7 kW,").replace('""SM-2', "SM-2")
    first, second = fix(harness, read_fixes("fixed.csv", text.encode()))
    assert (first.changes, second.changes) == ({("MALFORMED_ROW", "OK"): 1},) * 2
    found = harness.query(
        "SELECT energy_value, consumption_kw::float AS kw, reading_at FROM meter_readings WHERE energy_value <> '1 kW'"
        " ORDER BY reading_at, energy_value"
    )
    quarter_past = datetime(2024, 3, 15, 10, 15, tzinfo=UTC)
    assert found == [
        {"energy_value": "1,5 kW", "kw": 1.5, "reading_at": quarter_past},
        {"energy_value": "7 kW", "kw": 7.0, "reading_at": quarter_past},
    ]
    harness.assert_adds_up()


def test_lines_that_nobody_fixed_are_as_they_came_whatever_their_bytes(harness: Harness) -> None:
    harness.load("a.csv", HEADER.encode() + b"SM-\xff,2024-03-15 10:00,1 kW,\n")
    (done,) = fix(harness, read_fixes("fixed.csv", exported(harness).encode()))
    assert done.changes == {("MALFORMED_ROW", "MALFORMED_ROW"): 1}


def test_without_its_file_a_row_waits_for_a_fix_that_has_the_header(harness: Harness) -> None:
    path = harness.load("a.csv", HEADER + FUTURE + "SM-1,???,3 kW,\n").delivery.path
    raw_file(harness, path).unlink()
    (done,) = replay(harness)
    assert "no longer in the landing zone" in str(done.trouble)
    lines = {2: FUTURE.strip(), 3: "SM-1,???,3 kW,"}
    (done,) = fix(harness, {path: Fixes(lines=lines)})
    assert done.trouble
    (done,) = fix(harness, {path: Fixes(lines=lines, header=HEADER.strip())})
    assert done.changes == {
        (FUTURE_CODE, "OK"): 1,
        ("TIMESTAMP_UNRECOVERABLE", "TIMESTAMP_UNRECOVERABLE"): 1,  # what it stood beside is gone
    }
    harness.assert_adds_up()


def test_a_file_that_was_replaced_is_no_company(harness: Harness) -> None:
    path = harness.load("a.csv", HEADER + FUTURE).delivery.path
    raw_file(harness, path).write_text(HEADER + "SM-9,2024-03-15 10:00,1 kW,\n")
    (done,) = replay(harness)
    assert done.trouble
    assert harness.sums() == (1, 0, 0, 1)


def test_a_fix_of_a_row_that_waits_no_longer_is_said(harness: Harness) -> None:
    path = harness.load("a.csv", HEADER + FUTURE).delivery.path
    replay(harness)
    (done,) = fix(harness, {path: Fixes(lines={2: FUTURE.strip()})})
    assert "1 fixed lines are about no row that waits" in str(done.trouble)


# discarding, and all together


def test_a_discarded_row_stays_rejected_and_is_not_replayed(harness: Harness) -> None:
    harness.load("a.csv", HEADER + FUTURE + "broken\n")
    counts = harness.database.replays().discard_rows(RowChoice(code=FUTURE_CODE), "a clock that is ahead", LATER)
    assert counts == {FUTURE_CODE: 1}
    (done,) = replay(harness)
    assert done.changes == {("MALFORMED_ROW", "MALFORMED_ROW"): 1}
    assert harness.sums() == (2, 0, 0, 2)
    harness.assert_adds_up()


@pytest.fixture(scope="module")
def shared(databases: Databases) -> Iterator[Harness]:
    with databases.harness() as harness:
        yield harness


row_lines = st.builds(
    lambda meter, day, kw: f"SM-{meter},2024-04-{day:02} 10:00:00,{kw} kW,\n",
    st.integers(0, 2),
    st.integers(1, 6),
    st.integers(1, 2),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("load"), st.lists(row_lines | st.just("broken\n"), min_size=1, max_size=6)),
        st.tuples(st.just("replay"), st.integers(0, 7), st.lists(st.integers(2, 7), max_size=4)),
        st.tuples(st.just("discard"), st.lists(st.integers(2, 7), max_size=3)),
    ),
    min_size=2,
    max_size=9,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps)
def test_the_ledger_adds_up_after_any_replays_and_discards(shared: Harness, steps: list[tuple[Any, ...]]) -> None:
    shared.execute(
        "TRUNCATE greenstream.reading, greenstream.row_finding, greenstream.quarantined_row,"
        " greenstream.source_file CASCADE"
    )
    now = datetime(2024, 4, 1, tzinfo=UTC)
    for number, step in enumerate([("load", [FUTURE]), *steps]):
        now += timedelta(hours=1)
        if step[0] == "load":
            shared.process(shared.land(f"{number}.csv", HEADER + "".join(step[1])), now=now)
        elif step[0] == "replay":
            replay(shared, RowChoice(lines=step[2] or None), now=now + timedelta(days=step[1]))
        else:
            shared.database.replays().discard_rows(RowChoice(lines=step[1]), None, now)
        shared.assert_adds_up()


# crashes and companions


@pytest.mark.parametrize(
    ("owner", "name"),
    [(PostgresLoad, "store"), (PostgresLoad, "sum_up"), (PostgresReplay, "close"), (PostgresReplay, "_moved")],
)
def test_a_crash_in_the_middle_leaves_nothing_half_done(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, owner: type, name: str
) -> None:
    harness.load("a.csv", HEADER + FUTURE)
    step = getattr(owner, name)

    def cut(*args: Any) -> None:
        step(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, cut)
        with pytest.raises(KeyboardInterrupt):
            replay(harness)
    assert harness.sums() == (1, 0, 0, 1)
    harness.assert_adds_up()
    assert [done.stored for done in replay(harness)] == [1]
    harness.assert_adds_up()


def _replay_apart(dsn: str, folder: Path, start: Any, answer: Any) -> None:
    harness = Harness(dsn, folder)
    harness.database.is_loaded("00" * 32)
    start.wait(60)
    answer.send(sum(done.stored + done.duplicate for done in replay(harness)))
    harness.close()


def test_two_replays_at_once_let_each_row_out_once(harness: Harness) -> None:
    harness.load("a.csv", HEADER + "".join(FUTURE.replace("SM-1", f"SM-{meter}") for meter in range(300)))
    start = CONTEXT.Barrier(2)
    pipes = [CONTEXT.Pipe(duplex=False) for _ in range(2)]
    processes = [
        CONTEXT.Process(target=_replay_apart, args=(harness.dsn, harness.folder, start, sender)) for _, sender in pipes
    ]
    for process in processes:
        process.start()
    assert sum(receiver.recv() for receiver, _ in pipes) == 300
    for process in processes:
        process.join()
    assert harness.sums() == (300, 300, 0, 0)
    harness.assert_adds_up()


# stored readings, after a rule was fixed

READINGS = "".join(
    f"SM-{meter},2024-03-{day} 10:00:00,{energy},Residential_Zone_{meter}\n"
    for meter, day, energy in ((1, 15, "3 kW"), (1, 16, "3 kVA"), (2, 15, "60 kW"), (3, 15, "12..5 kW"), (3, 16, ""))
)
DERIVED = (
    "SELECT meter_id, reading_at, consumption_kw::float AS kw, flags, quality_score, quality_grade, period"
    " FROM meter_readings ORDER BY reading_at, meter_id"
)


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Rules by which kVA are kW."""
    monkeypatch.setattr(b1_units, "KILOWATT_UNITS", ("kw", "kilowatt", "kva"))
    return monkeypatch


def test_a_fixed_rule_makes_of_flagged_readings_what_it_makes_of_new_ones(
    harness: Harness, databases: Databases, lenient: pytest.MonkeyPatch
) -> None:
    with lenient.context() as before:
        before.setattr(b1_units, "KILOWATT_UNITS", ("kw", "kilowatt"))
        harness.load("a.csv", HEADER + READINGS)
    assert rejudged(harness, "B1.2") == [
        RejudgedDay(day=date(2024, 3, 15), readings=1),
        RejudgedDay(day=date(2024, 3, 16), readings=1, changes={("INVALID_UNIT", "OK"): 1}),
    ]
    with databases.harness() as fresh:
        fresh.load("a.csv", HEADER + READINGS)
        assert harness.query(DERIVED) == fresh.query(DERIVED)
    harness.assert_adds_up()
    assert [day.changes for day in rejudged(harness, "B1.2")] == [{}]


def test_a_dry_run_of_a_fixed_rule_says_the_same_and_changes_nothing(harness: Harness) -> None:
    harness.load("a.csv", HEADER + READINGS)
    before = (
        harness.query(DERIVED),
        harness.query("SELECT * FROM greenstream.day"),
        harness.query("SELECT * FROM greenstream.load"),
    )
    site = site_of(max_kw=100)
    said = rejudged(harness, "B3.1", site=site, dry_run=True)
    assert said[0].changes == {("OUT_OF_RANGE", "OK"): 1}
    assert before == (
        harness.query(DERIVED),
        harness.query("SELECT * FROM greenstream.day"),
        harness.query("SELECT * FROM greenstream.load"),
    )
    assert rejudged(harness, "B3.1", site=site) == said
    harness.assert_adds_up()


def test_a_rule_without_flags_is_about_all_readings_of_the_days(harness: Harness) -> None:
    harness.load("a.csv", HEADER + READINGS)
    site = site_of(peak_start_hour=9)
    done = rejudged(harness, "B5.1", date(2024, 3, 15), site=site)
    assert [(day.readings, sum(day.changes.values())) for day in done] == [(3, 3), (2, 0)]
    assert harness.one("SELECT count(*) FROM meter_readings WHERE period = 'peak'") == 3
    harness.assert_adds_up()


def test_an_old_value_that_is_valid_now_does_not_outdo_its_correction(
    harness: Harness, lenient: pytest.MonkeyPatch
) -> None:
    with lenient.context() as before:
        before.setattr(b1_units, "KILOWATT_UNITS", ("kw", "kilowatt"))
        harness.load("a.csv", HEADER + "SM-1,2024-03-15 10:00,3 kVA,\n")
        harness.load("b.csv", HEADER + "SM-1,2024-03-15 10:00,4 kW,\n")
    rejudged(harness, "B1.2")
    assert harness.one("SELECT consumption_kw::float FROM current_readings") == 4.0
    assert harness.one("SELECT count(*) FROM meter_readings WHERE consumption_kw IS NULL") == 0


def test_the_comma_of_a_file_without_commas_is_still_a_decimal_one(harness: Harness) -> None:
    rows = "SM-1;2024-03-15 10:00;60,5 kW\n"
    path = harness.load("a.csv", "meter_id;timestamp;energy_value\n" + rows).delivery.path
    (done,) = rejudged(harness, "B3.1", site=site_of(max_kw=70))
    assert done.changes == {("OUT_OF_RANGE", "OK"): 1}
    raw_file(harness, path).unlink()
    (done,) = rejudged(harness, "B5.1", site=site_of(max_kw=50))
    assert (done.unknown, done.changes) == (1, {})
    harness.assert_adds_up()


def test_history_and_settling_follow(harness: Harness, lenient: pytest.MonkeyPatch) -> None:
    slots = [datetime(2024, 3, 15, tzinfo=UTC) + timedelta(minutes=15 * slot) for slot in range(97)]
    with lenient.context() as before:
        before.setattr(b1_units, "KILOWATT_UNITS", ("kw", "kilowatt"))
        harness.load("a.csv", HEADER + "".join(f"SM-1,{slot:%Y-%m-%d %H:%M},0 kVA,\n" for slot in slots))
        with harness.database.history() as history:
            settle(history, harness.lake, harness.site, date(2024, 3, 15), NOW)
    rejudged(harness, "B1.2")
    with harness.database.history() as history:
        detect_findings(history, harness.site, NOW)
    assert harness.one("SELECT count(*) FROM data_quality_log WHERE code = 'DEAD_METER'") == 1
    assert harness.one("SELECT dirty_since IS NOT NULL FROM greenstream.day WHERE day = '2024-03-15'")


# dead letters


def fail(*_: object) -> pl.Expr:
    raise ValueError("no such\nrule")


def dead_letters(harness: Harness, *, closed: bool = False) -> list[DeadLetter]:
    with harness.lists() as lists:
        return lists.dead_letters(closed=closed)


def test_a_file_that_fails_again_is_the_same_dead_letter_and_one_that_loads_closes_it(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = harness.land("a.csv", HEADER + "SM-1,2024-03-15 10:00,1 kW,\n")
    with monkeypatch.context() as patched:
        patched.setattr(b5_enrichment, "season", fail)
        harness.process(path)
        assert harness.process(path).error == "ValueError: no such rule"
    (letter,) = dead_letters(harness)
    assert (letter.error, letter.attempts) == ("ValueError: no such rule", 2)
    assert harness.one("SELECT message FROM alerts") == "ValueError: no such rule"
    assert harness.process(path).outcome is Outcome.LOADED
    assert dead_letters(harness) == []
    assert harness.one("SELECT replayed_at IS NOT NULL FROM dead_letters")
    harness.assert_adds_up()


@pytest.mark.parametrize(("content", "outcome"), [(HEADER, "loaded"), ("no header", "rejected")])
def test_a_file_that_was_given_up_unseen_has_one_line_in_the_end(harness: Harness, content: str, outcome: str) -> None:
    path = harness.land("a.csv", content)
    unseen = Delivery(path=path, size_bytes=0, received_at=LATER, sha256=None)
    result = FileResult(delivery=unseen, outcome=Outcome.FAILED, processed_at=NOW, error="4 workers died over it")
    harness.database.record(result)
    assert harness.one("SELECT error FROM dead_letters") == "4 workers died over it"
    harness.process(path)
    assert harness.query("SELECT outcome FROM source_files") == [{"outcome": outcome}]
    assert dead_letters(harness) == []


def test_a_discarded_dead_letter_is_closed_and_the_next_failure_is_a_new_one(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = harness.land("a.csv", HEADER + "SM-1,2024-03-15 10:00,1 kW,\n")
    monkeypatch.setattr(b5_enrichment, "season", fail)
    harness.process(path)
    replays = harness.database.replays()
    (letter,) = dead_letters(harness)
    assert replays.discard_dead_letter(letter.id, "a test file", LATER)
    assert not replays.discard_dead_letter(letter.id, None, LATER)
    with harness.lists() as lists:
        assert getattr(lists.dead_letter(letter.id), "discard_reason", None) == "a test file"
    harness.process(path)
    assert [each.attempts for each in dead_letters(harness, closed=True)] == [1, 1]


def test_a_row_that_is_fixed_to_one_of_an_erased_meter_isnt_taken_in_again(harness: Harness) -> None:
    harness.load("a.csv", HEADER + "SM-1,2024-03-15 10:00,1 kW,\nSM-2,2024-03-15 10:00,1 kW,\ncut o\n")
    Nights(harness).erase("SM-1")
    text = exported(harness).replace("cut o", "SM-1,2024-03-15 10:15,7 kW,")
    (done,) = fix(harness, read_fixes("fixed.csv", text.encode()))
    assert (done.rows, done.stored, done.duplicate) == (1, 0, 1)
    assert harness.query("SELECT DISTINCT meter_id FROM meter_readings") == [{"meter_id": "SM-2"}]
    assert harness.sums() == (3, 2, 1, 0)
