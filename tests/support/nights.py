"""Nights over a harness, step by step or whole."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from tests.support.harness import Harness

from greenstream.adapters.postgres.alerts import connect_alerts
from greenstream.adapters.postgres.base.whole_database import only_one
from greenstream.application.corrections.erase import Erasing, Unsearchable, erase, erase_again
from greenstream.application.exclusion import Exclusion
from greenstream.application.history.detect import detect_findings
from greenstream.application.history.settle import Settled, settle
from greenstream.application.lake.archive import Archived, archive
from greenstream.application.lake.retention import Retention, Retirement, retire
from greenstream.application.lake.verify import Verification, Verified, verify
from greenstream.application.nightly import Done, Night, Step, nightly
from greenstream.domain.alerts.values import Condition
from greenstream.domain.lake.lifetimes import Deletion, Lifetimes
from greenstream.domain.site import local_day, slot_of

LIFETIMES = Lifetimes(readings=90, findings=1095, quarantine=365, ledger=1095)


@dataclass
class Nights:
    """The night's steps with the harness's clock."""

    harness: Harness
    lifetimes: Lifetimes = LIFETIMES

    @property
    def today(self) -> date:
        site = self.harness.site
        return local_day(
            slot_of(self.harness.now, site.limits.interval_minutes), site.timezone, site.limits.interval_minutes
        )

    def run(self) -> list[Done]:
        night = Night(
            exclusion=self.exclusion,
            erase_again=lambda: erase_again(self.erasing()),
            due=self.to_settle,
            to_settle=self.to_settle,
            settle=self.settle,
            to_archive=self.harness.database.archives().to_archive,
            archive=self.archive,
            retire=lambda dry_run: self.retire(dry_run=dry_run),
            raise_alert=self.raise_alert,
        )
        steps: list[Step] = []
        return list(nightly(night, steps.append))

    @cached_property
    def exclusion(self) -> Exclusion:
        return Exclusion(lambda: only_one(self.harness.dsn, "nightly"), on_wait=lambda: None, sleep=time.sleep)

    def raise_alert(self, condition: Condition) -> None:
        with connect_alerts(self.harness.dsn) as book:
            book.raise_alert(condition, self.harness.clock())

    def to_settle(self) -> list[date]:
        with self.harness.database.history() as history:
            detect_findings(history, self.harness.site, self.harness.clock())
        return self.harness.database.due_days(self.today)

    def settle(self, day: date) -> Settled:
        with self.harness.database.history() as history:
            return settle(history, self.harness.lake, self.harness.site, day, self.harness.clock())

    def archive(self, day: date) -> Archived:
        harness = self.harness
        return archive(
            day, archives=harness.database.archives(), lake=harness.lake, site=harness.site, now=harness.clock()
        )

    def erasing(self) -> Erasing:
        harness = self.harness
        return Erasing(
            exclusion=self.exclusion,
            erasures=harness.database.erasures(),
            archives=harness.database.archives(),
            lake=harness.lake,
            landing=harness.store,
            site=harness.site,
            clock=harness.clock,
        )

    def erase(self, meter_id: str) -> list[Deletion | Unsearchable]:
        return list(erase(meter_id, "asked for", self.erasing()))

    def settle_and_archive(self) -> None:
        for day in self.to_settle():
            self.settle(day)
            self.archive(day)

    def retire(self, *, dry_run: bool = False) -> Iterator[Retirement]:
        context = Retention(
            exclusion=self.exclusion,
            archives=self.harness.database.archives(),
            lake=self.harness.lake,
            landing=self.harness.store,
            lifetimes=self.lifetimes,
            timezone=self.harness.site.timezone,
            dry_run=dry_run,
        )
        return retire(context, self.today, self.harness.clock())

    def verify(self, day: date, *, raw: bool = True) -> Verified:
        harness = self.harness
        archives = harness.database.archives()
        return verify(
            day, Verification(archives=archives, lake=harness.lake, landing=harness.store, site=harness.site, raw=raw)
        )
