"""The transaction in which a day's stored readings are judged anew."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl

from greenstream.adapters.postgres.base.connection import Connection, copy_csv
from greenstream.adapters.postgres.base.fetch import all_rows, run, scalar
from greenstream.adapters.postgres.base.frames import frame
from greenstream.adapters.postgres.base.sql import query
from greenstream.adapters.postgres.loading.deliveries import delivery_of
from greenstream.domain.errors import DayBusy
from greenstream.domain.ledger import Delivery
from greenstream.domain.readings.schema import STORED
from greenstream.domain.site import Site, day_start

BATCH_ROWS = 100_000
BEFORE_ALL = {"meter_key": -1, "reading_at": datetime(1970, 1, 1, tzinfo=UTC), "record_id": ""}
COLUMNS = (
    "meter_key",
    "reading_at",
    "record_id",
    "new_load_id",
    "power",
    "flags",
    "quality_score",
    "grade",
    "period",
    "season",
    "energy_value",
    "region",
    "load_id",
    "old_flags",
    "old_grade",
    "line_number",
)

FOLLOWING = (
    "rejudge.readings",
    "rejudge.findings_out",
    "rejudge.findings_in",
    "rejudge.grades",
    "rejudge.flags",
    "rejudge.unwatched",
)
"""What is done with the staged readings, in this order."""


class PostgresRejudging:
    """Behind the port `Rejudging`.

    A reading that changes belongs to a load of its own version from then on. That load has the former one's moment of
    processing, which decides which of two readings of a slot is the current one: a fixed rule must not make an old
    value outdo its correction.
    """

    def __init__(self, connection: Connection, site: Site, day: date, *, version: str) -> None:
        self._connection = connection
        self._day = day
        self._version = version
        self._bounds = {
            "start": day_start(day, site.timezone),
            "stop": day_start(day + timedelta(days=1), site.timezone),
        }
        self._loads: dict[int, int] = {}

    def hold(self) -> None:
        """Let nobody settle the day or judge readings anew until the end."""
        run(self._connection, "rejudge.lock")
        if not all_rows(self._connection, "storing.lock_days", days=[self._day]):
            raise DayBusy(f"{self._day} was settled at this moment; try again")
        self.stage()

    def stage(self) -> None:
        """Make room for changes; the day is held."""
        run(self._connection, "rejudge.stage")

    def readings(self, flags: int) -> Iterator[pl.DataFrame]:
        last = BEFORE_ALL
        values = {**self._bounds, "flags": flags, "batch": BATCH_ROWS}
        while True:
            batch = frame(self._connection, "replay.readings", STORED, **values, **last)
            if batch.is_empty():
                return
            last = batch.select(*BEFORE_ALL).row(-1, named=True)
            yield batch

    def deliveries(self, load_ids: Sequence[int]) -> Mapping[int, Delivery]:
        found = all_rows(self._connection, "rejudge.deliveries", load_ids=list(load_ids))
        return {load_id: delivery_of(delivery) for load_id, *delivery in found}

    def replace(self, changed: pl.DataFrame, *, same_load: bool = False) -> None:
        """With `same_load` the readings stay with their load, which is of this version as a whole.

        A column `line_number`, where there is one, tells from which line they are now.
        """
        known = changed["load_id"].unique().sort().to_list()
        loads = {load: load if same_load else self._new_load(load) for load in known}
        rows = changed.with_columns(
            new_load_id=pl.col("load_id").replace_strict(loads, return_dtype=pl.Int64),
            record_id=pl.lit("\\x") + pl.col("record_id"),
            **({} if "line_number" in changed.columns else {"line_number": pl.lit(None, pl.Int32)}),
        )
        run(self._connection, "rejudge.empty_stage")
        copy_csv(self._connection, query("rejudge.copy"), rows.select(COLUMNS))
        for name in FOLLOWING:
            run(self._connection, name, **self._bounds, day=self._day)

    def _new_load(self, load_id: int) -> int:
        if load_id not in self._loads:
            values = {"load_id": load_id, "version": self._version}
            self._loads[load_id] = scalar(self._connection, "rejudge.load", int, **values)
        return self._loads[load_id]
