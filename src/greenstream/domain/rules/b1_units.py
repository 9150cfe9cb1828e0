"""B1: the energy text as a number of kW."""

import polars as pl

from greenstream.domain.limits import Limits
from greenstream.domain.readings.schema import UNITS_PER_KW

NUMBER = r"([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?"
ENERGY_TEXT = rf"^{NUMBER} *(\p{{L}}*)$"
KILOWATT_UNITS = ("kw", "kilowatt")
WATT_UNITS = ("w", "watt")

_KW_DECIMALS = 4
_MAX_DIGITS = 18
"""What an Int64 holds; a value with more digits is far above `max_abs_kw`."""


def number_and_unit(energy_value: pl.Expr, *, decimal_comma: bool) -> pl.Expr:
    """Split an energy text into a Struct of `sign`, `whole`, `fraction`, `exponent` and `unit`, all String.

    All fields are null where the text is no number with blanks or none and a unit of letters or none. With
    `decimal_comma` a comma stands for the decimal point.
    """
    text = energy_value.str.replace_all(",", ".", literal=True) if decimal_comma else energy_value
    parts = text.str.extract_groups(ENERGY_TEXT)
    has_digits = (parts.struct[1] + parts.struct[2]).str.len_bytes() > 0
    return pl.when(has_digits).then(parts).struct.rename_fields(["sign", "whole", "fraction", "exponent", "unit"])


def watts_to_kilowatts(number: pl.Expr) -> pl.Expr:
    """B1.1: W to kW, a division by 1000.

    Example: energy_value `3250 W` → consumption_kw `3.25`
    Example: energy_value `3.25 kW` → consumption_kw `3.25`

    Returns:
        How far the decimal point moves to make 0.1 W of it (Int64); null where the unit is neither.
    """
    unit = number.struct.field("unit").str.to_lowercase()
    return (
        pl.when(unit.is_in(KILOWATT_UNITS))
        .then(pl.lit(_KW_DECIMALS, dtype=pl.Int64))
        .when(unit.is_in(WATT_UNITS))
        .then(pl.lit(_KW_DECIMALS - 3, dtype=pl.Int64))
    )


def round_half_away(scaled: pl.Expr) -> pl.Expr:
    """B1.3: kW rounded to 4 decimals, ties away from zero, on the decimal number as written.

    Example: energy_value `2.49999 kW` → consumption_kw `2.5`
    Example: energy_value `0.00005 kW` → consumption_kw `0.0001`

    Returns:
        An Int64 of 0.1 W.
    """
    up = (scaled.struct.field("next_digit") >= "5").cast(pl.Int64)
    return scaled.struct.field("sign") * (scaled.struct.field("whole") + up)


def scale(number: pl.Expr, shift: pl.Expr) -> pl.Expr:
    """Move the decimal point of a number as text, as far as `shift` says.

    Returns a Struct of `sign` (Int64), `whole` (Int64: the digits before the new point) and `next_digit` (String: the
    one after it); null where there is no number or no shift, and where `whole` would have more than 18 digits.
    """
    written = number.struct.field("whole") + number.struct.field("fraction")
    digits = written.str.strip_chars_start("0")
    leading_zeros = _length(written) - _length(digits)
    point = _length(number.struct.field("whole")) + _exponent(number) + shift - leading_zeros
    kept = point.clip(0, _MAX_DIGITS)
    padded = digits + "0" * (_MAX_DIGITS + 1)
    scaled = pl.struct(
        sign=pl.when(number.struct.field("sign") == "-").then(-1).otherwise(1).cast(pl.Int64),
        whole=("0" + padded.str.slice(0, kept)).cast(pl.Int64),
        next_digit=pl.when(point < 0).then(pl.lit("0")).otherwise(padded.str.slice(kept, 1)),
    )
    return pl.when(shift.is_not_null() & ((point <= _MAX_DIGITS) | (digits == ""))).then(scaled)


def _length(text: pl.Expr) -> pl.Expr:
    return text.str.len_bytes().cast(pl.Int64)


def _exponent(number: pl.Expr) -> pl.Expr:
    """The exponent as Int64; one with more digits than that is as good as endless."""
    text = number.struct.field("exponent")
    endless = pl.when(text.str.starts_with("-")).then(-(10**9)).otherwise(10**9)
    parsed = text.cast(pl.Int64, strict=False).clip(-(10**9), 10**9)
    return pl.when(text.is_null()).then(0).otherwise(pl.coalesce(parsed, endless))


def invalid_value(energy_value: pl.Expr, number: pl.Expr, scaled: pl.Expr, limits: Limits) -> pl.Expr:
    """B1.2: the energy must be a number and a unit of letters or none; anything else has no kW.

    A number is a sign, digits with at most one decimal point, and an exponent; only the digits must be there. Blanks
    may stand before the unit. From 10⁹ kW on, once rounded, a value is no measurement. In files whose delimiter isn't
    a comma, a comma stands for the decimal point.

    Flagged: energy_value `12..5 kW` → INVALID_VALUE
    Flagged: energy_value `3 250 W` → INVALID_VALUE
    Flagged: energy_value `1e9 kW` → INVALID_VALUE
    Flagged: energy_value `-999999999.99995 kW` → INVALID_VALUE
    Clean: energy_value `12.5 kW` → no flag
    """
    no_number = number.struct.field("unit").is_null()
    size = round_half_away(scaled).abs()
    too_large = size.is_null() | (size >= limits.max_abs_kw * UNITS_PER_KW)
    return energy_value.is_not_null() & (no_number | (_known_unit(number) & too_large))


def invalid_unit(number: pl.Expr) -> pl.Expr:
    """B1.2: the unit must be W, kW, Watt or Kilowatt, in any case; with another one, or none, there is no kW.

    Flagged: energy_value `230 Volts` → INVALID_UNIT
    Flagged: energy_value `5 kWh` → INVALID_UNIT
    Flagged: energy_value `3250` → INVALID_UNIT
    Clean: energy_value `230 watt` → no flag
    """
    return (~_known_unit(number)).fill_null(value=False)


def _known_unit(number: pl.Expr) -> pl.Expr:
    return number.struct.field("unit").str.to_lowercase().is_in([*KILOWATT_UNITS, *WATT_UNITS])
