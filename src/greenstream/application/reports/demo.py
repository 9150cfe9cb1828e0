"""The demo's facts that its database knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from greenstream.domain.reports.demo import Curve, CurvePoint, Fate, Flagged, InHistory, Quarantined
from greenstream.domain.reports.doc import Counts
from greenstream.domain.site import Site

if TYPE_CHECKING:
    from greenstream.ports.reports import DemoSource


@dataclass(frozen=True, kw_only=True)
class FaultyLines:
    """Lines that a simulation spoiled, column by column: the fault, the content of the file, the number in it."""

    faults: Sequence[str]
    sha256: Sequence[str]
    lines: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class StoredDemo:
    """What came of the demo's files."""

    flagged: Sequence[Flagged]
    history: Sequence[InHistory]
    quarantined: Sequence[Quarantined]
    grades: Counts
    fates: Sequence[Fate]
    curve: Curve


def stored_demo(source: "DemoSource", faulty: FaultyLines, site: Site, day: date) -> StoredDemo:
    """All of it; the load curve is that of a local day."""
    return StoredDemo(
        flagged=source.flagged(),
        history=source.history(),
        quarantined=source.quarantined(),
        grades=source.grades(),
        fates=source.fates(faulty.faults, faulty.sha256, faulty.lines),
        curve=Curve(day=day, timezone=site.timezone, mean_kw=_by_class(source.curve(site, day), site)),
    )


def _by_class(points: Sequence[CurvePoint], site: Site) -> Mapping[str, Sequence[Decimal | None]]:
    slots = 24 * 60 // site.limits.interval_minutes
    curves: dict[str, list[Decimal | None]] = {point.customer_class: [None] * slots for point in points}
    for point in points:
        curves[point.customer_class][point.slot] = Decimal(f"{point.mean_kw:.4f}")
    return curves
