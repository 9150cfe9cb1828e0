"""Time and processor time of a call, the best of several."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

RUNS = 5


@dataclass(frozen=True, kw_only=True)
class Took:
    """Seconds on the wall and of the processor."""

    wall: float
    cpu: float


def best_of(call: Callable[[], object], runs: int = RUNS) -> Took:
    """The quickest of several runs, for what disturbs a run only ever makes it slower."""
    return min((once(call) for _ in range(runs)), key=lambda took: took.wall)


def once(call: Callable[[], object]) -> Took:
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    call()
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(wall=wall, cpu=cpu)


def report(name: str, ours: Took, floor: Took, wanted: float) -> None:
    """One line: how fast we are as a share of the floor, and what was asked for."""
    ratio, cpu_ratio = floor.wall / ours.wall, floor.cpu / ours.cpu if ours.cpu else 0
    print(
        f"{name}: {ratio:.2f} of the floor's speed (wanted {wanted:.2f}); wall {ours.wall:.2f} s against "
        f"{floor.wall:.2f} s, processor ratio {cpu_ratio:.2f}",
        flush=True,
    )
