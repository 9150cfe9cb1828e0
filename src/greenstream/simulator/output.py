"""Writing the files of a run."""

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import zstandard

from greenstream.domain.errors import StorageRefused
from greenstream.simulator.energy_texts import HEADER
from greenstream.simulator.faults.rows import BAD_BYTE_MARK
from greenstream.simulator.plan import Compression

TRUTH_COLUMNS = ("fault", "meter_id", "file", "line_number", "window_start", "window_end", "detail")

_BAD_BYTE = BAD_BYTE_MARK.encode()


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Translates what the file system refuses into StorageRefused."""
    try:
        yield
    except OSError as error:
        raise StorageRefused(
            f"The simulator can't write to {path}: {error}. Free some space, or choose another folder."
        ) from error


def prepare(out: Path) -> Path:
    """The empty folder for the meter files. Raises StorageRefused where an earlier run's files are in it."""
    files = out / "files"
    with refusals(files):
        files.mkdir(parents=True, exist_ok=True)
        if any(files.iterdir()):
            raise StorageRefused(f"{files} holds files already. Delete them, or choose another folder.")
        (out / "truth.csv").write_text(",".join(TRUTH_COLUMNS) + "\n", encoding="utf-8")
    return files


def file_bytes(lines: pl.Series, compression: Compression) -> bytes:
    """A meter file: header and lines, LF; compressed without a time, so that equal lines give equal bytes."""
    buffer = io.BytesIO()
    pl.DataFrame({HEADER: lines}).write_csv(buffer, quote_style="never")
    data = buffer.getvalue().replace(_BAD_BYTE, b"\xff")
    if compression == "gz":
        return gzip.compress(data, compresslevel=6, mtime=0)
    return zstandard.compress(data, level=3) if compression == "zst" else data


def write(path: Path, data: bytes) -> None:
    with refusals(path):
        path.write_bytes(data)


def append_truth(out: Path, truth: pl.DataFrame) -> None:
    """Adds lines to truth.csv; the frame has TRUTH_COLUMNS."""
    path = out / "truth.csv"
    with refusals(path), path.open("ab") as file:
        truth.select(TRUTH_COLUMNS).write_csv(file, include_header=False)
