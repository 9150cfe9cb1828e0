"""What the meters' past is asked for, and what is found in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import polars as pl

from greenstream.domain.codes import FindingCode
from greenstream.domain.exact import Integers, Mask
from greenstream.domain.history.grid import Past
from greenstream.domain.limits import Limits


@dataclass(frozen=True, kw_only=True)
class Days:
    """Local days that are over by the watermark and on which the fleet has any reading, in order: (days,) slots."""

    first: Integers
    last: Integers
    adjoining: Mask  # whether the day before is the one before in this list

    def judged_by(self, past: Past, limits: Limits) -> "Days":
        """Those whose whole window lies in the past."""
        seen = (self.last - limits.reliability_window_slots + 1 >= past.start) & (self.last < past.stop)
        adjoining = self.adjoining[seen]
        adjoining[:1] = False
        return Days(first=self.first[seen], last=self.last[seen], adjoining=adjoining)


@dataclass(frozen=True, kw_only=True)
class Unwatched:
    """Stored readings that the history rules have not seen.

    `touched` has a row a load, day and meter: `day` (Date), `first` and `last` (Int64 slots of the load on that day),
    `meter` (Int64 key). `newest` is the newest slot of all.
    """

    loads: list[int]
    touched: pl.DataFrame
    newest: int | None


@dataclass(frozen=True, kw_only=True)
class WatchedMeters:
    """Meters in the order of their keys: (meters,) Int64 each; slots, FAR where there is none.

    begins, ends: the first slot of a meter's grid and the first behind it.
    watched_from: what `begins` was when the rules last looked.
    """

    keys: Integers
    begins: Integers
    ends: Integers
    watched_from: Integers

    def __len__(self) -> int:
        return len(self.keys)

    def where(self, chosen: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]] | Integers | slice") -> "WatchedMeters":
        return WatchedMeters(
            keys=self.keys[chosen],
            begins=self.begins[chosen],
            ends=self.ends[chosen],
            watched_from=self.watched_from[chosen],
        )


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a set of findings is complete for: these meters, by code the slots from `since` on.

    A finding whose last slot is `open_at` or later goes on as far as is known.
    """

    meters: Sequence[int]
    since: Mapping[FindingCode, int]
    open_at: Mapping[FindingCode, int]


class Finding(NamedTuple):
    """A finding as an alert tells it."""

    code: str
    severity: str
    meter_id: str
    window_start: datetime
    detail: str


class FindingCount(NamedTuple):
    """How many findings of one code there are, and how many of them go on."""

    total: int
    open: int


@dataclass(frozen=True, kw_only=True)
class ScoreChange:
    """What becomes of a score when a meter turns out to be reliable, or not."""

    old_score: int
    old_grade: int
    reliable: bool
    score: int
    grade: int


@dataclass(frozen=True, kw_only=True)
class Registered:
    """Which meters, by meter_id, are new, and which that never reported are elsewhere now."""

    new: frozenset[str]
    moved: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Rescheduled:
    """Which meters, by meter_id, have other dates now, and by key from which slot on their grid is another one."""

    meters: frozenset[str]
    again: Mapping[int, int]
