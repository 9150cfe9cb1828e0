"""A job whose end can't be told comes back, or is over: never kept by a worker that has forgotten it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from procrastinate import exceptions as queue_errors
from procrastinate.manager import JobManager
from tests.support.harness import Harness

from greenstream.adapters.queues.procrastinate_queue import FileQueue, FileWorker, hand_back_lost
from greenstream.domain.errors import DatabaseRefused, DatabaseUnavailable
from greenstream.domain.routing import Route

PATIENCE = 30.0
PATH = "raw-data/2024-03-20/a.csv"


@contextmanager
def queued(harness: Harness) -> Iterator[FileQueue]:
    queue = FileQueue(harness.dsn)
    queue.put(PATH, Route.REALTIME)
    try:
        yield queue
    finally:
        queue.close()


def jobs(harness: Harness) -> list[str]:
    return [row["status"] for row in harness.query("SELECT status::text FROM greenstream_queue.procrastinate_jobs")]


class Worked:
    """A worker that notes what it works on, and is stopped once that was `times`."""

    def __init__(self, harness: Harness, work: Callable[[str], int | None] = lambda _: None, *, times: int = 1) -> None:
        self.paths: list[str] = []
        self._work, self._times = work, times
        self.worker = FileWorker(harness.dsn, Route.REALTIME, self._note)

    def run(self) -> None:
        alarm = threading.Timer(PATIENCE, self.worker.stop)
        alarm.start()
        try:
            self.worker.run()
        finally:
            alarm.cancel()

    def _note(self, path: str) -> int | None:
        self.paths.append(path)
        if len(self.paths) == self._times:
            self.worker.stop()
        return self._work(path)


@pytest.mark.parametrize("step", ["finish_job_by_id_async", "retry_job_by_id_async"])
@pytest.mark.parametrize("reached", [True, False], ids=["only the answer lost", "never reached"])
def test_a_job_whose_end_is_lost_repeats_or_is_over(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, step: str, reached: bool
) -> None:
    tell = getattr(JobManager, step)

    async def tell_and_lose(manager: JobManager, **values: object) -> None:
        if reached:
            await tell(manager, **values)
        raise queue_errors.ConnectorException("server closed the connection")

    is_over = step.startswith("finish") and reached
    with queued(harness):
        with monkeypatch.context() as patched:
            patched.setattr(JobManager, step, tell_and_lose)
            first = Worked(harness, (lambda _: None) if step.startswith("finish") else (lambda _: 0), times=9)
            with pytest.raises(DatabaseUnavailable):
                first.run()
        assert hand_back_lost(harness.dsn, lambda _path, _route: True) == (0 if reached else 1)
        assert jobs(harness) == ([] if is_over else ["todo"])
        if not is_over:
            second = Worked(harness)
            second.run()
            assert second.paths == [PATH]
    assert jobs(harness) == []


def test_what_the_worker_can_t_handle_ends_it_and_the_file_stays_queued(harness: Harness) -> None:
    def refuse(_: str) -> int | None:
        raise DatabaseRefused("password authentication failed")

    with queued(harness), pytest.raises(DatabaseRefused):
        Worked(harness, refuse, times=9).run()
    assert jobs(harness) == ["todo"]


def test_a_file_queued_anew_while_it_is_put_off_is_worked_on_once_more(harness: Harness) -> None:
    with queued(harness) as queue:

        def put_off(path: str) -> int | None:
            if len(worked.paths) == 1:
                queue.put(path, Route.REALTIME)
                return 0
            return None

        worked = Worked(harness, put_off, times=2)
        worked.run()
        assert worked.paths == [PATH, PATH]
    assert jobs(harness) == []


def test_a_lost_file_that_was_queued_anew_hinders_no_other_one(harness: Harness) -> None:
    with queued(harness) as queue:
        harness.execute("SET search_path = greenstream_queue; UPDATE procrastinate_jobs SET status = 'doing'")
        queue.put(PATH, Route.REALTIME)
        assert hand_back_lost(harness.dsn, lambda _path, _route: True) == 1
    assert jobs(harness) == ["todo"]


def test_a_worker_stopped_before_it_runs_ends_at_once(harness: Harness) -> None:
    worked = Worked(harness)
    worked.worker.stop()
    with queued(harness):
        worked.run()
    assert worked.paths == []
    assert jobs(harness) == ["todo"]


def test_a_worker_that_is_stopped_while_it_connects_ends() -> None:
    """It may have asked for the end of a connection's attempt that doesn't hear of it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        worker = FileWorker(f"postgresql://me@127.0.0.1:{port}/readings", Route.REALTIME, lambda _: None)
        running = threading.Thread(target=worker.run, daemon=True)
        running.start()
        connection, _ = silent.accept()
        with connection:
            worker.stop()
            running.join(PATIENCE)
            assert not running.is_alive()
