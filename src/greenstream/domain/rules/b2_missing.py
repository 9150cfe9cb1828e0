"""B2: what isn't there: an energy that is null, a timestamp that can't be read."""

from datetime import datetime, timedelta

import polars as pl

from greenstream.domain.codes import Rejection
from greenstream.domain.history.grid import Past, Runs, all_runs, cell_runs, silences
from greenstream.domain.limits import Limits
from greenstream.domain.readings.schema import INSTANT
from greenstream.domain.rules.b3_ranges import timestamp_in_range

MICROSECONDS = 1_000_000


def missing_reading(energy_value: pl.Expr) -> pl.Expr:
    """B2.1: the energy is null; no kW, and nothing else is judged about it.

    Flagged: energy_value `n/a` → MISSING_READING
    Clean: energy_value `3250 W` → no flag
    """
    return energy_value.is_null()


def resolve_timestamps(rows: pl.DataFrame, *, received_at: datetime, now: datetime, limits: Limits) -> pl.DataFrame:
    """Give each row of some meters its instant: as read, of a repeated wall time, inferred (B2.2), or none.

    Args:
        rows: all rows of those meters in file order: `meter`, `wall`, `earliest`, `latest` as `read_timestamps` gives
            them.
        received_at: when the file landed.
        now: the time of processing.
        limits: the site's thresholds.

    Returns:
        The rows in the same order: `reading_at` (INSTANT; null where B2.2 has to infer it, and can't from the
        meter's own rows), `inferred` (Boolean), `code` (a Rejection, or null), `alone` (Boolean: unreadable, and the
        meter has no readable row at all).
    """
    step = limits.interval_minutes * 60 * MICROSECONDS
    return (
        rows.with_columns(position=pl.int_range(pl.len()).over("meter"))
        .with_columns(descending=_descending(pl.col("earliest"), now, limits))
        .with_columns(instant=_settle_repeated(received_at, limits))
        .with_columns(readable=timestamp_in_range(pl.col("instant"), now, limits))
        .with_columns(slot=_slot(pl.col("instant"), limits).to_physical())
        .with_columns(descending=_descending(pl.col("instant"), now, limits))
        .pipe(_with_neighbours)
        .with_columns(inferred_slot=infer_timestamp(step, limits))
        .pipe(_verdicts, now, limits)
    )


def infer_timestamp(step: int, limits: Limits) -> pl.Expr:
    """B2.2: an unreadable timestamp, inferred from the readable rows of the same meter around it.

    Between two neighbours the slot must fit both; with one it may be at most 4 rows away. With none, it is the one slot
    of all readable rows of the file, if they are of one.

    Flagged: timestamp `2024-03-15 18:30`, `???`, `2024-03-15 19:00` → row 2: TIMESTAMP_INFERRED, reading_at
    `2024-03-15 18:45:00`
    Clean: timestamp `2024-03-15 18:30`, `2024-03-15 18:45`, `2024-03-15 19:00` → no flag
    Rejected: timestamp `2024-03-15 18:30`, `???`, `2024-03-15 19:15` → row 2: TIMESTAMP_UNRECOVERABLE
    Rejected: timestamp `???` → TIMESTAMP_UNRECOVERABLE

    Returns:
        The slot in microseconds, as `step` is, from the columns of `_with_neighbours`; null where there is none.
    """
    before, after = pl.col("slot_before"), pl.col("slot_after")
    rows_before, rows_after = (
        pl.col("position") - pl.col("position_before"),
        pl.col("position_after") - pl.col("position"),
    )
    between = step * (after - before).sign()
    fits = (before + (rows_before + rows_after) * between == after) & (after != before)
    alone = step * pl.when(pl.col("descending")).then(-1).otherwise(1)
    return (
        pl.when(before.is_not_null() & after.is_not_null())
        .then(pl.when(fits).then(before + rows_before * between))
        .when(rows_before <= limits.infer_max_rows)
        .then(before + rows_before * alone)
        .when(rows_after <= limits.infer_max_rows)
        .then(after - rows_after * alone)
    )


def infer_from_snapshot(rows: pl.DataFrame, slots: pl.Series, now: datetime, limits: Limits) -> pl.DataFrame:
    """B2.2 for meters without any readable row: the one slot of all readable rows of the file, if it is one.

    `rows` is the result of `resolve_timestamps`, `slots` has the distinct slots of the file's readable rows (INSTANT).
    """
    alone = pl.col("alone")
    if len(slots) != 1:
        return rows.with_columns(
            code=_when_else(alone, pl.lit(Rejection.TIMESTAMP_UNRECOVERABLE.value), pl.col("code"))
        )
    slot = pl.lit(slots[0], dtype=INSTANT)
    too_late = ~timestamp_in_range(slot, now, limits)
    rejected = pl.when(too_late).then(pl.lit(Rejection.TIMESTAMP_OUT_OF_RANGE.value))
    return rows.with_columns(
        reading_at=_when_else(alone, slot, pl.col("reading_at")),
        inferred=_when_else(alone, pl.lit(value=True), pl.col("inferred")),
        code=_when_else(alone, rejected, pl.col("code")),
    )


