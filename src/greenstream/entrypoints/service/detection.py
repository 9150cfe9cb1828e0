"""The part that applies the history rules to what came in."""

import threading
import time

from greenstream.entrypoints.service.polling import MINUTE_SECONDS, TICK_SECONDS, Log
from greenstream.wiring import Place

PAUSE_SECONDS = 10.0


class Detection:
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
            self._stop.wait(PAUSE_SECONDS)
            self._loaded.clear()
            self._watch(place)
            self._looked = time.monotonic()

    def _watch(self, place: Place) -> None:
        started = time.monotonic()
        watched = place.history.detect()
        if watched.loads:
            seconds = round(time.monotonic() - started, 3)
            self._log.info("watched", loads=watched.loads, meters=watched.meters, seconds=seconds)
