"""Nights over a bed, step by step or whole."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from tests.support.bed import Bed

from greenstream.adapters.postgres.alerts import connect_alerts
from greenstream.adapters.postgres.base.whole_database import only_one
from greenstream.application.corrections.erase import Erasing, Unsearchable, erase, erase_again
from greenstream.application.exclusion import Exclusion
from greenstream.application.history.detect import watch_meters
from greenstream.application.history.settle import Settled, settle
from greenstream.application.lake.archive import Archived, archive
from greenstream.application.lake.retire import Retention, Retirement, retire
from greenstream.application.lake.verify import Verification, Verified, verify
from greenstream.application.nightly import Done, Night, Step, nightly
from greenstream.domain.alerts.values import Condition
from greenstream.domain.lake.retention import Deletion, Lifetimes
from greenstream.domain.site import local_day, slot_of

LIFETIMES = Lifetimes(readings=90, findings=1095, quarantine=365, ledger=1095)


@dataclass
class Nights:
    """The night's steps with the bed's clock."""

    bed: Bed
    lifetimes: Lifetimes = LIFETIMES

    @property
    def today(self) -> date:
        site = self.bed.site
        return local_day(
            slot_of(self.bed.now, site.limits.interval_minutes), site.timezone, site.limits.interval_minutes
        )

    def run(self) -> list[Done]:
        night = Night(
            exclusion=self.exclusion,
            erase_again=lambda: erase_again(self.erasing()),
            due=self.to_settle,
            to_settle=self.to_settle,
            settle=self.settle,
            to_archive=self.bed.database.archives().to_archive,
            archive=self.archive,
            retire=lambda dry_run: self.retire(dry_run=dry_run),
            raise_alert=self.raise_alert,
        )
        steps: list[Step] = []
        return list(nightly(night, steps.append))

    @cached_property
    def exclusion(self) -> Exclusion:
        return Exclusion(lambda: only_one(self.bed.dsn, "nightly"), on_wait=lambda: None, sleep=time.sleep)

    def raise_alert(self, condition: Condition) -> None:
        with connect_alerts(self.bed.dsn) as book:
            book.raise_alert(condition, self.bed.clock())

    def to_settle(self) -> list[date]:
        with self.bed.database.history() as history:
            watch_meters(history, self.bed.site, self.bed.clock())
        return self.bed.database.due_days(self.today)

    def settle(self, day: date) -> Settled:
        with self.bed.database.history() as history:
            return settle(history, self.bed.lake, self.bed.site, day, self.bed.clock())

    def archive(self, day: date) -> Archived:
        bed = self.bed
        return archive(day, archives=bed.database.archives(), lake=bed.lake, site=bed.site, now=bed.clock())

    def erasing(self) -> Erasing:
        bed = self.bed
        return Erasing(
            exclusion=self.exclusion,
            erasures=bed.database.erasures(),
            archives=bed.database.archives(),
            lake=bed.lake,
            landing=bed.store,
            site=bed.site,
            clock=bed.clock,
        )

    def erase(self, meter_id: str) -> list[Deletion | Unsearchable]:
        return list(erase(meter_id, "asked for", self.erasing()))

    def settle_and_archive(self) -> None:
        for day in self.to_settle():
            self.settle(day)
            self.archive(day)

    def retire(self, *, dry_run: bool = False) -> Iterator[Retirement]:
        means = Retention(
            exclusion=self.exclusion,
            archives=self.bed.database.archives(),
            lake=self.bed.lake,
            landing=self.bed.store,
            lifetimes=self.lifetimes,
            timezone=self.bed.site.timezone,
            dry_run=dry_run,
        )
        return retire(means, self.today, self.bed.clock())

    def verify(self, day: date, *, raw: bool = True) -> Verified:
        bed = self.bed
        archives = bed.database.archives()
        return verify(day, Verification(archives=archives, lake=bed.lake, landing=bed.store, site=bed.site, raw=raw))
