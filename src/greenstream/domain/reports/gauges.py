"""What monitoring asks of the database: each gauge, with its labels and its meaning."""

from dataclasses import dataclass
from typing import NamedTuple


class GaugeValue(NamedTuple):
    """One value of a gauge, with its labels in the gauge's order."""

    gauge: str
    labels: list[str]
    value: float


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """A value that the database knows; `counts` says that it only ever grows."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()
    counts: bool = False


GAUGES = (
    Gauge(name="waiting_files", meaning="Landed files that have not ended, by state", labels=("route", "state")),
    Gauge(name="oldest_waiting_seconds", meaning="Age of the oldest of them; 0 without any", labels=("route",)),
    Gauge(name="open_dead_letters", meaning="Dead letters that need a person"),
    Gauge(name="open_alerts", meaning="Open alerts: neither acknowledged nor resolved", labels=("code",)),
    Gauge(name="open_findings", meaning="Findings on meters that go on", labels=("code",)),
    Gauge(name="quarantined_rows", meaning="Rejected rows that were neither replayed nor discarded", labels=("code",)),
    Gauge(name="flags", meaning="Stored readings with a flag, ever", labels=("code",), counts=True),
    Gauge(name="watermark_timestamp_seconds", meaning="Up to here the history rules have been applied, Unix time"),
    Gauge(name="unwatched_loads", meaning="Loads that the history rules have not seen"),
)
