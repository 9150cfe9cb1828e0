import gzip
from dataclasses import dataclass
from pathlib import Path

import zstandard

from greenstream.simulator import SimulationPlan, SimulationReport


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """A run as its files tell it."""

    plan: SimulationPlan
    report: SimulationReport
    out: Path
    truth: list[dict[str, str]]
    lines: dict[str, list[bytes]]

    def of(self, fault: str) -> list[dict[str, str]]:
        return [row for row in self.truth if row["fault"] == fault]

    def line(self, row: dict[str, str]) -> bytes:
        return self.lines[row["file"]][int(row["line_number"]) - 1]


def lines_in(path: Path) -> list[bytes]:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if path.suffix == ".zst":
        data = zstandard.decompress(data)
    return data.removesuffix(b"\n").split(b"\n")
