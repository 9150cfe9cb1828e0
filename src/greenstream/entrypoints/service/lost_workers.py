"""The part that gives files of lost workers back."""

import threading

from greenstream.domain.ledger import FileResult
from greenstream.domain.routing import Route
from greenstream.entrypoints.service.metrics import Metrics
from greenstream.entrypoints.service.polling import Log
from greenstream.wiring import Place

LOST_SECONDS = 5.0


class LostWorkers:
    """Gives files of lost workers back to the queue.

    It begins after a pause, in which workers that were kept from the database tell which files they gave up.
    """

    name = "keeper"

    def __init__(self, stop: threading.Event, log: Log, metrics: Metrics) -> None:
        self._stop = stop
        self._log = log
        self._metrics = metrics

    def run(self, place: Place) -> None:
        while not self._stop.wait(LOST_SECONDS):
            place.loading.hand_back_lost(self._lost)

    def _lost(self, path: str, route: Route, given_up: FileResult | None) -> None:
        if given_up is None:
            self._log.warning("came back from a lost worker", file=path, route=route.value)
            return
        self._metrics.ended(given_up, route)
        self._log.error(given_up.outcome.value, file=path, route=route.value, error=given_up.error)
