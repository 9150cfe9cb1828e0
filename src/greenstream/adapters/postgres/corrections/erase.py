"""PostgreSQL behind the port `Erasures`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime

import polars as pl

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.fetch import all_rows, column, one, run, scalar
from greenstream.adapters.postgres.base.frames import frame
from greenstream.adapters.postgres.corrections.removal import remove_readings
from greenstream.adapters.postgres.loading.deliveries import COLUMNS, delivery_of, new_of
from greenstream.domain.corrections.erased_lines import meter_sha256
from greenstream.domain.corrections.values import ToErase
from greenstream.domain.lake.lifetimes import Deletion, Layer
from greenstream.domain.landing import LandedFile
from greenstream.domain.readings.schema import ERASED


def erased(connection: Connection) -> pl.DataFrame:
    """All erased meters: schema ERASED."""
    return frame(connection, "erasure.erased", ERASED)


class PostgresErasures:
    """Behind the port `Erasures`, on the connection of a `PostgresDatabase`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def erased(self) -> pl.DataFrame:
        with translated("looking up erased meters"):
            return erased(self._connection)

    def begin(self, meter_id: str, reason: str, now: datetime) -> int | None:
        values = {"meter_sha256": _sha256(meter_id), "reason": reason, "now": now}
        with translated("beginning to erase a meter"), self._connection.transaction():
            key, begun = self._known(meter_id)
            if begun is None and key is not None:
                begun = scalar(self._connection, "erasure.begin", int, **values, meter_key=key)
        return begun

    def days(self, erasure: int) -> list[date]:
        with translated("looking up the days of an erased meter"):
            return column(self._connection, "erasure.days", date, erasure_id=erasure)

    def rewriting(self, path: str, *, old: str, new: str) -> None:
        with translated(f"noting that {path} is rewritten"):
            run(self._connection, "erasure.rewriting", path=path, old=old, new=new)

    def rewritten(self, was: LandedFile, now: LandedFile, *, old: str, new: str) -> None:
        values = {**asdict(now), "was_version": was.version, "old": old, "new": new}
        with translated(f"noting the new bytes of {now.path}"):
            run(self._connection, "erasure.rewritten", **values)

    def rewriting_broken_off(self) -> list[tuple[str, str]]:
        with translated("looking for rewritten files"):
            return [(path, new) for path, new in all_rows(self._connection, "erasure.broken_off")]

    def new_of(self, files: Sequence[LandedFile]) -> list[LandedFile]:
        with translated("looking up versions"):
            return new_of(files, self._connection)

    def forget_rewriting(self, path: str) -> None:
        with translated(f"noting that {path} isn't being rewritten"):
            run(self._connection, "erasure.forget_rewriting", path=path)

    def delete(self, meter_id: str) -> list[Deletion]:
        """All in the database, in one transaction."""
        subject = f"meter sha256:{_sha256(meter_id)[:16]}"
        with translated("erasing a meter"), self._connection.transaction():
            run(self._connection, "erasure.lock")
            key, _ = self._known(meter_id)
            counts = {Layer.QUARANTINE: self._delete_quarantined(meter_id)}
            if key is not None:
                values = {"meter_key": key, "meter_id": meter_id}
                counts[Layer.DATABASE] = remove_readings(self._connection, "erasure.readings", values)
                counts[Layer.FINDINGS] = scalar(self._connection, "erasure.findings", int, **values)
                run(self._connection, "erasure.meter", **values)
                run(self._connection, "erasure.meter_itself", **values)
        return [
            Deletion(layer=layer, subject=subject, amount=amount, reason="erased")
            for layer, amount in counts.items()
            if amount
        ]

    def complete(self, erasure: int, now: datetime) -> None:
        with translated("completing an erasure"):
            run(self._connection, "erasure.complete", erasure_id=erasure, now=now)

    def to_erase(self) -> Iterator[ToErase]:
        with translated("looking for files that came again"):
            rows = all_rows(self._connection, "erasure.waiting")
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
            run(self._connection, "erasure.done_with", source_file_id=source_file_id)

    def _known(self, meter_id: str) -> tuple[int | None, int | None]:
        """Key and begun erasure."""
        key, begun = one(self._connection, "erasure.known", meter_id=meter_id, meter_sha256=_sha256(meter_id))
        return key, begun

    def _delete_quarantined(self, meter_id: str) -> int:
        written = "|".join(map(re.escape, (meter_id, meter_id.replace('"', '""'))))
        pattern = rf"(^|[^\w-])({written})($|[^\w-])"
        return run(self._connection, "erasure.quarantined", pattern=pattern)


def _sha256(meter_id: str) -> str:
    return str(meter_sha256(pl.Series([meter_id])).item())
