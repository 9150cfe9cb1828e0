"""PostgreSQL behind the port `Erasures`."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import polars as pl

from greenstream.adapters.postgres.connection import Connection
from greenstream.adapters.postgres.errors import translated
from greenstream.adapters.postgres.removal import remove_readings
from greenstream.adapters.postgres.sql import query
from greenstream.domain.erasure import ERASED, meter_sha256
from greenstream.ports import Deletion, Layer, RawFile


def erased(connection: Connection) -> pl.DataFrame:
    """All erased meters: schema ERASED."""
    return pl.DataFrame(connection.execute(query("erased")).fetchall(), schema=ERASED, orient="row")


class PostgresErasures:
    """Behind the port `Erasures`, on the connection of a `PostgresDatabase`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def erased(self) -> pl.DataFrame:
        with translated("looking up erased meters"):
            return erased(self._connection)

    def begin(self, meter_id: str, reason: str, now: datetime) -> int | None:
        values = {"meter_id": meter_id, "meter_sha256": _sha256(meter_id), "reason": reason, "now": now}
        with translated("beginning to erase a meter"), self._connection.transaction():
            known = self._connection.execute(query("erase_known"), values).fetchone()
            assert known is not None
            key, begun = known
            if begun is None and key is not None:
                row = self._connection.execute(query("erase_begin"), {**values, "meter_key": key}).fetchone()
                assert row is not None
                begun = row[0]
        assert begun is None or isinstance(begun, int)
        return begun

    def days(self, erasure: int) -> list[date]:
        with translated("looking up the days of an erased meter"):
            rows = self._connection.execute(query("erase_days"), {"erasure_id": erasure}).fetchall()
        return [row[0] for row in rows if isinstance(row[0], date)]

    def rewritten(self, path: str, sha256: str, *, was_received_at: datetime, received_at: datetime) -> None:
        values = {"path": path, "sha256": sha256, "was_received_at": was_received_at, "received_at": received_at}
        with translated(f"noting the new bytes of {path}"):
            self._connection.execute(query("erase_rewritten"), values)

    def delete(self, meter_id: str) -> list[Deletion]:
        """All in the database, in one transaction."""
        subject = f"meter sha256:{_sha256(meter_id)[:16]}"
        with translated("erasing a meter"), self._connection.transaction():
            self._connection.execute(query("erase_lock"))
            key = self._key(meter_id)
            counts = {Layer.QUARANTINE: self._delete_quarantined(meter_id)}
            if key is not None:
                values = {"meter_key": key, "meter_id": meter_id}
                counts[Layer.DATABASE] = remove_readings(self._connection, "erase_readings", values)
                counts[Layer.FINDINGS] = self._counted("erase_findings", values)
                self._connection.execute(query("erase_meter"), values)
                self._connection.execute(query("erase_meter_itself"), values)
        return [
            Deletion(layer=layer, subject=subject, amount=amount, reason="erased")
            for layer, amount in counts.items()
            if amount
        ]

    def complete(self, erasure: int, now: datetime) -> None:
        with translated("completing an erasure"):
            self._connection.execute(query("erase_complete"), {"erasure_id": erasure, "now": now})

    def to_erase(self) -> Iterator[RawFile]:
        with translated("looking for files that came again"):
            rows: list[Any] = self._connection.execute(query("erase_waiting")).fetchall()
        for path, received_at, processed_at, cleaned in rows:
            yield RawFile(path=path, received_at=received_at, processed_at=processed_at, cleaned=cleaned)

    def done_with(self, path: str) -> None:
        with translated(f"noting that {path} is done"):
            self._connection.execute(query("erase_done_with"), {"path": path})

    def _key(self, meter_id: str) -> int | None:
        values = {"meter_id": meter_id, "meter_sha256": _sha256(meter_id)}
        row = self._connection.execute(query("erase_known"), values).fetchone()
        assert row is not None
        assert row[0] is None or isinstance(row[0], int)
        return row[0]

    def _delete_quarantined(self, meter_id: str) -> int:
        written = "|".join(map(re.escape, (meter_id, meter_id.replace('"', '""'))))
        pattern = rf"(^|[^\w-])({written})($|[^\w-])"
        return self._connection.execute(query("erase_quarantined"), {"pattern": pattern}).rowcount

    def _counted(self, name: str, values: dict[str, object]) -> int:
        row = self._connection.execute(query(name), values).fetchone()
        assert row is not None
        return int(str(row[0]))


def _sha256(meter_id: str) -> str:
    return str(meter_sha256(pl.Series([meter_id])).item())
