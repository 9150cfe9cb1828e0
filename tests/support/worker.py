"""Processes of their own that load files, and that may be told to kill themselves at a step."""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import BrokenBarrierError
from typing import Any, Protocol

from tests.support.forking import CONTEXT
from tests.support.harness import VERSION, Harness

from greenstream.adapters.lake.objects import ObjectLake
from greenstream.adapters.postgres.loading.database import PostgresDatabase
from greenstream.adapters.postgres.loading.load import PostgresLoad
from greenstream.adapters.storage import ObjectStore, open_store
from greenstream.application.loading.process_file import process_file
from greenstream.domain.errors import RetryableError
from greenstream.domain.readings.judge import EvaluatedFile
from greenstream.domain.site import Site

STEPS: dict[str, tuple[type, str]] = {
    "read": (ObjectStore, "read"),
    "look up": (PostgresDatabase, "recorded"),
    "tell the delivery": (PostgresDatabase, "delivery"),
    "make room": (PostgresDatabase, "prepare_days"),
    "claim": (PostgresDatabase, "_claim"),
    "register meters": (PostgresLoad, "register_meters"),
    "store": (PostgresLoad, "store"),
    "quarantine rows": (PostgresLoad, "quarantine"),
    "close": (PostgresLoad, "close"),
    "quarantine file": (ObjectStore, "quarantine"),
    "record": (PostgresDatabase, "record"),
}


class Barrier(Protocol):
    def wait(self, timeout: float | None = None) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Death:
    """Kill -9 before or after the nth call of a step."""

    step: str
    after: bool
    nth: int = 1


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a worker loads, one path after the other. `batch_rows` cuts files into so many rows."""

    dsn: str
    folder: Path
    site: Site
    now: datetime
    paths: tuple[str, ...]
    death: Death | None = None
    barrier: Barrier | None = None
    batch_rows: int | None = None
    attempts: int = 30


@dataclass(frozen=True, kw_only=True)
class Report:
    """How each file ended, and which passing troubles there were on the way."""

    outcomes: tuple[str, ...]
    troubles: tuple[str, ...]


class Worker:
    """A process that does a job."""

    def __init__(self, job: Job) -> None:
        self._receiver, sender = CONTEXT.Pipe(duplex=False)
        self.process: BaseProcess = CONTEXT.Process(target=_work, args=(job, sender))
        self.process.start()
        sender.close()

    def kill(self) -> None:
        self.process.kill()

    def report(self) -> Report | None:
        """Waits for the end; None if the process was killed before it could tell."""
        try:
            report: Report | None = self._receiver.recv()
        except EOFError:
            report = None
        self.process.join()
        self._receiver.close()
        return report


def job_of(harness: Harness, *paths: str, **more: Any) -> Job:
    harness.seconds += 1
    now = harness.now + timedelta(seconds=harness.seconds)
    return Job(dsn=harness.dsn, folder=harness.folder, site=harness.site, now=now, paths=paths, **more)


def run_at_once(jobs: Sequence[Job]) -> list[Report]:
    """The jobs' reports; none of them may die."""
    reports = [worker.report() for worker in [Worker(job) for job in jobs]]
    assert None not in reports
    return [report for report in reports if report]


def barrier(parties: int) -> Any:
    return CONTEXT.Barrier(parties)


def use_batches_of(rows: int) -> None:
    """Cut files into batches of so many rows, in this process."""
    EvaluatedFile.readings.__defaults__ = (rows,)


def _work(job: Job, answer: Connection) -> None:
    store = open_store(job.folder)
    database = PostgresDatabase(job.dsn, job.site, version=VERSION)
    if job.batch_rows:
        use_batches_of(job.batch_rows)
    if job.death:
        _arrange(job.death)
    database.is_loaded("00" * 32)  # connected before all start
    if job.barrier:
        try:
            job.barrier.wait(60)
        except BrokenBarrierError:
            os._exit(3)
    troubles: list[str] = []
    outcomes = [_until_done(job, path, store, database, troubles) for path in job.paths]
    answer.send(Report(outcomes=tuple(outcomes), troubles=tuple(troubles)))
    database.close()


def _until_done(job: Job, path: str, store: ObjectStore, database: PostgresDatabase, troubles: list[str]) -> str:
    for _ in range(job.attempts):
        try:
            result = process_file(
                path,
                landing=store,
                database=database,
                lake=ObjectLake(store, version="1.2.3"),
                site=job.site,
                clock=lambda: job.now,
            )
            return result.outcome.value
        except RetryableError as error:
            troubles.append(f"{error.code}: {error}")
    return "gave up"


def _arrange(death: Death) -> None:
    owner, name = STEPS[death.step]
    setattr(owner, name, _deadly(getattr(owner, name), death))


def _deadly(step: Callable[..., Any], death: Death) -> Callable[..., Any]:
    calls = 0

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == death.nth and not death.after:
            os.kill(os.getpid(), signal.SIGKILL)
        value = step(*args, **kwargs)
        if calls == death.nth and death.after:
            os.kill(os.getpid(), signal.SIGKILL)
        return value

    return call
