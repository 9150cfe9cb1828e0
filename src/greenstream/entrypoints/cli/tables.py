"""Tables as text: as wide as their content, nothing wrapped or cut, nothing a terminal could obey."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from unicodedata import east_asian_width

from greenstream.domain.text import printable

_GAP = "  "


def table_lines(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = (), bold: bool = False
) -> Iterator[str]:
    """The header, a rule and the rows; columns of numbers, and those named in `right`, are right-aligned."""
    layout = Layout(columns, rows, right=right)
    yield from layout.header(bold=bold)
    yield from map(layout.line, rows)


def size_text(size: int) -> str:
    amount, units = float(size), iter(("bytes", "kB", "MB", "GB"))
    for unit in units:
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


class Layout:
    """The widths and sides of the columns, measured on some rows; later rows that are wider stick out."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()) -> None:
        self._columns = columns
        self._right = [name in right or _is_numeric([row[i] for row in rows]) for i, name in enumerate(columns)]
        self._widths = [
            max([_width(_shown(name)), *(_width(_shown(row[i])) for row in rows)]) for i, name in enumerate(columns)
        ]

    def header(self, *, bold: bool) -> Iterator[str]:
        head = self.line(self._columns)
        yield f"\x1b[1m{head}\x1b[0m" if bold else head
        yield _GAP.join("─" * width for width in self._widths)

    def line(self, row: Sequence[object]) -> str:
        cells = zip(row, self._widths, self._right, strict=True)
        return _GAP.join(_padded(_shown(value), width, right) for value, width, right in cells).rstrip()


def _padded(text: str, width: int, right: bool) -> str:
    blanks = " " * (width - _width(text))
    return blanks + text if right else text + blanks


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return printable(str(value))


def _is_numeric(values: Sequence[object]) -> bool:
    numbers = [isinstance(value, int | float | Decimal) for value in values if value is not None]
    return bool(numbers) and all(numbers)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
