"""The meters' days in the database: the current values of a day's slots, packed, a row a meter."""

import struct
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.fetch import all_rows, run
from greenstream.adapters.postgres.base.sql import query
from greenstream.domain.exact import Integers
from greenstream.domain.history.grid import MISSING, DayValues, Values
from greenstream.domain.site import Site, day_slots, local_day, slot_start

DATES_BEGIN = date(2000, 1, 1)
SIGNATURE = b"PGCOPY\n\xff\r\n\0"
HEADER = SIGNATURE + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
ROW_HEAD = np.dtype(
    [("fields", ">i2"), ("day_size", ">i4"), ("day", ">i4"), ("key_size", ">i4"), ("key", ">i4"), ("size", ">i4")]
)
PACKED_ITEM = np.dtype([("length", ">i4"), ("packed", ">i8")])
ARRAY_HEADER_BYTES = 20
VALUE_BITS = 45
"""Of a packed number those that hold a value: enough for what is below 10⁹ kW. Above them is the slot's place."""
VALUE_TYPES: Mapping[int, np.dtype[np.signedinteger[Any]]] = {4: np.dtype("<i4"), 8: np.dtype("<i8")}
"""A day whose values all fit has 4 bytes a slot, another one 8."""
MOST_DAYS = 366
MOST_METER_DAYS = 40_000
"""So much is derived from the readings in one go, where it isn't of a single day."""