def _descending(instant: pl.Expr, now: datetime, limits: Limits) -> pl.Expr:
    """Whether a meter's rows run backward: its last readable row lies in an earlier slot than its first."""
    slot = pl.when(timestamp_in_range(instant, now, limits)).then(_slot(instant, limits))
    return (slot.drop_nulls().last() < slot.drop_nulls().first()).over("meter").fill_null(value=False)


def _slot(instant: pl.Expr, limits: Limits) -> pl.Expr:
    return instant.dt.truncate(f"{limits.interval_minutes}m")


def _settle_repeated(received_at: datetime, limits: Limits) -> pl.Expr:
    """A wall time that occurs twice: which of its two instants a row means.

    Where a meter has it more than once, the first is the earlier instant and all others are the later one; where it
    has it once, it is the earlier one, unless the file landed soon after the later one.
    """
    earliest, latest = pl.col("earliest"), pl.col("latest")
    twice = earliest != latest
    key = ["meter", "wall"]
    first = (
        pl.when(pl.col("descending"))
        .then(pl.col("position") == pl.col("position").max().over(key))
        .otherwise(pl.col("position") == pl.col("position").min().over(key))
    )
    soon = timedelta(hours=limits.repeated_hour_landing_hours)
    landed_soon = (latest <= received_at) & (latest >= received_at - soon)
    several = pl.len().over(key) > 1
    later = twice & ((several & ~first) | (~several & landed_soon))
    return pl.when(later).then(latest).otherwise(earliest)


def _with_neighbours(rows: pl.DataFrame) -> pl.DataFrame:
    """Slot and position of the nearest readable row before and after each row of the same meter."""
    readable = pl.col("readable").fill_null(value=False)
    slot = pl.when(readable).then(pl.col("slot"))
    position = pl.when(readable).then(pl.col("position"))
    return rows.with_columns(
        slot_before=slot.forward_fill().over("meter"),
        slot_after=slot.backward_fill().over("meter"),
        position_before=position.forward_fill().over("meter"),
        position_after=position.backward_fill().over("meter"),
    )


def _verdicts(rows: pl.DataFrame, now: datetime, limits: Limits) -> pl.DataFrame:
    read = pl.col("instant").is_not_null()
    alone = ~read & pl.col("slot_before").is_null() & pl.col("slot_after").is_null()
    reading_at = pl.when(read).then(pl.col("instant")).otherwise(pl.col("inferred_slot").cast(INSTANT))
    unrecoverable = ~read & ~alone & pl.col("inferred_slot").is_null()
    outside = ~timestamp_in_range(reading_at, now, limits)
    return rows.select(
        reading_at=reading_at,
        inferred=~read & pl.col("inferred_slot").is_not_null(),
        code=pl.when(unrecoverable)
        .then(pl.lit(Rejection.TIMESTAMP_UNRECOVERABLE.value))
        .when(outside)
        .then(pl.lit(Rejection.TIMESTAMP_OUT_OF_RANGE.value)),
        alone=alone,
    )


def _when_else(condition: pl.Expr, then: pl.Expr, otherwise: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(then).otherwise(otherwise)


def slots_read(resolved: pl.DataFrame, others: pl.Series, limits: Limits) -> pl.Series:
    """The distinct slots of all readable rows of a file: those of `resolve_timestamps`, and `others` as instants."""
    read = resolved.filter(~pl.col("inferred") & ~pl.col("alone") & pl.col("code").is_null())["reading_at"]
    both = pl.concat([read, others.cast(INSTANT).alias("reading_at")]).to_frame()
    return both.select(_slot(pl.col("reading_at"), limits)).to_series().drop_nulls().unique()


def consecutive_missing(past: Past, since: int, limits: Limits) -> Runs:
    """B2.3: a run of more than 4 missing slots: no reading, or a null one.

    Flagged: slots `1 kW, 5 × missing, 1 kW` → CONSECUTIVE_MISSING
    Clean: slots `1 kW, 4 × missing, 1 kW` → no finding

    Returns:
        The runs that reach slot `since` or end later, and some that don't. One that begins before those 5 slots that
        end with `since` may be given from there on only.
    """
    first = since - limits.missing_run_slots
    grids = [grid.beginning_at(first) for grid in past.grids]
    runs = all_runs([silences(past, first), *(cell_runs(grid.missing()).of(grid) for grid in grids)]).joined()
    return runs.where(runs.length > limits.missing_run_slots)
