"""What monitoring asks of the database."""

from typing import NamedTuple


class GaugeValue(NamedTuple):
    """One value of a gauge, with its labels in the gauge's order."""

    gauge: str
    labels: list[str]
    value: float
