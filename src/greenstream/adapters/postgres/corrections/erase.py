"""PostgreSQL behind the port `Erasures`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import polars as pl

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.sql import query
from greenstream.adapters.postgres.corrections.removal import remove_readings
from greenstream.adapters.postgres.loading.deliveries import COLUMNS, delivery_of, new_of
from greenstream.domain.corrections.erasure import meter_sha256
from greenstream.domain.corrections.values import ToErase
from greenstream.domain.lake.retention import Deletion, Layer
from greenstream.domain.landing import LandedFile
from greenstream.domain.readings.schema import ERASED


def erased(connection: Connection) -> pl.DataFrame:
    """All erased meters: schema ERASED."""
    return pl.DataFrame(connection.execute(query("erasure.erased")).fetchall(), schema=ERASED, orient="row")


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
            known = self._connection.execute(query("erasure.known"), values).fetchone()
            assert known is not None
            key, begun = known
            if begun is None and key is not None:
                row = self._connection.execute(query("erasure.begin"), {**values, "meter_key": key}).fetchone()
                assert row is not None
                begun = row[0]
        assert begun is None or isinstance(begun, int)
        return begun

    def days(self, erasure: int) -> list[date]:
        with translated("looking up the days of an erased meter"):
            rows = self._connection.execute(query("erasure.days"), {"erasure_id": erasure}).fetchall()
        return [row[0] for row in rows if isinstance(row[0], date)]

    def rewriting(self, path: str, *, old: str, new: str) -> None:
        with translated(f"noting that {path} is rewritten"):
            self._connection.execute(query("erasure.rewriting"), {"path": path, "old": old, "new": new})

    def rewritten(self, was: LandedFile, now: LandedFile, *, old: str, new: str) -> None:
        values = {**asdict(now), "was_version": was.version, "old": old, "new": new}
        with translated(f"noting the new bytes of {now.path}"):
            self._connection.execute(query("erasure.rewritten"), values)

    def rewriting_broken_off(self) -> list[tuple[str, str]]:
        with translated("looking for rewritten files"):
            return [(str(path), str(new)) for path, new in self._connection.execute(query("erasure.broken_off"))]

    def new_of(self, files: Sequence[LandedFile]) -> list[LandedFile]:
        with translated("looking up versions"):
            return new_of(files, self._connection)

    def forget_rewriting(self, path: str) -> None:
        with translated(f"noting that {path} isn't being rewritten"):
            self._connection.execute(query("erasure.forget_rewriting"), {"path": path})

    def delete(self, meter_id: str) -> list[Deletion]:
        """All in the database, in one transaction."""
        subject = f"meter sha256:{_sha256(meter_id)[:16]}"
        with translated("erasing a meter"), self._connection.transaction():
            self._connection.execute(query("erasure.lock"))
            key = self._key(meter_id)
            counts = {Layer.QUARANTINE: self._delete_quarantined(meter_id)}
            if key is not None:
                values = {"meter_key": key, "meter_id": meter_id}
                counts[Layer.DATABASE] = remove_readings(self._connection, "erasure.readings", values)
                counts[Layer.FINDINGS] = self._counted("erasure.findings", values)
                self._connection.execute(query("erasure.meter"), values)
                self._connection.execute(query("erasure.meter_itself"), values)
        return [
            Deletion(layer=layer, subject=subject, amount=amount, reason="erased")
            for layer, amount in counts.items()
            if amount
        ]

    def complete(self, erasure: int, now: datetime) -> None:
        with translated("completing an erasure"):
            self._connection.execute(query("erasure.complete"), {"erasure_id": erasure, "now": now})

    def to_erase(self) -> Iterator[ToErase]:
        with translated("looking for files that came again"):
            rows: list[Any] = self._connection.execute(query("erasure.waiting")).fetchall()
        for source_file_id, processed_at, is_cleaned, *deliveries in rows:
            width = len(COLUMNS)
            yield ToErase(
                source_file_id=source_file_id,
                delivery=delivery_of(deliveries[:width]),
                processed_at=processed_at,
                cleaned=delivery_of(deliveries[width:]) if is_cleaned else None,
            )

    def done_with(self, source_file_id: int) -> None:
        with translated("noting that a file is done"):
            self._connection.execute(query("erasure.done_with"), {"source_file_id": source_file_id})

    def _key(self, meter_id: str) -> int | None:
        values = {"meter_id": meter_id, "meter_sha256": _sha256(meter_id)}
        row = self._connection.execute(query("erasure.known"), values).fetchone()
        assert row is not None
        assert row[0] is None or isinstance(row[0], int)
        return row[0]

    def _delete_quarantined(self, meter_id: str) -> int:
        written = "|".join(map(re.escape, (meter_id, meter_id.replace('"', '""'))))
        pattern = rf"(^|[^\w-])({written})($|[^\w-])"
        return self._connection.execute(query("erasure.quarantined"), {"pattern": pattern}).rowcount

    def _counted(self, name: str, values: dict[str, object]) -> int:
        row = self._connection.execute(query(name), values).fetchone()
        assert row is not None
        return int(str(row[0]))


def _sha256(meter_id: str) -> str:
    return str(meter_sha256(pl.Series([meter_id])).item())
