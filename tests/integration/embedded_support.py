"""What the tests of the embedded PostgreSQL share: homes, other processes, looks at the server's processes."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from greenstream.adapters.postgres.embedded import EmbeddedServer, ServerInfo
from greenstream.adapters.postgres.embedded.account import Account, account_for_new_data
from greenstream.adapters.postgres.embedded.location import Place
from greenstream.adapters.postgres.embedded.processes import find_process

AS_ROOT = os.geteuid() == 0

# Another process that starts the server; it drops root's rights only after its imports, because the
# interpreter may lie in a folder that the other user can't reach.
CHILD = """
import json, os, sys
import psycopg
from pathlib import Path
from greenstream.adapters.postgres.embedded import EmbeddedServer
from greenstream.domain.errors import ServerError
home, shared, account, bin_dirs = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])
if account:
    os.setgroups([]), os.setgid(account[1]), os.setuid(account[0])
programs = [Path(folder) for folder in bin_dirs] or None
try:
    info = EmbeddedServer(Path(home), shared_dir=Path(shared), bin_dirs=programs).ensure_running()
    with psycopg.connect(info.dsn) as connection:
        pid = connection.execute("SELECT pg_postmaster_start_time()::text").fetchone()[0]
    print(json.dumps({"started": info.started, "since": pid, "notices": info.notices, "data": str(info.data_dir)}))
except ServerError as error:
    print(json.dumps({"error": str(error)}))
"""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that other users can enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="gs-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def start_child(
    server: EmbeddedServer, shared: Path, account: Account | None = None, bin_dir: Path | None = None
) -> subprocess.Popen[str]:
    ids = [account.uid, account.gid] if account and account.switch else None
    arguments = [str(server.home), str(shared), json.dumps(ids), json.dumps([str(bin_dir)] if bin_dir else [])]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def answer_of(child: subprocess.Popen[str]) -> dict[str, object]:
    output, _ = child.communicate()
    answer: dict[str, object] = json.loads(output)
    return answer


def put(info: ServerInfo, value: int) -> None:
    with psycopg.connect(info.dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])


def kept(info: ServerInfo) -> list[int]:
    with psycopg.connect(info.dsn) as connection:
        return [row[0] for row in connection.execute("SELECT value FROM kept ORDER BY value")]


def show(info: ServerInfo, setting: str) -> str:
    with psycopg.connect(info.dsn) as connection:
        row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
    assert row is not None
    return str(row[0])


def processes_of(info: ServerInfo) -> list[int]:
    owner = info.data_dir.stat().st_uid
    account = Account(name="", uid=owner, gid=owner, switch=False)
    place = Place(data_dir=info.data_dir, account=account, notices=())
    return [process.pid for process in place.cluster.processes()]


def is_alive(pid: int) -> bool:
    return find_process(pid) is not None


def postmaster_of(info: ServerInfo) -> int:
    return int((info.data_dir / "postmaster.pid").read_text().splitlines()[0])


@contextmanager
def sleeper() -> Iterator[int]:
    """A process of the server's user that has nothing to do with PostgreSQL; gives its pid."""
    account = account_for_new_data()
    ids = {"user": account.uid, "group": account.gid, "extra_groups": []} if account.switch else {}
    process = subprocess.Popen(["sleep", "600"], cwd="/", **ids)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()
