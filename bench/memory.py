"""How much memory, and how long, one file of the largest size takes on its way into PostgreSQL.

    python -m bench.memory                 # all cases; some minutes and a few GB of disk
    python -m bench.memory csv bomb-zst
    python -m bench.memory hostile         # files of the largest size that hold hardly any readings

Each case is a process of its own on a database of its own, so that its peak of resident memory is the file's.
"""

import gzip
import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import zstandard
from psycopg.conninfo import make_conninfo

from greenstream.adapters.lake.objects import ObjectLake
from greenstream.adapters.postgres.embedded import EmbeddedServer
from greenstream.adapters.postgres.loading.database import PostgresDatabase
from greenstream.adapters.storage import open_store
from greenstream.application.loading.process_file import process_file
from greenstream.domain.limits import MIB, Limits
from greenstream.domain.site import Site

HEADER = b"meter_id,timestamp,energy_value,location\n"
LARGEST = 100 * MIB
SITE = Site(timezone="UTC", limits=Limits())
NOW = datetime(2024, 3, 20, 12, 0, tzinfo=UTC)
FIRST_DAY = datetime(2024, 1, 10, tzinfo=UTC)
SLOTS = [FIRST_DAY + timedelta(minutes=15) * slot for slot in range(96 * 60)]
BOMB_BYTES = 10 * 1024 * MIB
PIECE = 4 * MIB


def meter_months(up_to: int) -> Iterator[bytes]:
    """Meters of a region with 60 days of readings each, about 55 bytes a row, up to so many bytes."""
    yield HEADER
    left, meter = up_to - len(HEADER), 0
    while left > 0:
        piece = _meter_month(meter)
        yield piece[: piece.rfind(b"\n", 0, left) + 1] if len(piece) > left else piece
        left, meter = left - len(piece), meter + 1


def _meter_month(meter: int) -> bytes:
    rows = (
        f"SM-{meter:05},{slot:%Y-%m-%d %H:%M:%S},{(meter + index // 4) % 24 * 130 + 90} W,Residential_Zone_7\n"
        for index, slot in enumerate(SLOTS)
    )
    return "".join(rows).encode()


