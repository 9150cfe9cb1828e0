"""Days on their way into the lake and out of the database."""

import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from greenstream.adapters.temporary import sweep
from greenstream.application.lake.archive import Archived, Archiving, archive, archive_day
from greenstream.application.lake.retention import Retention, Retirement, retire, retire_day
from greenstream.application.lake.verify import Verification, Verified, verify
from greenstream.application.nightly import Night
from greenstream.domain.lake.lifetimes import Deletion
from greenstream.wiring.place import Place


class Lake:
    """Archive, verification, retention, and the night that runs them all."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def archive(self, day: date) -> Archived:
        """Write a day to the lake, settled before where that is needed. See `archive_day`."""
        place = self._place
        archiving = Archiving(
            exclusion=place.exclusion,
            archive=self._archive,
            settle=place.history.settle,
            raise_alert=place.alerts.raise_now,
        )
        return place.attempts.run(lambda: archive_day(day, archiving))

    def to_archive(self) -> list[date]:
        """Settled days whose last settling the lake hasn't seen; oldest first."""
        return self._place.attempts.run(lambda: self._place.database.archives().to_archive())

    def days(self) -> list[date]:
        """All days that ever had a reading; oldest first."""
        return self._place.attempts.run(lambda: self._place.database.archives().days())

    def verify(self, day: date, *, raw: bool = True) -> Verified:
        """Compare what database, lake and raw files tell of a day."""
        place = self._place
        return place.attempts.run(
            lambda: verify(
                day,
                Verification(
                    archives=place.database.archives(),
                    lake=place.objects,
                    landing=place.store,
                    site=place.site,
                    raw=raw,
                ),
            )
        )

    def night(self) -> Night:
        """The night of all days that need it."""
        place = self._place
        return Night(
            exclusion=place.exclusion,
            erase_again=self._clean_up,
            due=place.history.known_due_days,
            to_settle=place.history.due_days,
            settle=place.history.settle,
            to_archive=self.to_archive,
            archive=self.archive,
            retire=self._retire,
            raise_alert=place.alerts.raise_now,
        )

    def night_of(self, day: date) -> Night:
        """The night of one day, without raw files."""
        place = self._place
        return Night(
            exclusion=place.exclusion,
            erase_again=lambda: iter(()),
            due=lambda: [day],
            to_settle=lambda: [day],
            settle=place.history.settle,
            to_archive=lambda: [day],
            archive=self.archive,
            retire=partial(self._retire_day, day),
            raise_alert=place.alerts.raise_now,
        )

    def _clean_up(self) -> Iterator[Deletion]:
        """Delete what killed processes left behind on this machine, and what was erased and came again."""
        sweep(Path(tempfile.gettempdir()))
        yield from self._place.corrections.erase_again()

    def _archive(self, day: date) -> Archived:
        place = self._place
        return archive(day, archives=place.database.archives(), lake=place.objects, site=place.site, now=place.clock())

    def _retire(self, dry_run: bool) -> Iterator[Retirement]:
        return retire(self._retention(dry_run=dry_run), self._place.today(), self._place.clock())

    def _retire_day(self, day: date, dry_run: bool) -> Iterator[Retirement]:
        retention = self._retention(dry_run=dry_run)
        for facts in retention.archives.to_retire(self._place.today() - timedelta(days=retention.lifetimes.readings)):
            if facts.day == day:
                yield retire_day(facts, retention, self._place.clock())

    def _retention(self, *, dry_run: bool) -> Retention:
        place = self._place
        return Retention(
            exclusion=place.exclusion,
            archives=place.database.archives(),
            lake=place.objects,
            landing=place.store,
            lifetimes=place.settings.lifetimes,
            timezone=place.settings.timezone,
            dry_run=dry_run,
        )
