"""Whatever is killed, and whenever: the same files again, and every row is there once."""

from collections.abc import Iterator

import psycopg
import pytest
from tests.integration.crash_matrix import Victim, run_round
from tests.integration.embedded_support import scratch
from tests.support.harness import HEADER, Databases, Harness
from tests.support.worker import STEPS, Death, Worker, job_of

from greenstream.adapters.postgres.embedded import EmbeddedServer
from greenstream.adapters.postgres.loading.database import PostgresDatabase
from greenstream.domain.errors import DatabaseUnavailable
from greenstream.domain.ledger import Outcome

GOOD = HEADER + "".join(f"SM-{n},2024-03-15 18:45:00,{n} kW,Residential_Zone_7\n" for n in range(9)) + "bad\n"


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_a_step_is_made_up_for(harness: Harness, step: str) -> None:
    bad = step in ("quarantine file", "record")
    for after in (False, True):
        path = harness.land(f"{after}.csv", "no header" if bad else GOOD.replace("SM-", f"SM-{after}-"))
        assert Worker(job_of(harness, path, death=Death(step=step, after=after), batch_rows=4)).report() is None
        report = Worker(job_of(harness, path)).report()
        assert report is not None
        assert (report.outcomes, report.troubles) == (("rejected" if bad else "loaded",), ())
    assert harness.sums() == ((0, 0, 0, 0) if bad else (20, 18, 0, 2))
    assert harness.one("SELECT coalesce(sum(count), 0) FROM alerts") == (2 if bad else 0)
    harness.assert_adds_up()


@pytest.mark.parametrize("seed", range(3))
def test_every_row_is_there_once_after_random_kills_of_workers(harness: Harness, seed: int) -> None:
    assert run_round(harness, seed) > 0


def test_every_row_is_there_once_after_random_kills_of_workers_and_server() -> None:
    with scratch() as folder:
        server = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
        victim = Victim(server)
        try:
            with Databases(victim.info.dsn, folder / "harnesses").harness() as harness:
                run_round(harness, 5, server=victim)
        finally:
            server.stop("immediate")


@pytest.fixture
def lossy(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    """A database whose next COMMIT succeeds, but whose answer to it gets lost."""
    leave = psycopg.Transaction.__exit__

    def commit_and_lose(transaction: psycopg.Transaction, *error: object) -> None:
        outermost = transaction.savepoint_name in (None, "")
        leave(transaction, *error)
        if outermost and error == (None, None, None):
            monkeypatch.setattr(psycopg.Transaction, "__exit__", leave)
            transaction.connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    harness.load("warm.csv", HEADER + "SM-1,2024-03-15 18:45:00,1 kW,\n")
    monkeypatch.setattr(psycopg.Transaction, "__exit__", commit_and_lose)
    yield harness
    monkeypatch.setattr(psycopg.Transaction, "__exit__", leave)


@pytest.mark.parametrize(("content", "outcome"), [(GOOD, Outcome.LOADED), ("no header", Outcome.REJECTED)])
def test_a_lost_answer_to_a_commit_is_made_up_for(lossy: Harness, content: str, outcome: Outcome) -> None:
    path = lossy.land("a.csv", content)
    with pytest.raises(DatabaseUnavailable):
        lossy.process(path)
    before = lossy.query("SELECT * FROM source_files")
    assert len(before) == 2
    result = lossy.process(path)
    assert result.outcome is outcome
    assert lossy.query("SELECT * FROM source_files") == before
    lossy.assert_adds_up()


def test_a_backend_killed_in_the_middle_leaves_nothing_and_the_file_loads_later(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = harness.land("a.csv", GOOD)
    describe = PostgresDatabase._describe

    def cut(database: PostgresDatabase, *args: object) -> object:
        harness.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return describe(database, *args)

    with monkeypatch.context() as patched:
        patched.setattr(PostgresDatabase, "_describe", cut)
        with pytest.raises(DatabaseUnavailable):
            harness.process(path)
    assert harness.query("SELECT * FROM source_files") == []
    assert harness.process(path).outcome is Outcome.LOADED
    harness.assert_adds_up()
