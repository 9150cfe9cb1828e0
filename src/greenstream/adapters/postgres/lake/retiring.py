"""PostgreSQL behind the port `Retiring`: the transaction in which a day leaves the database."""

from datetime import date, datetime

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.fetch import objects, run
from greenstream.adapters.postgres.lake.day import PostgresDay
from greenstream.adapters.postgres.schema import partitions
from greenstream.domain.errors import TransactionConflict
from greenstream.domain.lake.lifetimes import DayFacts, Deletion
from greenstream.domain.site import Site


class PostgresRetiring:
    """Holds the day, so that nothing is loaded into it meanwhile."""

    def __init__(self, connection: Connection, site: Site, day: date) -> None:
        self._connection = connection
        self._site = site
        self._day = day
        locked = objects(connection, "retention.lock", DayFacts, day=day)
        if not locked:
            raise TransactionConflict(f"{day} is gone from the table of days at this moment; try again")
        (self._facts,) = locked

    def facts(self) -> DayFacts:
        return self._facts

    def snapshot(self) -> PostgresDay:
        return PostgresDay(self._connection, self._site, self._day)

    def retire(self, deletion: Deletion, now: datetime) -> None:
        partitions.empty(self._connection, self._day, self._site.timezone)
        run(self._connection, "retention.clear_rehydrated", day=self._day)
        run(self._connection, "retention.mark", day=self._day, now=now)
        run(self._connection, "retention.add_deletion", **deletion_values(deletion, now))


def deletion_values(deletion: Deletion, now: datetime) -> dict[str, object]:
    return {
        "now": now,
        "layer": deletion.layer.value,
        "subject": deletion.subject,
        "amount": deletion.amount,
        "reason": deletion.reason,
    }
