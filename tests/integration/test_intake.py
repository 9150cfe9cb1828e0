"""What lands is queued once, when it is whole; a worker's turn ends a file, or puts it off as often as it should."""

import itertools
import threading
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.harness import NOW, Harness
from tests.support.turns import turn_on

from greenstream.application.loading import attempt
from greenstream.application.loading.attempt import Later, after_crash, take_turn
from greenstream.application.loading.intake import Intake
from greenstream.domain.errors import (
    DatabaseUnavailable,
    GreenStreamError,
    NotFound,
    StorageRefused,
    StorageUnavailable,
)
from greenstream.domain.ledger import FileResult, Outcome
from greenstream.domain.routing import Route
from greenstream.entrypoints.service.folder_events import Watcher
from greenstream.entrypoints.service.logs import logger
from greenstream.settings import Settings
from greenstream.wiring import Place

LINE = "meter_id,timestamp,energy_value\nSM-1,2024-03-01 00:00,1 kW\n"


@dataclass
class Tickets:
    """A queue that keeps what was put into it."""

    put_in: list[tuple[str, Route]] = field(default_factory=list)

    def put(self, path: str, route: Route) -> None:
        self.put_in.append((path, route))


def intake(harness: Harness, tickets: Tickets) -> Intake:
    return Intake(
        queue=tickets,
        waiting=harness.database.waiting(),
        limits=harness.site.limits,
        ends_a_line=harness.store.ends_a_line,
    )


def take(harness: Harness, tickets: Tickets, at: datetime) -> list[str]:
    return [file.path for file in intake(harness, tickets).take(harness.store.list_landed(), at)]


def came(harness: Harness, path: str) -> datetime:
    return harness.store.head(path).received_at


def test_a_whole_file_is_queued_once_whoever_looks_again(harness: Harness) -> None:
    path, tickets = harness.drop("a.csv", LINE), Tickets()
    for seconds in (1, 2, 3):
        assert take(harness, tickets, came(harness, path) + timedelta(seconds=seconds)) == []
    assert tickets.put_in == [(path, Route.REALTIME)]


def test_a_drop_that_was_renamed_into_place_may_be_filed_at_once_another_when_it_is_whole(harness: Harness) -> None:
    folder, looking = harness.folder / "raw-data", intake(harness, Tickets())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "half.csv").write_text(LINE[:-4])
    (folder / ".hidden").write_text(LINE)
    time.sleep(0.05)  # a clock of the kernel's, which has ticks
    (folder / ".hidden").rename(folder / "renamed.csv")
    found = {file.path: file for file in harness.store.unfiled()}
    half, renamed = found["raw-data/half.csv"], found["raw-data/renamed.csv"]
    assert looking.may_be_filed(renamed, renamed.received_at)
    assert not looking.may_be_filed(half, half.received_at + timedelta(seconds=4.9))
    assert looking.may_be_filed(half, half.received_at + timedelta(seconds=5))


def test_a_file_that_has_ended_is_not_queued(harness: Harness) -> None:
    path, tickets = harness.drop("a.csv", LINE), Tickets()
    harness.process(path)
    take(harness, tickets, came(harness, path) + timedelta(seconds=1))
    assert tickets.put_in == []


@pytest.mark.parametrize(
    ("content", "seconds"), [(LINE, 0.4), (LINE[:-4], 5), ("", 60)], ids=["whole lines", "half a line", "empty"]
)
def test_a_file_counts_as_whole_once_it_lay_still_long_enough(harness: Harness, content: str, seconds: float) -> None:
    path, tickets = harness.drop("a.csv", content, NOW - timedelta(days=120)), Tickets()
    assert take(harness, tickets, came(harness, path) + timedelta(seconds=seconds - 0.1)) == [path]
    assert tickets.put_in == []
    assert take(harness, tickets, came(harness, path) + timedelta(seconds=seconds)) == []
    assert [put for put, _ in tickets.put_in] == [path]


