"""What a fault is, and how one is added to the list."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import polars as pl
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Uniform = NDArray[np.float64]


class Effect(Enum):
    """What a row fault does to its row."""

    EDIT = "another line in its place"
    DROP = "no line"
    REPEAT = "the line twice"
    CORRECT = "the line, and another one in a later file"


class Run(Enum):
    """What a window fault does to the rows of its window."""

    VALUE = "one value throughout"
    ABSENT = "no rows"
    BURSTS = "rows missing in bursts, on whole days"
    CLOCK = "right readings with a wrong timestamp"


@dataclass(frozen=True, kw_only=True)
class Edit:
    """The faulty line and what to say of it: String expressions over the frame `row_fault` describes."""

    line: pl.Expr
    detail: pl.Expr


@dataclass(frozen=True, kw_only=True)
class RowFault:
    name: str
    summary: str
    rate: float
    demo_rate: float
    effect: Effect


@dataclass(frozen=True, kw_only=True)
class Span:
    """`hours` bound a window's length, which is at least `slots`; `detail` may show the window's `{value}`."""

    run: Run
    hours: tuple[float, float]
    slots: int = 1
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class WindowFault:
    name: str
    summary: str
    rate: float
    demo_rate: float
    span: Span
    value: Callable[[Uniform, Integers], Integers]


@dataclass(frozen=True, kw_only=True)
class FileFault:
    name: str
    summary: str
    rate: float
    demo_rate: float


ROW_FAULTS: dict[str, RowFault] = {}
WINDOW_FAULTS: dict[str, WindowFault] = {}
FILE_FAULTS: dict[str, FileFault] = {}
EDITS: dict[str, Callable[[], Edit]] = {}
"""How each row fault and each clock fault changes a line."""


def row_fault(*, rate: float, demo_rate: float, effect: Effect) -> Callable[[Callable[[], Edit]], Callable[[], Edit]]:
    """Lists a fault that hits single rows; its rates are shares of the rows.

    The function's expressions see the columns `meter_id`, `timestamp`, `energy_value`, `location` (String, as
    an undisturbed line has them), `watts`, `style`, `ceiling` (the meter's highest clean load, W), `pick` (a
    uniform 32-bit word), and for clock faults `start` (the window's first slot, seconds since 1970),
    `instant` (of the row) and `value` (the window's).
    """

    def add(edit: Callable[[], Edit]) -> Callable[[], Edit]:
        name = edit.__name__
        ROW_FAULTS[name] = RowFault(name=name, summary=summary_of(edit), rate=rate, demo_rate=demo_rate, effect=effect)
        EDITS[name] = edit
        return edit

    return add


def summary_of(function: Callable[..., object]) -> str:
    return (function.__doc__ or "").strip().partition("\n")[0]
