"""DuckDB's calls in a thread beside the main one, so that Ctrl-C and the end of their time end them."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

import duckdb

from greenstream.adapters.query.answer_budget import Budget

T = TypeVar("T")
LOOK_AGAIN_SECONDS = 0.05


class Interruptible:
    """One connection, used from one thread.

    In the main thread DuckDB looks for signals by itself, but stops only what runs there: about every second time the
    query's work is in another of its threads, for which it then waits until the query is through.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, thread: ThreadPoolExecutor, budget: Budget) -> None:
        self.connection = connection
        self.budget = budget
        self._thread = thread
        self._deadline = time.monotonic() + budget.limits.seconds

    def run(self, call: Callable[..., T], *arguments: object) -> T:
        """What the call returns or raises; once it has ended, a KeyboardInterrupt, or InvalidQuery if time is over."""
        try:
            running = self._thread.submit(call, *arguments)
            while not running.done():  # Polars takes the signal so that a longer wait isn't woken by it
                wait([running], LOOK_AGAIN_SECONDS)
                if time.monotonic() > self._deadline:
                    self.stop()
                    raise self.budget.too_slow()
            return running.result()
        except KeyboardInterrupt:
            self.stop()
            raise

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        return self.run(self.connection.execute, sql)

    def stop(self) -> None:
        """End what runs, also what is about to begin: DuckDB forgets an interrupt that came before the query."""
        after_all = self._thread.submit(lambda: None)
        while not after_all.done():
            self.connection.interrupt()
            wait([after_all], LOOK_AGAIN_SECONDS)


@contextmanager
def in_memory(budget: Budget) -> Iterator[Interruptible]:
    """A DuckDB in memory, closed at the end, whatever still runs in it."""
    with ThreadPoolExecutor(1, "duckdb") as thread, duckdb.connect(":memory:") as connection:
        duck = Interruptible(connection, thread, budget)
        try:
            yield duck
        finally:
            duck.stop()
