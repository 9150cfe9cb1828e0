"""The embedded PostgreSQL of one home: started when needed, shared by all, stopped by `down`."""

import errno
import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg

from greenstream.adapters.postgres.embedded import cluster, logs
from greenstream.adapters.postgres.embedded.access import is_by_os_user
from greenstream.adapters.postgres.embedded.account import account_for, not_ours, user_name
from greenstream.adapters.postgres.embedded.binaries import Binaries, choose
from greenstream.adapters.postgres.embedded.config import PORT, socket_dir
from greenstream.adapters.postgres.embedded.location import SHARED_DIR, Place, data_version, known_data_dir, settle
from greenstream.adapters.postgres.embedded.probe import DATABASE, State, ask, create_database, dsn_for, read_pid_file
from greenstream.adapters.postgres.embedded.processes import find_process
from greenstream.domain.errors import DatabaseUnavailable, GreenStreamError, ServerError

Progress = Callable[[str], None]
StopMode = Literal["smart", "fast", "immediate"]

SILENCE_LIMIT = 60.0  # seconds without an answer from a live postmaster
RESTARTS = 5  # when it is killed without a trace, as by the kernel for memory
STOP_LIMIT = 300.0  # seconds; the last checkpoint of a fast stop can be long
SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


@dataclass(frozen=True, kw_only=True)
class ServerInfo:
    """A running server. `notices` is for the person whose call started it, hence empty otherwise."""

    dsn: str
    data_dir: Path
    notices: tuple[str, ...]
    started: bool


@dataclass(frozen=True, kw_only=True)
class ServerStatus:
    """`running` says that it takes connections; with a pid but not running, it is starting or stopping.

    `initialised` says whether there is any data yet.
    """

    initialised: bool
    running: bool
    pid: int | None
    data_dir: Path
    dsn: str | None


