"""What an energy text says: B1.1, B1.2, B1.3, B2.1 and B3.1."""

import re
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal

# The power of ten that makes kW of the unit.
UNITS = {"w": -3, "watt": -3, "kw": 0, "kilowatt": 0}
NUMBER = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:[eE]([+-]?[0-9]+))?")
TOO_MUCH = Decimal(10) ** 9


@dataclass(frozen=True, kw_only=True)
class Energy:
    text: str | None
    kw: Decimal | None
    flags: tuple[str, ...]


def energy_text(value: str | None, unit: str | None) -> str | None:
    if value is None or unit is None or value[-1].isalpha():
        return value
    return f"{value} {unit}"


def judge_energy(value: str | None, unit: str | None, *, decimal_comma: bool) -> Energy:
    text = energy_text(value, unit)
    if text is None:
        return Energy(text=None, kw=None, flags=("MISSING_READING",))
    number_text, unit_text = split_unit(text)
    if decimal_comma:
        number_text = number_text.replace(",", ".")
    number = NUMBER.fullmatch(number_text)
    if number is None:
        return Energy(text=text, kw=None, flags=("INVALID_VALUE",))
    power = UNITS.get(unit_text.lower())
    if power is None:
        return Energy(text=text, kw=None, flags=("INVALID_UNIT",))
    as_written = exact(number[1], number[2] or "0", power)
    kw = None if as_written.copy_abs() >= TOO_MUCH else rounded(as_written)
    if kw is None or kw.copy_abs() >= TOO_MUCH:
        return Energy(text=text, kw=None, flags=("INVALID_VALUE",))
    return Energy(text=text, kw=kw, flags=() if in_range(kw) else ("OUT_OF_RANGE",))


def split_unit(text: str) -> tuple[str, str]:
    """The number and the letters at the end: a number never ends in a letter, so one way to split."""
    start = len(text)
    while start > 0 and text[start - 1].isalpha():
        start -= 1
    return text[:start].rstrip(" "), text[start:]


def exact(mantissa: str, exponent: str, power: int) -> Decimal:
    # Beyond this exponent a number is at least 10^40, or below 10^-40: further away changes no answer.
    bound = len(mantissa) + 40
    scale = clipped(exponent, bound) + power
    context = Context(prec=len(mantissa) + 10, Emax=MAX_EMAX, Emin=MIN_EMIN)
    return Decimal(mantissa).scaleb(scale, context)


def clipped(exponent: str, bound: int) -> int:
    digits = exponent.lstrip("+-").lstrip("0")
    size = min(int(digits or "0"), bound) if len(digits) < 10 else bound
    return -size if exponent.startswith("-") else size


def rounded(kw: Decimal) -> Decimal:
    # In `decimal`, HALF_UP takes ties away from zero.
    four = kw.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP, context=Context(prec=40))
    return abs(four) if four == 0 else four


def in_range(kw: Decimal | None) -> bool:
    return kw is not None and 0 < kw < 50
