"""Progress bars, on a terminal."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console as RichConsole
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as RichProgress

from greenstream.domain.text import printable
from greenstream.entrypoints.cli.progress import Progress


class Bar(Progress):
    """A bar of rich."""

    def __init__(self, display: RichProgress, task: TaskID) -> None:
        self._display = display
        self._task = task

    def advance(self, amount: float = 1) -> None:
        self._display.advance(self._task, amount)

    def reach(self, done: float, of: float) -> None:
        self._display.update(self._task, completed=done, total=of)

    def describe(self, text: str) -> None:
        self._display.update(self._task, description=printable(text))


@contextmanager
def bar(description: str, total: float | None, unit: str) -> Iterator[Bar]:
    """Show a bar until the block ends; then it vanishes. Words to stderr meanwhile appear above it."""
    amounts: list[ProgressColumn] = (
        [DownloadColumn(), TransferSpeedColumn()] if unit == "bytes" else [MofNCompleteColumn(), TextColumn(unit)]
    )
    display = RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *(amounts if total is not None or unit else []),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=RichConsole(stderr=True, no_color=bool(os.environ.get("NO_COLOR")), markup=False, highlight=False),
        transient=True,
        redirect_stdout=False,
    )
    with display:
        yield Bar(display, display.add_task(description, total=total))
