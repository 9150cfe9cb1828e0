"""Import a roster: meters are known before they report, and retired ones are expected no more."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from greenstream.application.history.detect import detect_findings
from greenstream.domain.formats.roster import BadLine, Roster
from greenstream.domain.site import Site, local_day, slot_of
from greenstream.ports.history import Fleet


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What became of a roster's lines: lines = registered + changed + unchanged + bad.

    `found` is how many findings are new, by code.
    """

    lines: int
    registered: int
    changed: int
    bad: tuple[BadLine, ...]
    found: Mapping[str, int]

    @property
    def unchanged(self) -> int:
        return self.lines - self.registered - self.changed - len(self.bad)


def import_meters(
    roster: Roster, fleet: Callable[[], AbstractContextManager[Fleet]], site: Site, now: datetime
) -> Imported:
    """Register a roster's meters, and judge those anew whose end has changed. Safe to repeat.

    Dates and findings change in one transaction, so that no finding goes on behind a meter's end; that is why loaded
    readings which the history rules haven't seen are looked at as well. `fleet` begins a transaction.
    """
    interval = site.limits.interval_minutes
    with fleet() as meters:
        registered = meters.register(roster)
    with fleet() as meters:
        rescheduled = meters.reschedule(roster)
        watched = detect_findings(meters, site, now, again=rescheduled.again)
        meters.update_statuses(local_day(slot_of(now, interval), site.timezone, interval))
    return Imported(
        lines=roster.lines,
        registered=len(registered.new),
        changed=len((registered.moved | rescheduled.meters) - registered.new),
        bad=roster.bad,
        found=watched.found,
    )
