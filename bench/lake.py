"""A fleet-day into the lake and through its verification, by the real command: time, memory, bytes a reading."""

import os
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from bench import fleet

COMMAND = str(Path(sys.executable).with_name("greenstream"))


def main() -> None:
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "home")
        files = fleet.gateway_day(Path(folder, "fleet"))
        csv_bytes = sum(file.stat().st_size for file in files)
        try:
            _run(home, "ingest", "--quiet", "--no-watch", *map(str, files))
            _run(home, "settle", "--quiet", "--date", str(fleet.DAY))
            _timed(home, "archive a fleet-day", "30 s, 2 GiB", "archive", "--date", str(fleet.DAY))
            _timed(home, "archive it again, unchanged", "30 s, 2 GiB", "archive", "--date", str(fleet.DAY))
            _timed(home, "verify it without its raw files", "-", "verify", "--date", str(fleet.DAY), "--no-raw")
            _timed(home, "verify it with its raw files", "-", "verify", "--date", str(fleet.DAY))
            _sizes(home, csv_bytes)
        finally:
            _run(home, "down", "--quiet")


def _run(home: Path, *arguments: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GREENSTREAM_")}
    subprocess.run(
        [COMMAND, *arguments],
        env={**kept, "GREENSTREAM_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _timed(home: Path, name: str, wanted: str, *arguments: str) -> None:
    started = time.perf_counter()
    _run(home, *arguments, "--quiet")
    wall = time.perf_counter() - started
    print(f"{name}: {wall:.1f} s, most memory so far {_peak_mib():.0f} MiB (wanted: {wanted})", flush=True)


def _peak_mib() -> float:
    """Of the commands that have ended."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def _sizes(home: Path, csv_bytes: int) -> None:
    by_column, rows = Counter[str](), 0
    for path in (home / "analytics").rglob("*.parquet"):
        with pq.ParquetFile(path) as file:
            rows += file.metadata.num_rows
            for group in range(file.metadata.num_row_groups):
                for number in range(file.metadata.num_columns):
                    column = file.metadata.row_group(group).column(number)
                    by_column[column.path_in_schema.partition(".")[0]] += column.total_compressed_size
    total = sum(
        path.stat().st_size for zone in ("analytics", "aggregates") for path in (home / zone).rglob("*.parquet")
    )
    less = 1 - total / csv_bytes
    print(f"the lake is {less:.1%} smaller than the CSV (wanted: 85 %): {total / rows:.2f} bytes a reading, of them")
    for name, size in by_column.most_common():
        print(f"  {name}: {size / rows:.3f}")


if __name__ == "__main__":
    main()
