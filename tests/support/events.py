"""A log that keeps what it is told."""

from typing import Any

import structlog


def keeping(events: list[dict[str, Any]]) -> structlog.stdlib.BoundLogger:
    """A logger that appends each event, with its level and values."""

    def keep(_logger: Any, level: str, event: Any) -> Any:
        events.append({"level": level, **event})
        raise structlog.DropEvent

    log: structlog.stdlib.BoundLogger = structlog.wrap_logger(None, processors=[keep])
    return log


def named(events: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [each for each in events if each["event"] == event]
