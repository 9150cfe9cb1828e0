"""Hostile cell texts: energies, units, locations, meters. Each function draws from a `random.Random`."""

from random import Random

NULLS = ("", "", "null", "NULL", "None", "NaN", "nan", "NA", "n/a", "N/A", "-", "Null", "  ", "nOnE")
UNITS = ("W", "kW", "Watt", "Kilowatt", "w", "KW", "Kw", "WATT", "kilowatt", "KILOWATT")
BAD_UNITS = (
    "Volts", "MW", "kWh", "Wh", "Watts", "Kilowatts", "V", "e", "E", "k", "kVA", "Ω", "кВт", "µW", "x",
    "WkW",
)  # fmt: skip
NOT_UNITS = ("k W", "W2", "W.", "%", "kW/h", "²", "kW²", "W W", "1", "°C", "_W", "(W)", "kW\u00a0", "w\u0301")
BROKEN = (
    "12..5 kW", "abc", "3 250 W", "0x10 W", "1.2.3 kW", "--5 kW", "+-5 W", "5-3 kW", ". kW", "e5 kW", "kW",
    "+ kW", "1e kW", "1e+ kW", "1e5.5 W", "1_000 W", "٣٢٥٠ W", "3250\tW",
    "3250\u00a0W", "３２５０ W", "inf kW",
    "Infinity", "-inf W", "nan kW", "NaN W", "null W", "n/a kW", "- W", "1 e3 W", "(5) kW", "5 kW.",
    "5 kW 5", "'5 kW'", "#N/A", "−5 kW", "5 kW;", "1 000,5 kW", "½ kW", "5²", "TRUE", "4 k W", "..", "+",
    "e", "\u200b5 kW", "5\u200b kW", "?",
)  # fmt: skip
ROUNDING = (
    "2.49995 kW", "2.49994999 kW", "2.49999 kW", "0.00005 kW", "0.00004999 kW", "0.000049 kW",
    "-0.00005 kW", "-0.00004 kW", "49.99995 kW", "49.99994 kW", "49999.95 W", "49999.949 W", "50 kW",
    "50000 W", "49.9999 kW", "0.05 W", "0.049 W", "0.15 W", "0.25 W", "1234.55 W", "1234.45 W",
    "1234.449 W", "2.00005 kW", "1.00015 kW", "1.00025 kW", "1.005 W", "0.5 W",
    "3250.04999999999999999999999999999999 W", "3250.05 W", "2.675 kW", "0.00015 kW", "2.5e-5kW", "5e-5 kW",
    "4.99999999999999999999999999e-5 kW", "0 kW", "0 W", "-0 W", "0.0e10 kW", "4.35 kW", "1.1e0 kW",
    "0.28715 kW", "8.00055 kW", "16.00005 kW", "1.0000499999999999999999999999999999999 kW",
)  # fmt: skip
EXTREMES = (
    "1e9 kW", "999999999.9999 kW", "999999999.99994 kW", "1e12 W", "999999999999.9 W", "-1e9 kW",
    "-999999999.9 kW", "1e308 kW", "1e309 W", "1e400 W", "1e-400 W", "1e99999999999999999999 W",
    "1e-99999999999999999999 kW", "0e99999999999999999999 kW", "9" * 40 + " W", "9" * 250 + " kW",
    "0." + "0" * 240 + "1 kW", "0" * 240 + "5.5 kW", "0" * 252 + "1 kW", "0" * 253 + "1 kW", "5" + "0" * 30 + "e-30 kW",
    "0." + "0" * 30 + "325e31 kW", "1e18 W", "9223372036854775808 W", "1000000000 kW", "1000000000.0 kW",
    "1e0000000000000000000000003 W", "100000e-000005 kW", "1e10 Volts", "12345678901",
)  # fmt: skip
SHAPES = (
    "5. kW", ".5 kW", "+5 kW", "-5 kW", "-.5 kW", "+.5kW", "5e0kW", "5E-1 kW", "3.25e3W", "3.25E+3 W",
    "1e3w", "5eW", "5e", "5e3", "5e3e", "007 kW", "5    kW", "3.kW", "1e+2W", "1e-2kW", "3250", "3.25",
    "-3.25", "+1e1", "0", "50", "1E5kW", "1e1kilowatt", "5WATT", "1.e1 kW", "5eVolts", "5e1 e",
)  # fmt: skip
COMMAS = (
    "3,25 kW",
    "1,234 W",
    "1,234.5 W",
    "1.234,5 W",
    ",5 kW",
    "5, kW",
    "1,234,567 W",
    "3,25",
    "-0,5kW",
    "2,5e-1 kW",
)
WEIGHTS = {"sane": 70, "null": 6, "unit": 5, "broken": 4, "rounding": 6, "extreme": 2, "shape": 4, "comma": 3}
LOCATIONS = (
    "", "null", "-", "Residential_Zone_", "residential_Zone_7", "Residential_zone_7", "Industrial_Zone_7",
    "Zone7", "Residential_Zone_7a", "Residential_Zone_0", "Commercial_Zone_007", "Residential_Zone_1234567",
    "N/A", "Commercial_Zone_123456", "Residential_Zone_٧", "Commercial_Zone_-1", " Commercial_Zone_3 ",
    "Köln, Süd", "Residential_Zone_7 7", "Residential__Zone_7", "Residential-Zone-7", "Depot \"North\"",
    "Residential_Zone_1\u00a0", "XResidential_Zone_7", "Residential_Zone_7\\n", "RESIDENTIAL_ZONE_7",
    "\tResidential_Zone_9", "x" * 256, "x" * 257, "電" * 256, "電" * 257, " " * 300 + "x", "-" * 300,
)  # fmt: skip


