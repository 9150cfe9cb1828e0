"""Everything that is only read."""

from collections.abc import Iterator
from contextlib import contextmanager

from greenstream.adapters.postgres.reports.answers import Answer
from greenstream.adapters.postgres.reports.gauges import GaugeValue, read_gauges
from greenstream.adapters.postgres.reports.reader import connect_reader
from greenstream.domain.errors import DatabaseUnavailable
from greenstream.wiring.place import Place


class Reports:
    """What is there, and people's SQL."""

    def __init__(self, place: Place) -> None:
        self._place = place

    @contextmanager
    def ask(self, text: str) -> Iterator[Answer]:
        """The answer to a person's SQL, for the time of a block, within the limits of the settings."""
        place = self._place
        with connect_reader(place.reader_dsn) as reader, reader.ask(text, place.settings.query_limits) as answer:
            yield answer

    def gauges(self) -> list[GaugeValue]:
        """What monitoring asks of the database; never starts it. Raises DatabaseUnavailable or DatabaseRefused."""
        server = self._place.server
        dsn = server.status().dsn if server else self._place.own_dsn
        if dsn is None:
            raise DatabaseUnavailable("the embedded PostgreSQL does not run; the next command that needs it starts it")
        return read_gauges(dsn)
