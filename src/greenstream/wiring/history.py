"""The meters and their past."""

from datetime import date

from greenstream.application.history.detect import Detected, OnProgress, detect_findings, not_told
from greenstream.application.history.import_meters import Imported, import_meters
from greenstream.application.history.settle import Settled, settle
from greenstream.domain.formats.roster import Roster
from greenstream.wiring.place import Place


class History:
    """The history rules, settling, and the roster."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def detect(self, on_progress: OnProgress = not_told) -> Detected:
        """Apply the history rules to what was loaded since the last time."""
        return self._place.attempts.run(lambda: self._detect(on_progress))

    def due_days(self, on_progress: OnProgress = not_told) -> list[date]:
        """Local days that have ended and were never settled, or have changed since; oldest first.

        The history rules are applied before, for late readings make days due that look back on them.
        """
        self.detect(on_progress)
        return self.known_due_days()

    def known_due_days(self) -> list[date]:
        """The same, as far as is known: nothing is changed."""
        return self._place.attempts.run(lambda: self._place.database.due_days(self._place.today()))

    def settle(self, day: date) -> Settled:
        """Make a local day final."""
        return self._place.attempts.run(lambda: self._settle(day))

    def import_meters(self, roster: Roster) -> Imported:
        """Register a roster's meters, and judge those anew whose end has changed."""
        place = self._place
        return place.attempts.run(
            lambda: import_meters(roster, place.database.fleet, place.site, place.clock()),
        )

    def _detect(self, on_progress: OnProgress) -> Detected:
        place = self._place
        with place.database.history() as history:
            return detect_findings(history, place.site, place.clock(), on_progress=on_progress)

    def _settle(self, day: date) -> Settled:
        place = self._place
        with place.database.history() as history:
            return settle(history, place.objects, place.site, day, place.clock())
