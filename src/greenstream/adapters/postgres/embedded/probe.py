"""Does a server answer? Found out by connecting, for pid files lie after a kill."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import quote

from psycopg import pq

from greenstream.adapters.postgres.base.connection import connect

ROLE = DATABASE = "greenstream"
TIMEOUT = 5  # seconds for one attempt


class State(Enum):
    """What a server said to a connection attempt."""

    READY = "ready"
    NO_DATABASE = "no database"
    BUSY = "busy"  # starting up, recovering or shutting down
    REFUSED = "refused"
    SILENT = "silent"


@dataclass(frozen=True, kw_only=True)
class Answer:
    state: State
    text: str


@dataclass(frozen=True, kw_only=True)
class PidFile:
    """postmaster.pid; `dsn` is None until the server has opened its socket."""

    pid: int
    dsn: str | None


def dsn_for(socket_dir: str, port: str, database: str = DATABASE) -> str:
    """A URL for libpq: psql, psycopg and (with another scheme) SQLAlchemy read it."""
    return f"postgresql://{ROLE}@/{database}?host={quote(socket_dir, safe='')}&port={port}"


def read_pid_file(data_dir: Path) -> PidFile | None:
    """None without a file, or with one that a crash left empty. Raises PermissionError to strangers."""
    try:
        lines = (data_dir / "postmaster.pid").read_text(errors="surrogateescape").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not lines or not lines[0].lstrip("-").isdigit():
        return None
    # Lines: pid (negative in single-user mode), data folder, start, port, socket folder, …
    # A copy of a running server's folder names the folder and the socket of the original.
    original = len(lines) > 4 and lines[4] and _is_same(Path(lines[1]), data_dir)
    dsn = dsn_for(lines[4], lines[3]) if original else None
    return PidFile(pid=abs(int(lines[0])), dsn=dsn)


def _is_same(folder: Path, data_dir: Path) -> bool:
    return folder.exists() and folder.samefile(data_dir)


def ask(dsn: str) -> Answer:
    connection = pq.PGconn.connect(f"{dsn}&connect_timeout={TIMEOUT}".encode(errors="surrogateescape"))
    try:
        connected = connection.status == pq.ConnStatus.OK
        text = connection.error_message.decode(errors="replace")
    finally:
        connection.finish()
    return Answer(state=State.READY if connected else _state_of(text), text=_last_words(text))


def _state_of(text: str) -> State:
    """From the server's words: lc_messages is C, and libpq has no SQLSTATE for a failed connection."""
    if "FATAL:" not in text:
        return State.SILENT
    if "the database system is " in text:
        return State.BUSY
    if f'database "{DATABASE}" does not exist' in text:
        return State.NO_DATABASE
    full = ("too many clients", "remaining connection slots")
    return State.READY if any(words in text for words in full) else State.REFUSED


def _last_words(text: str) -> str:
    return text.strip().rpartition("FATAL:")[2].strip().partition("\n")[0]


def create_database(dsn: str) -> None:
    maintenance = dsn.replace(f"/{DATABASE}?", "/postgres?", 1)
    with connect(maintenance) as connection:
        connection.execute(f'CREATE DATABASE "{DATABASE}"')
