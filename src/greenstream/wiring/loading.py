"""From a landed file to stored readings."""

import time
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from pathlib import Path

from greenstream.adapters.queues.procrastinate_queue import FileQueue, FileWorker, hand_back_lost
from greenstream.application.loading.attempt import Later, Turn, after_crash, fail, note_outage, take_turn
from greenstream.application.loading.dead_letters import ReplayedLetter, Replaying, replay_dead_letter
from greenstream.application.loading.ingest import Ingesting, NotLanded, ingest_file
from greenstream.application.loading.intake import Intake
from greenstream.application.loading.outages import StoreProbe, is_outage
from greenstream.application.loading.process_file import new_versions, next_version, process_file, reject_unlanded
from greenstream.domain.errors import GreenStreamError
from greenstream.domain.landing import LandedFile
from greenstream.domain.ledger import FileResult
from greenstream.domain.routing import Route
from greenstream.wiring.place import Place


class Loading:
    """Files, from the landing zone into the database."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def process(self, path: str) -> FileResult:
        """Take a landed file, given by its key, to its end. See `process_file`."""
        place = self._place
        return process_file(
            path,
            landing=place.store,
            database=place.database,
            lake=place.objects,
            site=place.site,
            clock=place.clock,
        )

    def ingest(self, source: Path) -> FileResult | NotLanded:
        """Land a file of this machine, and take it to its end. See `ingest_file`."""
        return ingest_file(
            source,
            Ingesting(
                refuse=self._refuse,
                land=lambda source: self._place.store.land(source, day=self._place.today()),
                process=self.process,
                fail=self._fail,
                store_answers=self._probe.answers,
                attempts=self._place.attempts,
            ),
        )

    def replay_dead_letter(self, dead_letter_id: int, path: str) -> ReplayedLetter:
        """Process the file of a dead letter again. See `replay_dead_letter`."""
        replaying = Replaying(process=self.process, fail=self._fail, store_answers=self._probe.answers)
        return replay_dead_letter(dead_letter_id, path, replaying)

    def discard_dead_letter(self, dead_letter_id: int, reason: str | None) -> bool:
        """Give a dead letter up; whether it was open until now."""
        return self._place.database.replays().discard_dead_letter(dead_letter_id, reason, self._place.clock())

    def intake(
        self, on_queued: Callable[[LandedFile, Route], None], on_replaced: Callable[[LandedFile, datetime], None]
    ) -> Intake:
        """From the landing zone into the queue.

        `on_queued` hears of each file, `on_replaced` of one that took the place of another that nobody had read.
        """
        place = self._place
        return Intake(
            queue=self._queue,
            waiting=place.database.waiting(),
            limits=place.site.limits,
            ends_a_line=place.store.ends_a_line,
            atomic=place.store.folder() is None,
            on_queued=on_queued,
            on_replaced=on_replaced,
        )

    def worker(self, route: Route, work: Callable[[str], int | None]) -> FileWorker:
        """A worker of one route, which takes files one at a time."""
        _ = self._place.database  # at this program's version, before the queue is asked
        return FileWorker(self._place.dsn, route, work)

    def take_turn(self, path: str, on_start: Callable[[int], None]) -> FileResult | Later | None:
        """Take a turn at a landed file; `on_start` hears the number of the attempt. See `take_turn`."""
        return take_turn(path, self._turn(), on_start)

    def note_outage(self, path: str, error: GreenStreamError) -> None:
        """A worker had to put a file back, as the database couldn't be told at that moment."""
        note_outage(path, error, self._place.database.waiting(), self._place.clock)

    def hand_back_lost(self, heard: Callable[[str, Route, FileResult | None], None]) -> int:
        """Give files whose worker is gone back to the queue; how many. `heard` learns of each, and of dead letters."""

        def crashed(path: str, route: Route) -> bool:
            given_up = after_crash(path, self._turn())
            heard(path, route, given_up)
            return given_up is None

        return hand_back_lost(self._place.dsn, crashed)

    def has_new_version(self, path: str) -> bool:
        """Whether more was put under a path than was read yet, in a bucket that keeps what was replaced."""
        store = self._place.store
        return store.keeps_versions() and bool(new_versions(path, store, self._place.database))

    def is_outage(self, error: Exception) -> bool:
        """Whether it is no fault of the file that it happened to."""
        return is_outage(error, self._probe.answers)

    def close(self) -> None:
        """End the queue's connections."""
        if "_queue" in self.__dict__:
            self.__dict__.pop("_queue").close()

    @cached_property
    def _queue(self) -> FileQueue:
        return FileQueue(self._place.dsn)

    @cached_property
    def _probe(self) -> StoreProbe:
        return StoreProbe(check=self._place.store.check, seconds=time.monotonic)

    def _turn(self) -> Turn:
        place = self._place
        return Turn(
            process=self.process,
            head=lambda path: next_version(path, place.store, place.database),
            store_answers=self._probe.answers,
            waiting=place.database.waiting(),
            database=place.database,
            clock=place.clock,
        )

    def _fail(self, path: str, error: Exception, attempts: int) -> FileResult:
        return fail(path, error, self._turn(), attempts=attempts)

    def _refuse(self, source: Path) -> FileResult | None:
        """The rejection of a file of this machine that is too large to be landed; None for any other."""
        place = self._place
        unlanded = place.store.unlanded(source, day=place.today())
        if unlanded is None or unlanded[1] <= place.site.limits.max_file_bytes:
            return None
        return reject_unlanded(*unlanded, database=place.database, site=place.site, clock=place.clock)