class MeterDays:
    """Reads and writes greenstream.meter_day, in somebody else's transaction."""

    def __init__(self, connection: Connection, site: Site) -> None:
        self._connection = connection
        self._site = site
        self._interval = site.limits.interval_minutes

    def refresh(self, touched: pl.DataFrame) -> None:
        """Derive the touched values anew from the current readings: `day`, `meter`, `first` and `last` (slots)."""
        for days in _in_a_row(touched):
            first, last = days["day"].to_list()[0], days["day"].to_list()[-1]
            span = self._slots(first, last)
            if first == last:
                self._refresh_slots(days, span)
            else:
                self._refresh_days(days, span)

    def held(self, keys: Integers, first: date) -> Integers:
        """On how many days, from one on, there are values of each meter, whose keys are given in order."""
        values = {"first_day": first, "meters": keys.tolist()}
        found = all_rows(self._connection, "history.days_held", **values)
        meters, days = np.array(found, dtype=np.int64).reshape(-1, 2).T
        held = np.zeros(len(keys), dtype=np.int64)
        held[np.searchsorted(keys, meters)] = days
        return held

    def _refresh_slots(self, touched: pl.DataFrame, slots: range) -> None:
        """Of one day only those slots that readings came for; the others are known."""
        keys = touched["meter"].unique().sort().to_numpy()
        day = self._day(slots.start)
        first = max(int(touched["first"].to_numpy().min()), slots.start)
        last = min(int(touched["last"].to_numpy().max()), slots[-1])
        values = np.full((len(keys), len(slots)), MISSING, dtype=np.int64)
        if (first, last) != (slots[0], slots[-1]):
            for known in self.read(keys, day, day):
                values[known.meters] = known.values
        current = self._current(keys, range(first, last + 1))
        values[:, first - slots.start : last + 1 - slots.start] = current
        self._write([(day, keys, values)])

    def _refresh_days(self, touched: pl.DataFrame, slots: range) -> None:
        """Whole days, one after the other, from one look at the readings."""
        keys = touched["meter"].unique().sort().to_numpy()
        current = self._current(keys, slots)
        found = []
        for (day,), rows in touched.group_by("day", maintain_order=True):
            meters = rows["meter"].unique().sort().to_numpy()
            of_day = self._slots(day, day)
            part = current[np.searchsorted(keys, meters), of_day.start - slots.start : of_day.stop - slots.start]
            found.append((day, meters, part))
        self._write(found)

    def read(self, keys: Integers, first: date, last: date) -> list[DayValues]:
        """What there is of some meters, whose keys are given in order, from one day to another."""
        values = {"first_day": first, "last_day": last, "meters": keys.tolist()}
        with self._connection.cursor(binary=True) as cursor:
            return [self._unpacked_day(keys, *row) for row in cursor.execute(query("history.meter_days"), values)]

    def _unpacked_day(self, keys: Integers, day: object, width: object, packed: object) -> DayValues:
        assert isinstance(day, date)
        assert isinstance(width, int)
        assert isinstance(packed, bytes)
        slots = self._slots(day, day)
        row = np.dtype([("key", ">i4"), ("values", VALUE_TYPES[width // len(slots)], (len(slots),))])
        rows = np.frombuffer(packed, dtype=row)
        return DayValues(slots=slots, meters=np.searchsorted(keys, rows["key"]), values=rows["values"])

    def _write(self, days: Sequence[tuple[date, Integers, Integers]]) -> None:
        """Keep the values of some days: each with the keys of its meters."""
        run(self._connection, "history.stage_days")
        run(self._connection, "history.empty_days")
        with self._connection.cursor().copy(query("history.copy_days")) as copy:
            copy.write(HEADER)
            for day, keys, values in days:
                wide = (values > np.iinfo(np.int32).max).any(axis=1)
                copy.write(_packed(day, keys[~wide], values[~wide].astype(VALUE_TYPES[4])))
                copy.write(_packed(day, keys[wide], values[wide].astype(VALUE_TYPES[8])))
            copy.write(TRAILER)
        run(self._connection, "history.merge_days")

    def _current(self, keys: Integers, slots: range) -> Integers:
        """The values of the current readings of some meters in some slots: (meters, slots)."""
        bounds: dict[str, object] = {
            "seconds": self._interval * 60,
            "first_slot": slots.start,
            "start": slot_start(slots.start, self._interval),
            "stop": slot_start(slots.stop, self._interval),
            "bits": VALUE_BITS,
        }
        current = np.full((len(keys), len(slots)), MISSING, dtype=np.int64)
        taken = np.zeros((len(keys), len(slots)), dtype=np.int64)
        meters, places, values = self._unpacked("history.values", {**bounds, "meters": keys.tolist()})
        rows = np.searchsorted(keys, meters)
        current[rows, places] = values
        np.add.at(taken, (rows, places), 1)
        contested = keys[(taken > 1).any(axis=1)]
        if len(contested):
            meters, places, values = self._unpacked("history.contested", {**bounds, "meters": contested.tolist()})
            current[np.searchsorted(keys, meters), places] = values
        return current

    def _unpacked(self, name: str, bounds: dict[str, object]) -> tuple[Integers, Integers, Integers]:
        """Of each reading the meter's key, the place of its slot, and its value."""
        with self._connection.cursor(binary=True) as cursor:
            cursor.execute(query(name), bounds)
            result = cursor.pgresult
            assert result is not None
            raw = [(result.get_value(row, 0), result.get_value(row, 1)) for row in range(result.ntuples)]
        keys = np.array([struct.unpack(">i", key)[0] for key, _ in raw if key], dtype=np.int64)
        arrays = [array[ARRAY_HEADER_BYTES:] for _, array in raw if array]
        sizes = np.array([len(array) // PACKED_ITEM.itemsize for array in arrays], dtype=np.int64)
        packed = np.frombuffer(b"".join(arrays), dtype=PACKED_ITEM)["packed"].astype(np.int64)
        return np.repeat(keys, sizes), packed >> VALUE_BITS, (packed & ((1 << VALUE_BITS) - 1)) + MISSING

    def _slots(self, first: date, last: date) -> range:
        """From the first slot of one day to the last one of another."""
        begin, end = (day_slots(day, self._site.timezone, self._interval) for day in (first, last))
        return range(begin.start, end.stop)

    def _day(self, slot: int) -> date:
        return local_day(slot, self._site.timezone, self._interval)


def _in_a_row(touched: pl.DataFrame) -> list[pl.DataFrame]:
    """The rows of days that are near each other, as many as can be looked at in one go."""
    counts = touched.group_by("day").agg(rows=pl.len()).sort("day")
    batches, begun, before, rows = [0], date.min, date.min, 0
    for day, more in counts.iter_rows():
        rows += more
        span = (day - begun).days + 1
        if (day - before).days > 7 or span > MOST_DAYS or span * rows > MOST_METER_DAYS:
            batches.append(batches[-1] + 1)
            begun, rows = day, more
        else:
            batches.append(batches[-1])
        before = day
    numbered = counts.select("day", batch=pl.Series(batches[1:], dtype=pl.Int64))
    return (
        touched.sort("day")
        .join(numbered, on="day", maintain_order="left")
        .partition_by("batch", include_key=False, maintain_order=True)
    )


def _row(size: int) -> np.dtype[np.void]:
    """A row of meter_day in PostgreSQL's binary COPY format, with so many bytes of values."""
    return np.dtype([*((name, ROW_HEAD[name]) for name in ROW_HEAD.names or ()), ("values", f"V{size}")])


def _packed(day: date, keys: Integers, values: Values) -> bytes:
    """Rows of one width, made in one go."""
    size = values.shape[1] * values.itemsize
    rows = np.zeros(len(keys), dtype=_row(size))
    rows["fields"], rows["day_size"], rows["key_size"], rows["size"] = 3, 4, 4, size
    rows["day"], rows["key"] = (day - DATES_BEGIN).days, keys
    rows["values"] = np.ascontiguousarray(values).view(f"V{size}")[:, 0]
    return rows.tobytes()
