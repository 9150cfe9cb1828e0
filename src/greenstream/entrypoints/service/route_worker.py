"""The part that works on the files of one route."""

import threading
import time
from collections.abc import Callable

from greenstream.application.loading.attempt import Later
from greenstream.domain.errors import GreenStreamError
from greenstream.domain.ledger import FileResult, Outcome
from greenstream.domain.retries import OUTAGE_DELAY
from greenstream.domain.routing import Route
from greenstream.entrypoints.service.metrics import Metrics
from greenstream.entrypoints.service.polling import TICK_SECONDS, Log
from greenstream.wiring import Place, utc_now


class RouteWorker:
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


def _stop_with(stop: threading.Event, call: Callable[[], None], done: threading.Event) -> None:
    """Call once `stop` is set; no more once `done` is."""
    while not done.wait(TICK_SECONDS):
        if stop.is_set():
            call()
            return
