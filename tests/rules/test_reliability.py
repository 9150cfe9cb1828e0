"""Reliability: the share of usable slots of a week."""

from math import isnan

import numpy as np
import pytest
from tests.rules.slots import LIMITS, past_of

from greenstream.domain.rules.b4_faults import reliability


def reliability_of(meter: str) -> float:
    """At the end of the meter's last slot."""
    past, at = past_of(meter), LIMITS.reliability_window_slots
    last = np.array([past.stop - 1])
    usable = past.count_before(lambda grid: grid.usable(LIMITS), last, at)
    return float(reliability(usable, past.slots_before(last, at), LIMITS)[0, 0])


def test_it_is_the_share_of_usable_slots_of_the_last_week() -> None:
    assert reliability_of("672 × 1 kW") == 1
    assert reliability_of("504 × 1 kW, 168 × missing") == 0.75
    assert reliability_of("500 × missing, 672 × 1 kW") == 1


def test_it_is_unknown_before_a_meter_has_96_slots() -> None:
    assert isnan(reliability_of("95 × 1 kW"))
    assert reliability_of("95 × 1 kW, missing") == 95 / 96


@pytest.mark.parametrize("value", ["missing", "no kW", "-1 kW", "50 kW"])
def test_what_is_not_usable_costs(value: str) -> None:
    assert reliability_of(f"95 × 1 kW, {value}") == 95 / 96


@pytest.mark.parametrize("value", ["0 kW", "49.9999 kW"])
def test_what_is_usable_does_not(value: str) -> None:
    assert reliability_of(f"95 × 1 kW, {value}") == 1
