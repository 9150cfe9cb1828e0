"""The short part of the chaos: each test tells its seed and counts its cases. The long one: python -m tests.chaos."""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from tests.chaos.disk import ERRORS, failing
from tests.chaos.round import run_round
from tests.integration.embedded_support import scratch
from tests.integration.test_intake import LINE, Tickets, intake
from tests.support.harness import NOW, Databases, Harness
from tests.support.turns import turn_on

from greenstream.adapters.postgres.embedded import EmbeddedServer
from greenstream.adapters.storage import ObjectStore, open_store
from greenstream.application.loading.attempt import take_turn
from greenstream.domain.errors import StorageRefused, StorageUnavailable
from greenstream.domain.ledger import Outcome
from greenstream.domain.routing import Route

SEED = int(os.environ.get("CHAOS_SEED", "66"))
DAY = date(2024, 3, 20)
COURSES = 8
FILES = 12

Announce = Callable[[str], None]


@pytest.fixture
def announce(capsys: pytest.CaptureFixture[str]) -> Announce:
    """Says a line to whoever runs the tests."""

    def say(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}", end="")

    return say


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    with scratch() as folder:
        server = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
        try:
            yield Databases(server.ensure_running().dsn, folder / "harnesses")
        finally:
            server.stop("immediate")


def land(store: ObjectStore, source: Path) -> None:
    store.land(source, day=DAY)


def file_dropped(store: ObjectStore, source: Path) -> None:
    folder = store.folder()
    assert folder is not None
    dropped, filed = folder / source.name, folder / str(DAY) / source.name
    if not dropped.exists() and not filed.exists():
        dropped.write_bytes(source.read_bytes())
    if dropped.exists():
        store.file_under(f"raw-data/{source.name}", DAY)


def quarantine(store: ObjectStore, source: Path) -> None:
    land(store, source)
    store.quarantine(f"raw-data/{DAY}/{source.name}", source.read_bytes())


@pytest.mark.parametrize("act", [land, file_dropped, quarantine])
def test_a_write_that_fails_leaves_a_file_whole_or_absent_and_the_next_try_lands_it(
    tmp_path: Path, act: Callable[[ObjectStore, Path], None], announce: Announce
) -> None:
    cases = sum(fail_each_call(tmp_path / name, act, error) for name, error in ERRORS.items())
    announce(f"{act.__name__}: {cases} cases, each call of the system failing with {' and '.join(ERRORS)}")
    assert cases >= 8


def fail_each_call(folder: Path, act: Callable[[ObjectStore, Path], None], error: int) -> int:
    """How many calls there were to fail."""
    for nth in itertools.count(1):
        source = folder / str(nth) / "a.csv"
        source.parent.mkdir(parents=True)
        source.write_text(LINE * 3)
        store = open_store(folder / str(nth) / "home")
        store.folder()
        with failing(nth, error) as disk, suppress(StorageRefused, StorageUnavailable):
            act(store, source)
        assert_whole_or_absent(store, source)
        act(store, source)
        assert_whole_or_absent(store, source)
        assert [file.path for file in store.list_landed()] == [f"raw-data/{DAY}/a.csv"]
        if not disk.failed:
            return nth - 1
    raise AssertionError


def assert_whole_or_absent(store: ObjectStore, source: Path) -> None:
    """Whatever has a name that is seen has all of the content, in the landing zone and in the quarantine."""
    wanted = source.read_bytes()
    seen = [*store.list_landed(), *store.unfiled()]
    assert all(b"".join(store.read(file)) == wanted for file in seen)
    copy = source.parent / "home" / "quarantine" / str(DAY) / source.name
    assert not copy.exists() or copy.read_bytes() == wanted
    assert source.exists()


def test_events_lost_doubled_and_shuffled_by_clocks_that_jump_strand_no_file(
    databases: Databases, announce: Announce
) -> None:
    """Listings lose, repeat and shuffle files; tickets are repeated and shuffled; the clock jumps by up to a day."""
    rows = 0
    for seed in range(SEED, SEED + COURSES):
        with databases.harness() as harness:
            rows += run_course(harness, Random(seed))
    announce(f"intake: {COURSES} courses of events from seed {SEED}, {COURSES * FILES} files, {rows} rows")


def run_course(harness: Harness, rng: Random) -> int:
    clock = JumpingClock(rng)
    paths = {
        harness.land(f"{n}.csv", content(n), received_at=NOW + timedelta(days=rng.uniform(-2, 2))) for n in range(FILES)
    }
    tickets, looking = Tickets(), None
    for _ in range(8):
        looking = intake(harness, tickets) if looking is None or rng.random() < 0.3 else looking
        listed = [file for file in harness.store.list_landed() for _ in range(rng.choice((0, 1, 1, 2)))]
        looking.take(rng.sample(listed, len(listed)), clock())
        work(harness, rng.sample(tickets.put_in, len(tickets.put_in) // 2), clock)
    last = intake(harness, tickets)
    for _ in range(3):
        last.take(harness.store.list_landed(), clock.steady(timedelta(seconds=1)))
    last.remind(clock.steady(timedelta(days=9)))
    work(harness, tickets.put_in * 2, clock)
    assert {path for path, _ in tickets.put_in} == paths
    assert harness.query("SELECT * FROM waiting_files") == []
    assert harness.query("SELECT outcome, count(*) AS n FROM source_files GROUP BY 1") == [
        {"outcome": Outcome.LOADED.value, "n": FILES}
    ]
    assert harness.sums()[:2] == (FILES * 3, FILES * 3)
    harness.assert_adds_up()
    return FILES * 3


def content(number: int) -> str:
    return "meter_id,timestamp,energy_value\n" + "".join(
        f"SM-{number},2024-03-01 0{hour}:00,{number} kW\n" for hour in range(3)
    )


def work(harness: Harness, tickets: list[tuple[str, Route]], clock: "JumpingClock") -> None:
    for path, _ in tickets:
        take_turn(path, turn_on(harness, lambda path: harness.process(path, now=clock()), clock=clock))


class JumpingClock:
    """A clock that somebody sets by up to a day, forward and back, every few looks."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._now = NOW

    def __call__(self) -> datetime:
        jump = timedelta(days=self._rng.uniform(-1, 1)) if self._rng.random() < 0.2 else timedelta(seconds=1)
        return self.steady(jump)

    def steady(self, step: timedelta) -> datetime:
        self._now += step
        return self._now.astimezone(UTC)


def test_rows_are_there_once_after_processes_connections_and_the_server_were_killed(announce: Announce) -> None:
    announce(f"a round of deaths: seed {SEED} (up): ")
    report = run_round(SEED, mode="up", seconds=8, files=50)
    announce(f"{sum(report.done.values())} deeds {report.done}, {report.tally}")
    assert report.tally.rows > 0
