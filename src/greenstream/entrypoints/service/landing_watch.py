"""The part that queues what lands: by the file system's events, and by scans, for events get lost."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from greenstream.application.loading.intake import Intake
from greenstream.domain.errors import NotFound, StorageRefused, StorageUnavailable
from greenstream.domain.landing import LandedFile, Stray
from greenstream.domain.routing import Route
from greenstream.entrypoints.service.folder_events import Watcher
from greenstream.entrypoints.service.polling import Log
from greenstream.entrypoints.service.strays import Strays
from greenstream.wiring import Place

SCAN_SECONDS = 60.0
BUCKET_SCAN_SECONDS = 5.0
FULL_SCAN_SECONDS = 24 * 3600.0
LOSS_SCAN_SECONDS = 600.0
RECENT_DAYS = 3
REFUSED_SECONDS = 10.0


@dataclass
class Scans:
    """When to look at the recent days, and when at all of them, in seconds of a clock that nobody sets."""

    seconds: float
    _recent_at: float = field(default=0.0, init=False)
    _full_at: float = field(default=0.0, init=False)
    _full: float | None = field(default=None, init=False)

    def lost(self, at: float) -> None:
        """Events were lost: the recent days are looked at now, the others soon."""
        self._recent_at = at
        if self._full is not None:
            self._full_at = min(self._full_at, self._full + LOSS_SCAN_SECONDS)

    def recent(self, at: float) -> bool:
        """Whether it is time for the recent days; if so, it counts as done."""
        if at < self._recent_at:
            return False
        self._recent_at = at + self.seconds
        return True

    def full(self, at: float) -> bool:
        """The same for all days."""
        if self._full is not None and at < self._full_at:
            return False
        self._full, self._full_at = at, at + FULL_SCAN_SECONDS
        return True


class LandingWatch:
    """Looks at the recent days each minute, and at all of them at the start and once a day."""

    name = "intake"

    def __init__(self, stop: threading.Event, log: Log) -> None:
        self._log = log
        self._watcher = Watcher(stop, log)
        self._strays = Strays(log)
        self._refused: dict[str, float] = {}

    def run(self, place: Place) -> None:
        intake, immature = place.loading.intake(self._queued, partial(self._replaced, place)), list[LandedFile]()
        scans = Scans(BUCKET_SCAN_SECONDS if intake.atomic else SCAN_SECONDS)
        # Whoever ran before may have ended between noting a file and queueing it.
        intake.remind(place.clock(), after=timedelta(0))
        for changed in self._watcher.changes(place.store):
            at, days, passed = place.clock(), changed or set(), time.monotonic()
            if changed is None:
                scans.lost(passed)
            recent = scans.recent(passed)
            if recent:
                days = days | _recent_days(at, place.settings.timezone)
                intake.remind(at)
                intake.forget_before(at.date() - timedelta(days=RECENT_DAYS))
            every = scans.full(passed)
            if recent or not intake.atomic:  # a bucket tells of no changes, and each look is a request
                self._file_dropped(place, intake, at)
            landed = self._all(place) if every else self._of(place, days)
            found = {(file.path, file.version): file for file in (*landed, *self._as_now(place, immature))}
            immature = intake.take(found.values(), at)

    def _all(self, place: Place) -> Iterator[LandedFile]:
        return place.store.list_landed(on_stray=self._strays.tell)

    def _of(self, place: Place, days: set[date]) -> Iterator[LandedFile]:
        for day in sorted(days):
            yield from place.store.list_landed(day, on_stray=self._strays.tell)

    def _as_now(self, place: Place, files: list[LandedFile]) -> Iterator[LandedFile]:
        """Files looked at anew, without those that are gone."""
        for file in files:
            try:
                yield place.store.head(file.path)
            except NotFound:
                continue
            except (StorageRefused, StorageUnavailable) as error:  # the next scan finds it again
                self._strays.tell(Stray(path=file.path, why=str(error)))

    def _file_dropped(self, place: Place, intake: Intake, at: datetime) -> None:
        """File what was dropped beside the folders of days under today, before something else takes its name."""
        for file in place.store.unfiled(on_stray=self._strays.tell):
            if intake.may_be_filed(file, at) and self._refused.get(file.path, 0) <= time.monotonic():
                self._file(place, file, _local(at, place).date())

    def _file(self, place: Place, file: LandedFile, day: date) -> None:
        try:
            landed = place.store.file_under(file.path, day)
        except NotFound:  # somebody took it away again
            pass
        except (StorageRefused, StorageUnavailable) as error:
            self._refuse(file, error)
            return
        else:
            self._log.info("filed", file=file.path, path=landed.path)
        self._refused.pop(file.path, None)

    def _refuse(self, file: LandedFile, error: StorageRefused | StorageUnavailable) -> None:
        """It keeps no other file from being filed, and is tried again."""
        if file.path not in self._refused:
            self._log.error("can't file what was dropped; it is tried again", file=file.path, error=str(error))
        self._refused[file.path] = time.monotonic() + REFUSED_SECONDS

    def _queued(self, file: LandedFile, route: Route) -> None:
        self._log.debug("queued", file=file.path, route=route.value, size_bytes=file.size_bytes)

    def _replaced(self, place: Place, file: LandedFile, received_at: datetime) -> None:
        if place.store.keeps_versions():
            return  # the worker reads that one first
        self._log.warning("replaced before it was read", file=file.path, received_at=received_at.isoformat())


def _local(at: datetime, place: Place) -> datetime:
    return at.astimezone(ZoneInfo(place.settings.timezone))


def _recent_days(at: datetime, timezone: str) -> set[date]:
    today = at.astimezone(ZoneInfo(timezone)).date()
    return {today + timedelta(days=offset) for offset in range(-RECENT_DAYS, 2)}
