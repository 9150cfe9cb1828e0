"""Whole numbers beyond 64 bits are reckoned with exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenstream.domain.exact import Exact

NUMBERS = st.integers(-(2**62), 2**62)


def exact(number: int) -> Exact:
    return Exact.of(np.array([number], dtype=np.int64), wide=True)


def whole(number: Exact) -> int:
    """What the digits stand for."""
    return sum(int(digit.reshape(-1)[0]) << (24 * place) for place, digit in enumerate(number.digits))


@given(NUMBERS, NUMBERS, NUMBERS, st.integers(0, 2**80))
def test_they_are_multiplied_subtracted_and_compared_as_whole_numbers_are(a: int, b: int, c: int, d: int) -> None:
    made = exact(a) * exact(b) - exact(c) * Exact.constant(d, wide=True)
    expected = a * b - c * d
    assert whole(made) == expected
    assert bool((made > exact(a))[0]) == (expected > a)
    assert bool((exact(a) > made)[0]) == (a > expected)
    assert not (made > exact(a) * exact(b) - exact(c) * Exact.constant(d, wide=True)).any()
    if expected >= 0:
        assert made.floats()[0] == pytest.approx(float(expected), rel=1e-12)


@given(st.integers(-(2**31), 2**31), st.integers(-(2**31), 2**31))
def test_where_64_bits_do_nothing_is_carried(a: int, b: int) -> None:
    one, other = (Exact.of(np.array([number], dtype=np.int64), wide=False) for number in (a, b))
    assert [int(digit[0]) for digit in (one * other).digits] == [a * b]
    assert bool((one > other)[0]) == (a > b)
