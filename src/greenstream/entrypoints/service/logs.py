"""Structured logs on stderr: lines for people on a terminal, JSON elsewhere."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from greenstream.domain.text import printable, printable_lines
from greenstream.entrypoints.service.parts import Log


def logger(*, json: bool) -> Log:
    """A logger that writes each event with its time and level; as JSON also each step of a file."""
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
        structlog.PrintLogger(sys.stderr),
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
