"""From the landing zone into the queue: whatever landed and has not ended, once it is whole."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from greenstream.domain.limits import Limits
from greenstream.domain.routing import Route, route_of
from greenstream.ports import LandedFile, Queue, Waiting

CHUNK = 1_000
OVERDUE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a file must have stayed as it is before it counts as whole: a writer may still be at it."""

    ends_with_line: timedelta = timedelta(milliseconds=400)
    ends_within_line: timedelta = timedelta(seconds=5)
    empty: timedelta = timedelta(seconds=60)


@dataclass
class Intake:
    """Remembers which files have been queued, so that a scan of thousands asks the database for few."""

    queue: Queue
    waiting: Waiting
    limits: Limits
    ends_a_line: Callable[[str], bool]
    patience: Patience = field(default_factory=Patience)
    atomic: bool = False  # whether the store never shows half a file
    on_queued: Callable[[LandedFile, Route], None] = lambda _file, _route: None
    _known: dict[str, datetime] = field(default_factory=dict)

    def take(self, files: Iterable[LandedFile], now: datetime) -> list[LandedFile]:
        """Queue those of some files that are new and whole; the ones that aren't whole yet."""
        immature = []
        for chunk in _chunks(file for file in files if self._known.get(file.path) != file.received_at):
            whole = [file for file in chunk if self._is_whole(file, now)]
            immature += [file for file in chunk if file not in whole]
            unknown = self.waiting.unknown(whole) if whole else set()
            for file in whole:
                if file.path in unknown:
                    self._queue(file, now)
                self._known[file.path] = file.received_at
        return immature

    def remind(self, now: datetime) -> int:
        """Queue again what should have been taken up long ago: a word to the queue can be lost."""
        overdue = self.waiting.overdue(now - OVERDUE)
        for path, route in overdue:
            self.queue.put(path, route)
        return len(overdue)

    def forget_before(self, day: date) -> None:
        """Drop what is remembered of files received before a day."""
        self._known = {path: at for path, at in self._known.items() if at.date() >= day}

    def _queue(self, file: LandedFile, now: datetime) -> None:
        route = route_of(file.size_bytes, self.limits)
        self.waiting.add(file, route, now)
        self.queue.put(file.path, route)
        self.on_queued(file, route)

    def _is_whole(self, file: LandedFile, now: datetime) -> bool:
        if self.atomic:
            return True
        age = now - file.received_at
        if file.size_bytes == 0:
            return age >= self.patience.empty
        if age >= self.patience.ends_within_line or age < timedelta(0):
            return True
        return age >= self.patience.ends_with_line and self.ends_a_line(file.path)


def _chunks(files: Iterator[LandedFile] | Iterable[LandedFile]) -> Iterator[list[LandedFile]]:
    chunk: list[LandedFile] = []
    for file in files:
        chunk.append(file)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
