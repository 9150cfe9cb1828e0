"""From the landing zone into the queue: whatever landed and has not ended, once it is whole."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from greenstream.application.loading.wholeness import Patience, Stillness
from greenstream.domain.errors import NotFound, StorageRefused, StorageUnavailable
from greenstream.domain.landing import LandedFile
from greenstream.domain.limits import Limits
from greenstream.domain.routing import Route, route_of
from greenstream.ports.loading import Queue, Waiting

CHUNK = 1_000
OVERDUE = timedelta(minutes=1)


@dataclass
class Intake:
    """Remembers which files have been queued, so that a scan of thousands asks the database for few.

    `on_replaced` hears of a file under whose path another one waited, which nobody has read, and when that one came.
    """

    queue: Queue
    waiting: Waiting
    limits: Limits
    ends_a_line: Callable[[str], bool]
    patience: Patience = field(default_factory=Patience)
    atomic: bool = False  # whether the store never shows half a file
    on_queued: Callable[[LandedFile, Route], None] = lambda _file, _route: None
    on_replaced: Callable[[LandedFile, datetime], None] = lambda _file, _before: None
    _known: dict[tuple[str, str], LandedFile] = field(default_factory=dict)  # by path and version
    _stillness: Stillness = field(default_factory=Stillness)

    def take(self, files: Iterable[LandedFile], now: datetime) -> list[LandedFile]:
        """Queue those of some files that are new and whole; the ones that aren't whole yet."""
        immature = list[LandedFile]()
        for chunk in _chunks(file for file in files if not self._is_known(file)):
            whole = list[LandedFile]()
            for file in chunk:
                (whole if self._is_whole(file, now) else immature).append(file)
            unknown = self.waiting.unknown(whole) if whole else set()
            for file in whole:
                if file.path in unknown:
                    self._queue(file, now)
                    unknown.discard(file.path)  # a worker takes all versions that a bucket keeps of it, one by one
                self._known[file.path, file.version] = file
        return immature

    def remind(self, now: datetime, *, after: timedelta = OVERDUE) -> int:
        """Queue again what should have been taken up so long ago: a message to the queue can be lost."""
        overdue = self.waiting.overdue(now - after)
        for path, route in overdue:
            self.queue.put(path, route)
        return len(overdue)

    def forget_before(self, day: date) -> None:
        """Drop what is remembered of files received before a day."""
        self._known = {key: file for key, file in self._known.items() if file.received_at.date() >= day}

    def _is_known(self, file: LandedFile) -> bool:
        return (file.path, file.version) in self._known

    def _queue(self, file: LandedFile, now: datetime) -> None:
        route = route_of(file.size_bytes, self.limits)
        replaced = self.waiting.add(file, route, now)
        if replaced is not None:
            self.on_replaced(file, replaced)
        self.queue.put(file.path, route)
        self.on_queued(file, route)

    def may_be_filed(self, file: LandedFile, now: datetime) -> bool:
        """Whether a drop can be moved into a day's folder: at once where it was renamed into place, as its times tell.

        Whoever still writes to it goes on there.
        """
        return file.modified_at != file.received_at or self._is_whole(file, now)

    def _is_whole(self, file: LandedFile, now: datetime) -> bool:
        if self.atomic:
            return True
        still = self._stillness.of(file, now)
        if file.size_bytes == 0:
            return still >= self.patience.empty
        if still >= self.patience.ends_within_line:
            return True
        return still >= self.patience.ends_with_line and self._ends_a_line(file.path)

    def _ends_a_line(self, path: str) -> bool:
        """Of a file that is gone, or can't be read, nothing is known; a worker will say so if that lasts."""
        try:
            return self.ends_a_line(path)
        except (NotFound, StorageRefused, StorageUnavailable):
            return False


def _chunks(files: Iterator[LandedFile] | Iterable[LandedFile]) -> Iterator[list[LandedFile]]:
    chunk: list[LandedFile] = []
    for file in files:
        chunk.append(file)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
