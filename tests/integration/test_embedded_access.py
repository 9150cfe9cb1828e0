"""Who gets into the embedded PostgreSQL: its own user and root, by the socket."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.integration.embedded_support import AS_ROOT, scratch

from greenstream.adapters.postgres.backup.replacement import give_rights
from greenstream.adapters.postgres.base.roles import READER
from greenstream.adapters.postgres.embedded import EmbeddedServer, ServerInfo
from greenstream.adapters.postgres.embedded.account import user_name

# Drops root's rights after its imports, which may lie where the other user can't go.
AS_SOMEBODY = """
import os, psycopg, pwd, sys
user = pwd.getpwnam("daemon")
os.setgroups([]), os.setgid(user.pw_gid), os.setuid(user.pw_uid)
try:
    psycopg.connect(sys.argv[1])
    print("let in")
except psycopg.OperationalError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with scratch() as folder:
        (folder / "sockets").mkdir()
        (folder / "sockets").chmod(0o777)
        yield folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
    server.ensure_running()
    yield server
    server.stop("immediate")


@pytest.fixture(scope="module")
def opened(server: EmbeddedServer, folder: Path) -> ServerInfo:
    """A server that its configuration has opened to the network and to a socket folder for all."""
    server.stop()
    main = server.status().data_dir / "postgresql.conf"
    open_wide = (
        f"listen_addresses = '127.0.0.1'\nport = {free_port()}\n"
        f"unix_socket_directories = '{folder}/sockets'\nunix_socket_permissions = 0777\n"
    )
    main.write_text(main.read_text() + open_wide)
    return server.ensure_running()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("role", ["greenstream", READER, "postgres"])
@pytest.mark.parametrize("database", ["greenstream", "postgres", "template1"])
def test_nobody_comes_in_by_the_network(opened: ServerInfo, role: str, database: str) -> None:
    port = conninfo_to_dict(opened.dsn)["port"]
    with pytest.raises(psycopg.OperationalError, match=r"hba\.conf rejects connection"):
        psycopg.connect(host="127.0.0.1", port=str(port), user=role, dbname=database)


def test_its_own_user_comes_in_by_the_socket_but_as_no_other_role(opened: ServerInfo) -> None:
    with psycopg.connect(opened.dsn, autocommit=True) as connection:
        assert connection.execute("SELECT system_user").fetchone() == (f"peer:{user_name(os.geteuid())}",)
        connection.execute("CREATE ROLE guest LOGIN SUPERUSER")
    with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
        psycopg.connect(make_conninfo(opened.dsn, user="guest"))


if AS_ROOT:  # only root can be two users

    def test_another_user_is_refused_where_the_socket_is_open_to_all(opened: ServerInfo) -> None:
        for role in ("greenstream", READER, "daemon"):
            said = subprocess.run(
                [sys.executable, "-c", AS_SOMEBODY, make_conninfo(opened.dsn, user=role)],
                capture_output=True,
                text=True,
                check=True,
            )
            assert "Peer authentication failed" in said.stdout


def test_a_restore_says_nothing_of_a_reader_that_is_not_there(opened: ServerInfo) -> None:
    """A backup of an embedded server goes into a PostgreSQL of yours."""
    rights = [f"GRANT CONNECT ON DATABASE greenstream TO {role}" for role in (READER, "auditor")]
    assert give_rights(opened.dsn, rights) == ['role "auditor" does not exist']


def test_a_home_of_an_older_version_is_closed_at_its_next_start_with_a_line(server: EmbeddedServer) -> None:
    data = server.status().data_dir
    server.stop()
    (data / "greenstream_hba.conf").unlink()
    (data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 trust\n")
    said: list[str] = []
    server.ensure_running(said.append)
    [line] = [line for line in said if "pg_hba.conf" in line]
    assert "root alone from now on" in line
    server.stop()
    said.clear()
    with psycopg.connect(server.ensure_running(said.append).dsn) as connection:
        rules = connection.execute("SELECT type, auth_method FROM pg_hba_file_rules ORDER BY rule_number").fetchall()
    assert rules == [("local", "peer"), ("host", "reject")]
    assert [line for line in said if "pg_hba.conf" in line] == []
