"""Everything that is only read."""

from collections.abc import Iterator
from contextlib import contextmanager

from greenstream.adapters.postgres.reports.answers import Answer
from greenstream.adapters.postgres.reports.reader import connect_reader
from greenstream.adapters.postgres.reports.sources import PostgresReports
from greenstream.application.reports import reports
from greenstream.wiring.place import Place


class Reports(reports.Reports):
    """What is there, and people's SQL."""

    def __init__(self, place: Place) -> None:
        super().__init__(_sources(place), lambda: str(place.store), place.site)
        self._place = place

    @contextmanager
    def ask(self, text: str) -> Iterator[Answer]:
        """The answer to a person's SQL, for the time of a block, within the limits of the settings."""
        place = self._place
        with connect_reader(place.reader_dsn) as reader, reader.ask(text, place.settings.query_limits) as answer:
            yield answer


def _sources(place: Place) -> PostgresReports:
    return PostgresReports(
        site=place.site,
        server=place.server,
        given=lambda: place.own_dsn,
        start=lambda: place.dsn,
        prepare=lambda: _check_version(place),
        reader=lambda: place.reader_dsn,
    )


def _check_version(place: Place) -> None:
    _ = place.current_dsn
