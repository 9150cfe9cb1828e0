"""Settle a local day: findings, reliability, scores and grades become final, with whatever arrived late."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

import numpy as np
import polars as pl

from greenstream.application.history.detect import MAX_CELLS, detect_findings
from greenstream.application.loading.rehydrate import rehydrate
from greenstream.domain.history.values import FindingCount, ScoreChange, WatchedMeters
from greenstream.domain.limits import Limits
from greenstream.domain.rules.b4_faults import reliability
from greenstream.domain.rules.b5_enrichment import grade
from greenstream.domain.site import Site, day_slots
from greenstream.ports.history import History
from greenstream.ports.lake import Lake


class DayState(StrEnum):
    """What became of a day that was to be settled."""

    SETTLED = "settled"
    OPEN = "open"  # it isn't over: looked at up to the watermark
    EMPTY = "empty"  # the fleet has no reading on it


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What settling a day did: meters judged, readings that have another score now, findings that touch the day."""

    day: date
    state: DayState
    meters: int = 0
    rescored: int = 0
    findings: Mapping[str, FindingCount] = field(default_factory=dict)


def settle(history: History, lake: Lake, site: Site, day: date, now: datetime) -> Settled:
    """Settle a day for the whole fleet. Safe to repeat, and the same whatever came in which order.

    A day that isn't over by the clock is looked at up to the watermark, and stays open. A day without data is left
    alone.
    """
    slots = day_slots(day, site.timezone, site.limits.interval_minutes)
    over = slots.stop * site.limits.interval_minutes * 60 <= now.timestamp()
    if not history.lock_day(day):
        return Settled(day=day, state=DayState.EMPTY)
    detect_findings(history, site, now)
    if not len(history.fleet_days(slots.start, slots.stop - 1).last):
        return Settled(day=day, state=DayState.EMPTY)
    if over and (history.watermark() or 0) < slots.stop - 1:
        detect_findings(history, site, now, until=slots.stop - 1)
    last = min(slots.stop - 1, history.watermark() or 0)
    judged = pl.concat(_reliabilities(history, history.meters(), last, site.limits))
    rehydrate(history.absent(day, judged, site.limits.min_reliability), history, lake)
    history.write_reliability(day, judged)
    rescored = history.rescore(day, _score_changes(site.limits), site.limits.min_reliability)
    if over:
        history.mark_settled(day, now)
    return Settled(
        day=day,
        state=DayState.SETTLED if over else DayState.OPEN,
        meters=judged.height,
        rescored=rescored,
        findings=history.findings_on(day),
    )


def _reliabilities(history: History, meters: WatchedMeters, last: int, limits: Limits) -> Iterator[pl.DataFrame]:
    """Of each meter that has begun: usable slots, slots, and their share, over the window up to `last`.

    A retired meter has fewer and fewer slots in it, until its reliability is unknown.
    """
    due = meters.where(meters.begins <= last)
    window = limits.reliability_window_slots
    count = MAX_CELLS // window
    for start in range(0, max(len(due), 1), count):
        part = due.where(slice(start, start + count))
        past = history.past(part, last - window + 1, last)
        at = np.array([last], dtype=np.int64)
        usable = past.count_before(lambda grid: grid.usable(limits), at, window)
        slots = past.slots_before(at, window)
        shares = pl.Series(reliability(usable, slots, limits)[:, 0]).fill_nan(None)
        yield pl.DataFrame(
            {"meter_key": part.keys, "usable": usable[:, 0], "slots": slots[:, 0], "reliability": shares}
        )


def _score_changes(limits: Limits) -> list[ScoreChange]:
    """What B5.3 makes of each score when its meter is judged anew."""
    points = limits.score_reliability
    scores = pl.DataFrame({"score": range(256)}).with_columns(grade=grade(pl.col("score"), limits))
    grades = scores["grade"].to_list()
    return [
        ScoreChange(old_score=old, old_grade=grades[old], reliable=better, score=new, grade=grades[new])
        for old in range(256)
        for better, new in ((True, old + points), (False, old - points))
        if 0 <= new < 256
    ]
