"""Structured logs on stderr: lines for people on a terminal, JSON elsewhere."""

import logging
import sys

import structlog

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
    render = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    log: Log = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if json else logging.INFO),
    )
    return log
