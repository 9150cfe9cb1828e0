"""The load of each meter: what an undisturbed fleet draws.

A household's quarter-hour is its size times a daily shape (morning and evening peak, later at weekends), with
two kinds of noise: activity that drifts over hours, and chance from slot to slot. Heating, cooling and
appliances come on top. Businesses follow office hours, Monday to Friday, above a base load at night.

The shapes are stylised after the published standard load profiles of households (H0) and businesses (G1).
Small households without a large appliance running can stay within a variance of 0.01 kW² over 24 hours: a
stuck-meter rule with that threshold (B4.1) reports them, rightly by its letter, though nothing is broken.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from greenstream.simulator.fleet import BLOCK, MAX_CLEAN_WATTS, Fleet, Floats
from greenstream.simulator.randomness import Purpose, lognormal_table, small_words, uniform
from greenstream.simulator.timeline import Day

MIN_CLEAN_WATTS = 20
KNOTS = 12
"""Activity is drawn every twelfth of a day and drifts in between."""


def _percent(hours: str) -> tuple[float, ...]:
    return tuple(int(value) / 100 for value in hours.split())


# In per cent by local hour, 0 to 23; about 100 on average for a household, 0 to 100 for the others.
HOME_WORKDAY = _percent(
    " 45  38  34  32  34  50  95 135 115  85  75  80  95  85  75  80 105 155 190 205 190 155 105  65"
)
HOME_WEEKEND = _percent(
    " 60  48  40  36  34  36  45  65 100 130 140 140 150 135 115 105 115 145 180 195 180 150 115  80"
)
OFFICE_WORKDAY = _percent(
    "  5   5   5   5   5  10  30  65 100 100 100 100  95 100 100 100  95  70  40  25  15  10   5   5"
)
OFFICE_SATURDAY = _percent(
    "  5   5   5   5   5   5  10  15  25  30  30  30  25  20  15  10  10   5   5   5   5   5   5   5"
)
OFFICE_SUNDAY = (0.05,) * 24
HEATING = _percent(" 60  60  60  60  65  80 100 100  85  70  60  55  50  50  50  55  70  85  95 100 100  90  75  65")
COOLING = _percent(" 20  15  10   5   5   5   5  10  20  30  45  60  75  90 100 100 100  95  85  70  60  50  40  30")

# By month, January to December: need of heating and cooling (0–1), and the size of everything else.
HEATING_MONTHS = (1.0, 0.9, 0.65, 0.35, 0.1, 0.0, 0.0, 0.0, 0.1, 0.35, 0.7, 0.95)
COOLING_MONTHS = (0.0, 0.0, 0.0, 0.05, 0.25, 0.7, 1.0, 0.95, 0.45, 0.1, 0.0, 0.0)
SEASON_MONTHS = (1.12, 1.08, 1.02, 0.97, 0.93, 0.90, 0.88, 0.89, 0.94, 1.0, 1.07, 1.13)


def block_watts(fleet: Fleet, block: int, day: Day, seed: int) -> NDArray[np.int32]:
    """The mean power of each meter of a block (rows) in each slot of a day (columns), in W."""
    part = slice(block * BLOCK, min((block + 1) * BLOCK, len(fleet)))
    count = part.stop - part.start
    draws = small_words(seed, (Purpose.NOISE, block, day.date.toordinal()), BLOCK * day.slots, "u2")
    bits = draws.reshape(BLOCK, day.slots)[:count]
    load = _shaped(fleet, part, day)
    load *= _activity(seed, block, day)[:count]
    load *= lognormal_table(0.12, 256)[bits & 0xFF]
    load += _appliances(fleet, part, day, (bits >> 8).astype(np.uint8))
    load += _weather(fleet, part, day, seed)
    return np.clip(np.rint(load), MIN_CLEAN_WATTS, MAX_CLEAN_WATTS).astype(np.int32)


def _shaped(fleet: Fleet, part: slice, day: Day) -> Floats:
    home, office = _daily_shapes(day.date.weekday())
    minutes = (day.minutes[None, :] + 15 * fleet.shift[part, None]) % 1440
    shape = np.where(fleet.residential[part, None], home[minutes], office[minutes])
    base = fleet.base[part, None]
    size = fleet.size[part, None] * np.float32(SEASON_MONTHS[day.date.month - 1])
    peak = np.where(fleet.residential[part, None], np.float32(1), np.float32(2))
    return np.asarray(size * (base + (np.float32(1) - base) * shape * peak), dtype=np.float32)


def _daily_shapes(weekday: int) -> tuple[Floats, Floats]:
    if weekday < 5:
        return _by_minute(HOME_WORKDAY), _by_minute(OFFICE_WORKDAY)
    return _by_minute(HOME_WEEKEND), _by_minute(OFFICE_SATURDAY if weekday == 5 else OFFICE_SUNDAY)


@cache
def _by_minute(hours: tuple[float, ...]) -> Floats:
    values = np.interp(np.arange(1440) / 60, np.arange(25), [*hours, hours[0]])
    return np.round(values, 4).astype(np.float32)


def _activity(seed: int, block: int, day: Day) -> Floats:
    """A factor that drifts over hours and joins that of the next day: autocorrelated noise."""
    factors = lognormal_table(0.15, 256)
    today, tomorrow = (
        small_words(seed, (Purpose.ACTIVITY, block, day.date.toordinal() + d), count * BLOCK, "u1")
        for d, count in ((0, KNOTS), (1, 1))
    )
    knots = factors[np.concatenate([today, tomorrow])].reshape(KNOTS + 1, BLOCK).T
    position = np.arange(day.slots) * KNOTS
    left, weight = position // day.slots, (position % day.slots / day.slots).astype(np.float32)
    return np.asarray(knots[:, left] + (knots[:, left + 1] - knots[:, left]) * weight, dtype=np.float32)


def _appliances(fleet: Fleet, part: slice, day: Day, chance: NDArray[np.uint8]) -> Floats:
    """Kettle, oven, washing machine, refrigeration: in up to a fifth of the slots, while people are awake."""
    home, _ = _daily_shapes(day.date.weekday())
    likely = np.rint(np.minimum(home[day.minutes], 1) * np.float32(50)).astype(np.uint16)
    strength = np.float32(0.6) + chance.astype(np.float32) * np.float32(0.008)
    return np.where(chance < likely, fleet.appliance[part, None] * strength, np.float32(0))


def _weather(fleet: Fleet, part: slice, day: Day, seed: int) -> Floats:
    """Heating and cooling; the whole fleet shares a day's weather."""
    u = uniform(seed, (Purpose.WEATHER, day.date.toordinal()), 1)[0]
    severity = np.float32(0.8 + 0.4 * u)
    heat = _by_minute(HEATING)[day.minutes] * (severity * np.float32(HEATING_MONTHS[day.date.month - 1]))
    cool = _by_minute(COOLING)[day.minutes] * (severity * np.float32(COOLING_MONTHS[day.date.month - 1]))
    return np.asarray(fleet.heating[part, None] * heat + fleet.cooling[part, None] * cool, dtype=np.float32)
