"""Which of several readings counts: the domain, the views and the meters' days say the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import LiteralString

import polars as pl
import psycopg
import pytest
from tests.support.harness import HEADER, NOW, Harness

from greenstream.adapters.postgres.history.meter_days import MeterDays
from greenstream.domain.codes import Flag
from greenstream.domain.readings.current import LATENESS, precedence, with_current

SLOT = datetime(2024, 3, 15, 10, 0, tzinfo=UTC)
ADD_LOAD: LiteralString = """
    INSERT INTO greenstream.load (source_file_id, processed_at, pipeline_version) VALUES (%s, %s, '1') RETURNING load_id
"""
ADD_READING: LiteralString = """
    INSERT INTO greenstream.reading
    SELECT
        %(reading_at)s, %(load_id)s, %(power)s, meter_key, location_key, %(line_number)s, %(flags)s, 100, 0, 0, 0,
        int8send(%(number)s), 'text', true
    FROM greenstream.meter
"""
Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True)
class Contest:
    """Readings of one meter and slot, each with a record_id of its own: all ways in which they can differ."""

    connection: Connection
    meter_key: int
    rows: pl.DataFrame


@pytest.fixture
def contest(harness: Harness) -> Iterator[Contest]:
    harness.load("first.csv", HEADER + "SM-1,2024-03-15 10:00,1 kW,\n")
    harness.load("second.csv", HEADER + "SM-1,2024-03-15 10:15,1 kW,\n")
    with psycopg.connect(harness.dsn, autocommit=True) as connection:
        connection.execute("SET timezone TO 'UTC'")
        connection.execute("DELETE FROM greenstream.reading")
        rows = pl.DataFrame(ways(connection))
        connection.cursor().executemany(ADD_READING, rows.to_dicts())
        yield Contest(connection, 1, rows)


def ways(connection: Connection) -> Iterator[dict[str, object]]:
    """Good and less good ones of two files, each processed at two times, two lines of each."""
    flags = (Flag.INVALID_VALUE.bit, Flag.TIMESTAMP_INFERRED.bit)
    loads = list(product((1, 2), (NOW, NOW + timedelta(hours=1))))
    keys = [connection.execute(ADD_LOAD, load).fetchone() or () for load in loads]
    every = product((True, False), flags, range(len(loads)), (2, 3))
    for number, (has_power, flag, load, line) in enumerate(every):
        (load_id,) = keys[load]
        file, at = loads[load]
        yield {
            "number": number,
            "reading_at": SLOT + timedelta(seconds=number),
            "power": number if has_power else None,
            "flags": flag,
            "processed_timestamp": at,
            "source_file_id": file,
            "line_number": line,
            "load_id": load_id,
        }


@pytest.mark.parametrize(("name", "columns"), [("precedence", list(precedence())), ("lateness", list(LATENESS))])
def test_the_views_order_has_the_domains_columns(harness: Harness, name: str, columns: list[str]) -> None:
    attributes = harness.query(
        "SELECT a.attname FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid"
        " WHERE t.typnamespace = 'greenstream'::regnamespace AND t.typname = %s ORDER BY a.attnum",
        name,
    )
    assert [row["attname"] for row in attributes] == columns


def test_any_two_readings_are_in_the_same_order(contest: Contest) -> None:
    ranked = contest.connection.execute(
        "SELECT ('x' || encode(record_id, 'hex'))::bit(64)::bigint FROM greenstream.ranked_reading ORDER BY precedence"
    ).fetchall()
    assert len(ranked) == 32
    assert [number for (number,) in ranked] == contest.rows.sort(*precedence().values())["number"].to_list()


def test_each_reading_is_current_once_those_before_it_are_gone(harness: Harness, contest: Contest) -> None:
    rest = contest.rows.with_columns(meter_id=pl.lit("SM-1"), slot=pl.lit(0))
    while rest.height:
        (number,) = with_current(rest).filter("is_current")["number"]
        (power,) = with_current(rest).filter("is_current")["power"]
        assert viewed(contest.connection) == [number]
        assert remembered(harness, contest) == (-2 if power is None else power)
        contest.connection.execute("DELETE FROM greenstream.reading WHERE record_id = int8send(%s)", [number])
        rest = rest.filter(pl.col("number") != number)


def viewed(connection: Connection) -> list[object]:
    found = connection.execute("SELECT ('x' || record_id)::bit(64)::bigint FROM current_readings").fetchall()
    return [number for (number,) in found]


def remembered(harness: Harness, contest: Contest) -> int:
    """The slot's value in the meter's day, once that is derived anew."""
    day, slot = date(2024, 3, 15), int(SLOT.timestamp()) // 900
    touched = pl.DataFrame({"day": [day], "meter": [contest.meter_key], "first": [slot], "last": [slot]})
    with contest.connection.transaction():
        days = MeterDays(contest.connection, harness.site)
        days.refresh(touched)
        keys = touched["meter"].to_numpy()
        (read,) = days.read(keys, day, day)
    return int(read.values[0, slot - read.slots.start])
