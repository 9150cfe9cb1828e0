"""What a setting keeps secret is told nowhere: every command, whatever is wrong with the setting."""

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import typer
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.acceptance.conftest import HEADER
from tests.contract.storage_fixtures import free_ports
from tests.support.harness import Databases

from greenstream.adapters.alerts.apprise_channel import AppriseChannel
from greenstream.adapters.postgres.base.address import checked
from greenstream.domain.alerts.notification import Message
from greenstream.domain.codes import Severity
from greenstream.domain.errors import BackupFailed, SettingsError
from greenstream.entrypoints.cli.app import application, run

# A command leaves its connections to the end of its process, which here goes on: the garbage collector warns.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

CANARY = "s3cr3t"
PASSWORD = "s3cr3tA@s3cr3tB/s3cr3tC:s3cr3tD%zz[s3cr3tE]#s3cr3tF?s3cr3tG h=s3cr3tH"
MALFORMED = (
    "postgresql://me:s3cr3t%zz@db.example/readings",
    "postgresql://me:s3cr3tA@s3cr3tB@db.example/readings",
    "postgresql://me:s3cr3tA/s3cr3tB@db.example/readings",
    "postgresql://me:s3cr3t@[db.example/readings",
    "postgresql://me:s3cr3tA s3cr3tB@db.example/readings",
    "postgresql://me:s3cr3tdb.example/readings",
    "postgresql://me@db.example:s3cr3t/readings",
    "mysql://me:s3cr3t@db.example/readings",
    "mysql://me:s3cr3t@db.example/readings?a=b",
    "postgresql+psycopg://me:s3cr3t@db.example/readings",
    "postgresql:/me:s3cr3t@db.example/readings",
    "//me:s3cr3t@db.example/readings",
    "host=db.example password=s3cr3tA s3cr3tB",
    "host=db.example password='s3cr3t",
    "host=db.example password=s3cr3tA\ns3cr3tB=c",
    "s3cr3t",
    "\udcffs3cr3t",
)
OTHERS = (
    {"STORAGE": "s3://key:s3cr3t@bucket/prefix"},
    {"STORAGE": "s3://bucket/prefix?secret_access_key=s3cr3t"},
    {"STORAGE": "s3://[s3cr3t"},
    {"STORAGE": "s3:/key:s3cr3t@bucket"},
    {"STORAGE": "https://key:s3cr3t@bucket"},
    {"STORAGE": "s3://bucket", "AWS_ENDPOINT_URL": "http://me:s3cr3t@127.0.0.1:1"},
    {"STORAGE": "s3://bucket", "AWS_ENDPOINT_URL": "http://me:s3cr3t@["},
    {"STORAGE": "s3://bucket", "AWS_SECRET_ACCESS_KEY": "s3cr3t\ns3cr3t"},
    {"STORAGE": "s3://bucket", "AWS_SESSION_TOKEN": "s3cr3t ä"},
    {"READER_URL": "postgresql://me:s3cr3t@[db.example/readings"},
    {"READER_URL": "postgresql://me:s3cr3t@127.0.0.1:1/readings"},
    {"ALERT_URLS": "json://me:s3cr3t@[ s3cr3t:x foo://s3cr3t"},
)
IN_THE_FILE = (
    'database_url = "s3cr3t"\n',
    "database_url = ['postgresql://me:s3cr3t@db/x']\n",
    "[database_url]\npassword = 's3cr3t'\n",
    "database_ur = 'host=x password=s3cr3t'\n",
    "'postgresql://me:s3cr3t@db/x' = 1\n",
    "alert_urls = { url = 's3cr3t' }\n",
    "database_url = 'postgresql://me:s3cr3t@db/x\n",
    "storage = ['s3cr3t']\n",
)
ARGUMENTS: dict[str, Sequence[str]] = {
    "ingest": ["a.csv"],
    "query": ["SELECT 1"],
    "replay": ["--rule", "B3.3"],
    "erase": ["SM-1", "--reason", "x", "--yes"],
    "backup": ["backup"],
    "restore": ["backup"],
    "simulate": ["fleet", "--meters", "1", "--days", "1"],
    "demo": ["--home", "taken"],
    "evaluate": ["--meters", "1", "--days", "1"],
    "db grant": ["reader"],
    "meters import": ["roster.csv"],
    "quarantine show": ["raw-data/2024-03-15/a.csv", "1"],
    "quarantine discard": ["--code", "MALFORMED_ROW"],
    "quarantine discard-file": ["raw-data/2024-03-15/a.csv.gz"],
    "quarantine export": ["out.csv"],
    "dead-letters show": ["1"],
    "dead-letters discard": ["1"],
}
SERVICES = ("up", "watch", "worker")
OF_THEIR_OWN = ("evaluate", "demo", "simulate")
"""These use no database of the settings."""

Said = Callable[..., str]


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, bool]]:
    """Each command, and whether it knows --json."""
    for name, each in getattr(command, "commands", {}).items():
        yield from leaves(each, (*path, name))
    if not hasattr(command, "commands"):
        yield " ".join(path), any("--json" in option.opts for option in command.params)


