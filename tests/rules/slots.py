"""Small grids as text, so that a test of a history rule is a few lines.

`1 kW, 5 × missing, 48 × (1 kW, 1.5 kW)` are the slots of a meter from the first slot of a local day on. `no kW` is a
reading without a kW, `not yet` a slot before the meter's first one.
"""

import re
from datetime import date, timedelta
from decimal import Decimal
from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from greenstream.domain.exact import Integers
from greenstream.domain.history import stretches
from greenstream.domain.history.findings import find, lookback
from greenstream.domain.history.grid import FAR, MISSING, NEGATIVE, NO_POWER, DayValues, Past
from greenstream.domain.history.values import Days
from greenstream.domain.limits import Limits
from greenstream.domain.readings.schema import UNITS_PER_KW
from greenstream.domain.site import day_slots

LIMITS = Limits()
DAY = date(2024, 3, 15)
NOT_YET = -9
WORDS = {"missing": MISSING, "no kW": NO_POWER, "not yet": NOT_YET}
PART = re.compile(r"(?:([0-9]+) × )?(?:\(([^)]+)\)|([^,(]+))(?:, |$)")


class Window(NamedTuple):
    """First and last slot of a finding, counted from the first slot of the day."""

    first: int
    last: int


def slots(text: str) -> list[int]:
    """The values of the slots, as a grid holds them."""
    found: list[int] = []
    for times, several, one in PART.findall(text):
        found += int(times or 1) * (slots(several) if several else [_value(one)])
    return found


def _value(word: str) -> int:
    if word in WORDS:
        return WORDS[word]
    units = int(Decimal(word.removesuffix(" kW")) * UNITS_PER_KW)
    return NEGATIVE if units < 0 else units


def past_of(*meters: str, day: date = DAY, timezone: str = "UTC", ends: int | None = None) -> Past:
    """Meters 0, 1, …, with what the rules look back on before them; `ends`: slots until they are taken down."""
    start = day_slots(day, timezone, LIMITS.interval_minutes).start
    rows = [slots(meter) for meter in meters]
    ages = [len(list(takewhile(lambda value: value == NOT_YET, row))) for row in rows]
    values = np.array([[MISSING if value == NOT_YET else value for value in row] for row in rows], dtype=np.int64)
    stop = start + values.shape[1]
    keys = np.arange(len(rows), dtype=np.int64)
    return stretches.past_of(
        [DayValues(slots=range(start, stop), meters=keys, values=values)],
        keys=keys,
        begins=np.array([start + age for age in ages], dtype=np.int64),
        ends=np.full(len(rows), FAR if ends is None else start + ends, dtype=np.int64),
        start=start - lookback(LIMITS),
        stop=stop,
        limits=LIMITS,
    )


def days_of(slots: int, *, day: date = DAY, timezone: str = "UTC", without: tuple[date, ...] = ()) -> Days:
    """The local days that are over within so many slots; `without`: days on which the fleet has no reading."""
    each = [day_slots(day + timedelta(days=n), timezone, LIMITS.interval_minutes) for n in range(slots // 92 + 1)]
    over = [(n, span) for n, span in enumerate(each) if span.stop <= each[0].start + slots]
    kept = [(n, span) for n, span in over if day + timedelta(days=n) not in without]
    return Days(
        first=_integers([span.start for _, span in kept]),
        last=_integers([span.stop - 1 for _, span in kept]),
        adjoining=np.diff(_integers([n for n, _ in kept]), prepend=-9) == 1,
    )


def findings(
    *meters: str, day: date = DAY, timezone: str = "UTC", ends: int | None = None, without: tuple[date, ...] = ()
) -> pl.DataFrame:
    """All findings in the meters' slots: schema FINDINGS, with `first` and `last` counted from the day's first slot."""
    past = past_of(*meters, day=day, timezone=timezone, ends=ends)
    since = past.start + lookback(LIMITS)
    days = days_of(past.stop - since, day=day, timezone=timezone, without=without)
    return find(past, since, days, LIMITS).with_columns(pl.col("first", "last") - since)


def windows(code: str, meter: str, **options: Any) -> list[Window]:
    """The windows of one meter's findings of one code."""
    found = findings(meter, **options).filter(code=code).sort("first")
    return [Window(*row) for row in found.select("first", "last").iter_rows()]


def figures(code: str, meter: str) -> dict[str, float]:
    """`detail` of the one finding of a code."""
    [detail] = findings(meter).filter(code=code)["detail"].str.json_decode(infer_schema_length=None).to_list()
    return dict(detail)


def _integers(values: list[int]) -> Integers:
    return np.array(values, dtype=np.int64)
