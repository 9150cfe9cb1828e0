"""What can't be provoked on a good machine: the judgements, given the numbers."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import available_timezones

from hypothesis import given
from hypothesis import strategies as st

from greenstream.domain.reports.doctor import Level
from greenstream.entrypoints.cli.doctor.configuration import telling_instants
from greenstream.entrypoints.cli.doctor.finding import examined, ok
from greenstream.entrypoints.cli.doctor.machine import GIB, clock, disk

NOW = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)


def levels(free_gib: float, total_gib: float) -> Level:
    return disk(Path("/"), int(free_gib * GIB), int(total_gib * GIB)).level


def test_a_disk_is_judged_by_its_free_space():
    assert levels(50, 100) is Level.OK
    assert levels(9, 100) is Level.WARNING  # below 10 %
    assert levels(4.9, 20) is Level.WARNING  # below 5 GiB
    assert levels(0.9, 5) is Level.FAULT


def test_a_clock_before_the_program_was_written_is_a_fault():
    assert [finding.level for finding in clock(datetime(2020, 1, 1, tzinfo=UTC))] == [Level.FAULT]
    assert [finding.level for finding in clock(NOW)] == [Level.OK]


def test_a_check_that_raises_is_a_fault_and_what_it_said_before_stays():
    def broken():
        yield ok("disk", "fine")
        raise RuntimeError("the\nplatter is gone")

    first, second = examined("disk", broken, mend="buy another one")
    assert first == ok("disk", "fine")
    assert (second.level, second.found, second.mend) == (
        Level.FAULT,
        "RuntimeError: the platter is gone",
        "buy another one",
    )


def test_the_hours_around_both_changes_of_clocks_tell_zones_apart():
    assert telling_instants("Europe/Berlin", NOW) == [
        datetime(2027, 3, 28, 0, tzinfo=UTC),
        datetime(2027, 3, 28, 1, tzinfo=UTC),
        datetime(2027, 10, 31, 0, tzinfo=UTC),
        datetime(2027, 10, 31, 1, tzinfo=UTC),
    ]


@given(st.sampled_from(sorted(available_timezones())))
def test_every_zone_has_an_instant_to_compare(timezone):
    assert telling_instants(timezone, NOW)
