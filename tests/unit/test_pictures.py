from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from greenstream.entrypoints.cli.pictures import RISING, Bar, bar_of, bars, ceiling, day_curve, share

VALUES = st.lists(st.none() | st.floats(0, 1e6), min_size=1, max_size=100)


def drawn(picture: object, width: int) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(picture)
    return capture.get().splitlines()


def area(picture: object) -> list[str]:
    """The rows of a curve without its axes."""
    return [line.partition("┤" if "┤" in line else "│")[2] for line in drawn(picture, 200)[:-2]]


def test_a_curve_rises_where_the_values_do():
    assert area(day_curve([0, 1, 2, 4], columns=4, height=2)) == ["   █", " ▄██"]


def test_a_curve_names_its_scale_and_its_hours():
    lines = drawn(day_curve([3.0] * 96, columns=48, height=6), 200)
    assert lines[0].startswith("    3 ┤")
    assert lines[3].startswith("  1.5 ┤")
    assert lines[6].startswith("    0 └──")
    assert lines[7].split() == ["00:00", "06:00", "12:00", "18:00", "24:00"]


def test_a_slot_without_a_value_stays_empty():
    assert area(day_curve([2, None, 2], columns=3, height=1)) == ["█ █"]


def test_columns_show_the_mean_of_their_slots_and_leave_missing_ones_out():
    assert area(day_curve([1, 3, 4, None], columns=2, height=1)) == ["▄█"]


@given(VALUES, st.integers(1, 120), st.integers(1, 12))
def test_a_curve_has_its_size_whatever_the_values(values, columns, height):
    lines = day_curve(values, columns=columns, height=height).plain.split("\n")
    assert len(lines) == height + 2
    margin = len(lines[0]) - columns
    assert {len(line) for line in lines[:-1]} == {margin + columns}
    assert all(set(line[margin:]) <= set(RISING) for line in lines[:-2])


@given(st.floats(1e-9, 1e12))
def test_the_scale_holds_the_value_and_wastes_less_than_half(value):
    top = ceiling(value)
    assert value * (1 - 1e-6) <= top < value * 2


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=6), st.integers(60, 160))
def test_bars_fit_the_width(counts, width):
    lines = drawn(bars([Bar(label="A", count=count) for count in counts], width=width), 200)
    assert len(lines) == len(counts)
    assert max(len(line.rstrip()) for line in lines) <= width


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_what_is_there_can_be_seen(part, rest):
    assert bar_of(part, part + rest, 40).strip()
    assert share(part, part + rest) not in ("0.00 %", "100.00 %")


def test_bars_of_nothing_are_empty():
    assert [line.split() for line in drawn(bars([Bar(label="A", count=0)], width=80), 80)] == [["A", "0", "0.00", "%"]]
