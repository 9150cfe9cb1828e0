"""The faults the simulator knows, and presets of their rates.

Row faults count in shares of the rows, window faults in windows per meter and day, file faults in shares of
the files. A window or file fault with a rate above 0 occurs at least once, where the plan is long enough.

>>> sorted(FILE_FAULTS)
['late_file', 'repeat_file']
"""

from collections.abc import Mapping

from greenstream.simulator.faults import files, rows, windows
from greenstream.simulator.faults.registry import (
    FILE_FAULTS,
    ROW_FAULTS,
    WINDOW_FAULTS,
    FileFault,
    RowFault,
    WindowFault,
)

KINDS: Mapping[str, RowFault | WindowFault | FileFault] = {**ROW_FAULTS, **WINDOW_FAULTS, **FILE_FAULTS}

CLEAN: Mapping[str, float] = {}
DEFAULT: Mapping[str, float] = {name: kind.rate for name, kind in KINDS.items()}
DEMO: Mapping[str, float] = {name: kind.demo_rate for name, kind in KINDS.items()}

PRESETS: Mapping[str, Mapping[str, float]] = {"clean": CLEAN, "default": DEFAULT, "demo": DEMO}
"""None; those of a real fleet, where one to two rows in a hundred are touched; and each kind in a small fleet."""


def scaled(rates: Mapping[str, float], factor: float) -> dict[str, float]:
    """All rates times a factor, at most 1."""
    return {name: min(rate * factor, 1.0) for name, rate in rates.items()}


def without(rates: Mapping[str, float], *names: str) -> dict[str, float]:
    return {name: rate for name, rate in rates.items() if name not in names}


__all__ = [
    "CLEAN",
    "DEFAULT",
    "DEMO",
    "FILE_FAULTS",
    "KINDS",
    "PRESETS",
    "ROW_FAULTS",
    "WINDOW_FAULTS",
    "files",
    "rows",
    "scaled",
    "windows",
    "without",
]
