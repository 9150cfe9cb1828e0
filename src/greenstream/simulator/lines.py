"""The lines of a batch's files, and where the faults in them are."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from greenstream.simulator.blocks import CODE_OF, CODED, DROPPED, FIRST_CODE, Cells
from greenstream.simulator.energy_texts import energy_texts
from greenstream.simulator.faults.registry import EDITS, ROW_FAULTS, Effect
from greenstream.simulator.faults.rows import line
from greenstream.simulator.file_plans import Batch
from greenstream.simulator.fleet import Fleet
from greenstream.simulator.histories import Windows
from greenstream.simulator.plan import SimulationPlan
from greenstream.simulator.randomness import mixed
from greenstream.simulator.scenario import Scenario

Integers = NDArray[np.int64]

FAULTS_SCHEMA = {
    "fault": pl.String,
    "meter": pl.Int64,
    "file": pl.Int64,
    "line_number": pl.Int64,
    "instant": pl.Int64,
    "detail": pl.String,
    "line": pl.String,
}
"""`file` counts in the batch; `line_number` is null where there is no line; `instant` is the slot's start in
seconds since 1970; `line` is the faulty line."""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """`lines` (String) of all files of a batch, one after the other; `rows` in each; `faults` as in FAULTS_SCHEMA.

    Corrections are among the faults, with neither file nor line number: theirs is another file.
    """

    lines: pl.Series
    rows: Integers
    faults: pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """A batch's cells in file order: int64 meter, slot of the day and watts; uint8 code."""

    meter: Integers
    slot: Integers
    watts: Integers
    code: NDArray[np.uint8]


def lines_of(scenario: Scenario, batch: Batch, cells: Cells) -> Lines:
    rows = _in_file_order(scenario.plan, batch, cells)
    faulty = np.flatnonzero(rows.code >= FIRST_CODE)
    undisturbed = _texts(scenario.fleet, batch, rows).select(line()).to_series()
    edits = _edited(_faulty_frame(scenario, batch, rows, faulty))
    counts = _line_counts(rows.code)
    first_line = np.concatenate([[0], np.cumsum(counts)])
    file_ends = np.cumsum([f.cells for f in batch.files])
    starts = first_line[np.concatenate([[0], file_ends])]
    return Lines(
        lines=_assembled(undisturbed, edits, counts),
        rows=np.diff(starts),
        faults=_located(edits, first_line, file_ends, starts),
    )


def _in_file_order(plan: SimulationPlan, batch: Batch, cells: Cells) -> _Rows:
    part = slice(batch.slots.start, batch.slots.stop)
    watts, code = cells.watts[:, part], cells.codes[:, part]
    meters = np.arange(batch.meters.start, batch.meters.stop, dtype=np.int64)
    slots = np.arange(batch.slots.start, batch.slots.stop, dtype=np.int64)
    if plan.layout == "snapshot":
        meter, slot = np.tile(meters, len(slots)), np.repeat(slots, len(meters))
        watts, code = watts.T, code.T
    else:
        meter, slot = np.repeat(meters, len(slots)), np.tile(slots, len(meters))
    return _Rows(meter=meter, slot=slot, watts=watts.astype(np.int64).ravel(), code=code.ravel())


def _texts(fleet: Fleet, batch: Batch, rows: _Rows) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "meter_id": fleet.ids.gather(rows.meter),
            "timestamp": pl.Series(batch.day.texts).gather(rows.slot),
            "energy_value": energy_texts(rows.watts, fleet.style[rows.meter]),
            "location": fleet.locations.gather(rows.meter),
        }
    )


def _faulty_frame(scenario: Scenario, batch: Batch, rows: _Rows, faulty: Integers) -> pl.DataFrame:
    """The faulty rows with all that their faults look at: see `row_fault`."""
    some = _Rows(meter=rows.meter[faulty], slot=rows.slot[faulty], watts=rows.watts[faulty], code=rows.code[faulty])
    instant = batch.day.instants[some.slot]
    window = _windows_of(scenario.windows, some.meter, some.slot + batch.day.first_slot)
    back = some.slot + batch.day.first_slot - window.first
    return _texts(scenario.fleet, batch, some).with_columns(
        pl.Series("row", faulty),
        pl.Series("meter", some.meter),
        pl.Series("code", some.code),
        pl.Series("watts", some.watts),
        pl.Series("style", scenario.fleet.style[some.meter]),
        pl.Series("ceiling", scenario.fleet.ceiling[some.meter]),
        pl.Series("pick", mixed(scenario.plan.seed, some.meter * 2**31 + instant // scenario.plan.interval_seconds)),
        pl.Series("instant", instant),
        pl.Series("start", instant - back * scenario.plan.interval_seconds),
        pl.Series("value", window.value),
    )


def _windows_of(windows: Windows, meter: Integers, slot: Integers) -> Windows:
    """The last window of each meter that begins by the slot (any, where there is none)."""
    if len(windows) == 0:
        zeros = np.zeros(len(meter), dtype=np.int64)
        return Windows(kind=zeros, meter=meter, first=slot, last=slot, value=zeros)
    span = int(max(windows.last.max(), slot.max(initial=0))) + 1
    found = np.searchsorted(windows.meter * span + windows.first, meter * span + slot, side="right") - 1
    return windows.where(np.maximum(found, 0))


def _edited(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds `fault`, `line` and `detail`, each by the row's own fault; in row order."""
    parts = [_edited_by(name, frame.filter(pl.col("code") == CODE_OF[name])) for name in CODED]
    return pl.concat(parts).sort("row")


def _edited_by(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    edit = EDITS[name]()
    return frame.with_columns(fault=pl.lit(name), line=edit.line, detail=edit.detail)


def _line_counts(code: NDArray[np.uint8]) -> Integers:
    per_code = np.ones(FIRST_CODE + len(CODED), dtype=np.int64)
    per_code[list(DROPPED)] = 0
    per_code[[CODE_OF[name] for name in _with(Effect.REPEAT)]] = 2
    return per_code[code]


def _assembled(undisturbed: pl.Series, edits: pl.DataFrame, counts: Integers) -> pl.Series:
    in_place = edits.filter(~pl.col("fault").is_in(_with(Effect.CORRECT)))
    if len(in_place) == 0 and counts.all():
        return undisturbed
    source = np.arange(len(counts))
    source[in_place["row"].to_numpy()] = len(counts) + np.arange(len(in_place))
    return pl.concat([undisturbed, in_place["line"].rename(undisturbed.name)]).gather(np.repeat(source, counts))


def _located(edits: pl.DataFrame, first_line: Integers, file_ends: Integers, starts: Integers) -> pl.DataFrame:
    row = edits["row"].to_numpy()
    file = np.searchsorted(file_ends, row, side="right")
    # The header is line 1; of a row that comes twice, the second is the fault.
    number = first_line[row] - starts[file] + 2
    has_line = ~pl.col("fault").is_in(_with(Effect.DROP))
    elsewhere = pl.col("fault").is_in(_with(Effect.CORRECT))
    twice = pl.col("fault").is_in(_with(Effect.REPEAT)).cast(pl.Int64)
    return edits.with_columns(pl.Series("file", file), pl.Series("line_number", number)).select(
        "fault",
        "meter",
        pl.when(~elsewhere).then("file").alias("file"),
        pl.when(has_line & ~elsewhere).then(pl.col("line_number") + twice).alias("line_number"),
        "instant",
        "detail",
        "line",
    )


def _with(effect: Effect) -> list[str]:
    return [name for name, fault in ROW_FAULTS.items() if fault.effect is effect]
