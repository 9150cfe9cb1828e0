"""What the relations must hold after a series of files, by the oracle."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.oracle.reference import Evaluation, Reading, current, store
from tests.support.harness import VERSION, Harness

FLAG_RULES = {
    "INVALID_VALUE": "B1.2",
    "INVALID_UNIT": "B1.2",
    "MISSING_READING": "B2.1",
    "TIMESTAMP_INFERRED": "B2.2",
    "OUT_OF_RANGE": "B3.1",
}
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Processed:
    """A file of the series: where it lies, when it was processed, what the oracle makes of it by itself."""

    path: str
    processed_at: datetime
    evaluation: Evaluation


def wrong_relations(harness: Harness, files: Sequence[Processed]) -> list[str]:
    """The names of the relations that don't hold what they must, with what differs."""
    wanted = {
        "meter_readings": meter_readings(files),
        "current_readings": current_readings(files),
        "data_quality_log": data_quality_log(files),
        "quarantined_rows": quarantined_rows(files),
        "source_files": source_files(files),
        "meter_metadata": meter_metadata(files),
    }
    return [difference for name, rows in wanted.items() for difference in unlike(name, rows, actual(harness, name))]


def actual(harness: Harness, name: str) -> list[Row]:
    queries = {
        "meter_readings": "SELECT * FROM meter_readings",
        "current_readings": "SELECT * FROM current_readings",
        "data_quality_log": "SELECT * FROM data_quality_log",
        "quarantined_rows": "SELECT * FROM quarantined_rows",
        "source_files": "SELECT path, outcome, reason, rows, stored, duplicate, rejected, processed_at,"
        " pipeline_version FROM source_files",
        "meter_metadata": "SELECT meter_id, location, region, customer_class, first_seen_at, last_seen_at, status"
        " FROM meter_metadata WHERE first_seen_at IS NOT NULL",
    }
    rows = harness.query(queries[name])
    return [{key: value for key, value in row.items() if key != "severity"} for row in rows]


def unlike(name: str, wanted: list[Row], got: list[Row]) -> list[str]:
    """A line per row that is only on one side."""
    expected, found = ({_text(row) for row in rows} for rows in (wanted, got))
    problems = [f"{name}: missing {row}" for row in sorted(expected - found)]
    problems += [f"{name}: unexpected {row}" for row in sorted(found - expected)]
    return problems if len(wanted) == len(got) else [*problems, f"{name}: {len(wanted)} rows expected, got {len(got)}"]


def _text(row: Row) -> str:
    return str(sorted(row.items()))


def stored_by_file(files: Sequence[Processed]) -> list[tuple[Processed, Reading]]:
    kept = {id(reading) for reading in store(file.evaluation for file in files).readings}
    return [(file, reading) for file in files for reading in file.evaluation.readings if id(reading) in kept]


def meter_readings(files: Sequence[Processed]) -> list[Row]:
    return [_reading_row(file, reading) for file, reading in stored_by_file(files)]


def current_readings(files: Sequence[Processed]) -> list[Row]:
    stored = stored_by_file(files)
    chosen = {id(reading) for reading in current(reading for _, reading in stored).values()}
    return [_reading_row(file, reading) for file, reading in stored if id(reading) in chosen]


def _reading_row(file: Processed, reading: Reading) -> Row:
    return {
        "record_id": reading.record_id,
        "meter_id": reading.meter_id,
        "reading_at": reading.reading_at,
        "energy_value": reading.energy_value,
        "consumption_kw": reading.consumption_kw,
        "location": reading.location,
        "region": reading.region,
        "customer_class": reading.customer_class,
        "period": reading.period,
        "season": reading.season,
        "flags": list(reading.flags),
        "quality_score": reading.quality_score,
        "quality_grade": reading.quality_grade,
        "processed_timestamp": file.processed_at,
        "pipeline_version": VERSION,
        "source_file": file.path,
    }


def data_quality_log(files: Sequence[Processed]) -> list[Row]:
    return [
        {
            "rule_id": FLAG_RULES[flag],
            "code": flag,
            "meter_id": reading.meter_id,
            "record_id": reading.record_id,
            "reading_at": reading.reading_at,
            "window_start": None,
            "window_end": None,
            "detail": {"energy_value": reading.energy_value},
            "source_file": file.path,
            "detected_at": file.processed_at,
            "resolved_at": None,
        }
        for file, reading in stored_by_file(files)
        for flag in reading.flags
    ]


def quarantined_rows(files: Sequence[Processed]) -> list[Row]:
    return [
        {
            "source_file": file.path,
            "line_number": row.line_number,
            "raw_line": row.raw_line,
            "rule_id": row.rule_id,
            "code": row.code,
            "quarantined_at": file.processed_at,
            "replayed_at": None,
            "discarded_at": None,
        }
        for file in files
        for row in file.evaluation.quarantined
    ]


def source_files(files: Sequence[Processed]) -> list[Row]:
    stored = [file.path for file, _ in stored_by_file(files)]
    return [
        {
            "path": file.path,
            "outcome": "rejected" if file.evaluation.reason else "loaded",
            "reason": file.evaluation.reason,
            "rows": file.evaluation.rows,
            "stored": stored.count(file.path),
            "duplicate": len(file.evaluation.readings) - stored.count(file.path),
            "rejected": len(file.evaluation.quarantined),
            "processed_at": file.processed_at,
            "pipeline_version": VERSION,
        }
        for file in files
    ]


def meter_metadata(files: Sequence[Processed]) -> list[Row]:
    by_meter: dict[str, list[Reading]] = {}
    for _, reading in stored_by_file(files):
        by_meter.setdefault(reading.meter_id, []).append(reading)
    return [_meter_row(meter, readings) for meter, readings in by_meter.items()]


def _meter_row(meter: str, readings: list[Reading]) -> Row:
    """Of the newest readings, the last one in the order of processing says where the meter is."""
    last_seen = max(reading.reading_at for reading in readings)
    newest = [reading for reading in readings if reading.reading_at == last_seen][-1]
    return {
        "meter_id": meter,
        "location": newest.location,
        "region": newest.region,
        "customer_class": newest.customer_class,
        "first_seen_at": min(reading.reading_at for reading in readings),
        "last_seen_at": last_seen,
        "status": "active",
    }
