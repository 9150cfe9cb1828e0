"""Days whose folders changed, by the events of the file system, however often these fail."""

import os
import threading
import time
from collections.abc import Container, Iterable, Iterator
from datetime import date
from pathlib import Path

import watchfiles

from greenstream.adapters.storage import ObjectStore
from greenstream.domain.errors import GreenStreamError
from greenstream.entrypoints.service.polling import TICK_SECONDS, Log

AGAIN_SECONDS = 2.0
WARNED_SECONDS = 600.0


class Watcher:
    """Watches the landing zone. A name that isn't UTF-8, or a limit of the system, ends a watch: another one begins."""

    def __init__(self, stop: threading.Event, log: Log) -> None:
        self._stop = stop
        self._log = log
        self._warned = -WARNED_SECONDS

    def changes(self, store: ObjectStore) -> Iterator[set[date] | None]:
        """The days that changed, several times a second; an empty set says that none did.

        None says that something may have changed anywhere: a watch begins, or has failed. While none can be had it
        comes every two seconds. Raises StorageRefused where there can be no landing zone.
        """
        while not self._stop.is_set():
            folder = store.folder()
            if folder is None:
                yield from self._ticks()
                return
            try:
                yield from self._watched(store, folder)
            except GreenStreamError:
                raise
            except Exception as error:  # whatever it is, events were lost
                self._warn(error)
            if self._stop.is_set():
                return
            yield None
            self._stop.wait(AGAIN_SECONDS)

    def _ticks(self) -> Iterator[set[date]]:
        while not self._stop.wait(TICK_SECONDS):
            yield set()

    def _watched(self, store: ObjectStore, folder: Path) -> Iterator[set[date] | None]:
        """One watch after the other, for whenever folders come or go there are others to watch."""
        missed: set[date] | None = None
        while not self._stop.is_set():
            watched = _identified(_readable(store))
            for changes in self._watch(watched):
                if missed is None or missed:
                    # Only now: what lands after a scan that follows isn't missed any more.
                    yield missed
                missed = set()
                yield {day for _, path in changes if (day := _day_of(path, folder)) is not None}
                if _identified([folder]).items() - watched.items():  # of a folder that is gone no event ever comes
                    raise FileNotFoundError(f"{folder} was moved away or replaced")
                if changes and (_about(watched, changes) or _identified(_readable(store)) != watched):
                    break
            missed = {day for path in watched if (day := _day_of(str(path), folder)) is not None}

    def _watch(self, folders: Iterable[Path]) -> Iterator[set[tuple[watchfiles.Change, str]]]:
        """Each folder by itself: to watch what is below the landing zone would follow links, to any depth."""
        return watchfiles.watch(
            *folders,
            watch_filter=None,
            recursive=False,
            stop_event=self._stop,
            debounce=100,
            step=20,
            rust_timeout=200,
            yield_on_timeout=True,
        )

    def _warn(self, error: Exception) -> None:
        if time.monotonic() - self._warned >= WARNED_SECONDS:
            self._log.warning("can't watch the landing zone; it is scanned", error=str(error))
            self._warned = time.monotonic()


def _about(watched: Container[Path], changes: Iterable[tuple[watchfiles.Change, str]]) -> bool:
    """Whether a watched folder itself came or went; a new one may have the old one's identity."""
    return any(Path(path) in watched for _, path in changes)


def _readable(store: ObjectStore) -> Iterator[Path]:
    """The folders to watch; those we can't read are strays, and watchfiles would hide other errors with theirs."""
    effective = os.access in os.supports_effective_ids
    return (each for each in store.watched() if os.access(each, os.R_OK | os.X_OK, effective_ids=effective))


def _identified(folders: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Folders by what tells them from others of their names."""
    found = {folder: folder.stat() for folder in folders}
    return {folder: (status.st_dev, status.st_ino) for folder, status in found.items()}


def _day_of(path: str, folder: Path) -> date | None:
    """The day whose folder, or a file in it, changed; None for what lies elsewhere.

    The folder itself counts, for files may lie in it before it is watched.
    """
    parts = Path(path).relative_to(folder).parts
    try:
        return date.fromisoformat(parts[0]) if len(parts) in (1, 2) else None
    except ValueError:
        return None
