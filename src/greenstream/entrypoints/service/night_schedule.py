"""What a service does at night."""

import threading
import time
from datetime import date
from zoneinfo import ZoneInfo

from greenstream.application.history.settle import Settled
from greenstream.application.lake.archive import Archived
from greenstream.application.nightly import Done, Step, nightly
from greenstream.domain.errors import LakeDamaged
from greenstream.entrypoints.service.polling import MINUTE_SECONDS, Log
from greenstream.wiring import Place

NIGHTLY_HOUR = 2
AGAIN_SECONDS = 300.0
"""After a night that failed, for lack of space or an unreachable store: its steps are too heavy for a quick retry."""


class NightSchedule:
    """Settles, archives and retires what is due, once a night, whatever nights were missed.

    Settling keeps loads out of a day, so what arrives late for one that is settled waits for the next night. Where
    several services share a database, one of them does it.
    """

    name = "night"

    def __init__(self, stop: threading.Event, log: Log) -> None:
        self._stop = stop
        self._log = log
        self._done_on: date | None = None
        self._again_at = 0.0
        self._began = 0.0

    def run(self, place: Place) -> None:
        while not self._stop.is_set():
            self.look(place)
            self._stop.wait(MINUTE_SECONDS)

    def look(self, place: Place) -> None:
        """Do the night's work if it is time, and not done yet."""
        local = place.clock().astimezone(ZoneInfo(place.settings.timezone))
        if local.hour < NIGHTLY_HOUR or local.date() == self._done_on or time.monotonic() < self._again_at:
            return
        with place.exclusion.if_free() as ours:
            if not ours:
                return
            self._again_at = time.monotonic() + AGAIN_SECONDS
            try:
                if not self._through(place):
                    return
            except LakeDamaged as error:
                self._log.error("night broken off", error=str(error))
                return
        self._done_on, self._again_at = local.date(), 0.0

    def _through(self, place: Place) -> bool:
        """Whether the night came to its end before the service was stopped."""
        for done in nightly(place.lake.night(), self._step):
            self._report(done)
            if self._stop.is_set():
                return False
        return True

    def _step(self, step: Step) -> None:
        self._began = time.monotonic()
        self._log.debug("night step", step=step.name, day=str(step.day) if step.day else None)

    def _report(self, done: Done) -> None:
        seconds = round(time.monotonic() - self._began, 3)
        if isinstance(done, Settled):
            log = self._log.bind(day=str(done.day), seconds=seconds)
            log.info("settled", state=done.state.value, meters=done.meters, rescored=done.rescored)
        elif isinstance(done, Archived):
            log = self._log.bind(day=str(done.day), seconds=seconds)
            log.info("archived", state=done.state.value, readings=done.rows, objects=done.objects, written=done.changed)
        elif done.kept_because is None:
            self._log.info("deleted", layer=done.layer.value, subject=done.subject, amount=done.amount, unit=done.unit)
        else:
            self._log.warning("kept", layer=done.layer.value, subject=done.subject, error=done.kept_because)
