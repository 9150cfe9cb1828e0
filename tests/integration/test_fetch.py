"""What the helpers for named queries give."""

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from tests.support.harness import NOW, Harness

from greenstream.adapters.postgres.base.connection import Connection, connect
from greenstream.adapters.postgres.base.fetch import (
    all_rows,
    column,
    mappings,
    objects,
    one,
    one_or_none,
    run,
    scalar,
    scalar_or_none,
)
from greenstream.domain.lake.lifetimes import DayFacts

DAYS = [date(2024, 3, 1), date(2024, 3, 2)]


@pytest.fixture
def connection(harness: Harness) -> Iterator[Connection]:
    with connect(harness.dsn) as connection:
        run(connection, "storing.touch_days", days=DAYS, now=NOW)
        yield connection


def test_a_statement_tells_how_many_rows_it_was_about(connection: Connection) -> None:
    assert run(connection, "retention.mark", day=DAYS[0], now=NOW) == 1
    assert run(connection, "retention.mark", day=date(2024, 1, 1), now=NOW) == 0


def test_rows_come_as_tuples_values_objects_or_by_name(connection: Connection) -> None:
    assert all_rows(connection, "alerts.dirty_days") == [(day, NOW) for day in DAYS]
    assert column(connection, "archive.verify_days", date) == DAYS
    assert mappings(connection, "alerts.dirty_days")[0] == {"day": DAYS[0], "dirty_since": NOW}
    (facts,) = objects(connection, "archive.facts", DayFacts, day=DAYS[0])
    assert (facts.day, facts.settled_at) == (DAYS[0], None)


def test_the_only_row_is_there_or_the_query_is_wrong(connection: Connection) -> None:
    assert one(connection, "archive.facts", day=DAYS[0])[0] == DAYS[0]
    assert one_or_none(connection, "archive.facts", day=date(2024, 1, 1)) is None
    with pytest.raises(LookupError, match=r"archive\.facts has no row"):
        one(connection, "archive.facts", day=date(2024, 1, 1))


def test_a_value_has_the_type_that_was_said(connection: Connection) -> None:
    assert scalar(connection, "deliveries.is_loaded", bool, sha256=b"") is False
    assert scalar_or_none(connection, "waiting_files.oldest", date) is None
    assert scalar_or_none(connection, "settling.lock_day", date, day=date(2024, 1, 1)) is None
    with pytest.raises(TypeError, match=r"schema\.version gave '\d+', not a value of int"):
        scalar(connection, "schema.version", int)


def test_values_are_bound_whatever_their_names(connection: Connection) -> None:
    assert scalar(connection, "backups.lock", bool, name="a")
    with pytest.raises(psycopg.ProgrammingError):
        run(connection, "backups.lock", connection="b")
