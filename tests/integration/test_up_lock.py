"""Who runs for a home, by the kernel's word: `down` asks that process to stop, and no other."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.integration.embedded_support import AS_ROOT, scratch

from greenstream.domain.errors import PermanentError, ServerError
from greenstream.entrypoints.service.home_lock import LOCK_NAME, only_one, running, stop_running

# Another process that holds a lock, as another user if told so, until it is asked to stop.
HOLDER = """
import fcntl, os, signal, sys, threading
path, uid = sys.argv[1], int(sys.argv[2])
handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
os.setuid(uid)
fcntl.lockf(handle, fcntl.LOCK_EX)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
print("held", flush=True)
stop.wait(60)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@contextmanager
def held(home: Path, *, uid: int | None = None) -> Iterator[subprocess.Popen[str]]:
    arguments = [str(home / LOCK_NAME), str(os.getuid() if uid is None else uid)]
    with subprocess.Popen([sys.executable, "-c", HOLDER, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_whatever_stands_in_the_file_the_holder_is_asked_to_stop(home: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander, held(home) as holder:
        (home / LOCK_NAME).write_text(str(bystander.pid))
        assert running(home) == holder.pid
        assert stop_running(home)
        assert holder.wait(10) == 0
        assert bystander.poll() is None
        bystander.kill()
    assert running(home) is None


def test_a_pid_that_holds_nothing_is_nobody(home: Path) -> None:
    (home / LOCK_NAME).write_text(str(os.getpid()))
    assert running(home) is None
    assert not stop_running(home)


def test_a_second_one_is_refused_by_the_name_of_the_first(home: Path) -> None:
    with (
        held(home) as holder,
        pytest.raises(ServerError, match=f"runs already for {home}, as process {holder.pid}; stop it by"),
        only_one(home),
    ):
        pass


def test_one_that_was_killed_holds_nothing(home: Path) -> None:
    with held(home) as holder:
        holder.kill()
        holder.wait()
        with only_one(home):
            assert (home / LOCK_NAME).read_text() == str(os.getpid())


def test_nobody_else_can_open_the_lock_also_where_they_could_before(home: Path) -> None:
    (home / LOCK_NAME).touch(mode=0o644)
    with only_one(home):
        assert (home / LOCK_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("obstacle", ["link", "folder", "fifo"])
def test_a_lock_that_is_no_file_is_one_line(home: Path, obstacle: str) -> None:
    lock, target = home / LOCK_NAME, home / "target"
    match obstacle:
        case "link":
            target.write_text("1")
            lock.symlink_to(target)
        case "folder":
            lock.mkdir()
        case _:
            os.mkfifo(lock)
    for use in (only_one(home).__enter__, lambda: stop_running(home)):
        with pytest.raises(ServerError, match=LOCK_NAME) as error:
            use()
        assert "\n" not in str(error.value)
    assert not target.exists() or target.read_text() == "1"


def test_a_home_that_cannot_be_made_is_one_line(home: Path) -> None:
    (home / "file").touch()
    with pytest.raises(ServerError, match="set GREENSTREAM_HOME"), only_one(home / "file" / "home"):
        pass


if AS_ROOT:  # only root can be two users

    def test_a_lock_of_somebody_else_is_refused(home: Path) -> None:
        with held(home, uid=65533) as holder:
            os.chown(home / LOCK_NAME, 65533, 65533)
            for use in (only_one(home).__enter__, lambda: stop_running(home)):
                with pytest.raises(ServerError, match="belongs to the user 65533"):
                    use()
            assert holder.poll() is None

    def test_a_process_of_somebody_else_that_holds_our_lock_is_not_asked(home: Path) -> None:
        with held(home, uid=65533) as holder:
            with pytest.raises(PermanentError, match=f"process {holder.pid} of the user 65533 runs"):
                stop_running(home)
            assert holder.poll() is None

    def test_root_in_the_home_of_a_user_keeps_that_user_in(home: Path) -> None:
        os.chown(home, 65533, 65533)
        with only_one(home):
            assert (home / LOCK_NAME).stat().st_uid == 65533
        with held(home, uid=65533) as holder:
            assert stop_running(home)
            assert holder.wait(10) == 0
