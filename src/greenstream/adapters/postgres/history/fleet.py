"""PostgreSQL behind the port `Fleet`: which meters there are, and from when to when."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from greenstream.adapters.postgres.base.sql import query
from greenstream.adapters.postgres.history.history import PostgresHistory
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
        new = self._ids("roster.register", values)
        moved: frozenset[str] = frozenset()
        if "location" in roster.columns:
            self._connection.execute(query("roster.hold_activity"))
            moved = self._ids("roster.move", values)
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
        rows = self._connection.execute(query("roster.reschedule"), values).fetchall()
        again = {}
        for key, _, before, after in rows:
            if before != after:
                assert isinstance(key, int)
                again[key] = min(self._end(before), self._end(after))
        return Rescheduled(meters=frozenset(str(row[1]) for row in rows), again=again)

    def update_statuses(self, today: date) -> None:
        self._connection.execute(query("history.status"), {"today": today})

    def _end(self, decommissioned: object) -> int:
        """The first slot behind a meter's grid."""
        if decommissioned is None:
            return FAR
        assert isinstance(decommissioned, date)
        return day_slots(decommissioned, self._site.timezone, self._site.limits.interval_minutes).start

    def _location_keys(self, texts: list[str | None]) -> list[object]:
        """The key of each location; unknown ones are added."""
        distinct = pl.Series("location", sorted({text for text in texts if text}), dtype=pl.String)
        judged = judge_locations(distinct)
        names = judged["location"].fill_null("").to_list()
        values = {
            "locations": names,
            "classes": judged["customer_class"].to_list(),
            "regions": judged["region"].to_list(),
        }
        self._connection.execute(query("storing.add_locations"), values)
        found = self._connection.execute(query("storing.location_keys"), {"locations": names}).fetchall()
        keys = dict(zip(names, (row[0] for row in found), strict=True))
        return [keys[text or ""] for text in texts]

    def _ids(self, name: str, values: Mapping[str, object]) -> frozenset[str]:
        return frozenset(str(row[0]) for row in self._connection.execute(query(name), values).fetchall())