def pick(rng: Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def energy_text(rng: Random) -> str:
    """A value with its unit in one text, mostly sane."""
    kind = pick(rng, WEIGHTS)
    if kind == "sane":
        return sane_energy(rng)
    if kind == "unit":
        return f"{quantity(rng)}{rng.choice(('', ' '))}{rng.choice((*BAD_UNITS, *NOT_UNITS))}"
    sources = {
        "null": NULLS,
        "broken": BROKEN,
        "rounding": ROUNDING,
        "extreme": EXTREMES,
        "shape": SHAPES,
        "comma": COMMAS,
    }
    return rng.choice(sources[kind])


def sane_energy(rng: Random) -> str:
    blank = rng.choice((" ", " ", " ", "", "  "))
    if rng.random() < 0.5:
        return f"{quantity(rng)}{blank}{rng.choice(('kW', 'kW', 'kW', 'Kilowatt', 'KW'))}"
    digits = rng.choice((0, 0, 1, 2, 3))
    watts = rng.randrange(1, 52000 * 10**digits) / 10**digits
    return f"{watts:.{digits}f}{blank}{rng.choice(('W', 'W', 'W', 'Watt', 'w'))}"


def quantity(rng: Random) -> str:
    digits = rng.choice((0, 1, 2, 3, 4, 5, 6))
    return f"{rng.randrange(0, 51 * 10**digits) / 10**digits:.{digits}f}"


def energy_cells(rng: Random, *, unit_column: bool) -> tuple[str, str]:
    """The cells `energy_value` and `unit`; the unit is empty where the file has no such column."""
    text = energy_text(rng)
    if not unit_column:
        return text, ""
    roll = rng.random()
    if roll < 0.7 and " " in text.strip():
        value, unit = text.strip().rsplit(" ", 1)
        return value, unit
    if roll < 0.72:
        return rng.choice(("5 Ω", "5µ", "5 кВт", "5²", "5 kẅ", "５")), rng.choice(UNITS)
    if roll < 0.8:
        return quantity(rng), rng.choice(NULLS)
    if roll < 0.9:
        return quantity(rng), rng.choice((*UNITS, *BAD_UNITS, *NOT_UNITS))
    return text, rng.choice((*UNITS, "", "null"))


def location_text(rng: Random) -> str:
    if rng.random() < 0.7:
        return f"{rng.choice(('Residential', 'Commercial'))}_Zone_{rng.randrange(1, 15)}"
    return rng.choice(LOCATIONS)


def meter_names(rng: Random, count: int) -> list[str]:
    odd = (
        "ß" * 64,
        "M" * 64,
        "SM 4 8",
        "zähler-7",
        "sm-1",
        "SM-1",
        "0",
        "nanny",
        "SM-1;2",
        "SM,3",
        "電" * 64,
        "N/A1",
    )
    return [
        rng.choice(odd) if rng.random() < 0.08 else f"SM-{10000 + index * 7 + rng.randrange(7)}"
        for index in range(count)
    ]


def lost_meter(rng: Random) -> str:
    return rng.choice((*NULLS, "ß" * 65, "M" * 65, "電" * 65))
