"""Days whose folders changed, by the events of the file system, however often these fail."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import watchfiles

from greenstream.entrypoints.service.parts import TICK_SECONDS, Log

AGAIN_SECONDS = 2.0
WARNED_SECONDS = 600.0


class Watcher:
    """Watches the landing zone. A name that isn't UTF-8, or a limit of the system, ends a watch: another one begins."""

    def __init__(self, stop: threading.Event, log: Log) -> None:
        self._stop = stop
        self._log = log
        self._warned = -WARNED_SECONDS

    def changes(self, landing: Callable[[], Path | None]) -> Iterator[set[date] | None]:
        """The days that changed, several times a second; an empty set says that none did.

        None says that something may have changed anywhere: a watch begins, or has failed. While none can be had it
        comes every two seconds. `landing` gives the folder, made if need be, or None where there are no events.
        """
        while not self._stop.is_set():
            folder = landing()
            if folder is None:
                yield from self._ticks()
                return
            try:
                yield from self._watched(folder)
            except Exception as error:  # whatever it is, events were lost
                self._warn(error)
            if self._stop.is_set():
                return
            yield None
            self._stop.wait(AGAIN_SECONDS)

    def _ticks(self) -> Iterator[set[date]]:
        while not self._stop.wait(TICK_SECONDS):
            yield set()

    def _watched(self, folder: Path) -> Iterator[set[date] | None]:
        """The first one comes when the folder is watched already: what lands after a scan that follows isn't missed."""
        identity, begins = _identity(folder), True
        for changes in watchfiles.watch(
            folder,
            watch_filter=None,
            stop_event=self._stop,
            debounce=100,
            step=20,
            rust_timeout=200,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        ):
            if _identity(folder) != identity:  # of a folder that is gone no event ever comes
                raise FileNotFoundError(f"{folder} was moved away or replaced")
            if begins:
                yield None
            begins = False
            yield {day for _, path in changes if (day := _day_of(path, folder)) is not None}

    def _warn(self, error: Exception) -> None:
        if time.monotonic() - self._warned >= WARNED_SECONDS:
            self._log.warning("can't watch the landing zone; it is scanned", error=str(error))
            self._warned = time.monotonic()


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _day_of(path: str, folder: Path) -> date | None:
    """The day whose folder, or a file in it, changed; None for what lies elsewhere.

    The folder itself counts, for files may lie in it before it is watched.
    """
    parts = Path(path).relative_to(folder).parts
    try:
        return date.fromisoformat(parts[0]) if len(parts) in (1, 2) else None
    except ValueError:
        return None