@pytest.mark.parametrize("ahead", [timedelta(seconds=3), timedelta(days=400)])
def test_a_file_from_the_future_is_still_once_it_has_not_changed_since_it_was_seen(
    harness: Harness, ahead: timedelta
) -> None:
    path, tickets = harness.drop("a.csv", LINE), Tickets()
    looking, now = intake(harness, tickets), came(harness, path) - ahead
    looking.take(harness.store.list_landed(), now)
    assert tickets.put_in == []
    looking.take(harness.store.list_landed(), now - timedelta(days=1))  # the clock was set back
    assert tickets.put_in == []
    looking.take(harness.store.list_landed(), now - timedelta(days=1) + timedelta(seconds=0.4))
    assert [put for put, _ in tickets.put_in] == [path]


@pytest.mark.parametrize("trouble", [NotFound("gone"), StorageRefused("no permission"), StorageUnavailable("EIO")])
def test_a_file_that_can_t_be_looked_into_keeps_no_other_from_the_queue(
    harness: Harness, trouble: GreenStreamError
) -> None:
    bad, good, tickets = harness.drop("a.csv", LINE), harness.drop("b.csv", LINE), Tickets()
    now = came(harness, good)

    def ends_a_line(path: str) -> bool:
        if path == bad:
            raise trouble
        return harness.store.ends_a_line(path)

    looking = intake(harness, tickets)
    looking.ends_a_line = ends_a_line
    assert [file.path for file in looking.take(harness.store.list_landed(), now + timedelta(seconds=1))] == [bad]
    assert [put for put, _ in tickets.put_in] == [good]
    looking.take(harness.store.list_landed(), now + timedelta(seconds=6))
    assert [put for put, _ in tickets.put_in] == [good, bad]


def test_what_lands_right_after_the_first_scan_is_seen_though_no_scan_looks_there_soon(tmp_path: Path) -> None:
    place, stop = Place(Settings(home=tmp_path), lambda _: None), threading.Event()
    folder = place.store.folder()
    assert folder is not None
    (folder / "2019-01-01").mkdir()
    changes = Watcher(stop, logger(json=True)).changes(place.store)
    next(changes)  # a scan of all folders follows the first one
    (folder / "2019-01-01" / "a.csv").write_text(LINE)
    assert date(2019, 1, 1) in set().union(*(each or () for each in itertools.islice(changes, 10)))
    stop.set()


def test_a_word_lost_by_the_queue_is_said_again(harness: Harness) -> None:
    path, tickets = harness.drop("a.csv", LINE), Tickets()
    looking, now = intake(harness, tickets), came(harness, path)
    looking.take(harness.store.list_landed(), now + timedelta(seconds=1))
    assert looking.remind(now + timedelta(seconds=30)) == 0
    assert looking.remind(now + timedelta(seconds=90)) == 1
    assert [put for put, _ in tickets.put_in] == [path, path]


class Turn:
    """A worker's turns at one file whose processing raises what it is told."""

    def __init__(self, harness: Harness, *faults: Exception, store_answers: bool = True) -> None:
        self.harness = harness
        self.store_answers = store_answers
        self.faults = list(faults)
        self.heard: list[int] = []
        self.path = harness.land("a.csv", LINE)

    def process(self, path: str) -> FileResult:
        if self.faults:
            raise self.faults.pop(0)
        return self.harness.process(path)

    def take(self) -> FileResult | Later | None:
        return take_turn(self.path, self.tools(), self.heard.append)

    def tools(self) -> attempt.Turn:
        return turn_on(self.harness, self.process, store_answers=lambda: self.store_answers)

    def waiting(self) -> list[dict[str, object]]:
        return self.harness.query("SELECT state, attempts, error FROM waiting_files")


def test_a_file_that_ends_no_longer_waits(harness: Harness) -> None:
    turn = Turn(harness)
    ended = turn.take()
    assert isinstance(ended, FileResult)
    assert ended.outcome is Outcome.LOADED
    assert turn.waiting() == []


