"""Faults of single rows."""

from collections.abc import Sequence

import polars as pl

from greenstream.simulator.energy_texts import COLUMNS, energy_text
from greenstream.simulator.faults.registry import Edit, Effect, row_fault

BAD_BYTE_MARK = "\ue000"
"""Stands for the byte FF, which no text can hold, until the line is written."""

WRONG_UNITS = (" Volts", " MW", " kWh", "")
INVALID_VALUES = ("12..5 kW", "abc", "3 250 W", "0x10 W", "ERR", "#VALUE!")
NULL_TOKENS = ("", "null", "NULL", "None", "NaN", "NA", "n/a", "-")
UNREADABLE = ("2024-13-45 99:99", "???", "0000-00-00 00:00:00", "24/03/15 18h45", "1710528300", "T:00Z")


def choose(options: Sequence[str]) -> pl.Expr:
    return (pl.col("pick") % len(options)).replace_strict(
        list(range(len(options))), list(options), return_dtype=pl.String
    )


def line(**replaced: pl.Expr) -> pl.Expr:
    """The row as a line, with some of its columns replaced."""
    return pl.concat_str([replaced.get(name, pl.col(name)) for name in COLUMNS], separator=",")


@row_fault(rate=0.001, demo_rate=0.003, effect=Effect.EDIT)
def wrong_unit() -> Edit:
    """The number is right, its unit is none of power: Volts, MW, kWh, or none at all."""
    value = pl.concat_str(pl.col("energy_value").str.extract(r"^([0-9.]+)"), choose(WRONG_UNITS))
    return Edit(line=line(energy_value=value), detail=pl.format("energy_value '{}'", value))


@row_fault(rate=0.0005, demo_rate=0.002, effect=Effect.EDIT)
def invalid_value() -> Edit:
    """The energy text holds no number."""
    value = choose(INVALID_VALUES)
    return Edit(line=line(energy_value=value), detail=pl.format("energy_value '{}'", value))


@row_fault(rate=0.002, demo_rate=0.004, effect=Effect.EDIT)
def null_energy() -> Edit:
    """The energy text is empty, or one of the words for nothing."""
    value = choose(NULL_TOKENS)
    return Edit(line=line(energy_value=value), detail=pl.format("energy_value '{}'", value))


@row_fault(rate=0.0005, demo_rate=0.002, effect=Effect.EDIT)
def corrupt_timestamp() -> Edit:
    """The timestamp can't be read."""
    value = choose(UNREADABLE)
    return Edit(line=line(timestamp=value), detail=pl.format("timestamp '{}'", value))


@row_fault(rate=0.0001, demo_rate=0.001, effect=Effect.EDIT)
def spike() -> Edit:
    """One reading 4 to 9 times the meter's highest clean load, for large meters above 50 kW."""
    watts = pl.col("ceiling") * (4_000 + pl.col("pick").cast(pl.Int64) % 5_000) // 1_000
    value = energy_text(watts, pl.col("style"))
    detail = pl.format("energy_value '{}' instead of '{}'", value, pl.col("energy_value"))
    return Edit(line=line(energy_value=value), detail=detail)


@row_fault(rate=0.002, demo_rate=0.003, effect=Effect.DROP)
def gap() -> Edit:
    """A single row is missing."""
    return Edit(line=line(), detail=pl.lit("row missing"))


@row_fault(rate=0.0002, demo_rate=0.003, effect=Effect.EDIT)
def malformed_line() -> Edit:
    """The line is no record: too few or too many fields, an open quote, a byte FF, a control character."""
    start = pl.concat_str(["meter_id", "timestamp", "energy_value"], separator=",")
    breaks = {
        "too few fields": start,
        "too many fields": pl.concat_str(line(), pl.lit(",extra")),
        "open quote": line(timestamp=pl.concat_str(pl.lit('"'), "timestamp")),
        "byte FF": line(location=pl.concat_str("location", pl.lit(BAD_BYTE_MARK))),
        "control character 07": line(meter_id=pl.concat_str("meter_id", pl.lit("\x07"))),
        "control character 00": line(energy_value=pl.concat_str(pl.lit("\x00"), "energy_value")),
    }
    variant = pl.col("pick") % len(breaks)
    broken = pl.coalesce([pl.when(variant == i).then(text) for i, text in enumerate(breaks.values())])
    return Edit(line=broken, detail=choose(tuple(breaks)))


@row_fault(rate=0.001, demo_rate=0.003, effect=Effect.REPEAT)
def repeat_row() -> Edit:
    """The row comes twice in a file, the copy right behind the original."""
    return Edit(line=line(), detail=pl.lit("same as the line before"))


@row_fault(rate=0.0005, demo_rate=0.002, effect=Effect.CORRECT)
def correction() -> Edit:
    """A file of corrections, days later, holds another value for the meter and slot."""
    watts = pl.col("watts").cast(pl.Int64) + 10 + pl.col("pick") % 500
    value = energy_text(watts, pl.col("style"))
    detail = pl.format("energy_value '{}' after '{}'", value, pl.col("energy_value"))
    return Edit(line=line(energy_value=value), detail=detail)
