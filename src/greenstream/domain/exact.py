"""Whole numbers of any size, element by element, for sums of squares that 64 bits can't hold."""

from dataclasses import dataclass
from functools import reduce
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

from greenstream.domain.limits import DIGIT_BITS, INT64_BITS

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

DIGIT = (1 << DIGIT_BITS) - 1


def fits(largest: int) -> bool:
    """Whether no number beyond this one needs more than 64 bits."""
    return largest < 1 << INT64_BITS


@dataclass(frozen=True, kw_only=True)
class Exact:
    """Arrays of one shape, or that broadcast: digits of base 2^24, the least first; only the last one has a sign.

    Where 64 bits are known to do, there is a single digit without a bound, and all of it is plain Int64.
    """

    digits: tuple[Integers, ...]
    wide: bool

    @classmethod
    def of(cls, numbers: Integers, *, wide: bool) -> "Exact":
        return _carried((numbers,), wide=wide)

    @classmethod
    def constant(cls, number: int, *, wide: bool) -> "Exact":
        if not wide:
            return cls(digits=(np.array(number, dtype=np.int64),), wide=wide)
        digits = [number >> shift & DIGIT for shift in range(0, max(number.bit_length(), 1), DIGIT_BITS)]
        return _carried(tuple(np.array(digit, dtype=np.int64) for digit in digits), wide=wide)

    @classmethod
    def of_places(cls, places: tuple[Integers, ...]) -> "Exact":
        """Of digits that may have grown beyond their base."""
        return _carried(places, wide=True)

    def __sub__(self, other: "Exact") -> "Exact":
        places = zip_longest(self.digits, other.digits, fillvalue=np.array(0, dtype=np.int64))
        return _carried(tuple(one - another for one, another in places), wide=self.wide)

    def __mul__(self, other: "Exact") -> "Exact":
        places: dict[int, Integers] = {}
        for place, one in enumerate(self.digits):
            for further, another in enumerate(other.digits):
                places[place + further] = places.get(place + further, np.array(0, dtype=np.int64)) + one * another
        return _carried(tuple(places[place] for place in sorted(places)), wide=self.wide)

    def __gt__(self, other: "Exact") -> Mask:
        negative: Mask = (other - self).digits[-1] < 0
        return negative

    def floats(self) -> npt.NDArray[np.float64]:
        """The nearest doubles, or their neighbours; of numbers that aren't negative."""
        parts = [digit * 2.0 ** (DIGIT_BITS * place) for place, digit in enumerate(self.digits)]
        return np.asarray(reduce(np.add, parts), dtype=np.float64)

    def at(self, *index: Integers) -> "Exact":
        """Chosen elements."""
        return Exact(digits=tuple(digit[index] for digit in self.digits), wide=self.wide)


def _carried(places: tuple[Integers, ...], *, wide: bool) -> Exact:
    """Bring each digit below its base; what is left at the end, sign and all, is the last digit."""
    if not wide:
        return Exact(digits=places, wide=wide)
    digits: list[Integers] = []
    carry = np.array(0, dtype=np.int64)
    for place in places:
        whole = place + carry
        digits.append(whole & DIGIT)
        carry = whole >> DIGIT_BITS
    while bool((np.abs(carry) > DIGIT).any()):
        digits.append(carry & DIGIT)
        carry = carry >> DIGIT_BITS
    return Exact(digits=(*digits, carry), wide=wide)
