"""What the server wrote when it failed, and what to do about it."""

import time
from pathlib import Path

from greenstream.adapters.postgres.embedded.processes import Cluster
from greenstream.domain.errors import DatabaseUnavailable, GreenStreamError, ServerError

LAST_WORDS_TAKE = 5.0  # seconds
SEVERITIES = ("PANIC:", "FATAL:", "initdb: error:", "ERROR:")
NO_SPACE = "No space left on device"  # the cause, whatever else it made fail
PASSING = (NO_SPACE, "Disk quota", "Cannot allocate memory")

# Said to clients while a start goes on, or by backends whose postmaster was killed.
NO_CAUSE = ("the database system is ", "terminating ", 'database "greenstream" does not exist')


def startup_log(data_dir: Path) -> Path:
    return data_dir / "startup.log"


def await_last_words(cluster: Cluster) -> None:
    """The logger writes what a dying postmaster said, and ends a little later."""
    deadline = time.monotonic() + LAST_WORDS_TAKE
    while cluster.processes() and time.monotonic() < deadline:
        time.sleep(0.02)


def log_sizes(data_dir: Path) -> dict[Path, int]:
    return {path: path.stat().st_size for path in (data_dir / "log").glob("*.log")}


def log_since(data_dir: Path, sizes: dict[Path, int]) -> str:
    """What a failed start wrote: its first words, then the log files from the given sizes on."""
    first = startup_log(data_dir)
    text = first.read_text(errors="replace") if first.is_file() else ""
    for path in sorted((data_dir / "log").glob("*.log"), key=lambda path: path.stat().st_mtime):
        with path.open("rb") as file:
            size = sizes.get(path, 0)
            file.seek(size if path.stat().st_size >= size else 0)
            text += file.read().decode(errors="replace")
    return text


def cause(output: str) -> str | None:
    """The error that ended a start; None if there is none, as after a kill."""
    lines = [line for line in output.splitlines() if not any(words in line for words in NO_CAUSE)]
    for mark in (NO_SPACE, *SEVERITIES):
        for line in reversed(lines):
            starts = [line.index(severity) for severity in SEVERITIES if severity in line]
            if mark in line and starts:
                return line[min(starts) :].strip()
    return None


def reason(output: str) -> str:
    lines = output.strip().splitlines()
    return cause(output) or (lines[-1].strip() if lines else "it said nothing")


def failed(text: str, output: str) -> GreenStreamError:
    """A failure as an error: of a kind that passes by itself or that a person must see to."""
    passes = cause(output) is None or any(words in output for words in PASSING)
    return DatabaseUnavailable(text) if passes else ServerError(text)


def advice(output: str) -> str:
    if NO_SPACE in output or "Disk quota" in output:
        return "Free some disk space, and try again"
    if "Read-only file system" in output or "Permission denied" in output:
        return "Make the folder writable for PostgreSQL's user, or set GREENSTREAM_HOME to another one"
    if "could not look up effective user ID" in output:
        return "Give this user a name in /etc/passwd, or run as another one"
    return "Correct that, and try again"
