"""A fleet-day of CSV to evaluated rows, against Polars merely parsing it and hashing the ids in one pass."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import polars_hash as plh

from bench import fleet
from bench.measure import best_of, report
from greenstream.domain.formats import format_of, landed_text
from greenstream.domain.limits import Limits
from greenstream.domain.readings.judge import evaluate
from greenstream.domain.site import Site

NOW = datetime(2026, 3, 3, tzinfo=UTC)
SITE = Site(timezone="UTC", limits=replace(Limits(), max_file_bytes=2**30))


def parse_and_hash(path: Path) -> None:
    """The floor: what can't be left out."""
    columns = ("meter_id", "timestamp", "energy_value")
    record_id = plh.concat_str(*columns).chash.sha2_256().alias("record_id")
    scan = pl.scan_csv(path, infer_schema=False, quote_char=None).with_columns(record_id)
    scan.select(pl.len(), pl.col("record_id").last()).collect(engine="streaming")


def parse_and_evaluate(path: Path) -> None:
    text = landed_text(path.name, path.read_bytes(), SITE.limits)
    parsed = format_of(text).parse(text)
    evaluated = evaluate(parsed, SITE, received_at=NOW, now=NOW)
    reliable = pl.repeat(value=True, n=len(evaluated.meters), eager=True)
    for _ in evaluated.readings(reliable):
        pass


def main() -> None:
    with TemporaryDirectory() as folder:
        paths = fleet.gateway_day(Path(folder, "clean"), faults="clean")
        day = fleet.one_file(paths, Path(folder, "day.csv"))
        floor = best_of(lambda: parse_and_hash(day))
        report("evaluate a clean fleet-day", best_of(lambda: parse_and_evaluate(day)), floor, wanted=0.50)
        faulty = fleet.one_file(fleet.gateway_day(Path(folder, "faulty")), Path(folder, "faulty.csv"))
        ours = best_of(lambda: parse_and_evaluate(faulty))
        report("evaluate a fleet-day with faults", ours, floor, wanted=0.50)


if __name__ == "__main__":
    main()