class EmbeddedServer:
    """The server of the data under a home folder.

    `shared_dir` takes what root's server cannot reach elsewhere: copies of the programs, data of closed
    homes. `bin_dirs` names folders of PostgreSQL's programs to use in place of those found on the machine.
    """

    def __init__(self, home: Path, *, shared_dir: Path = SHARED_DIR, bin_dirs: Sequence[Path] | None = None) -> None:
        self.home = home.resolve()
        self._shared_dir = shared_dir
        self._bin_dirs = bin_dirs

    def ensure_running(self, progress: Progress | None = None) -> ServerInfo:
        """Start the server unless it answers; any number of processes may call this at once.

        `progress` gets a sentence at each step of a start. Waits for a recovery as long as it takes.
        Raises ServerError in one line that says what to do, DatabaseUnavailable for what may pass by itself, such as
        a full disk.
        """
        with _translated(self.home):
            data_dir = known_data_dir(self.home)
            if dsn := _answering(data_dir):
                return ServerInfo(dsn=dsn, data_dir=data_dir, notices=(), started=False)
            self.home.mkdir(parents=True, exist_ok=True)
            with self._lock(progress or _ignore):
                return self._start(progress or _ignore)

    def status(self) -> ServerStatus:
        """What runs now; starts and changes nothing."""
        with _translated(self.home):
            data_dir = known_data_dir(self.home)
            dsn = _answering(data_dir)
            pid_file = read_pid_file(data_dir) if dsn or self._postmaster_pid(data_dir) else None
            pid = pid_file.pid if pid_file else None
            return ServerStatus(
                initialised=(data_dir / "PG_VERSION").exists(),
                running=dsn is not None,
                pid=pid,
                data_dir=data_dir,
                dsn=dsn,
            )

    def stop(self, mode: StopMode = "fast", progress: Progress | None = None) -> None:
        """Stop the server and wait for its end; fine if none runs. Raises ServerError if it stays."""
        with _translated(self.home):
            data_dir = known_data_dir(self.home)
            if not data_dir.is_dir() or data_version(data_dir) is None:
                return
            with self._lock(progress or _ignore):
                place = settle(self.home, self._shared_dir)
                _stop_postmaster(place, SIGNALS[mode])
                cluster.end_orphans(place.cluster, progress or _ignore)
                cluster.remove_socket_dir(data_dir)

    def _postmaster_pid(self, data_dir: Path) -> int | None:
        if not data_dir.is_dir():
            return None
        place = Place(data_dir=data_dir, account=account_for(data_dir), notices=())
        postmaster = cluster.find_postmaster(place.cluster)
        return postmaster.pid if postmaster else None

    @contextmanager
    def _lock(self, progress: Progress) -> Iterator[None]:
        """One starter or stopper at a time; the kernel frees the lock of a killed one."""
        handle = os.open(self.home / "postgres.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            if os.geteuid() == 0:  # else root's lock would keep the home's owner out
                os.fchown(handle, self.home.stat().st_uid, -1)
            _wait_for_lock(handle, progress)
            yield
        finally:
            os.close(handle)

    def _start(self, progress: Progress) -> ServerInfo:
        place = settle(self.home, self._shared_dir)
        started = not self._already_up(place, progress)
        if started:
            self._start_stopped(place, progress)
        dsn = _own_dsn(place.data_dir)
        if ask(dsn).state is State.NO_DATABASE:  # new, or killed before it was made
            _create_database(dsn)
        notices = place.notices if started else ()
        return ServerInfo(dsn=dsn, data_dir=place.data_dir, notices=notices, started=started)

    def _already_up(self, place: Place, progress: Progress) -> bool:
        postmaster = cluster.find_postmaster(place.cluster)
        return postmaster is not None and _await_answer(postmaster.pid, place.data_dir, progress)

    def _start_stopped(self, place: Place, progress: Progress) -> None:
        cluster.clear_remains(place.cluster, progress)
        binaries = choose(place.account, made_by=place.made_by, shared_dir=self._shared_dir, bin_dirs=self._bin_dirs)
        if place.made_by is None:
            progress(f"Making the database folder {place.data_dir} (once)")
            cluster.initialise(place, binaries)
        elif not is_by_os_user(place.data_dir):
            progress(f"PostgreSQL lets in {place.account.name} and root alone from now on, in place of its pg_hba.conf")
        progress(f"Starting PostgreSQL {binaries.text}")
        failure = _try_start(place, binaries, progress)
        for _ in range(RESTARTS):
            if failure is None or logs.cause(failure):
                break
            progress("PostgreSQL was killed while it started: starting it again")
            cluster.clear_remains(place.cluster, progress)
            failure = _try_start(place, binaries, progress)
        if failure is not None:
            raise _failed(place, failure)


def _failed(place: Place, output: str) -> GreenStreamError:
    what = f"PostgreSQL in {place.data_dir} does not start: {logs.reason(output)}. {logs.advice(output)}"
    return logs.failed(what, output)


def _try_start(place: Place, binaries: Binaries, progress: Progress) -> str | None:
    """None if the server takes connections now, else what it wrote."""
    sizes = logs.log_sizes(place.data_dir)
    pid = cluster.launch(place, binaries)
    if _await_answer(pid, place.data_dir, progress):
        return None
    logs.await_last_words(place.cluster)
    return logs.log_since(place.data_dir, sizes)


def _ignore(_: str) -> None:
    """Take the place of a progress report that nobody wants."""


def _answering(data_dir: Path) -> str | None:
    pid_file = read_pid_file(data_dir)
    if pid_file and pid_file.dsn and ask(pid_file.dsn).state is State.READY:
        return pid_file.dsn
    return None


def _create_database(dsn: str) -> None:
    try:
        create_database(dsn)
    except psycopg.Error as error:
        words = str(error).partition("\n")[0]
        what = f"PostgreSQL runs, but the database {DATABASE} could not be made: {words}. {logs.advice(words)}"
        raise logs.failed(what, words) from error


def _own_dsn(data_dir: Path) -> str:
    """By the pid file, for who started the server may have had another temp folder."""
    pid_file = read_pid_file(data_dir)
    return (pid_file and pid_file.dsn) or dsn_for(str(socket_dir(data_dir)), str(PORT))


def _await_answer(pid: int, data_dir: Path, progress: Progress) -> bool:
    """Wait until the server takes connections; False if it ends instead.

    A recovery may take hours, in which the server says so; only silence is limited.
    """
    began = heard = time.monotonic()
    pause = 0.02
    while find_process(pid):
        answer = ask(_own_dsn(data_dir))
        now = time.monotonic()
        if answer.state in (State.READY, State.NO_DATABASE):
            return True
        if answer.state is State.REFUSED:
            raise ServerError(
                f"PostgreSQL in {data_dir} refuses us: {answer.text}. "
                "Take rules of yours (hba_file, ident_file) out of its postgresql.conf"
            )
        if answer.state is State.BUSY and "shutting down" not in answer.text:
            heard = now
            progress(f"PostgreSQL: {answer.text} ({now - began:.0f} s)")
        if now - heard > SILENCE_LIMIT:
            raise DatabaseUnavailable(
                f"PostgreSQL (process {pid}) in {data_dir} has not answered for {SILENCE_LIMIT:.0f} s "
                f"({answer.text}): stop it (greenstream down, or kill {pid}), and try again"
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)
    return False


def _stop_postmaster(place: Place, number: signal.Signals) -> None:
    postmaster = cluster.find_postmaster(place.cluster)
    if not postmaster:
        return
    os.kill(postmaster.pid, number)
    began = time.monotonic()
    while cluster.find_postmaster(place.cluster):
        if time.monotonic() - began > STOP_LIMIT:
            raise ServerError(
                f"PostgreSQL (process {postmaster.pid}) has not stopped for {STOP_LIMIT:.0f} s: "
                f"see the log in {place.data_dir / 'log'}, or kill it"
            )
        time.sleep(0.02)


def _wait_for_lock(handle: int, progress: Progress) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        progress("Waiting for another process that starts or stops PostgreSQL")
        fcntl.flock(handle, fcntl.LOCK_EX)


@contextmanager
def _translated(home: Path) -> Iterator[None]:
    """Turn the system's errors into one line that says what to do."""
    try:
        yield
    except OSError as error:
        raise _explained(error, home) from error


def _explained(error: OSError, home: Path) -> GreenStreamError:
    data_dir = known_data_dir(home)
    if isinstance(error, PermissionError) and data_dir.is_dir() and data_dir.stat().st_uid != os.geteuid():
        return not_ours(data_dir, user_name(data_dir.stat().st_uid))
    what = f"{error.strerror} ({error.filename or home})"
    advice = {
        errno.ENOSPC: "free some disk space",
        errno.EDQUOT: "free some disk space",
        errno.EROFS: "set GREENSTREAM_HOME to a folder that can be written",
        errno.EACCES: "make the folder writable for this user, or set GREENSTREAM_HOME to another one",
        errno.EPERM: "run as the owner of the folder, or set GREENSTREAM_HOME to another one",
        errno.ENOTDIR: "set GREENSTREAM_HOME to a folder",
        errno.EEXIST: "set GREENSTREAM_HOME to a folder",
    }.get(error.errno or 0, "correct that, and try again")
    passes = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM, errno.EAGAIN)
    kind = DatabaseUnavailable if passes else ServerError
    return kind(f"The embedded PostgreSQL cannot use {home}: {what}: {advice}")
