"""What a service does in each of its threads, one class a part.

A part runs until the service stops, or until the store or the database is away: then it is run anew, on a new place.
"""

import threading
import time
from collections.abc import Callable

import structlog

from greenstream.application.loading.attempt import Later
from greenstream.domain.errors import GreenStreamError
from greenstream.domain.ledger import FileResult, Outcome
from greenstream.domain.retries import OUTAGE_DELAY
from greenstream.domain.routing import Route
from greenstream.entrypoints.service.metrics import Metrics
from greenstream.wiring import Place, utc_now

TICK_SECONDS = 0.2
HISTORY_PAUSE_SECONDS = 10.0
KEEPER_SECONDS = 5.0
MINUTE_SECONDS = 60.0

Log = structlog.stdlib.BoundLogger


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
        self._let_go: tuple[str, GreenStreamError] | None = None

    def run(self, place: Place) -> None:
        if self._let_go is not None:
            place.loading.note_outage(*self._let_go)
            self._let_go = None
        worker = place.loading.worker(self._route, lambda path: self._turn(place, path))
        done = threading.Event()
        threading.Thread(target=_stop_with, args=(self._stop, worker.stop, done), daemon=True).start()
        try:
            worker.run()
        finally:
            done.set()

    def _turn(self, place: Place, path: str) -> int | None:
        started, self._attempt = time.monotonic(), 1
        try:
            ended = place.loading.take_turn(path, lambda attempt: self._taken_up(path, attempt))
        except GreenStreamError as error:  # an outage; what this part waits for is said once, and not of each file
            self._metrics.put_off(self._route)
            self._let_go = path, error
            text = f"{error.code}: {error}"
            self._log.debug("put off", file=path, attempt=self._attempt, again_in=OUTAGE_DELAY, error=text)
            raise
        if isinstance(ended, Later):
            self._put_off(path, ended.seconds, ended.error)
            return ended.seconds
        if ended is None:
            self._log.warning("vanished", file=path, attempt=self._attempt)
        else:
            self._report(ended, time.monotonic() - started)
        return 0 if place.loading.has_new_version(path) else None

    def _taken_up(self, path: str, attempt: int) -> None:
        self._attempt = attempt
        self._log.debug("taken up", file=path, attempt=attempt)

    def _put_off(self, path: str, seconds: int, error: str) -> None:
        self._metrics.put_off(self._route)
        self._log.warning("put off", file=path, attempt=self._attempt, again_in=seconds, error=error)

    def _report(self, result: FileResult, seconds: float) -> None:
        """A delivery that had ended before, such as one whose rights were changed, is no news and counts once."""
        if result.was_known:
            self._log.debug("known", file=result.delivery.path, outcome=result.outcome.value)
            return
        since_landing = (utc_now() - result.delivery.received_at).total_seconds()
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

    def run(self, place: Place) -> None:
        while not self._stop.is_set():
            woken = self._loaded.wait(TICK_SECONDS)
            if not woken and time.monotonic() - self._looked < MINUTE_SECONDS:
                continue
            self._stop.wait(HISTORY_PAUSE_SECONDS)
            self._loaded.clear()
            self._watch(place)
            self._looked = time.monotonic()

    def _watch(self, place: Place) -> None:
        started = time.monotonic()
        watched = place.history.detect()
        if watched.loads:
            seconds = round(time.monotonic() - started, 3)
            self._log.info("watched", loads=watched.loads, meters=watched.meters, seconds=seconds)


class KeeperPart:
    """Gives files of lost workers back to the queue.

    It begins after a pause, in which workers that were kept from the database tell what they let go.
    """

    name = "keeper"

    def __init__(self, stop: threading.Event, log: Log, metrics: Metrics) -> None:
        self._stop = stop
        self._log = log
        self._metrics = metrics

    def run(self, place: Place) -> None:
        while not self._stop.wait(KEEPER_SECONDS):
            place.loading.hand_back_lost(self._lost)

    def _lost(self, path: str, route: Route, given_up: FileResult | None) -> None:
        if given_up is None:
            self._log.warning("came back from a lost worker", file=path, route=route.value)
            return
        self._metrics.ended(given_up, route)
        self._log.error(given_up.outcome.value, file=path, route=route.value, error=given_up.error)


def _stop_with(stop: threading.Event, call: Callable[[], None], done: threading.Event) -> None:
    """Call once `stop` is set; no more once `done` is."""
    while not done.wait(TICK_SECONDS):
        if stop.is_set():
            call()
            return
