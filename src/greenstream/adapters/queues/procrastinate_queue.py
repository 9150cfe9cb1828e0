"""procrastinate behind the port `Queue`, and the workers it hands files to.

The queue lives in the same PostgreSQL, in a schema of its own. It says whose turn it is; what became of a file, and
how often it failed, is kept by us.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import psycopg
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision, SyncPsycopgConnector
from procrastinate import exceptions as queue_errors
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from greenstream.domain.errors import DatabaseUnavailable
from greenstream.domain.retries import OUTAGE_DELAY
from greenstream.domain.routing import Route

SCHEMA = "greenstream_queue"
FILES_TASK = "process_file"
POLL_SECONDS = 0.5
PATIENCE_SECONDS = 5.0
HEARTBEAT_SECONDS = 2.0
STALLED_SECONDS = 10.0

AWAY = (queue_errors.ConnectorException, psycopg.OperationalError, OSError)
"""How a database that can't be reached shows itself; the second when connections are opened."""

Work = Callable[[str], int | None]
"""Works on a path; in how many seconds it must be tried again, None when it has ended."""


class TryAgain(Exception):
    """Raised inside a job to have the queue hand it out again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


class _AsTold(BaseRetryStrategy):
    """Again when told so; all else is an end."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        return RetryDecision(retry_in={"seconds": exception.seconds}) if isinstance(exception, TryAgain) else None


class _Manager(JobManager):
    """Says of a job how it ended. Where that can't be said, `lost` is told, for the job would be kept by its worker.

    A job that is to come back while its path is queued anyway, for newer content, is ended in favour of that one.
    """

    def __init__(self, connector: PsycopgConnector, lost: Callable[[BaseException], None]) -> None:
        super().__init__(connector)
        self._lost = lost

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        try:
            await super().finish_job(job, status, delete_job)
        except queue_errors.ConnectorException as error:
            self._lost(error)
            raise

    async def retry_job(self, job: Job, *args: Any, **options: Any) -> None:
        try:
            await super().retry_job(job, *args, **options)
        except queue_errors.UniqueViolation:
            await self.finish_job(job, Status.FAILED, delete_job=True)
        except queue_errors.ConnectorException as error:
            self._lost(error)
            raise


class FileQueue:
    """Puts files into the queue, from any thread of one process."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._app: App | None = None
        self._pool: ConnectionPool | None = None
        self._lock = threading.Lock()

    def put(self, path: str, route: Route) -> None:
        with self._lock:
            try:
                self._opened().configure_task(FILES_TASK, queue=route.value, queueing_lock=path).defer(path=path)
            except queue_errors.AlreadyEnqueued:
                return
            except AWAY as error:
                raise DatabaseUnavailable(f"queueing {path}: {_said(error)}; it is tried again later") from error

    def close(self) -> None:
        with self._lock:
            if self._pool is not None:
                self._pool.close()
            self._app = self._pool = None

    def _opened(self) -> App:
        if self._app is None:
            pool = ConnectionPool(**_pool(self._dsn, 1), check=ConnectionPool.check_connection, open=False)
            try:
                pool.open(wait=True, timeout=PATIENCE_SECONDS)
            except psycopg.OperationalError:
                pool.close()
                raise
            self._app, self._pool = App(connector=SyncPsycopgConnector()), pool
            self._app.open(pool)
        return self._app


class FileWorker:
    """A worker of one route: takes one file at a time, until it is stopped."""

    def __init__(self, dsn: str, route: Route, work: Work) -> None:
        self._dsn = dsn
        self._route = route
        self._work = work
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: asyncio.Task[None] | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Work until `stop` is called; work in hand is finished first.

        Raises:
            DatabaseUnavailable: the queue can't be reached; files in hand come back to the queue.

        What `work` raises ends it as well; the file comes back to the queue first.
        """
        try:
            asyncio.run(self._serve())
        except asyncio.CancelledError:
            pass
        except AWAY as error:
            self._failure = self._failure or error
        if isinstance(self._failure, AWAY):
            raise DatabaseUnavailable(f"the queue: {_said(self._failure)}; work resumes by itself") from self._failure
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Ask for the end, from any thread, at any time."""
        with self._lock:
            self._stopped = True
            if self._loop is not None and self._running is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._running.cancel)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self.stop()

    async def _serve(self) -> None:
        connector = PsycopgConnector(pool_factory=_Pool, **_pool(self._dsn, 3))
        app = App(connector=connector)
        app.job_manager = _Manager(connector, self._fail)
        app.task(name=FILES_TASK, queue=self._route.value, retry=_AsTold())(self._turn)
        with self._lock:
            if self._stopped:
                return
            self._loop, self._running = asyncio.get_running_loop(), asyncio.current_task()
        async with app.open_async():
            await app.run_worker_async(
                queues=[self._route.value],
                name=self._route.value,
                concurrency=1,
                fetch_job_polling_interval=POLL_SECONDS,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
                install_signal_handlers=False,
                delete_jobs="always",
            )

    def _turn(self, path: str) -> None:
        try:
            seconds = self._work(path)
        except BaseException as error:
            self._fail(error)
            raise TryAgain(OUTAGE_DELAY) from error
        if seconds is not None:
            raise TryAgain(seconds)


def hand_back_lost(dsn: str, crashed: Callable[[str, Route], bool]) -> int:
    """Give files whose worker is gone back to the queue; how many. `crashed` says whether one is due again."""
    return asyncio.run(_hand_back_lost(dsn, crashed))


async def _hand_back_lost(dsn: str, crashed: Callable[[str, Route], bool]) -> int:
    connector = PsycopgConnector(pool_factory=_Pool, **_pool(dsn, 1))
    app, manager = App(connector=connector), _Manager(connector, lambda _: None)
    lost = 0
    try:
        async with app.open_async():
            for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
                lost += 1
                if crashed(str(job.task_kwargs["path"]), Route(job.queue)):
                    await manager.retry_job(job)
                else:
                    await manager.finish_job(job, Status.FAILED, delete_job=True)
    except AWAY as error:
        raise DatabaseUnavailable(f"the queue: {_said(error)}; it is tried again later") from error
    return lost


class _Pool(AsyncConnectionPool):
    """procrastinate opens it without saying how long it may wait, which would be half a minute."""

    async def open(self, wait: bool = False, timeout: float = PATIENCE_SECONDS) -> None:
        try:
            await super().open(wait, timeout)
        except BaseException:  # also when it is cancelled: its workers would outlive that, and wait for ever
            await self.close()
            raise


def _pool(dsn: str, size: int) -> dict[str, Any]:
    """A small pool that gives up soon: who asked is started anew, and sees to it that the server runs."""
    session = {
        "options": f"-c search_path={SCHEMA}",
        "application_name": "greenstream queue",
        "connect_timeout": 10,
    }
    patience = {"timeout": PATIENCE_SECONDS, "reconnect_timeout": PATIENCE_SECONDS}
    return {"conninfo": dsn, "kwargs": session, "min_size": 1, "max_size": size, **patience}


def _said(error: BaseException) -> str:
    cause = error.__cause__ or error
    return str(cause).strip().partition("\n")[0] or type(cause).__name__