COMMANDS = dict(leaves(typer.main.get_command(application())))
HERE = [name for name in COMMANDS if name not in SERVICES]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Said]:
    """Runs a command in this process, with some settings; all that it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("greenstream.domain.retries.RETRY_DELAYS", ())
    (tmp_path / "a.csv").write_text(HEADER)
    (tmp_path / "roster.csv").write_text("meter_id\nSM-1\n")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").touch()

    def say(*arguments: str, **settings: str) -> str:
        with monkeypatch.context() as patch:
            for name, value in environment(tmp_path, settings).items():
                patch.setenv(name, value)
            code = run(arguments)
        gc.collect()  # ends the connections that otherwise end with the process
        told = capfd.readouterr()
        assert "a bug of GreenStream" not in told.err
        return f"{code}\n{told.out}{told.err}"

    gc.freeze()  # what is there already need not be looked through for connections after each command
    yield say
    gc.unfreeze()


def environment(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    given = {"HOME": str(folder / "home"), "METRICS_PORT": "0", **settings}
    return {name if name.startswith("AWS_") else f"GREENSTREAM_{name}": value for name, value in given.items()}


def ways(name: str) -> Iterator[list[str]]:
    words = [*name.split(), *ARGUMENTS.get(name, [])]
    yield words
    yield [*words, "--debug"]
    if COMMANDS[name]:
        yield [*words, "--json"]


def serve(folder: Path, name: str, *, seconds: float, **settings: str) -> str:
    """What a service says in a while."""
    with service(folder, name, **settings) as process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.send_signal(signal.SIGTERM)
        return "".join(process.communicate())


@contextmanager
def service(folder: Path, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [str(Path(sys.executable).parent / "greenstream"), *arguments],
        cwd=folder,
        env={**os.environ, **environment(folder, settings)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("url", MALFORMED)
def test_a_malformed_address_is_refused_without_a_piece_of_it(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        checked(url)
    assert CANARY not in str(refused.value)
    assert "GREENSTREAM_DATABASE_URL can't be used: it" in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_any_password_that_is_written_as_it_must_be_is_taken() -> None:
    url = f"postgresql://me:{quote(PASSWORD, safe='')}@db.example:5433/readings"
    assert conninfo_to_dict(checked(f"{url}\n"))["password"] == PASSWORD
    pairs = make_conninfo(host="db.example", password=PASSWORD)
    assert conninfo_to_dict(checked(pairs))["password"] == PASSWORD
    for fine in ("postgresql:///readings?host=%2Frun%2Fdb&password=p%40x", "postgres://me@[::1],db:1,2/x", "dbname=x"):
        assert checked(fine) == fine


@pytest.mark.parametrize("name", HERE)
def test_no_command_echoes_a_malformed_address(said: Said, name: str) -> None:
    for words in ways(name) if name not in OF_THEIR_OWN else ():
        assert CANARY not in said(*words, DATABASE_URL=MALFORMED[1])
    for words in ways(name):
        assert CANARY not in said(*words, STORAGE="s3://key:s3cr3t@bucket", DATABASE_URL=MALFORMED[0])


@pytest.mark.parametrize("url", [url for url in MALFORMED if url.isprintable()])
def test_no_malformed_address_is_echoed(said: Said, url: str) -> None:
    for words in (["status"], ["doctor", "--debug"], ["db", "migrate", "--debug"]):
        told = said(*words, DATABASE_URL=url)
        assert "GREENSTREAM_DATABASE_URL can't be used" in told
        assert CANARY not in told


@pytest.mark.parametrize("settings", OTHERS)
def test_no_key_of_a_store_or_channel_is_echoed(said: Said, settings: dict[str, str]) -> None:
    named = "/".join(settings)
    wrong = {"DATABASE_URL": MALFORMED[0], **settings}
    for words in (["status", "--debug"], ["doctor"], ["query", "--lake", "SELECT 1", "--debug"], ["alerts", "test"]):
        told = said(*words, **wrong)
        assert CANARY not in told, named


@pytest.mark.parametrize("text", IN_THE_FILE)
def test_nothing_of_a_faulty_file_is_echoed(said: Said, tmp_path: Path, text: str) -> None:
    (tmp_path / "greenstream.toml").write_text(text)
    told = said("status", "--debug")
    assert told.startswith("1\n")
    assert CANARY not in told


def test_the_services_say_nothing_of_it_either(tmp_path: Path) -> None:
    nobody = f"postgresql://me:{quote(PASSWORD, safe='')}@127.0.0.1:1/x"
    runs = [(name, url) for name in SERVICES for url in (MALFORMED[1], nobody)]
    said: list[str] = []

    def one(name: str, url: str) -> None:
        said.append(serve(tmp_path, name, seconds=3, DATABASE_URL=url))

    threads = [threading.Thread(target=one, args=each) for each in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == len(runs)
    assert CANARY not in "".join(said)


@pytest.fixture(scope="module")
def guarded(databases: Databases) -> Iterator[Callable[[str], str]]:
    """A role that needs its password; the address of a database for it, with a password."""
    with databases.database() as dsn, psycopg.connect(dsn, autocommit=True) as admin:
        role = sql.SQL("CREATE ROLE canary SUPERUSER LOGIN PASSWORD {}")
        admin.execute(role.format(sql.Literal(PASSWORD)))
        name = conninfo_to_dict(dsn)["dbname"]
        admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO canary").format(sql.Identifier(str(name))))
        hba = Path(str(admin.execute("SHOW hba_file").fetchone()[0]))
        before = hba.read_text()
        hba.write_text(f"local all canary scram-sha-256\n{before}")
        admin.execute("SELECT pg_reload_conf()")
        folder = quote(str(admin.info.host), safe="")
        try:
            yield (
                lambda password: (
                    f"postgresql://canary:{quote(password, safe='')}@/{name}?host={folder}&port={admin.info.port}"
                )
            )
        finally:
            hba.write_text(before)
            admin.execute("SELECT pg_reload_conf()")
            admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(sql.Identifier(str(name))))
            admin.execute("DROP OWNED BY canary")
            admin.execute("DROP ROLE canary")


@pytest.mark.parametrize("name", [each for each in HERE if each not in (*OF_THEIR_OWN, "db url")])
def test_a_refused_or_unreachable_login_is_told_without_the_password(
    said: Said, guarded: Callable[[str], str], name: str
) -> None:
    for words in ways(name):
        assert CANARY not in said(*words, DATABASE_URL=guarded(f"not {PASSWORD}"))
        assert CANARY not in said(*words, DATABASE_URL=f"postgresql://me:{quote(PASSWORD, safe='')}@127.0.0.1:1/x")
    told = said("status", DATABASE_URL=guarded(f"not {PASSWORD}"))
    assert 'password authentication failed for user "canary"' in told


def test_all_goes_well_and_the_password_is_nowhere_to_be_seen(
    said: Said, guarded: Callable[[str], str], tmp_path: Path
) -> None:
    url = guarded(PASSWORD)
    alerts = f"json://me:{quote(PASSWORD, safe='')}@127.0.0.1:1/"
    settings = {"DATABASE_URL": url, "ALERT_URLS": alerts, "METRICS_PORT": str(free_ports(1)[0])}
    (tmp_path / "a.csv").write_text(f"{HEADER}SM-1,2024-03-15T18:45Z,1 kW,,Zone7\nSM-1,never,1 kW,,Zone7\n")
    (tmp_path / "b.csv").write_text("no,such\n")
    with watched_processes() as titles:
        for words in (
            *(["db", "migrate"], ["ingest", "a.csv", "b.csv"], ["doctor"], ["status", "--json"], ["alerts", "test"]),
            *(["backup", "kept"], ["restore", "kept", "--replace"], ["query", "SELECT * FROM source_files"]),
        ):
            told = said(*words, "--debug", **settings)
            assert CANARY not in told, words
    assert any("pg_dump" in title for title in titles)
    with service(tmp_path, "up", **settings) as process:
        metrics = scraped(int(settings["METRICS_PORT"]))
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        log = "".join(process.communicate(timeout=60))
    assert '"started"' in log
    assert "greenstream_" in metrics
    assert CANARY not in log + metrics + "".join(titles)
    assert CANARY not in everything_in(url)
    assert json.loads(said("db", "url", "--json", **settings).partition("\n")[2])["url"] == url


def test_a_passphrase_that_libpq_takes_from_no_variable_ends_the_backup(
    said: Said, guarded: Callable[[str], str]
) -> None:
    url = f"{guarded(PASSWORD)}&sslpassword=s3cr3t"
    said("db", "migrate", DATABASE_URL=url)
    told = said("backup", "kept", "--debug", DATABASE_URL=url)
    assert f"{BackupFailed.__name__}: pg_dump and pg_restore can't be given sslpassword" in told
    assert CANARY not in told


@pytest.mark.parametrize("url", ["s3cr3t", "s3cr3t:x@y", "json://s3cr3t@[", "json://a:s3cr3t%zz@127.0.0.1:1/s3cr3t"])
def test_neither_a_channels_name_nor_its_trouble_tells_its_url(url: str) -> None:
    channel = AppriseChannel(url)
    message = Message(title="t", body="b", severity=Severity.INFO)
    assert CANARY not in channel.name
    assert CANARY not in str(channel.send(message))


@contextmanager
def watched_processes() -> Iterator[set[str]]:
    """The command lines, and so the titles, of all processes of the machine meanwhile."""
    seen: set[str] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(entry.read_bytes().decode(errors="replace"))
            time.sleep(0.005)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def scraped(port: int) -> str:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                return str(answer.read().decode())
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def everything_in(url: str) -> str:
    """All rows of all tables, and what the server shows of its sessions."""
    listed = (
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
        " AND table_schema IN ('public', 'greenstream', 'greenstream_queue')"
    )
    with psycopg.connect(url) as connection:
        tables = [*connection.execute(listed).fetchall(), ("pg_catalog", "pg_stat_activity")]
        rows = (
            str(connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(*table))).fetchall())
            for table in tables
        )
        return "".join(rows)
