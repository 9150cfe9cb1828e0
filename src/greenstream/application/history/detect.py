"""Intraday: after new readings, apply the history rules up to the watermark, and raise alerts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby

import numpy as np
import polars as pl

from greenstream.domain.codes import FindingCode
from greenstream.domain.exact import Integers
from greenstream.domain.history.findings import find, lookback
from greenstream.domain.history.grid import FAR
from greenstream.domain.history.values import Days, Finding, Scope, Unwatched, WatchedMeters
from greenstream.domain.limits import Limits
from greenstream.domain.site import Site, day_slots, local_day, slot_of, slot_start
from greenstream.ports.history import History

OnProgress = Callable[[int, int], None]
NOTHING: Mapping[int, int] = {}
MAX_CELLS = 4_000_000
"""How many slots of meters are looked at in one go: above, it is done in several parts."""


def not_told(done: int, of: int) -> None:
    """Nobody is told how many meters were looked at."""


@dataclass(frozen=True, kw_only=True)
class Detected:
    """What a watch did: loads seen, meters looked at, the watermark as an instant (None: no reading yet).

    `found` is how many findings are new, by code.
    """

    loads: int
    meters: int
    watermark: datetime | None
    found: Mapping[str, int] = field(default_factory=dict)


def detect_findings(
    history: History,
    site: Site,
    now: datetime,
    *,
    until: int | None = None,
    again: Mapping[int, int] = NOTHING,
    on_progress: OnProgress = not_told,
) -> Detected:
    """Bring the findings up to date with all stored readings, and tell of those that are new.

    Safe to repeat: readings that were seen are not looked at again, and a crash leaves everything as it was.

    Args:
        history: a transaction of it.
        site: where the meters are.
        now: the time of the watch.
        until: a slot up to which the fleet is due, though no reading came so far; the last one of a settled day.
        again: meters, by key, that have to be looked at again from a slot on, for their grid ends elsewhere now.
        on_progress: is told how many meters were looked at, of how many.
    """
    unwatched, meters, before = history.unwatched(), history.meters(), history.watermark()
    slots = [slot for slot in (before, unwatched.newest, until) if slot is not None]
    if not slots or not len(meters):
        return Detected(loads=0, meters=0, watermark=None)
    watermark, interval = max(slots), site.limits.interval_minutes
    since = _since(meters, unwatched.touched, before, watermark)
    since = np.minimum(since, _first_new_day(history, meters, unwatched, site))
    since = np.minimum(since, _again(meters, again))
    history.refresh(unwatched.touched)
    looked_at = _look_at(history, meters, since, watermark, site.limits, now, on_progress)
    history.reopen_days(_stale_days(meters, unwatched.touched, again, site), _beginnings(meters, site), now)
    history.finish(unwatched, watermark, local_day(slot_of(now, interval), site.timezone, interval))
    _alert(history, site.limits, now)
    found = history.detected(now)
    return Detected(
        loads=len(unwatched.loads), meters=looked_at, watermark=slot_start(watermark, interval), found=found
    )


def _look_at(
    history: History,
    meters: WatchedMeters,
    since: Integers,
    watermark: int,
    limits: Limits,
    now: datetime,
    on_progress: OnProgress,
) -> int:
    """Judge each meter from its slot `since` on, where that is due; how many they were."""
    due = since <= watermark
    looked_at, of = 0, int(due.sum())
    on_progress(looked_at, of)
    for part, first, days in _parts(history, meters.where(due), since[due], watermark, limits):
        _judge(history, part, first, watermark, days, limits, now)
        looked_at += len(part)
        on_progress(looked_at, of)
    return of


def _since(meters: WatchedMeters, touched: pl.DataFrame, before: int | None, watermark: int) -> Integers:
    """From which slot on each meter must be looked at again; one behind the watermark where it needn't be.

    That is where its readings changed, or where the fleet went on. A meter whose grid begins earlier than it did is
    looked at from there.
    """
    since = np.full(len(meters), watermark + 1 if before is None else before + 1, dtype=np.int64)
    first = touched.group_by("meter").agg(pl.col("first").min()).sort("meter")
    rows = np.searchsorted(meters.keys, first["meter"].to_numpy())
    since[rows] = np.minimum(since[rows], first["first"].to_numpy())
    return np.where(meters.begins < meters.watched_from, np.minimum(since, meters.begins), since)


def _again(meters: WatchedMeters, again: Mapping[int, int]) -> Integers:
    """As a slot for each meter: where it has to be looked at again, but not before it begins; else FAR."""
    slots = np.array([again.get(key, FAR) for key in meters.keys.tolist()], dtype=np.int64)
    return np.maximum(slots, meters.begins)


def _stale_days(
    meters: WatchedMeters, touched: pl.DataFrame, again: Mapping[int, int], site: Site
) -> list[tuple[date, date]]:
    """Spans of days on which a meter that has readings there has another reliability now.

    A reading counts for as many days as the window reaches. A meter whose grid begins earlier than was known has more
    slots until the window has passed its former beginning. One that ends elsewhere now has others on all days.
    """
    interval = site.limits.interval_minutes
    window = _window_days(site.limits)
    spans = {(day, day + window) for day in touched["day"].unique()}
    for day in {local_day(slot, site.timezone, interval) for slot in np.unique(_known_later(meters)).tolist()}:
        spans.add((day, day + window))
    spans |= {(local_day(slot, site.timezone, interval), date.max) for slot in again.values()}
    return sorted(spans)


def _beginnings(meters: WatchedMeters, site: Site) -> tuple[date, date]:
    """The days on which those meters have a reliability, or another one, that begin earlier than was known."""
    interval, known = site.limits.interval_minutes, _known_later(meters)
    begins = meters.begins[meters.begins < meters.watched_from]
    if not len(begins):
        return date.max, date.min
    first = local_day(int(begins.min()), site.timezone, interval)
    if len(known) < len(begins):
        return first, date.max
    return first, local_day(int(known.max()), site.timezone, interval) + _window_days(site.limits)


def _known_later(meters: WatchedMeters) -> Integers:
    """Where those meters were thought to begin that begin earlier, as slots."""
    known: Integers = meters.watched_from[(meters.begins < meters.watched_from) & (meters.watched_from < FAR)]
    return known


def _window_days(limits: Limits) -> timedelta:
    return timedelta(days=-(-limits.reliability_window_slots * limits.interval_minutes // (24 * 60)))


def _first_new_day(history: History, meters: WatchedMeters, unwatched: Unwatched, site: Site) -> Integers:
    """For each meter, the first slot of the first day on which the fleet had no reading before: B4.3 now judges it.

    A day before the meter's beginning is none of its days, FAR where there is none.
    """
    days = unwatched.touched["day"].unique().sort().to_list()
    if not days:
        return np.full(len(meters), FAR, dtype=np.int64)
    spans = [day_slots(day, site.timezone, site.limits.interval_minutes) for day in days]
    known = set(history.fleet_days(spans[0].start, spans[-1].stop - 1).first.tolist())
    new = [span for span in spans if span.start not in known]
    firsts = np.array([*(span.start for span in new), FAR], dtype=np.int64)
    lasts = np.array([span.stop - 1 for span in new], dtype=np.int64)
    chosen: Integers = firsts[np.searchsorted(lasts, meters.begins)]
    return chosen


def _parts(
    history: History, meters: WatchedMeters, since: Integers, watermark: int, limits: Limits
) -> Iterator[tuple[WatchedMeters, int, Days]]:
    """The meters in parts of moderate size, the slot from which each part is looked at, and the days from there on.

    Those that have to be looked at from about as far back are together, so that no meter is looked at for more than
    twice as long as it must be.
    """
    reach = watermark + 1 - since + lookback(limits)
    distances = np.frexp(reach / (2 * lookback(limits)))[1].clip(min=1)
    for distance in np.unique(distances):
        chosen = np.flatnonzero(distances == distance)
        start = int(since[chosen].min()) - 1 - lookback(limits)
        days = history.fleet_days(start - _a_day(limits), watermark)
        cells = reach[chosen]
        if distance > 1:
            held = history.days_held(meters.where(chosen), start)
            cells = np.minimum(cells, held * (_a_day(limits) + limits.stuck_window_slots)) + len(days.last)
        order = np.argsort(since[chosen], kind="stable")
        bounds = np.flatnonzero(np.diff(np.cumsum(cells[order]) // MAX_CELLS)) + 1
        for part in np.split(chosen[order], bounds):
            yield meters.where(np.sort(part)), int(since[part].min()), days


def _a_day(limits: Limits) -> int:
    """Slots of the longest local day, and an hour to spare."""
    return 26 * 60 // limits.interval_minutes


def _judge(
    history: History, meters: WatchedMeters, first: int, watermark: int, days: Days, limits: Limits, now: datetime
) -> None:
    """Apply the rules to some meters from a slot on. The slot before it may be the last of a run that ends there."""
    since = first - 1
    past = history.past(meters, since - lookback(limits), watermark)
    days = days.judged_by(past, limits)
    found = find(past, since, days, limits)
    since_by_code = dict.fromkeys(FindingCode, since)
    open_at = dict.fromkeys(FindingCode, watermark)
    if len(days.last):
        since_by_code[FindingCode.COMMUNICATION_FAILURE] = int(days.last[0])
        open_at[FindingCode.COMMUNICATION_FAILURE] = int(days.last[-1])
    else:
        del since_by_code[FindingCode.COMMUNICATION_FAILURE], open_at[FindingCode.COMMUNICATION_FAILURE]
    scope = Scope(meters=meters.keys.tolist(), since=since_by_code, open_at=open_at)
    history.replace_findings(found, scope, now)


def _alert(history: History, limits: Limits, now: datetime) -> None:
    """Tell of new findings: each meter by itself, or all at once where a whole part of the fleet comes under a rule."""
    until = now - timedelta(minutes=limits.alert_grace_minutes)
    for code, group in groupby(history.unalerted(until), key=lambda finding: finding.code):
        findings = list(group)
        meters = {finding.meter_id for finding in findings}
        if len(meters) > limits.outage_meters:
            _alert_outage(history, code, findings, len(meters), now)
        else:
            for finding in findings:
                _alert_meter(history, finding, now)
    history.mark_alerted(until, now)


def _alert_outage(history: History, code: str, findings: list[Finding], meters: int, now: datetime) -> None:
    first = min(finding.window_start for finding in findings)
    message = f"{meters} meters at once, the first since {first:%Y-%m-%d %H:%M} UTC; see data_quality_log"
    history.raise_alert(code=code, severity="error", subject="fleet", message=message, at=now)


def _alert_meter(history: History, finding: Finding, now: datetime) -> None:
    message = f"meter {finding.meter_id} since {finding.window_start:%Y-%m-%d %H:%M} UTC: {finding.detail}"
    history.raise_alert(code=finding.code, severity=finding.severity, subject=finding.meter_id, message=message, at=now)
