"""What lies in the landing zone and can't be taken in: told once, and left alone."""

from greenstream.entrypoints.service.parts import Log

MOST = 10_000


class Strays:
    """Tells of each once, and again when its reason changes, or when there are too many to remember."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._told: dict[str, str] = {}

    def tell(self, path: str, why: str) -> None:
        if self._told.get(path) == why:
            return
        if len(self._told) >= MOST:
            self._told.clear()
        self._told[path] = why
        self._log.warning("stray", file=path, error=why)
