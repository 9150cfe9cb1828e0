"""Parts side by side in one process: each in a thread, run anew when the store or the database was away."""

import threading
from collections.abc import Callable
from typing import Protocol

from greenstream.domain.errors import RetryableError, StorageRefused
from greenstream.entrypoints.service.parts import Log
from greenstream.wiring import System

PAUSE_SECONDS = 1.0


class Part(Protocol):
    """Something that runs until it is told to stop."""

    @property
    def name(self) -> str: ...
    def run(self, system: System) -> None: ...


class Service:
    """Runs parts until `stop` is set. A part that fails for good stops all.

    A store that refuses (a full disk, a permission) is waited for as one that is away: a person sees to it, and work
    resumes by itself.
    """

    def __init__(self, parts: list[Part], make_system: Callable[[], System], stop: threading.Event, log: Log) -> None:
        self._parts = parts
        self._make_system = make_system
        self._stop = stop
        self._log = log
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Run until stopped; work in hand is finished first. Raises what made a part fail for good."""
        threads = [threading.Thread(target=self._keep, args=(part,), name=part.name) for part in self._parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _keep(self, part: Part) -> None:
        waiting = False
        while not self._stop.is_set():
            system = self._make_system()
            try:
                part.run(system)
                waiting = False
            except (RetryableError, StorageRefused) as error:
                if not waiting:
                    self._log.warning("waiting", part=part.name, error=str(error))
                waiting = True
                self._stop.wait(PAUSE_SECONDS)
            except Exception as error:
                self._log.exception("failed", part=part.name)
                self._failure = error
                self._stop.set()
            finally:
                system.close()
