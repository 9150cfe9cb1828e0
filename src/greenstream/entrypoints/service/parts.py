"""What a service does in each of its threads, one class a part.

A part runs until the service stops, or until the store or the database is away: then it is run anew, on a new system.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
import watchfiles

from greenstream.domain.errors import NotFound, RetryableError, StorageRefused
from greenstream.domain.ledger import FileResult, Outcome
from greenstream.domain.routing import OUTAGE_DELAY, Route
from greenstream.entrypoints.service.metrics import Metrics
from greenstream.pipeline.intake import Stillness
from greenstream.pipeline.work_on import Later
from greenstream.ports import LandedFile
from greenstream.wiring import System, now

SCAN_SECONDS = 60.0
BUCKET_SCAN_SECONDS = 5.0
FULL_SCAN_SECONDS = 24 * 3600.0
RECENT_DAYS = 3
REFUSED_SECONDS = 10.0
TICK_SECONDS = 0.2
UNFILED = timedelta(seconds=5)
HISTORY_PAUSE_SECONDS = 10.0
KEEPER_SECONDS = 5.0
MINUTE_SECONDS = 60.0

Log = structlog.stdlib.BoundLogger


class IntakePart:
    """Queues what lands: by the file system's events, and by scans, for events get lost.

    A scan looks at the recent days each minute, and at all of them at the start and once a day. Pauses are of a clock
    that nobody sets.
    """

    name = "intake"

    def __init__(self, stop: threading.Event, log: Log) -> None:
        self._stop = stop
        self._log = log
        self._stillness = Stillness()
        self._refused_until: float | None = None

    def run(self, system: System) -> None:
        intake, immature = system.intake(self._queued, partial(self._replaced, system)), list[LandedFile]()
        scan_seconds = BUCKET_SCAN_SECONDS if intake.atomic else SCAN_SECONDS
        next_scan = next_full_scan = time.monotonic()
        # Whoever ran before may have ended between noting a file and queueing it.
        intake.remind(now(), after=timedelta(0))
        for changed in self._changes(system):
            at, days, passed = now(), set(changed), time.monotonic()
            landed: Iterable[LandedFile] = ()
            if passed >= next_scan:
                next_scan = passed + scan_seconds
                days |= _recent_days(at, system.settings.timezone)
                intake.remind(at)
                intake.forget_before(at.date() - timedelta(days=RECENT_DAYS))
            if passed >= next_full_scan:
                next_full_scan = passed + FULL_SCAN_SECONDS
                landed, days = system.store.list_landed(), set()
            self._file_dropped(system, at)
            listed = (file for day in sorted(days) for file in system.store.list_landed(day))
            immature = intake.take([*landed, *listed, *_as_now(system, immature)], at)

    def _changes(self, system: System) -> Iterator[set[date]]:
        """The days whose folders changed, several times a second; an empty set says that nothing did.

        The first one comes when the folder is watched already: what lands after a scan that follows it isn't missed.
        """
        folder = system.store.folder()
        if folder is None:
            while not self._stop.wait(TICK_SECONDS):
                yield set()
            return
        watched, missed = system.store.watched(), set[date]()
        while not self._stop.is_set():
            for changes in self._watch(watched):
                days = {day for _, path in changes if (day := _day_of(path, folder)) is not None}
                yield days | missed
                missed = set()
                if changes and system.store.watched() != watched:
                    break
            watched = system.store.watched()
            missed = {day for path in watched if (day := _day_of(str(path), folder)) is not None}

    def _watch(self, folders: Sequence[Path]) -> Iterator[set[tuple[watchfiles.Change, str]]]:
        """Each folder by itself: to watch what is below the landing zone would follow links, to any depth."""
        return watchfiles.watch(
            *folders,
            recursive=False,
            stop_event=self._stop,
            debounce=100,
            step=20,
            rust_timeout=200,
            yield_on_timeout=True,
        )

    def _file_dropped(self, system: System, at: datetime) -> None:
        """File what was dropped beside the folders of days under today, once it has lain still for a while."""
        if self._refused_until is not None and time.monotonic() < self._refused_until:
            return
        try:
            for file in system.store.unfiled():
                if self._stillness.of(file, at) > UNFILED:
                    self._file(system, file, _local(at, system).date())
        except StorageRefused as error:
            if self._refused_until is None:
                self._log.error("can't file what was dropped; it is tried again", error=str(error))
            self._refused_until = time.monotonic() + REFUSED_SECONDS
        else:
            self._refused_until = None

    def _file(self, system: System, file: LandedFile, day: date) -> None:
        try:
            landed = system.store.file_under(file.path, day)
        except NotFound:  # somebody took it away again
            return
        self._log.info("filed", file=file.path, path=landed.path)

    def _queued(self, file: LandedFile, route: Route) -> None:
        self._log.debug("queued", file=file.path, route=route.value, size_bytes=file.size_bytes)

    def _replaced(self, system: System, file: LandedFile, received_at: datetime) -> None:
        if system.store.keeps_versions():
            return  # the worker reads that one first
        self._log.warning("replaced before it was read", file=file.path, received_at=received_at.isoformat())


class WorkerPart:
    """Works on the files of one route, one at a time."""

    def __init__(
        self, route: Route, loaded: threading.Event, stop: threading.Event, log: Log, metrics: Metrics
    ) -> None:
        self.name = f"worker {route.value}"
        self._route = route
        self._loaded = loaded
        self._stop = stop
        self._log = log.bind(route=route.value)
        self._metrics = metrics
        self._attempt = 1

    def run(self, system: System) -> None:
        worker = system.worker(self._route, lambda path: self._turn(system, path))
        threading.Thread(target=_call_after, args=(self._stop, worker.stop), daemon=True).start()
        worker.run()

    def _turn(self, system: System, path: str) -> int | None:
        started, self._attempt = time.monotonic(), 1
        try:
            ended = system.work_on(path, lambda attempt: self._taken_up(path, attempt))
        except RetryableError as error:
            self._put_off(path, OUTAGE_DELAY, f"{error.code}: {error}")
            raise
        if isinstance(ended, Later):
            self._put_off(path, ended.seconds, ended.error)
            return ended.seconds
        if ended is None:
            self._log.warning("vanished", file=path, attempt=self._attempt)
        else:
            self._report(ended, time.monotonic() - started)
        return 0 if system.has_new_version(path) else None

    def _taken_up(self, path: str, attempt: int) -> None:
        self._attempt = attempt
        self._log.debug("taken up", file=path, attempt=attempt)

    def _put_off(self, path: str, seconds: int, error: str) -> None:
        self._metrics.put_off(self._route)
        self._log.warning("put off", file=path, attempt=self._attempt, again_in=seconds, error=error)

    def _report(self, result: FileResult, seconds: float) -> None:
        since_landing = (now() - result.delivery.received_at).total_seconds()
        self._metrics.ended(result, self._route)
        self._metrics.timed(result, self._route, seconds=seconds, since_landing=since_landing)
        log = self._log.error if result.outcome is Outcome.FAILED else self._log.info
        log(
            result.outcome.value,
            file=result.delivery.path,
            attempt=self._attempt,
            **({"reason": result.reason, "error": result.error} if result.error else {}),
            rows=result.ledger.rows,
            stored=result.ledger.stored,
            duplicate=result.ledger.duplicate,
            rejected=result.ledger.rejected,
            seconds=round(seconds, 3),
            since_landing=round(since_landing, 3),
        )
        if result.outcome is Outcome.LOADED:
            self._loaded.set()


class HistoryPart:
    """Applies the history rules soon after files were loaded."""

    name = "history"

    def __init__(self, loaded: threading.Event, stop: threading.Event, log: Log) -> None:
        self._loaded = loaded
        self._stop = stop
        self._log = log
        self._looked = time.monotonic() - MINUTE_SECONDS

    def run(self, system: System) -> None:
        while not self._stop.is_set():
            woken = self._loaded.wait(TICK_SECONDS)
            if not woken and time.monotonic() - self._looked < MINUTE_SECONDS:
                continue
            self._stop.wait(HISTORY_PAUSE_SECONDS)
            self._loaded.clear()
            self._watch(system)
            self._looked = time.monotonic()

    def _watch(self, system: System) -> None:
        started = now()
        watched = system.watch()
        if watched.loads:
            seconds = round((now() - started).total_seconds(), 3)
            self._log.info("watched", loads=watched.loads, meters=watched.meters, seconds=seconds)


class KeeperPart:
    """Gives files of lost workers back to the queue."""

    name = "keeper"

    def __init__(self, stop: threading.Event, log: Log, metrics: Metrics) -> None:
        self._stop = stop
        self._log = log
        self._metrics = metrics

    def run(self, system: System) -> None:
        while not self._stop.is_set():
            system.hand_back_lost(self._lost)
            self._stop.wait(KEEPER_SECONDS)

    def _lost(self, path: str, route: Route, given_up: FileResult | None) -> None:
        if given_up is None:
            self._log.warning("came back from a lost worker", file=path, route=route.value)
            return
        self._metrics.ended(given_up, route)
        self._log.error(given_up.outcome.value, file=path, route=route.value, error=given_up.error)


def _call_after(event: threading.Event, call: Callable[[], None]) -> None:
    event.wait()
    call()


def _as_now(system: System, files: list[LandedFile]) -> list[LandedFile]:
    """Files looked at anew, without those that are gone."""
    found: list[LandedFile] = []
    for file in files:
        try:
            found.append(system.store.head(file.path))
        except NotFound:
            continue
    return found


def _local(at: datetime, system: System) -> datetime:
    return at.astimezone(ZoneInfo(system.settings.timezone))


def _recent_days(at: datetime, timezone: str) -> set[date]:
    today = at.astimezone(ZoneInfo(timezone)).date()
    return {today + timedelta(days=offset) for offset in range(-RECENT_DAYS, 2)}


def _day_of(path: str, folder: Path) -> date | None:
    """The day whose folder, or a file in it, changed; None for what lies elsewhere.

    The folder itself counts, for files may lie in it before it is watched.
    """
    parts = Path(path).relative_to(folder).parts
    try:
        return date.fromisoformat(parts[0]) if len(parts) in (1, 2) else None
    except ValueError:
        return None