def repeated(unit: bytes, size: int = BOMB_BYTES) -> Iterator[bytes]:
    piece = unit * (PIECE // len(unit))
    return (piece for _ in range(size // PIECE))


def header_then(body: bytes, *, end: bytes = b"\n") -> Iterator[bytes]:
    """A header, and one line of the largest size that a file may have."""
    yield HEADER
    yield body[: LARGEST - len(HEADER) - len(end)] + end


def lines_of(line: bytes, size: int = LARGEST) -> Iterator[bytes]:
    """A header, and the same line again and again."""
    yield HEADER
    left = (size - len(HEADER)) // len(line)
    while left > 0:
        count = min(left, PIECE // len(line))
        yield line * count
        left -= count


def rows_of_random_texts(column: int) -> Iterator[bytes]:
    """Rows whose texts in one column are all different, and of the greatest length."""
    yield HEADER
    fields = ["SM-1", "2024-03-15 18:45:00", "5 kW", "Residential_Zone_7"]
    widths = {0: 64, 3: 256}
    row = len(",".join(fields)) - len(fields[column]) + widths[column] + 1
    for number in range((LARGEST - len(HEADER)) // row):
        fields[column] = f"{number:0{widths[column]}}"
        yield (",".join(fields) + "\n").encode()


def wide_header(columns: int) -> Iterator[bytes]:
    yield HEADER.rstrip(b"\n")
    yield b"".join(b",column%d" % number for number in range(columns))
    yield b"\n"


def write_plain(path: Path, pieces: Iterator[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(pieces)


def write_gzip(path: Path, pieces: Iterator[bytes]) -> None:
    with gzip.open(path, "wb", compresslevel=6) as file:
        file.writelines(pieces)


def write_zstd(path: Path, pieces: Iterator[bytes]) -> None:
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as writer:
        for piece in pieces:
            writer.write(piece)


CASES: dict[str, tuple[str, Callable[[Path, Iterator[bytes]], None], Callable[[], Iterator[bytes]]]] = {
    "csv": ("100-mib.csv", write_plain, lambda: meter_months(100 * MIB)),
    "gz": ("1-gib.csv.gz", write_gzip, lambda: meter_months(1000 * MIB)),
    "bomb-gz": ("zeros.csv.gz", write_gzip, lambda: repeated(b"\0")),
    "bomb-zst": ("zeros.csv.zst", write_zstd, lambda: repeated(b"\0")),
    "lines-zst": ("blank-lines.csv.zst", write_zstd, lambda: repeated(b"\n")),
}
HOSTILE: dict[str, tuple[str, Callable[[Path, Iterator[bytes]], None], Callable[[], Iterator[bytes]]]] = {
    "one-line": ("one-line.csv", write_plain, lambda: header_then(b"x" * LARGEST)),
    "one-field": ("one-field.csv", write_plain, lambda: header_then(b"SM-1,2024-03-15 18:45,1 kW," + b"x" * LARGEST)),
    "one-line-of-digits": (
        "digits.csv",
        write_plain,
        lambda: header_then(b"SM-1,2024-03-15 18:45," + b"1" * (LARGEST - 100), end=b" kW,x\n"),
    ),
    "one-line-of-quotes": ("quotes.csv", write_plain, lambda: header_then(b'"' * LARGEST)),
    "open-quote": ("open-quote.csv", write_plain, lambda: header_then(b'"' + b"x" * LARGEST)),
    "quoted-lines": ("quoted-lines.csv", write_plain, lambda: lines_of(b'"\n')),
    "delimiters": ("delimiters.csv", write_plain, lambda: lines_of(b",,,\n", 20 * MIB)),  # 5 million lines
    "long-delimiters": ("long-delimiters.csv", write_plain, lambda: header_then(b"," * LARGEST)),
    "rejected-rows": ("rejected.csv", write_plain, lambda: lines_of(b"SM-1,2024-03-15 18:45:00\n")),
    "short-lines": ("short-lines.csv", write_plain, lambda: lines_of(b"x\n")),
    "blank-lines": ("blank-lines.csv", write_plain, lambda: lines_of(b"\n")),
    "returns": ("returns.csv", write_plain, lambda: header_then(b"\r" * LARGEST)),
    "lines-of-returns": ("crlf.csv", write_plain, lambda: lines_of(b"\r\n")),
    "nuls": ("nuls.csv", write_plain, lambda: header_then(b"\0" * LARGEST)),
    "lines-of-nuls": ("lines-of-nuls.csv", write_plain, lambda: lines_of(b"\0" * 60 + b"\n")),
    "not-utf-8": ("not-utf-8.csv", write_plain, lambda: lines_of(b"SM-\xff,2024-03-15 18:45:00,1 kW,x\n")),
    "wide-header": ("wide.csv", write_plain, lambda: wide_header(1_000_000)),
    "long-header": ("long-header.csv", write_plain, lambda: repeated(b"x", LARGEST)),
    "meter-ids": ("meter-ids.csv", write_plain, lambda: rows_of_random_texts(0)),
    "locations": ("locations.csv", write_plain, lambda: rows_of_random_texts(3)),
    "short-lines-gz": ("short-lines.csv.gz", write_gzip, lambda: lines_of(b"x\n", 1000 * MIB)),
    "one-line-gz": ("one-line.csv.gz", write_gzip, lambda: repeated(b"x", 1000 * MIB)),
    "nuls-gz": ("nuls.csv.gz", write_gzip, lambda: lines_of(b"\0" * 60 + b"\n", 1000 * MIB)),
}
CASES |= HOSTILE


def process(dsn: str, folder: str, path: str) -> None:
    """What the child does; prints its result, its seconds and its peak in MiB."""
    database = PostgresDatabase(dsn, SITE, version="bench")
    began = time.monotonic()
    store = open_store(folder)
    lake = ObjectLake(store, version="bench")
    result = process_file(path, landing=store, database=database, lake=lake, site=SITE, clock=lambda: NOW)
    database.close()
    print(
        json.dumps(
            {
                "outcome": result.outcome,
                "reason": result.reason,
                "stored": result.ledger.stored,
                "rejected": result.ledger.rejected,
                "seconds": round(time.monotonic() - began, 1),
                "peak_mib": _peak_mib(),
            }
        )
    )


def _peak_mib() -> int:
    """Linux counts the parent's peak among a process's own in `getrusage`, up to where it became another program."""
    status = Path("/proc/self/status")
    own = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    if own:
        return int(own[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "linux" else MIB)


def run(name: str, server_dsn: str, folder: Path) -> dict[str, object]:
    """A case in a process of its own; what that printed."""
    file, write, pieces = CASES[name]
    path = folder / "raw-data" / "2024-03-20" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, pieces())
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
        connection.execute("CREATE DATABASE bench")
    dsn = make_conninfo(server_dsn, dbname="bench")
    PostgresDatabase(dsn, SITE, version="bench").migrate(now=NOW, retention_days=90)
    command = [sys.executable, "-m", "bench.memory", "--process", dsn, str(folder), f"raw-data/2024-03-20/{file}"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    path.unlink()
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def main(names: list[str]) -> None:
    if names[:1] == ["--process"]:
        process(*names[1:])
        return
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server of root runs as another user
        server = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
        try:
            for case in HOSTILE if names == ["hostile"] else names or CASES:
                print(case, run(case, server.ensure_running().dsn, folder), flush=True)
        finally:
            server.stop("immediate")


if __name__ == "__main__":
    main(sys.argv[1:])
