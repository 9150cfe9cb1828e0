"""The engine on one file in memory, its result in the words of the oracle."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from greenstream.domain.codes import GRADES, PERIODS, SEASONS, Flag
from greenstream.domain.errors import FileRejected
from greenstream.domain.formats import check_size, landed_text
from greenstream.domain.formats.quarantine import LongRow, escaped
from greenstream.domain.limits import EARLIEST_READING, Limits
from greenstream.domain.readings.delivery import judge_delivery
from greenstream.domain.readings.judge import EvaluatedFile
from greenstream.domain.readings.schema import ERASED, UNITS_PER_KW
from greenstream.domain.site import Site


@dataclass(frozen=True, kw_only=True)
class Result:
    reason: str | None
    rows: int
    readings: list[dict[str, Any]]
    quarantined: list[dict[str, Any]]


def run(
    name: str,
    content: bytes,
    *,
    received_at: datetime,
    now: datetime,
    timezone: str = "UTC",
    interval_minutes: int = 15,
    earliest_reading: datetime = EARLIEST_READING,
    reliability: Mapping[str, float | None] | None = None,
) -> Result:
    limits = Limits(interval_minutes=interval_minutes, earliest_reading=earliest_reading)
    try:
        check_size(name, len(content), limits)
        judged = judge_delivery(
            landed_text(name, content, limits),
            Site(timezone=timezone, limits=limits),
            received_at=received_at,
            now=now,
            erased=pl.DataFrame(schema=ERASED),
        )
    except FileRejected as rejection:
        return Result(reason=rejection.reason.value, rows=0, readings=[], quarantined=[])
    evaluated, known = judged.evaluated, reliability or {}
    reliable = pl.Series(
        [known.get(meter) is None or known[meter] > limits.min_reliability for meter in evaluated.meters],
        dtype=pl.Boolean,
    )
    batches = list(evaluated.readings(reliable, batch_rows=7))
    quarantined = [row for batch in judged.quarantined() for row in _kept(batch)]
    return Result(
        reason=None,
        rows=judged.rows,
        readings=[row for batch in batches for row in _in_words(batch, evaluated, interval_minutes)],
        quarantined=quarantined,
    )


def _kept(batch: pl.DataFrame | LongRow) -> list[dict[str, Any]]:
    if isinstance(batch, pl.DataFrame):
        return batch.drop("raw_bytes").to_dicts()
    raw_line, rule_id = "".join(escaped(batch.raw)), batch.code.rule_id
    return [{"line_number": batch.line_number, "raw_line": raw_line, "rule_id": rule_id, "code": batch.code.value}]


def _in_words(batch: pl.DataFrame, evaluated: EvaluatedFile, interval_minutes: int) -> list[dict[str, Any]]:
    places = evaluated.locations[batch["location"]]
    return [
        {
            **row,
            **place,
            "meter_id": evaluated.meters[row["meter"]],
            "slot": slot,
            "consumption_kw": None if row["power"] is None else row["power"] / UNITS_PER_KW,
            "period": PERIODS[row["period"]],
            "season": SEASONS[row["season"]],
            "quality_grade": GRADES[row["grade"]],
            "flags": tuple(flag.value for flag in Flag if row["flags"] & flag.bit),
        }
        for row, place, slot in zip(
            batch.to_dicts(),
            places.to_dicts(),
            batch["reading_at"].dt.truncate(f"{interval_minutes}m"),
            strict=True,
        )
    ]
