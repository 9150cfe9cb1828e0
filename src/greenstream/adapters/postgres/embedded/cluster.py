"""Making a data folder, starting a postmaster on it, and clearing what a killed one left."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from greenstream.adapters.postgres.embedded.binaries import Binaries
from greenstream.adapters.postgres.embedded.config import PORT, socket_dir, write_settings
from greenstream.adapters.postgres.embedded.location import Place
from greenstream.adapters.postgres.embedded.logs import advice, failed, reason, startup_log
from greenstream.adapters.postgres.embedded.probe import ROLE, read_pid_file
from greenstream.adapters.postgres.embedded.processes import Cluster, Process, find_process
from greenstream.domain.errors import ServerError

Progress = Callable[[str], None]

ORPHANS_MAY_TAKE = 60.0  # seconds
KILL_ORPHANS_AFTER = 5.0

# The shell goes away at once, so that the server is nobody's child: no zombie, no signal from our group.
START = 'log=$1; shift; "$@" </dev/null >"$log" 2>&1 & echo $!'


def initialise(place: Place, binaries: Binaries) -> None:
    """Make a cluster beside its place and move it there whole, so that no half one is ever found."""
    parent = place.data_dir.parent
    for left_over in parent.glob(f"{place.data_dir.name}.new-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    if place.data_dir.is_dir() and any(place.data_dir.iterdir()):
        raise ServerError(f"The folder {place.data_dir} holds files but no database: move them away, and try again")
    new = Path(tempfile.mkdtemp(prefix=f"{place.data_dir.name}.new-", dir=parent))
    try:
        place.account.own(new)
        _initdb(new, place, binaries)
        new.rename(place.data_dir)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    _sync(parent)


def _initdb(new: Path, place: Place, binaries: Binaries) -> None:
    # From 17 on PostgreSQL brings a locale of its own, the same on all systems; before, only C is.
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if binaries.major >= 17 else []
    options = [f"--username={ROLE}", "--encoding=UTF8", "--locale=C", *builtin]
    # What counts is in access.py; these only hold if somebody takes our settings out.
    options += ["--auth-local=peer", "--auth-host=reject", "--data-checksums", "--no-instructions"]
    result = place.account.run([binaries.bin_dir / "initdb", "-D", new, *options])
    if result.returncode:
        said = result.stderr
        raise failed(f"The database folder {place.data_dir} could not be made: {reason(said)}. {advice(said)}", said)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def launch(place: Place, binaries: Binaries) -> int:
    """Start the postmaster detached, in a session of its own, and return its pid at once."""
    place.data_dir.chmod(0o700)  # as PostgreSQL demands, after a restore that lost it
    write_settings(place.data_dir, place.account)
    _make_socket_dir(place)
    command = [str(binaries.bin_dir / "postgres"), "-D", str(place.data_dir)]
    shell = ["/bin/sh", "-c", START, "sh", str(startup_log(place.data_dir)), *command]
    result = place.account.run(shell, detached=True)
    if not result.stdout.strip().isdigit():
        raise ServerError(f"PostgreSQL could not be started: {reason(result.stderr)}")
    return int(result.stdout)


def _make_socket_dir(place: Place) -> None:
    """Its name can be guessed, so it must not be somebody else's, or a link."""
    folder = socket_dir(place.data_dir)
    if folder == place.data_dir:
        return
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        place.account.own(folder)
    if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != place.account.uid:
        raise ServerError(
            f"{folder}, needed for PostgreSQL's socket, is not a folder of the user {place.account.name}: remove it"
        )
    folder.chmod(0o700)


def remove_socket_dir(data_dir: Path) -> None:
    folder = socket_dir(data_dir)
    if folder != data_dir and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)


def find_postmaster(cluster: Cluster) -> Process | None:
    """The process named by postmaster.pid, if it is one of this data folder and not a reused pid."""
    pid_file = read_pid_file(cluster.data_dir)
    process = find_process(pid_file.pid) if pid_file else None
    return process if process and cluster.owns(process) else None


def clear_remains(cluster: Cluster, progress: Progress) -> None:
    """After the postmaster's death: end the backends that outlived it, then remove its lock files.

    PostgreSQL itself would leave those whose pid exists, be it a zombie's or another program's by now.
    """
    end_orphans(cluster, progress)
    socket = socket_dir(cluster.data_dir) / f".s.PGSQL.{PORT}"
    for path in (cluster.data_dir / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
        path.unlink(missing_ok=True)


def end_orphans(cluster: Cluster, progress: Progress) -> None:
    """Nothing committed is lost by it: the next start recovers from the log. Raises ServerError after 60 s."""
    began = time.monotonic()
    asked: set[int] = set()
    while orphans := cluster.processes():
        elapsed = time.monotonic() - began
        if elapsed > ORPHANS_MAY_TAKE:
            raise _orphans_stay(cluster, orphans)
        if not asked:
            progress(f"Ending {len(orphans)} processes of a PostgreSQL that was killed")
        forced = elapsed > KILL_ORPHANS_AFTER
        for orphan in orphans:
            if forced or orphan.pid not in asked:
                _signal(orphan.pid, signal.SIGKILL if forced else signal.SIGQUIT)
        asked |= {orphan.pid for orphan in orphans}
        time.sleep(0.05)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _orphans_stay(cluster: Cluster, orphans: list[Process]) -> ServerError:
    pids = ", ".join(str(orphan.pid) for orphan in orphans)
    return ServerError(
        f"Processes {pids} of a killed PostgreSQL still hold {cluster.data_dir} after "
        f"{ORPHANS_MAY_TAKE:.0f} s: end them (kill -9), and try again"
    )
