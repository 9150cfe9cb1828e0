"""Pictures of numbers, made of characters: they read without colours, and without UTF-8 too."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

FINE = " ▏▎▍▌▋▊▉█"
RISING = " ▁▂▃▄▅▆▇█"
COARSE = "    #####"
AXIS_WIDTH = 7
HOURS = (0, 6, 12, 18, 24)


@dataclass(frozen=True, kw_only=True)
class Bar:
    label: str
    count: int
    style: str = ""


def bars(items: Sequence[Bar], *, width: int, plain: bool = False) -> Table:
    """A row a bar: label, bar, count, share of all; `width` columns at most, `plain` for ASCII alone."""
    total, largest = sum(item.count for item in items), max((item.count for item in items), default=0)
    counts = [f"{item.count:,}" for item in items]
    taken = max((len(item.label) for item in items), default=0) + max(map(len, counts), default=0) + len("100.00 %") + 6
    table = Table.grid(padding=(0, 2))
    for name, justify in (("label", "left"), ("bar", "left"), ("count", "right"), ("share", "right")):
        table.add_column(name, justify="right" if justify == "right" else "left", no_wrap=True)
    for item, count in zip(items, counts, strict=True):
        bar = Text(strip(item.count, largest, max(width - taken, 8), plain=plain), style=item.style)
        table.add_row(item.label, bar, count, share(item.count, total))
    return table


def strip(value: float, largest: float, width: int, *, plain: bool = False) -> str:
    """A bar of up to `width` characters, in eighths of one; anything above 0 can be seen."""
    eighths = math.ceil(8 * width * value / largest) if largest > 0 else 0
    full, rest = divmod(eighths, 8)
    blocks = COARSE if plain else FINE
    if plain and 0 < eighths < 8:
        return blocks[8]
    return (blocks[8] * full + blocks[rest]).rstrip()


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


def day_curve(values: Sequence[float | None], *, columns: int, height: int, style: str, plain: bool = False) -> Text:
    """The course of a day as an area over its hours, with axes; `height` rows, `columns` wide beside the axis.

    `values` are means of equal parts of the day, None where there is none; the scale begins at 0.
    """
    heights = [_mean(part) for part in _parts(values, columns)]
    top = ceiling(max((value for value in heights if value is not None), default=0.0))
    picture = Text(no_wrap=True)
    for row in range(height):
        label = _number(top * (height - row) / height) if row in (0, height // 2) else ""
        picture.append(_axis(label, "|" if plain else "┤" if label else "│"))
        picture.append(_row(heights, top, height - 1 - row, height, COARSE if plain else RISING), style=style)
        picture.append("\n")
    picture.append(_axis("0", "+" if plain else "└") + ("-" if plain else "─") * columns + "\n")
    picture.append(_hours(columns))
    return picture


def ceiling(value: float) -> float:
    """The next round number: 1, 1.2, 1.6, 2, 3, 4, 5, 6, 8 or 10 times a power of ten.

    >>> ceiling(1.13), ceiling(10.05), ceiling(0)
    (1.2, 12.0, 1.0)
    """
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    steps = (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10)
    return next(float(f"{step * power:.6g}") for step in steps if step * power >= value * (1 - 1e-9))


def _parts(values: Sequence[float | None], count: int) -> list[Sequence[float | None]]:
    """`count` neighbouring parts, overlapping where there are fewer values than that."""
    edges = [i * len(values) // count for i in range(count + 1)]
    return [values[start : max(end, start + 1)] for start, end in zip(edges[:-1], edges[1:], strict=True)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _row(heights: Sequence[float | None], top: float, below: int, height: int, blocks: str) -> str:
    """One line of the area: each column's filling between `below` and `below + 1` of `height` lines."""
    eighths = [0 if value is None else round(8 * height * value / top) - 8 * below for value in heights]
    return "".join(blocks[min(max(filled, 0), 8)] for filled in eighths)


def _axis(label: str, line: str) -> str:
    return f"{label:>{AXIS_WIDTH - 2}} {line}"


def _number(value: float) -> str:
    return f"{value:.3g}"


def _hours(columns: int) -> str:
    line = [" "] * (AXIS_WIDTH + columns + 3)
    for hour in HOURS:
        text = f"{hour:02d}:00"
        start = AXIS_WIDTH + columns * hour // 24 - 2
        line[start : start + len(text)] = text
    return "".join(line).rstrip()
