"""Simulating: from a plan to files, with the truth about their faults."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from greenstream.simulator.blocks import Blocks
from greenstream.simulator.faults.files import DISTURBANCES, Disturbed
from greenstream.simulator.file_plans import Batch, FilePlan, batches_of, corrections_file, file_count, region_ranges
from greenstream.simulator.fleet import Fleet
from greenstream.simulator.histories import window_truth
from greenstream.simulator.lines import Lines, lines_of
from greenstream.simulator.output import append_truth, file_bytes, prepare, refusals, write
from greenstream.simulator.plan import SimulationPlan
from greenstream.simulator.randomness import Purpose, uniform
from greenstream.simulator.scenario import scenario_of
from greenstream.simulator.timeline import Day

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class DeliveredFile:
    """A file's arrival; a repeat under its own name is a second arrival of one path."""

    path: Path
    delivered_at: datetime
    rows: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class SimulationReport:
    """What was made: `files` in order of delivery, `rows` and `size_bytes` over all of them.

    `faults` counts the lines of truth.csv by kind.
    """

    files: tuple[DeliveredFile, ...]
    rows: int
    size_bytes: int
    faults: dict[str, int]


def simulate(plan: SimulationPlan, out: Path, progress: Progress | None = None) -> SimulationReport:
    """Writes `out/files/*`, `out/truth.csv` and `out/manifest.csv` (the files in order of delivery).

    `progress` is told the files made so far and the number of all (corrections and repeats aside). Memory
    depends on the meters of a region or gateway and the number of files, not on the number of days. Raises
    StorageRefused when the folder can't be written to or holds files of an earlier run.
    """
    run = _Run(plan, out, progress)
    for day in run.scenario.days:
        run.make(day)
    return run.finish()


class _Run:
    """The state of one simulation: files delivered and faults counted so far."""

    def __init__(self, plan: SimulationPlan, out: Path, progress: Progress | None) -> None:
        self.plan, self.out, self.progress = plan, out, progress
        self.scenario = scenario_of(plan)
        self.regions = region_ranges(self.scenario.fleet)
        self.total = file_count(plan, self.regions, self.scenario.days)
        self.blocks = Blocks(self.scenario)
        self.disturbed = _disturbed_files(plan, self.total)
        self.folder = prepare(out)
        self.made = 0
        self.delivered: list[DeliveredFile] = []
        self.faults: Counter[str] = Counter()
        instants = np.concatenate([day.instants for day in self.scenario.days])
        self._record(_truth(self.scenario.fleet, window_truth(plan.seed, self.scenario.windows, instants)))

    def make(self, day: Day) -> None:
        """All files of a day, and after them its corrections."""
        corrections = [self._make_piece(batch) for batch in batches_of(self.plan, self.regions, [day])]
        self._write_corrections(day, pl.concat(corrections).sort("meter", "instant"))

    def finish(self) -> SimulationReport:
        files = tuple(sorted(self.delivered, key=lambda file: (file.delivered_at, file.path.name)))
        _write_manifest(self.out, files)
        return SimulationReport(
            files=files,
            rows=sum(file.rows for file in files),
            size_bytes=sum(file.size_bytes for file in files),
            faults=dict(self.faults),
        )

    def _make_piece(self, batch: Batch) -> pl.DataFrame:
        """Writes the batch's files and their truth; returns the corrections."""
        cells = self.blocks.cells(batch.meters, batch.day)
        lines = lines_of(self.scenario, batch, cells)
        here = lines.faults.filter(pl.col("fault") != "correction")
        self._record(_row_truth(self.scenario.fleet, here, [f.planned.name for f in batch.files]))
        self._write_files(batch, lines)
        return lines.faults.filter(pl.col("fault") == "correction")

    def _write_files(self, batch: Batch, lines: Lines) -> None:
        offset = 0
        for file, rows in zip(batch.files, lines.rows.tolist(), strict=True):
            self._deliver(batch.day, file, lines.lines.slice(offset, rows))
            offset += rows

    def _deliver(self, day: Day, file: FilePlan, lines: pl.Series) -> None:
        data = file_bytes(lines, self.plan.compression)
        disturbed = self._disturb(day, file)
        for delivery in disturbed.deliveries:
            path = self.folder / delivery.name
            write(path, data)
            self.delivered.append(
                DeliveredFile(path=path, delivered_at=delivery.at, rows=len(lines), size_bytes=len(data))
            )
        self.made += 1
        if self.progress is not None:
            self.progress(self.made, self.total)

    def _disturb(self, day: Day, file: FilePlan) -> Disturbed:
        if self.made not in self.disturbed:
            return Disturbed(deliveries=(file.planned,), detail="")
        kind, chance = self.disturbed[self.made]
        snapshots = self.plan.layout == "snapshot"
        cadence = timedelta(minutes=self.plan.interval_minutes) if snapshots else timedelta(days=1)
        disturbed = DISTURBANCES[kind](file.planned, cadence, chance)
        first, last = day.instants[file.slots.start], day.instants[file.slots.stop - 1]
        self._record(_file_truth(kind, disturbed, int(first), int(last)))
        return disturbed

    def _write_corrections(self, day: Day, corrections: pl.DataFrame) -> None:
        if len(corrections) == 0:
            return
        delivery = corrections_file(self.plan, day)
        path = self.folder / delivery.name
        data = file_bytes(corrections["line"], self.plan.compression)
        write(path, data)
        self.delivered.append(
            DeliveredFile(path=path, delivered_at=delivery.at, rows=len(corrections), size_bytes=len(data))
        )
        numbered = corrections.with_columns(
            file=pl.lit(0, dtype=pl.Int64), line_number=pl.int_range(2, pl.len() + 2, dtype=pl.Int64)
        )
        self._record(_row_truth(self.scenario.fleet, numbered, [delivery.name]))

    def _record(self, truth: pl.DataFrame) -> None:
        append_truth(self.out, truth)
        self.faults.update(truth["fault"].to_list())


