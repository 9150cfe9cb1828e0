"""Parts side by side in one process: each in a thread, run anew when the store or the database was unreachable."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from greenstream.application.loading.outages import Outages
from greenstream.domain.errors import OUTAGES, GreenStreamError, NotSetUp, RetryableError, StorageRefused
from greenstream.entrypoints.service.polling import Log
from greenstream.wiring import Place, utc_now

JOIN_SECONDS = 0.5
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 5.0
DATABASE_PAUSE_SECONDS = 4.0

WAITED_FOR = (RetryableError, StorageRefused, NotSetUp, *OUTAGES)
"""What passes, or a person sees to; work resumes by itself."""


class Part(Protocol):
    """Something that runs until it is told to stop."""

    @property
    def name(self) -> str: ...
    def run(self, place: Place) -> None: ...


class Gate:
    """Lets one part at a time reach for the database; after it failed, none for a while.

    A start of the embedded server that fails, on a full disk say, takes a second of a processor.
    """

    def __init__(self, reach: Callable[[Place], object]) -> None:
        self._reach = reach
        self._lock = threading.Lock()
        self._closed_until = 0.0
        self._error: GreenStreamError | None = None

    def reach(self, place: Place) -> None:
        """Reach the database, at this program's version. Raises what kept the last one from it, or this one."""
        with self._lock:
            if self._error is not None and time.monotonic() < self._closed_until:
                raise type(self._error)(str(self._error))
            try:
                self._reach(place)
            except WAITED_FOR as error:
                self._error, self._closed_until = error, time.monotonic() + DATABASE_PAUSE_SECONDS
                raise
            self._error = None


class Supervisor:
    """Runs parts until `stop` is set. Outages are waited for; a bug in a part stops all, so that it is seen."""

    def __init__(
        self,
        parts: list[Part],
        make_place: Callable[[], Place],
        stop: threading.Event,
        log: Log,
        outages: Outages,
        *,
        reach: Callable[[Place], object] = Place.set_up,
    ) -> None:
        self._parts = parts
        self._make_place = make_place
        self._stop = stop
        self._log = log
        self._outages = outages
        self._gate = Gate(reach)
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Run until stopped; work in hand is finished first. Raises what made a part fail for good."""
        threads = [threading.Thread(target=self._keep, args=(part,), name=part.name) for part in self._parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            _end_of(thread)
        if self._failure is not None:
            raise self._failure

    def _keep(self, part: Part) -> None:
        pause, last = FIRST_PAUSE_SECONDS, ""
        while not self._stop.is_set():
            error = self._run(part)
            if error is None:
                continue
            if self._outages.note(error, utc_now()):
                self._log.warning("waiting", part=part.name, error=f"{error.code}: {error}")
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS) if error.code == last else FIRST_PAUSE_SECONDS
            last = error.code
            self._stop.wait(pause)

    def _run(self, part: Part) -> GreenStreamError | None:
        """Run it once; what it has to wait for. None where it was stopped, or failed for good."""
        try:
            place = self._make_place()
            try:
                self._gate.reach(place)
                part.run(place)
            finally:
                place.close()
        except WAITED_FOR as error:
            return error
        except BaseException as error:  # a panic of a library in Rust is no Exception
            self._log.exception("failed", part=part.name)
            self._failure = error
            self._stop.set()
        return None


def _end_of(thread: threading.Thread) -> None:
    """Wait for it in steps: a signal that comes just before a wait is heard after it only."""
    while thread.is_alive():
        thread.join(JOIN_SECONDS)
