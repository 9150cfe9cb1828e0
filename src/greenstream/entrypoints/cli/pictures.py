"""Pictures of numbers, made of characters: they say the same without colours."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.table import Table
from rich.text import Text

SIDEWAYS = " ▏▎▍▌▋▊▉█"
RISING = " ▁▂▃▄▅▆▇█"
MARGIN = 5  # for the numbers of the scale
HOURS = (0, 6, 12, 18, 24)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """`style` is a style of rich."""

    label: str
    count: int
    style: str = ""


def bars(items: Sequence[Bar], *, width: int) -> Table:
    """A row a bar: label, bar, count, share of all; at most `width` columns in all."""
    total, largest = sum(item.count for item in items), max((item.count for item in items), default=0)
    beside = max((len(f"{item.label}{item.count:,}") for item in items), default=0) + len("> 99.99 %") + 6
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for item in items:
        bar = Text(bar_of(item.count, largest, max(width - beside, 8)), style=item.style)
        table.add_row(item.label, bar, f"{item.count:,}", share(item.count, total))
    return table


def bar_of(value: float, largest: float, width: int) -> str:
    """A bar of up to `width` characters, in eighths of one; anything above 0 can be seen."""
    eighths = math.ceil(8 * width * value / largest) if largest > 0 else 0
    return (SIDEWAYS[8] * (eighths // 8) + SIDEWAYS[eighths % 8]).rstrip()


def share(part: int, whole: int) -> str:
    """In per cent; what is there never shows as nothing, nor a part as the whole.

    >>> share(1, 1_000_000), share(999_999, 1_000_000), share(1, 4)
    ('< 0.01 %', '> 99.99 %', '25.00 %')
    """
    percent = 100 * part / whole if whole else 0.0
    if part and percent < 0.01:
        return "< 0.01 %"
    if part != whole and percent > 99.99:
        return "> 99.99 %"
    return f"{percent:.2f} %"


def day_curve(values: Sequence[float | None], *, columns: int, height: int, style: str = "") -> Text:
    """The course of a day as an area over its hours, with axes: `height` rows, `columns` wide beside the axis.

    `values` are means of equal parts of the day, None where there is none; the scale begins at 0.
    """
    means = [_mean(part) for part in _parts(values, columns)]
    top = ceiling(max((value for value in means if value is not None), default=0.0))
    labels = {row: f"{top * (height - row) / height:.4g}" for row in (0, height // 2, height)}
    margin = max(MARGIN, *map(len, labels.values()))
    picture = Text(no_wrap=True)
    for row in range(height):
        label = labels.get(row, "")
        picture.append(f"{label:>{margin}} {'┤' if label else '│'}")
        picture.append(_row(means, top, height - 1 - row, height) + "\n", style=style)
    picture.append(f"{labels[height]:>{margin}} └{'─' * columns}\n")
    return picture.append(_hours(columns, margin + 2))


def ceiling(value: float) -> float:
    """The next round number: 1, 1.2, 1.6, 2, 3, 4, 5, 6, 8 or 10 times a power of ten.

    >>> ceiling(1.13), ceiling(10.05), ceiling(0)
    (1.2, 12.0, 1.0)
    """
    if value < 1e-9:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    steps = [float(f"{step * power:.6g}") for step in (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10)]
    return next(step for step in steps if step >= value * (1 - 1e-9))


def _parts(values: Sequence[float | None], count: int) -> list[Sequence[float | None]]:
    """`count` neighbouring parts of at least one value, the same one again where there are fewer values."""
    edges = [i * len(values) // count for i in range(count + 1)]
    return [values[start : max(end, start + 1)] for start, end in pairwise(edges)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _row(means: Sequence[float | None], top: float, below: int, height: int) -> str:
    """One line of the area, with `below` of the `height` lines under it."""
    eighths = [round(8 * height * (value or 0.0) / top) - 8 * below for value in means]
    return "".join(RISING[min(max(filled, 0), 8)] for filled in eighths)


def _hours(columns: int, margin: int) -> str:
    line = [" "] * (margin + columns + 3)
    for hour in HOURS:
        start = margin + columns * hour // 24 - 2
        line[start : start + 5] = f"{hour:02d}:00"
    return "".join(line).rstrip()