def _disturbed_files(plan: SimulationPlan, total: int) -> dict[int, tuple[str, float]]:
    """Which files (counted as they are made) have which fault, with a uniform number; one fault a file."""
    order = np.argsort(uniform(plan.seed, (Purpose.FILES, 0), total), kind="stable").tolist()
    chances = uniform(plan.seed, (Purpose.FILES, 1), total).tolist()
    chosen: dict[int, tuple[str, float]] = {}
    for kind in DISTURBANCES:
        rate = plan.rate(kind)
        count = max(1, round(rate * total)) if rate > 0 else 0
        chosen |= {number: (kind, chances[number]) for number in order[:count]}
        del order[:count]
    return chosen


def _row_truth(fleet: Fleet, faults: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    return _truth(
        fleet,
        faults.with_columns(
            pl.Series(list(names)).gather(faults["file"]).alias("file"),
            start=pl.col("instant"),
            end=pl.col("instant"),
        ),
    )


def _file_truth(kind: str, disturbed: Disturbed, first: int, last: int) -> pl.DataFrame:
    frame = pl.DataFrame(
        {"fault": kind, "file": disturbed.deliveries[-1].name, "start": first, "end": last, "detail": disturbed.detail}
    )
    return _dressed(frame.with_columns(meter_id=pl.lit(None, dtype=pl.String)))


def _truth(fleet: Fleet, frame: pl.DataFrame) -> pl.DataFrame:
    return _dressed(frame.with_columns(fleet.ids.gather(frame["meter"]).alias("meter_id")))


def _dressed(frame: pl.DataFrame) -> pl.DataFrame:
    """As truth.csv has it: UTC texts for instants, empty cells for what isn't there."""
    missing = [
        pl.lit(None, dtype=pl.String).alias(name) for name in ("file", "line_number") if name not in frame.columns
    ]
    windows = [
        pl.from_epoch(source, time_unit="s").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias(target)
        for source, target in (("start", "window_start"), ("end", "window_end"))
    ]
    return frame.with_columns(*missing, *windows)


def _write_manifest(out: Path, files: Sequence[DeliveredFile]) -> None:
    frame = pl.DataFrame(
        {
            "file": [file.path.name for file in files],
            "delivered_at": [file.delivered_at.strftime("%Y-%m-%dT%H:%M:%SZ") for file in files],
            "rows": [file.rows for file in files],
            "size_bytes": [file.size_bytes for file in files],
        }
    )
    with refusals(out):
        frame.write_csv(out / "manifest.csv")
