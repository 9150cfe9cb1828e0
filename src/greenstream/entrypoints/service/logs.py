"""Structured logs on stderr: lines for people on a terminal, JSON elsewhere."""

import logging
import os
import sys
import threading
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from greenstream.domain.text import printable, printable_lines
from greenstream.entrypoints.service.polling import Log


@dataclass
class Lines:
    """Writes lines to a file descriptor, past Python's buffers. What it doesn't take is dropped; `on_drop` counts."""

    handle: int
    on_drop: Callable[[], None] = lambda: None
    _cut: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def msg(self, message: str) -> None:
        """Write a line. Nothing is raised: a full disk or a closed pipe must not end the work that is told of."""
        line = f"{message}\n".encode(errors="backslashreplace")
        with self._lock:
            try:
                self._write(b"\n" + line if self._cut else line)
            except OSError:
                self.on_drop()

    debug = info = warning = error = exception = msg

    def _write(self, line: bytes) -> None:
        rest = memoryview(line)
        while rest:
            written = os.write(self.handle, rest)
            rest = rest[written:]
            self._cut = len(rest) > 0


def logger(*, json: bool, on_drop: Callable[[], None] = lambda: None) -> Log:
    """A logger that writes each event with its time and level; as JSON also each step of a file.

    `on_drop` hears of each line that stderr doesn't take.
    """
    for library in (
        "asyncio",
        "procrastinate",
        "psycopg.pool",
        "watchfiles",
    ):  # we say ourselves what matters
        logging.getLogger(library).setLevel(logging.CRITICAL)
    render = (
        [structlog.processors.JSONRenderer()]
        if json
        else [_shown, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    log: Log = structlog.wrap_logger(
        Lines(sys.stderr.fileno(), on_drop),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if json else logging.INFO),
    )
    return log


def _shown(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The event as a terminal may have it; JSON escapes by itself."""
    texts = {name: printable(value) for name, value in event.items() if isinstance(value, str)}
    if "exception" in texts:
        texts["exception"] = printable_lines(str(event["exception"]))
    event.update(texts)
    return event
