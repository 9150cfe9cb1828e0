"""What holds for all files: the ledger adds up; order, split, repetition and batches don't change what is stored."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.oracle.generators import hostile_files
from tests.support.harness import HEADER, Databases, Harness

from greenstream.domain.ledger import Ledger
from greenstream.domain.readings.judge import EvaluatedFile

START = datetime(2024, 3, 15, 23, 0, tzinfo=UTC)
DEFAULT_BATCH = EvaluatedFile.readings.__defaults__
FACTS = (
    "SELECT record_id, meter_id, reading_at, energy_value, consumption_kw, location, region, customer_class, period,"
    " season, flags, quality_score, quality_grade FROM meter_readings ORDER BY record_id"
)
TABLES = (
    "greenstream.reading, greenstream.row_finding, greenstream.grade_count, greenstream.flag_count,"
    " greenstream.quarantined_row, greenstream.load, greenstream.source_file, greenstream.meter,"
    " greenstream.meter_activity, greenstream.location, greenstream.dead_letter, greenstream.alert"
)
few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def shared(databases: Databases) -> Iterator[Harness]:
    with databases.harness() as harness:
        yield harness


@contextmanager
def emptied(harness: Harness) -> Iterator[Harness]:
    harness.execute(f"TRUNCATE {TABLES} CASCADE")
    yield harness


@contextmanager
def batches_of(rows: int) -> Iterator[None]:
    EvaluatedFile.readings.__defaults__ = (rows,)
    try:
        yield
    finally:
        EvaluatedFile.readings.__defaults__ = DEFAULT_BATCH


def line_of(meter: int, slot: int, power: int) -> str:
    """The place depends on the meter alone, so that no repetition in other company differs in it."""
    instant = START + timedelta(minutes=15 * slot)
    energy = {0: "", 1: "x", 2: "0 kW"}.get(power, f"{power} kW")
    return f"SM-{meter},{instant:%Y-%m-%dT%H:%M:%SZ},{energy},Residential_Zone_{meter}\n"


lines = st.builds(line_of, st.integers(0, 3), st.integers(0, 7), st.integers(0, 5))
line_lists = st.lists(lines | st.just("broken\n"), min_size=1, max_size=40)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Lines, and the same in another order, some of them repeated, split into files."""
    first = draw(st.lists(lines, min_size=1, max_size=40))
    again = draw(st.permutations([*first, *draw(st.lists(st.sampled_from(first), max_size=10))]))
    cuts = sorted(draw(st.lists(st.integers(0, len(again)), max_size=3)))
    bounds = [0, *cuts, len(again)]
    return first, [again[begin:end] for begin, end in pairwise(bounds)]


def load(harness: Harness, files: Sequence[Sequence[str]]) -> list[Ledger]:
    return [harness.load(f"{number}.csv", HEADER + "".join(rows)).ledger for number, rows in enumerate(files)]


def facts(harness: Harness, files: Sequence[Sequence[str]], *, batch_rows: int = 1000) -> list[dict[str, Any]]:
    with emptied(harness), batches_of(batch_rows):
        load(harness, files)
        harness.assert_adds_up()
        return harness.query(FACTS)


@few
@given(file=hostile_files(max_rows=30), batch_rows=st.sampled_from([1, 3, 1000]))
def test_the_ledger_adds_up_for_whatever_comes(
    shared: Harness, file: tuple[str, bytes, dict[str, Any]], batch_rows: int
) -> None:
    name, content, kwargs = file
    assume(not name.endswith(".part"))  # an upload under way is no landed file
    with emptied(shared), batches_of(batch_rows):
        path = shared.land(name, content, received_at=kwargs["received_at"])
        shared.process(path, now=kwargs["now"])
        assert shared.query("SELECT error FROM dead_letters") == []
        shared.process(shared.land(f"x{name}", content + b"\n", received_at=kwargs["received_at"]), now=kwargs["now"])
        assert shared.query("SELECT error FROM dead_letters") == []
        shared.assert_adds_up()


@few
@given(deliveries())
def test_order_split_and_repetition_change_no_reading(
    shared: Harness, delivered: tuple[list[str], list[list[str]]]
) -> None:
    first, files = delivered
    assert facts(shared, files) == facts(shared, [first])


@few
@given(line_lists, st.integers(1, 7))
def test_borders_of_batches_change_nothing(shared: Harness, rows: list[str], batch_rows: int) -> None:
    assert facts(shared, [rows], batch_rows=batch_rows) == facts(shared, [rows])


@few
@given(line_lists, st.data())
def test_both_ways_into_the_table_give_the_same_rows(shared: Harness, rows: list[str], data: st.DataObject) -> None:
    """What is known already makes a file go by staging; without it, it is copied straight in."""
    known = data.draw(st.lists(st.sampled_from(rows), min_size=1, max_size=5))
    assert facts(shared, [known, rows], batch_rows=3) == facts(shared, [rows])


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 100])
def test_repeats_in_a_batch_across_batches_and_across_files_are_counted(harness: Harness, batch_rows: int) -> None:
    a, b, c = line_of(0, 0, 3), line_of(0, 1, 3), line_of(1, 0, 3)
    with batches_of(batch_rows):
        ledgers = load(harness, [[a, b, a, a, c, b], [c, a, c], [line_of(2, 0, 3), b, b, line_of(0, 0, 4)]])
    assert ledgers == [
        Ledger(rows=6, stored=3, duplicate=3),
        Ledger(rows=3, duplicate=3),
        Ledger(rows=4, stored=2, duplicate=2),
    ]
    harness.assert_adds_up()