def test_a_passing_fault_is_retried_after_2_4_8_seconds_and_is_then_a_dead_letter(harness: Harness) -> None:
    turn = Turn(harness, *(StorageUnavailable(f"fault {n}") for n in range(4)))
    for number, seconds in enumerate((2, 4, 8)):
        error = f"StorageUnavailable: fault {number}"
        assert turn.take() == Later(seconds=seconds, error=error)
        assert turn.waiting() == [{"state": "retrying", "attempts": number + 1, "error": error}]
    ended = turn.take()
    assert isinstance(ended, FileResult)
    assert ended.outcome is Outcome.FAILED
    assert turn.waiting() == []
    assert harness.one("SELECT attempts FROM dead_letters") == 4
    assert harness.one("SELECT outcome FROM source_files") == "failed"
    assert harness.one("SELECT count(*) FROM alerts WHERE code = 'DEAD_LETTER'") == 1


def test_a_dead_letter_of_a_passing_fault_can_still_be_loaded(harness: Harness) -> None:
    turn = Turn(harness, *(StorageUnavailable("away") for _ in range(4)))
    while isinstance(turn.take(), Later):
        continue
    assert harness.process(turn.path).outcome is Outcome.LOADED
    assert [row["outcome"] for row in harness.query("SELECT outcome FROM source_files")] == ["loaded"]


def test_a_file_that_the_store_refuses_is_a_dead_letter_at_once(harness: Harness) -> None:
    turn = Turn(harness, StorageRefused("a.csv can't be read: permission denied"))
    ended = turn.take()
    assert isinstance(ended, FileResult)
    assert ended.outcome is Outcome.FAILED
    assert turn.waiting() == []
    assert "permission denied" in harness.one("SELECT error FROM dead_letters")


def test_an_absent_database_is_never_counted(harness: Harness) -> None:
    turn = Turn(harness, *(DatabaseUnavailable("away") for _ in range(9)))
    for _ in range(9):
        with pytest.raises(DatabaseUnavailable):
            turn.take()
    assert isinstance(turn.take(), FileResult)
    assert harness.one("SELECT count(*) FROM dead_letters") == 0


def test_a_file_that_is_gone_is_forgotten(harness: Harness) -> None:
    turn = Turn(harness, NotFound("gone"))
    assert turn.take() is None
    assert turn.waiting() == []


def test_the_fifth_worker_that_dies_over_a_file_makes_it_a_dead_letter(harness: Harness) -> None:
    turn = Turn(harness)
    given_up = []
    for _ in range(5):
        harness.database.waiting().start(turn.path, NOW)
        given_up.append(after_crash(turn.path, turn.tools()))
    assert [result is not None for result in given_up] == [False] * 4 + [True]
    assert turn.waiting() == []
    assert "5 workers died" in harness.one("SELECT error FROM dead_letters")


def test_a_file_without_a_database_says_so_beside_its_state(harness: Harness) -> None:
    turn = Turn(harness, DatabaseUnavailable("the disk is full"))
    with pytest.raises(DatabaseUnavailable):
        turn.take()
    assert turn.waiting() == [{"state": "retrying", "attempts": 0, "error": "DatabaseUnavailable: the disk is full"}]


def test_a_worker_hears_which_attempt_it_makes(harness: Harness) -> None:
    turn = Turn(harness, StorageUnavailable("away"), DatabaseUnavailable("away"))
    assert isinstance(turn.take(), Later)
    with pytest.raises(DatabaseUnavailable):
        turn.take()
    assert isinstance(turn.take(), FileResult)
    assert turn.heard == [1, 2, 2]


def test_a_file_that_is_tried_again_is_not_just_running(harness: Harness) -> None:
    turn = Turn(harness, StorageUnavailable("away"))
    turn.take()
    harness.database.waiting().start(turn.path, NOW)
    assert [row["state"] for row in turn.waiting()] == ["stuck"]
    harness.execute("UPDATE greenstream.waiting_file SET started_at = now()")
    assert [row["state"] for row in turn.waiting()] == ["retrying"]


def test_what_is_forgotten_is_still_not_queued_twice(harness: Harness) -> None:
    path, tickets = harness.drop("a.csv", LINE), Tickets()
    looking = intake(harness, tickets)
    at = came(harness, path) + timedelta(seconds=1)
    looking.take(harness.store.list_landed(), at)
    looking.forget_before(at.date() + timedelta(days=2))
    looking.take(harness.store.list_landed(), at)
    assert len(tickets.put_in) == 1
