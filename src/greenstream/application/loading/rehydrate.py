"""Readings of retired days, back from the lake for meters of which more came."""

from collections.abc import Mapping
from datetime import date

from greenstream.ports.lake import Lake, Rehydrating


def rehydrate(absent: Mapping[date, list[str]], into: Rehydrating, lake: Lake) -> None:
    """Bring the readings of the absent meters, by retired day, into the database.

    From then on all goes as for any other day: rows are known again, windows are judged, and the next archiving merges
    these meters with those that stayed in the lake.
    """
    for day, meters in absent.items():
        with lake.reading(day) as archived:
            into.rehydrate(archived.of(meters))
