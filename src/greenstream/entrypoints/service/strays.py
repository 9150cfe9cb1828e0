"""What lies in the landing zone and can't be taken in: told once, and left alone."""

from greenstream.domain.landing import Stray
from greenstream.entrypoints.service.polling import Log

MOST = 10_000


class Strays:
    """Tells of each once, and again when its reason changes, or when there are too many to remember."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._told: dict[str, str] = {}

    def tell(self, stray: Stray) -> None:
        if self._told.get(stray.path) == stray.why:
            return
        if len(self._told) >= MOST:
            self._told.clear()
        self._told[stray.path] = stray.why
        self._log.warning("stray", file=stray.path, error=stray.why)
