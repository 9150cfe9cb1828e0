"""The embedded PostgreSQL survives kill -9 of anything."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from tests.integration.embedded_support import (
    answer_of,
    is_alive,
    kept,
    postmaster_of,
    processes_of,
    put,
    scratch,
    sleeper,
    start_child,
)

from greenstream.adapters.postgres.embedded import EmbeddedServer, ServerInfo


@pytest.fixture(scope="module")
def template() -> Iterator[tuple[Path, EmbeddedServer]]:
    with scratch() as folder:
        server = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
        yield folder, server
        server.stop("immediate")


@pytest.fixture
def server(template: tuple[Path, EmbeddedServer]) -> EmbeddedServer:
    """A running server; the tests of this file share it, for each leaves it well or shows a bug."""
    _, server = template
    with psycopg.connect(server.ensure_running().dsn) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
    return server


@pytest.fixture
def fresh() -> Iterator[EmbeddedServer]:
    with scratch() as folder:
        server = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
        yield server
        server.stop("immediate")


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def kill_postmaster(info: ServerInfo) -> None:
    pid = postmaster_of(info)
    kill(pid)
    wait_until(lambda: not is_alive(pid))


def kill_all(info: ServerInfo) -> None:
    for pid in processes_of(info):
        kill(pid)
    wait_until(lambda: processes_of(info) == [])


def occupy(info: ServerInfo) -> threading.Thread:
    """Keep a backend busy with a query that looks at nothing else; returns once it runs."""

    def compute() -> None:
        with suppress(psycopg.Error), psycopg.connect(info.dsn) as connection:
            connection.execute("SELECT count(*) FROM generate_series(1, 10000000000) AS n WHERE n % 7 = 3")

    thread = threading.Thread(target=compute)
    thread.start()
    with psycopg.connect(info.dsn, autocommit=True) as connection:
        busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()"
        wait_until(lambda: connection.execute(busy, ["%generate_series%"]).fetchone() == (1,))
    return thread


@pytest.mark.parametrize("killed", [kill_postmaster, kill_all])
def test_stored_rows_are_there_after_kill_9(server: EmbeddedServer, killed: Callable[[ServerInfo], None]) -> None:
    info = server.ensure_running()
    put(info, 1)
    killed(info)
    assert not server.status().running
    again = server.ensure_running()
    assert again.started
    assert kept(again) == [1]


def test_a_backend_that_outlives_its_postmaster_is_ended(server: EmbeddedServer) -> None:
    info = server.ensure_running()
    put(info, 1)
    thread = occupy(info)
    kill_postmaster(info)
    again = server.ensure_running()
    thread.join()
    assert kept(again) == [1]


def test_stop_also_ends_what_outlived_its_postmaster(server: EmbeddedServer) -> None:
    info = server.ensure_running()
    thread = occupy(info)
    kill_postmaster(info)
    server.stop()
    thread.join()
    assert processes_of(info) == []


def test_kill_9_of_one_backend_is_waited_out(server: EmbeddedServer) -> None:
    info = server.ensure_running()
    put(info, 1)
    with psycopg.connect(info.dsn) as connection:
        kill(connection.info.backend_pid)
        wait_until(lambda: connection.closed or _is_broken(connection))
    wait_until(lambda: _has_recovered(server))


def _has_recovered(server: EmbeddedServer) -> bool:
    """Whoever asks before the postmaster has noticed the death is still cut off by it."""
    again = server.ensure_running()
    assert not again.started
    try:
        return kept(again) == [1]
    except psycopg.OperationalError:
        return False


def _is_broken(connection: psycopg.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return True
    return False


def test_a_pid_file_whose_pid_another_process_has_now_does_not_hinder(server: EmbeddedServer) -> None:
    info = server.ensure_running()
    put(info, 1)
    pid_file = info.data_dir / "postmaster.pid"
    kill_all(info)
    with sleeper() as pid:
        pid_file.write_text(f"{pid}\n" + pid_file.read_text().partition("\n")[2])
        assert not server.status().running
        assert kept(server.ensure_running()) == [1]
        assert is_alive(pid)


def test_stop_leaves_a_process_alone_that_has_the_pid_now(server: EmbeddedServer) -> None:
    info = server.ensure_running()
    pid_file = info.data_dir / "postmaster.pid"
    kill_all(info)
    with sleeper() as pid:
        pid_file.write_text(f"{pid}\n" + pid_file.read_text().partition("\n")[2])
        server.stop()
        assert is_alive(pid)


@pytest.mark.parametrize("content", ["", "\n", "not a number\n", "4000000\n"])
def test_a_damaged_pid_file_does_not_hinder(server: EmbeddedServer, content: str) -> None:
    info = server.ensure_running()
    kill_all(info)
    (info.data_dir / "postmaster.pid").write_text(content)
    assert server.ensure_running().started


def test_kill_9_of_the_postmaster_while_it_starts_is_made_up_for(server: EmbeddedServer) -> None:
    info = server.ensure_running()
    put(info, 1)
    kill_all(info)

    def kill_first() -> None:
        wait_until(lambda: processes_of(info) != [])
        for pid in processes_of(info):
            kill(pid)

    killer = threading.Thread(target=kill_first)
    killer.start()
    server.ensure_running()
    killer.join()
    assert kept(server.ensure_running()) == [1]


def test_kill_9_in_the_midst_of_the_first_start_leaves_no_half_database(fresh: EmbeddedServer) -> None:
    child = start_child(fresh, fresh.home.parent / "shared")
    wait_until(lambda: any(fresh.home.glob("postgres.new-*/PG_VERSION")))
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
    assert not (fresh.home / "postgres").exists()
    put(fresh.ensure_running(), 1)
    assert sorted(path.name for path in fresh.home.iterdir()) == ["postgres", "postgres.lock"]


def test_kill_9_of_the_starter_alone_lets_the_next_one_start(fresh: EmbeddedServer) -> None:
    child = start_child(fresh, fresh.home.parent / "shared")
    wait_until(lambda: any(fresh.home.glob("postgres.new-*")))
    kill(child.pid)
    child.communicate()
    put(fresh.ensure_running(), 1)
    assert kept(fresh.ensure_running()) == [1]


def test_kill_9_between_start_and_the_making_of_the_database_is_made_up_for(server: EmbeddedServer) -> None:
    info = server.ensure_running()
    with psycopg.connect(info.dsn.replace("/greenstream?", "/postgres?"), autocommit=True) as connection:
        connection.execute("DROP DATABASE greenstream WITH (FORCE)")
    again = server.ensure_running()
    assert not again.started
    put(again, 1)


def test_the_server_outlives_the_process_group_that_started_it(fresh: EmbeddedServer) -> None:
    child = start_child(fresh, fresh.home.parent / "shared")
    assert answer_of(child)["started"]
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    assert not fresh.ensure_running().started


def test_a_full_server_still_counts_as_running(fresh: EmbeddedServer) -> None:
    info = fresh.ensure_running()
    fresh.stop()
    with (info.data_dir / "postgresql.conf").open("a") as file:
        file.write("max_connections = 5\n")
    info = fresh.ensure_running()
    connections = [psycopg.connect(info.dsn) for _ in range(5)]
    try:
        assert not fresh.ensure_running().started
    finally:
        for connection in connections:
            connection.close()


def test_copied_data_of_a_running_server_starts_on_its_own(server: EmbeddedServer) -> None:
    """The copy's pid file names a live postmaster, but of another folder."""
    info = server.ensure_running()
    put(info, 1)
    server.stop()
    info = server.ensure_running()
    with scratch() as folder:
        copy = folder / "home" / "postgres"
        owner = info.data_dir.stat()
        shutil.copytree(info.data_dir, copy, ignore=shutil.ignore_patterns(".s.*"))
        for path in [copy, *copy.rglob("*")]:
            os.chown(path, owner.st_uid, owner.st_gid)
        other = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
        try:
            put(other.ensure_running(), 2)
            assert kept(info) == [1]
        finally:
            other.stop("immediate")
