"""A settled day into the lake: its readings, its aggregates, and what is in it."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import polars as pl

from greenstream.application.exclusion import Exclusion
from greenstream.domain.alerts.conditions import lake_damaged
from greenstream.domain.alerts.values import Condition
from greenstream.domain.errors import LakeDamaged
from greenstream.domain.lake.aggregates import curve_parts, load_curves, meter_days
from greenstream.domain.lake.archive import archived, in_order
from greenstream.domain.readings.schema import ARCHIVED, CURVE_PARTS
from greenstream.domain.site import Site, day_slots
from greenstream.ports.lake import Archives, DayReader, DaySnapshot, DayWriter, Lake

BATCH_ROWS = 750_000
"""Readings in memory at once."""


class ArchiveState(StrEnum):
    """What became of a day that was to be archived."""

    ARCHIVED = "archived"
    NOT_SETTLED = "not settled"
    WOULD_LOSE = "would lose"  # the lake has readings that the database neither has nor knows to be superseded
    EMPTY = "empty"


@dataclass(frozen=True, kw_only=True)
class Archived:
    """What archiving a day did; `changed` objects were written, the others had that content already."""

    day: date
    state: ArchiveState
    rows: int = 0
    objects: int = 0
    changed: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Archiving:
    """What archiving a day works with: `archive` writes one that is settled, `settle` makes one final."""

    exclusion: Exclusion
    archive: Callable[[date], Archived]
    settle: Callable[[date], object]
    raise_alert: Callable[[Condition], None]


def archive_day(day: date, archiving: Archiving) -> Archived:
    """Write a day to the lake, settled before where that is needed; one that isn't over can't be archived.

    An alert is raised where the lake has readings that the database hasn't. Waits while another archive, night, erasure
    or backup is under way.
    """
    with archiving.exclusion.alone():
        done = archiving.archive(day)
        if done.state is ArchiveState.NOT_SETTLED:
            archiving.settle(day)
            done = archiving.archive(day)
        if done.state is ArchiveState.WOULD_LOSE:
            archiving.raise_alert(lake_damaged(str(day), would_lose(day)))
        return done


def would_lose(day: date) -> str:
    return f"the lake has readings of {day} that the database hasn't; it was left alone"


def archive(day: date, *, archives: Archives, lake: Lake, site: Site, now: datetime) -> Archived:
    """Write a settled day to the lake. Safe to repeat: the same content gives the same bytes, and is left alone.

    A day of which the lake has more than the database knows of is left alone. Of a retired day the lake is the source,
    and the database has the meters that more came of: both are merged.
    """
    with archives.snapshot(day) as snapshot:
        facts = snapshot.facts()
        if facts is None:
            return Archived(day=day, state=ArchiveState.EMPTY)
        if not facts.is_final:
            return Archived(day=day, state=ArchiveState.NOT_SETTLED)
        with lake.reading(day) if facts.retired_at else nullcontext() as old, lake.writing(day) as new:
            curves = _fill(day, snapshot, old, new, site)
            if _missing(day, new, lake) > snapshot.superseded():
                return Archived(day=day, state=ArchiveState.WOULD_LOSE, rows=new.rows)
            written = new.finish(curves, site)
    archives.mark_archived(facts, now)
    return Archived(
        day=day,
        state=ArchiveState.ARCHIVED,
        rows=written.manifest.rows,
        objects=len(written.manifest.files),
        changed=len(written.changed),
        size_bytes=written.manifest.size_bytes,
    )


def _missing(day: date, new: DayWriter, lake: Lake) -> int:
    """How many readings fewer than the lake has; so it is after an old backup was restored."""
    try:
        manifest = lake.manifest(day)
    except LakeDamaged:  # it is written anew
        return 0
    return manifest.rows - new.rows if manifest else 0


def _fill(day: date, snapshot: DaySnapshot, old: DayReader | None, new: DayWriter, site: Site) -> pl.DataFrame:
    """Give the writer all readings and meters of the day; its LOAD_CURVES."""
    parts = [pl.DataFrame(schema=CURVE_PARTS)]
    for expected, rows in _batches(day, snapshot, old, site):
        new.add(rows)
        new.add_meter_days(meter_days(day, rows, expected, site.limits))
        parts.append(curve_parts(rows, site.limits))
    return load_curves(pl.concat(parts), site.limits)


def _batches(
    day: date, snapshot: DaySnapshot, old: DayReader | None, site: Site
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Meters (schema EXPECTED) and all of their readings of the day (schema ARCHIVED), by meter_id."""
    here, meters = snapshot.keys(), snapshot.meters()
    known = meters.with_columns(here=pl.col("meter_key").is_in(list(here)))
    if old:  # whoever is in the lake stays in it
        unknown = old.meters() - set(meters["meter_id"])
        known = pl.concat([known, pl.DataFrame({"meter_id": sorted(unknown)})], how="diagonal_relaxed")
    slots = len(day_slots(day, site.timezone, site.limits.interval_minutes))
    for batch in known.sort("meter_id").iter_slices(max(1, BATCH_ROWS // slots)):
        rows = archived(snapshot.held(batch.filter("here")["meter_key"].to_list()), site.limits)
        if old:
            others = batch.filter(pl.col("here").not_().fill_null(value=True))["meter_id"].to_list()
            rows = in_order(pl.concat([rows, old.of(others)]))
        yield batch.filter(pl.col("meter_key").is_not_null()), rows.select(ARCHIVED.names())
