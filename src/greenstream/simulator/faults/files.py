"""Faults of whole files: how they change a file's way to the landing zone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from greenstream.simulator.faults.registry import FILE_FAULTS, FileFault, summary_of


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A file's name and when it arrives (UTC)."""

    name: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Disturbed:
    """The deliveries a file has instead of one, and what to say of the last of them."""

    deliveries: tuple[Delivery, ...]
    detail: str


Disturb = Callable[[Delivery, timedelta, float], Disturbed]
DISTURBANCES: dict[str, Disturb] = {}


def file_fault(*, rate: float, demo_rate: float) -> Callable[[Disturb], Disturb]:
    """Lists a fault that hits files; its rates are shares of the files.

    The function gets the delivery as planned, the time between two files of one source, and a uniform number.
    """

    def add(disturb: Disturb) -> Disturb:
        name = disturb.__name__
        FILE_FAULTS[name] = FileFault(name=name, summary=summary_of(disturb), rate=rate, demo_rate=demo_rate)
        DISTURBANCES[name] = disturb
        return disturb

    return add


@file_fault(rate=0.01, demo_rate=0.02)
def late_file(planned: Delivery, cadence: timedelta, u: float) -> Disturbed:
    """The file arrives 2 to 48 hours after newer ones."""
    delay = cadence + timedelta(minutes=round(120 + u * 2_760))
    hours = delay.total_seconds() / 3600
    late = replace(planned, at=planned.at + delay)
    return Disturbed(deliveries=(late,), detail=f"{hours:.2f} h late")


@file_fault(rate=0.005, demo_rate=0.02)
def repeat_file(planned: Delivery, cadence: timedelta, u: float) -> Disturbed:
    """The file arrives again within a day, under another name or under its own."""
    again = planned.at + timedelta(minutes=round(5 + (u * 2 % 1) * 1_200))
    if u < 0.5:
        detail, name = "same name", planned.name
    else:
        stem, dot, ending = planned.name.partition(".")
        detail, name = f"content of {planned.name}", f"{stem}_resend{dot}{ending}"
    return Disturbed(deliveries=(planned, Delivery(name=name, at=again)), detail=detail)
