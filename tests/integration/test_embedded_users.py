"""The embedded PostgreSQL as root and as a normal user, in open and in closed folders."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.integration.embedded_support import (
    AS_ROOT,
    answer_of,
    kept,
    postmaster_of,
    put,
    scratch,
    show,
    start_child,
)

from greenstream.adapters.postgres.embedded import EmbeddedServer, homeless
from greenstream.adapters.postgres.embedded.account import account_for_new_data, own_account, user_name
from greenstream.adapters.postgres.embedded.binaries import WHEEL, choose, installed


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@pytest.fixture
def closed(folder: Path) -> Iterator[EmbeddedServer]:
    """A home inside of a folder that only this user enters."""
    (folder / "private").mkdir(mode=0o700)
    server = EmbeddedServer(folder / "private" / "home", shared_dir=folder / "shared")
    yield server
    server.stop("immediate")


def reachable_programs(folder: Path) -> Path:
    account = account_for_new_data()
    return choose(account, made_by=None, shared_dir=folder / "shared", bin_dirs=None).bin_dir


def test_the_server_never_runs_as_root(folder: Path) -> None:
    server = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
    try:
        data = server.ensure_running().data_dir
        assert user_name(data.stat().st_uid) == account_for_new_data().name != "root"
        assert server.home.stat().st_uid == own_account().uid
        assert (server.home / "postgres.lock").stat().st_uid == own_account().uid
    finally:
        server.stop()


def test_in_a_closed_home_the_data_lies_where_the_server_reaches_it_and_root_is_told(
    closed: EmbeddedServer, folder: Path
) -> None:
    info = closed.ensure_running()
    if AS_ROOT:
        assert info.data_dir.is_relative_to(folder / "shared")
        assert len(info.notices) == 1
        assert str(info.data_dir) in info.notices[0]
    else:
        assert info.data_dir == closed.home / "postgres"
        assert info.notices == ()
    put(info, 1)
    assert closed.ensure_running().notices == ()


def test_the_data_of_a_closed_home_is_found_again_when_it_was_opened(closed: EmbeddedServer) -> None:
    info = closed.ensure_running()
    put(info, 1)
    closed.stop()
    closed.home.parent.chmod(0o755)
    again = closed.ensure_running()
    assert again.data_dir == info.data_dir
    assert kept(again) == [1]


def test_a_new_home_under_an_old_name_begins_without_data(closed: EmbeddedServer) -> None:
    put(closed.ensure_running(), 1)
    closed.stop()
    shutil.rmtree(closed.home)
    with psycopg.connect(closed.ensure_running().dsn) as connection:
        assert connection.execute("SELECT to_regclass('kept')").fetchone() == (None,)


def test_data_whose_home_is_gone_is_named_with_its_size_and_its_server_and_stays(
    closed: EmbeddedServer, folder: Path
) -> None:
    shared = folder / "shared"
    info = closed.ensure_running()
    assert list(homeless(shared)) == []
    shutil.copytree(closed.home, folder / "saved", ignore=shutil.ignore_patterns("postgres"))
    if not AS_ROOT:
        return
    shutil.rmtree(closed.home)
    (gone,) = homeless(shared)
    assert (gone.folder, gone.home, gone.pid) == (info.data_dir.parent, closed.home, postmaster_of(info))
    assert gone.size_bytes > 10_000_000
    (gone.folder / "home").unlink()
    (unknown,) = homeless(shared)
    assert unknown.home is None
    shutil.copytree(folder / "saved", closed.home)
    assert closed.ensure_running().data_dir == info.data_dir
    closed.stop()
    closed.ensure_running()
    assert list(homeless(shared)) == []


def test_a_home_that_lies_among_such_data_is_none(folder: Path) -> None:
    server = EmbeddedServer(folder / "shared" / "site-0123456789", shared_dir=folder / "shared")
    try:
        server.ensure_running()
        assert list(homeless(folder / "shared")) == []
    finally:
        server.stop("immediate")


def test_programs_in_a_closed_folder_are_copied_once_to_where_the_server_reaches_them(folder: Path) -> None:
    package = next(programs.bin_dir for programs in installed() if WHEEL in programs.bin_dir.parts).parents[1]
    private = folder / "private"
    private.mkdir(mode=0o700)
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.is_dir():
            shutil.copytree(part, private / part.name, symlinks=True)
    bin_dirs = list((private / package.name).glob("pginstall*/bin"))
    account = account_for_new_data()
    first, second = (choose(account, made_by=None, shared_dir=folder / "shared", bin_dirs=bin_dirs) for _ in range(2))
    assert first == second
    assert first.bin_dir.is_relative_to(folder / "shared") == AS_ROOT
    server = EmbeddedServer(folder / "home", shared_dir=folder / "shared", bin_dirs=bin_dirs)
    assert server.ensure_running().started
    server.stop()
    assert [path.name for path in (folder / "shared").glob("*greenstream-tmp-*")] == []


def test_a_normal_user_runs_a_server_of_its_own(folder: Path) -> None:
    account = account_for_new_data()
    home = folder / "users" / "home"
    home.mkdir(parents=True)
    account.own(home)
    home.chmod(0o700)
    server = EmbeddedServer(home, shared_dir=folder / "shared")
    try:
        answer = answer_of(start_child(server, folder / "shared", account, reachable_programs(folder)))
        assert answer == answer | {"started": True, "notices": [], "data": str(home / "postgres")}
        assert (home / "postgres").stat().st_uid == account.uid
        assert not server.ensure_running().started
        server.stop()
        root_started = server.ensure_running()
        assert show(root_started, "server_encoding") == "UTF8"
        again = answer_of(start_child(server, folder / "shared", account, reachable_programs(folder)))
        assert again["started"] is False
    finally:
        server.stop()


if AS_ROOT:  # only root can be two users

    @pytest.mark.parametrize("state", ["running", "stopped"])
    def test_another_user_is_told_whose_the_data_is(folder: Path, state: str) -> None:
        server = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
        programs = reachable_programs(folder)
        data = server.ensure_running().data_dir
        owner = user_name(data.stat().st_uid)
        if state == "stopped":
            server.stop()
        stranger = account_for_new_data()
        stranger = type(stranger)(name="", uid=65533, gid=65533, switch=True)
        try:
            error = str(answer_of(start_child(server, folder / "shared", stranger, programs))["error"])
            assert f"belongs to the user {owner}: run GreenStream as {owner} or root" in error
            assert "\n" not in error
        finally:
            server.stop()

    def test_data_that_the_server_cannot_reach_any_more_is_reported(folder: Path) -> None:
        server = EmbeddedServer(folder / "open" / "home", shared_dir=folder / "shared")
        put(server.ensure_running(), 1)
        server.stop()
        (folder / "open").chmod(0o700)
        programs = reachable_programs(folder)
        answer = answer_of(start_child(server, folder / "shared", None, programs))
        assert "let that user through every folder above it" in str(answer["error"])
        (folder / "open").chmod(0o755)
        assert kept(server.ensure_running()) == [1]
        server.stop()
