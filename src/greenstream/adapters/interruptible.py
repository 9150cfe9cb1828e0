"""DuckDB's calls in a thread beside the main one, so that Ctrl-C ends them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

import duckdb

T = TypeVar("T")
LOOK_AGAIN_SECONDS = 0.05


class Interruptible:
    """One connection, used from one thread.

    In the main thread DuckDB looks for signals by itself, but stops only what runs there: about every second time the
    query's work is in another of its threads, for which it then waits until the query is through.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, thread: ThreadPoolExecutor) -> None:
        self.connection = connection
        self._thread = thread

    def run(self, call: Callable[..., T], *arguments: object) -> T:
        """What the call returns or raises; a KeyboardInterrupt once the call has ended."""
        try:
            running = self._thread.submit(call, *arguments)
            while not running.done():  # Polars takes the signal so that a longer wait isn't woken by it
                wait([running], LOOK_AGAIN_SECONDS)
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
def in_memory() -> Iterator[Interruptible]:
    """A DuckDB in memory, closed at the end, whatever still runs in it."""
    with ThreadPoolExecutor(1, "duckdb") as thread, duckdb.connect(":memory:") as connection:
        duck = Interruptible(connection, thread)
        try:
            yield duck
        finally:
            duck.stop()
