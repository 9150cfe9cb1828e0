"""PostgreSQL behind the port `Fleet`: which meters there are, and from when to when."""

from datetime import date

import polars as pl

from greenstream.adapters.postgres.base.fetch import all_rows, column, run
from greenstream.adapters.postgres.history.history import PostgresHistory
from greenstream.adapters.postgres.loading.locations import location_keys
from greenstream.domain.formats.roster import Roster
from greenstream.domain.history.grid import FAR
from greenstream.domain.history.values import Registered, Rescheduled
from greenstream.domain.readings.judge import judge_locations
from greenstream.domain.site import day_slots


class PostgresFleet(PostgresHistory):
    """The history, and what a roster says about its meters."""

    def register(self, roster: Roster) -> Registered:
        """Add meters that aren't known, and correct the location of those that never reported.

        The meters come first: a load that adds some of them too has no activity locked yet.
        """
        ids = [meter.meter_id for meter in roster.meters]
        places = self._location_keys([meter.location for meter in roster.meters])
        values = {"meters": ids, "locations": places}
        new = frozenset(column(self._connection, "roster.register", str, **values))
        moved: frozenset[str] = frozenset()
        if "location" in roster.columns:
            run(self._connection, "roster.hold_activity")
            moved = frozenset(column(self._connection, "roster.move", str, **values))
        return Registered(new=new, moved=moved)

    def reschedule(self, roster: Roster) -> Rescheduled:
        """Give each meter its dates; where it ends elsewhere now, from the earlier end on its grid is another one."""
        values = {
            "meters": [meter.meter_id for meter in roster.meters],
            "commissioned": [meter.commissioned for meter in roster.meters],
            "decommissioned": [meter.decommissioned for meter in roster.meters],
            "has_commissioned": "commissioned" in roster.columns,
            "has_decommissioned": "decommissioned" in roster.columns,
        }
        rows = all_rows(self._connection, "roster.reschedule", **values)
        again = {key: min(self._end(before), self._end(after)) for key, _, before, after in rows if before != after}
        return Rescheduled(meters=frozenset(meter_id for _, meter_id, _, _ in rows), again=again)

    def update_statuses(self, today: date) -> None:
        run(self._connection, "history.status", today=today)

    def _end(self, decommissioned: date | None) -> int:
        """The first slot behind a meter's grid."""
        if decommissioned is None:
            return FAR
        return day_slots(decommissioned, self._site.timezone, self._site.limits.interval_minutes).start

    def _location_keys(self, texts: list[str | None]) -> list[int]:
        """The key of each location; unknown ones are added."""
        distinct = pl.Series("location", sorted({text for text in texts if text}), dtype=pl.String)
        judged = judge_locations(distinct)
        keys = dict(zip(judged["location"], location_keys(self._connection, judged), strict=True))
        return [keys[text or None] for text in texts]
