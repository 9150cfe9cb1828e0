"""Faults of one meter over many slots; they may cross days."""

from collections.abc import Callable

import numpy as np
import polars as pl

from greenstream.simulator.faults.registry import (
    EDITS,
    WINDOW_FAULTS,
    Edit,
    Integers,
    Run,
    Span,
    Uniform,
    WindowFault,
    summary_of,
)
from greenstream.simulator.faults.rows import line

RESET_YEARS = (1970, 1980, 2000)
Value = Callable[[Uniform, Integers], Integers]


def window_fault(*, rate: float, demo_rate: float, span: Span) -> Callable[[Value], Value]:
    """Lists a fault that holds for a window; its rates are windows per meter and day.

    The function gives each window a value (int64) from a uniform number and its meter's size, W.
    """

    def add(value: Value) -> Value:
        name = value.__name__
        WINDOW_FAULTS[name] = WindowFault(
            name=name, summary=summary_of(value), rate=rate, demo_rate=demo_rate, span=span, value=value
        )
        return value

    return add


def _wrong_clock(shown: pl.Expr) -> Edit:
    """Shows another time, in the way the row's own timestamp is written."""
    time = pl.from_epoch(shown, time_unit="s")
    is_utc = pl.col("timestamp").str.ends_with("Z")
    text = pl.when(is_utc).then(time.dt.strftime("%Y-%m-%dT%H:%M:%SZ")).otherwise(time.dt.strftime("%Y-%m-%d %H:%M:%S"))
    detail = pl.format("clock reads '{}' instead of '{}'", text, pl.col("timestamp"))
    return Edit(line=line(timestamp=text), detail=detail)


def _reset_clock() -> Edit:
    epoch = pl.datetime(pl.col("value"), 1, 1).dt.epoch("s")
    return _wrong_clock(epoch + pl.col("instant") - pl.col("start"))


def _fast_clock() -> Edit:
    return _wrong_clock(pl.col("instant") + pl.col("value") * 86_400)


@window_fault(rate=0.0003, demo_rate=0.01, span=Span(run=Run.VALUE, hours=(25, 60), detail="constant at {value} W"))
def stuck(u: Uniform, typical: Integers) -> Integers:
    """The meter repeats one value for more than 24 hours."""
    return np.maximum((typical * (0.5 + u)).astype(np.int64) // 10 * 10, 50)


@window_fault(rate=0.0003, demo_rate=0.01, span=Span(run=Run.VALUE, hours=(25, 60), detail="exactly 0"))
def dead(u: Uniform, typical: Integers) -> Integers:
    """The meter reads exactly 0 for more than 24 hours."""
    return np.zeros_like(typical)


@window_fault(rate=0.003, demo_rate=0.02, span=Span(run=Run.ABSENT, hours=(1.25, 30), slots=5, detail="no rows"))
def silent(u: Uniform, typical: Integers) -> Integers:
    """The meter sends nothing for 5 slots and more."""
    return np.zeros_like(typical)


@window_fault(
    rate=0.0002,
    demo_rate=0.008,
    span=Span(run=Run.BURSTS, hours=(48, 168), detail="{missing} of {slots} slots missing"),
)
def communication_failure(u: Uniform, typical: Integers) -> Integers:
    """On whole days, up to seven, the meter loses two fifths of its rows in bursts of six slots.

    Only in plans of two days and more. Its bursts are runs of consecutive missing slots as well.
    """
    return np.zeros_like(typical)


@window_fault(rate=0.0005, demo_rate=0.01, span=Span(run=Run.CLOCK, hours=(0.75, 12)))
def clock_reset(u: Uniform, typical: Integers) -> Integers:
    """The clock starts again in 1970, 1980 or 2000; each row has a line in the truth."""
    return np.array(RESET_YEARS, dtype=np.int64)[(u * len(RESET_YEARS)).astype(np.int64)]


@window_fault(rate=0.0003, demo_rate=0.01, span=Span(run=Run.CLOCK, hours=(0.5, 8)))
def future_clock(u: Uniform, typical: Integers) -> Integers:
    """The clock is decades ahead, whenever the file is read; each row has a line in the truth."""
    return (30_000 + u * 5_000).astype(np.int64)


EDITS[clock_reset.__name__] = _reset_clock
EDITS[future_clock.__name__] = _fast_clock
