"""Random numbers that depend on the seed and a key alone.

Only raw Philox words are used: NumPy keeps those the same across versions and machines, which it doesn't
promise for its distributions. Tables of a distribution's quantiles are rounded, so that a last-bit difference
between two mathematical libraries can't reach a file.
"""

import math
from collections.abc import Sequence
from enum import IntEnum
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


class Purpose(IntEnum):
    """The first part of a key: what the numbers are for, so that no two uses share a stream."""

    FLEET = 1
    WEATHER = 2
    ACTIVITY = 3
    NOISE = 4
    ROW_FAULTS = 5
    WINDOWS = 6
    BURSTS = 7
    FILES = 8


def words(seed: int, key: Sequence[int], count: int) -> NDArray[np.uint64]:
    """`count` uniform 64-bit words of the stream that seed and key name."""
    stream = np.random.Philox(np.random.SeedSequence(seed, spawn_key=tuple(key)))
    return np.asarray(stream.random_raw(count), dtype=np.uint64)


def uniform(seed: int, key: Sequence[int], count: int) -> NDArray[np.float64]:
    """`count` numbers in [0, 1), with 53 random bits each."""
    return (words(seed, key, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def small_words(seed: int, key: Sequence[int], count: int, dtype: str) -> NDArray[np.unsignedinteger]:
    """`count` words of a narrower unsigned type (`u1`, `u2`, `u4`), cut from the 64-bit ones."""
    width = np.dtype(dtype).itemsize
    whole = words(seed, key, -(-count * width // 8))
    cut: NDArray[np.unsignedinteger] = whole.astype("<u8").view("<" + dtype)[:count]
    return cut


def mixed(seed: int, numbers: NDArray[np.int64]) -> NDArray[np.uint32]:
    """A uniform 32-bit word for each number: SplitMix64's finaliser (Steele, Lea and Flood, 2014)."""
    z = numbers.astype(np.uint64) + np.uint64(words(seed, (0,), 1)[0] >> np.uint64(1))
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(32)).astype(np.uint32)


@cache
def lognormal_table(sigma: float, size: int) -> NDArray[np.float32]:
    """The mid-quantiles of a lognormal with median 1: index it with a uniform word below `size`.

    Its tails end at the outermost mid-quantile, so that clean loads have an upper bound.
    """
    normal = NormalDist()
    steps = (normal.inv_cdf((i + 0.5) / size) for i in range(size))
    return np.array([round(math.exp(sigma * z), 4) for z in steps], dtype=np.float32)
