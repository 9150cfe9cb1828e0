"""`greenstream backup` and `restore`: the drill, and what can go wrong on the way."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.acceptance.conftest import HEADER, Command
from tests.acceptance.test_settle import rows
from tests.integration.embedded_support import scratch
from tests.support.databases import database
from tests.support.relations import assert_adds_up, relations
from tests.support.roles import login

from greenstream.domain.errors import PermanentError
from greenstream.entrypoints.cli.console import Console
from greenstream.settings import Settings
from greenstream.wiring import Place

READING = HEADER + "SM-1,2024-03-15 18:45:00,1 kW,,Residential_Zone_7\n"


def dsn_of(command: Command) -> str:
    return command("db", "url", code=0).out.strip()


@contextmanager
def another_home(folder: Path) -> Iterator[Command]:
    with scratch() as outside:
        command = Command(outside / "home", folder)
        try:
            yield command
        finally:
            command("down")


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """A home with faulty files, rejected ones too, settled and archived; its backup is `backup`."""
    with another_home(tmp_path_factory.mktemp("drill")) as greenstream:
        greenstream("simulate", "fleet", "--meters", "60", "--days", "2", "--faults", "demo", "--layout", "gateway-day")
        greenstream("ingest", "fleet/files", code=0)
        greenstream("ingest", greenstream.file("bad.csv", "no,such,columns\n1,2,3\n"), code=1)
        greenstream("nightly", code=0)
        greenstream("backup", "backup", code=0)
        yield greenstream


def test_the_drill(lived_in: Command, tmp_path: Path) -> None:
    """A machine is lost: another one takes the backup in, has the same rows and files, and goes on."""
    lost = relations(dsn_of(lived_in))
    assert len(lost["quarantined_rows"]) > 0 < len(lost["data_quality_log"])
    assert_adds_up(lost)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(lived_in.folder / "backup", elsewhere, copy_function=shutil.copyfile)  # without its files' times
    with another_home(tmp_path) as found:
        ended = found("restore", "elsewhere", "--json", code=0)
        assert ended.json["dropped"] is None
        assert "can't be given again" not in ended.err
        assert ended.json["files"]["put_back"] == len(files_of(lived_in.home))
        asked = "SELECT session_user AS who, count(*) > 0 AS some FROM meter_readings"
        assert found("query", "--json", asked, code=0).json == [{"who": "greenstream_reader", "some": True}]
        assert relations(dsn_of(found)) == lost
        assert files_of(found.home) == files_of(lived_in.home)

        again = found("ingest", "--json", str(next((lived_in.folder / "fleet" / "files").iterdir())), code=0).json
        assert again["outcome"] == "duplicate"
        later = HEADER + rows("SM-1", 0, 24, start=datetime(2024, 3, 16, tzinfo=UTC))
        assert found("ingest", "--json", found.file("later.csv", later), code=0).json["stored"] == 96
        assert_adds_up(relations(dsn_of(found)))
        assert "no differences" in found("verify", code=0).err
        assert "retire" in found("nightly", code=0).out
        assert "no differences" in found("verify", code=0).err


def test_a_backup_under_load_is_of_one_instant_and_the_rest_is_processed_after_the_restore(
    dsn: str, tmp_path: Path
) -> None:
    """What landed after the backup is still in the store, or in its copy: nothing is lost, nothing comes twice."""
    lost, found = Command(tmp_path / "lost", tmp_path), Command(tmp_path / "found", tmp_path)
    with database(dsn, "lost", "template1") as url, database(dsn, "found", "template1") as other:
        lost("ingest", lost.file("0.csv", READING), code=0, DATABASE_URL=url)
        names = [lost.file(f"load/{n:03}.csv", load(n)) for n in range(100)]
        busy = lost.start("ingest", "--no-watch", "--json", *names, DATABASE_URL=url)
        assert busy.stdout is not None
        for _ in range(3):
            busy.stdout.readline()
        lost("backup", "backup", code=0, DATABASE_URL=url)
        busy.communicate()
        assert busy.returncode == 0
        whole = relations(url)

        found("restore", "backup", code=0, DATABASE_URL=other)
        restored = relations(other)
        assert_adds_up(restored)
        loaded = [str(file["path"]) for file in restored["source_files"]]
        assert 4 <= len(loaded) < 101
        # They were loaded one after the other, so an instant has all up to one of them.
        assert sorted(loaded) == sorted(str(file["path"]) for file in whole["source_files"])[: len(loaded)]

        # The store outlived the machine, or its files were kept up by rsync.
        shutil.copytree(lost.home / "raw-data", found.home / "raw-data", dirs_exist_ok=True)
        with running(found, other):
            await_files(other, 101)
        final = relations(other)
        assert_adds_up(final)
        assert ids(final) == ids(whole)
        assert final["waiting_files"] == []


def test_the_database_is_lost_but_not_the_store(dsn: str, tmp_path: Path) -> None:
    """Files and lake are newer than the backup: what it doesn't know is processed again, into the same lake."""
    own = Command(tmp_path / "own", tmp_path)
    day = (datetime.now(UTC) - timedelta(days=3)).replace(hour=0, minute=0)
    with database(dsn, "only_this", "template1") as url:
        own("ingest", own.file("a.csv", HEADER + rows("SM-1", 0, 12, start=day)), code=0, DATABASE_URL=url)
        own("nightly", code=0, DATABASE_URL=url)
        own("backup", "backup", "--no-files", code=0, DATABASE_URL=url)
        own("ingest", own.file("b.csv", HEADER + rows("SM-1", 10, 48, start=day)), code=0, DATABASE_URL=url)
        own("nightly", code=0, DATABASE_URL=url)
        whole, lake = relations(url), files_of(own.home)

        own("restore", "backup", "--replace", code=0, DATABASE_URL=url)
        own("ingest", *map(str, (own.home / "raw-data").iterdir()), code=0, DATABASE_URL=url)
        own("nightly", code=0, DATABASE_URL=url)
        assert ids(relations(url)) == ids(whole)
        assert files_of(own.home).keys() == lake.keys()
        assert "no differences" in own("verify", code=0, DATABASE_URL=url).err


def test_embedded_into_your_own_and_back(lived_in: Command, dsn: str, tmp_path: Path) -> None:
    lost, files = relations(dsn_of(lived_in)), files_of(lived_in.home)
    own = Command(tmp_path / "own", tmp_path)
    with database(dsn, "your_own", "template1") as url:
        own("restore", str(lived_in.folder / "backup"), "--no-files", code=0, DATABASE_URL=url)
        assert relations(url) == lost
        assert not (own.home / "raw-data").exists()
        own("backup", "backup", "--no-files", code=0, DATABASE_URL=url)
    ended = lived_in("restore", str(tmp_path / "backup"), "--replace", "--json", code=0)
    assert ended.json["files"] is None
    assert relations(dsn_of(lived_in)) == lost
    assert files_of(lived_in.home) == files


def test_data_is_replaced_only_when_told_to_and_all_at_once(greenstream: Command, dsn: str) -> None:
    with database(dsn, "to_replace", "template1") as url:
        greenstream("ingest", greenstream.file("a.csv", READING), code=0, DATABASE_URL=url)
        greenstream("backup", "backup", code=0, DATABASE_URL=url)
        before = relations(url)
        greenstream("ingest", greenstream.file("b.csv", READING.replace("18:45", "19:00")), code=0, DATABASE_URL=url)
        after = relations(url)

        ended = greenstream("restore", "backup", code=1, DATABASE_URL=url)
        assert "RestoreRefused: the database to_replace holds 1 meters and 2 readings of 2 files" in one_line(ended.err)
        assert "--replace" in ended.err
        assert "holds 1 meters" in greenstream("restore", "backup", "--dry-run", code=0, DATABASE_URL=url).out
        assert relations(url) == after

        ended = greenstream("restore", "backup", "--replace", "--json", code=0, DATABASE_URL=url)
        assert ended.json["dropped"] == {"meters": 1, "files": 2, "readings": 2}
        assert "will be dropped: it holds 1 meters and 2 readings of 2 files" in ended.err
        assert relations(url) == before
        assert databases_like(url, "to_replace%") == ["to_replace"]


def test_a_restore_killed_midway_leaves_the_old_database_and_can_be_run_again(greenstream: Command, dsn: str) -> None:
    with database(dsn, "killed", "template1") as url:
        name = greenstream.file("many.csv", HEADER + "".join(rows(f"SM-{n}", 0, 48) for n in range(60)))
        greenstream("ingest", "--no-watch", name, code=0, DATABASE_URL=url)
        greenstream("backup", "backup", code=0, DATABASE_URL=url)
        before = relations(url)
        killed = greenstream.start("restore", "backup", "--replace", DATABASE_URL=url)
        await_(lambda: is_being_filled(url, "killed_restoring"))
        killed.kill()
        killed.communicate()
        assert relations(url) == before
        greenstream("restore", "backup", "--replace", code=0, DATABASE_URL=url)
        assert relations(url) == before
        assert databases_like(url, "killed%") == ["killed"]
        with database(dsn, "killed_replaced", "template1"):
            ended = greenstream("restore", "backup", "--replace", code=1, DATABASE_URL=url)
            assert "the database killed_replaced is there, and no restore made it" in one_line(ended.err)
            assert databases_like(url, "killed%") == ["killed", "killed_replaced"]


def test_a_restore_waits_for_nobody_who_works_in_the_database(greenstream: Command, dsn: str) -> None:
    with database(dsn, "busy", "template1") as url:
        greenstream("ingest", greenstream.file("a.csv", READING), code=0, DATABASE_URL=url)
        greenstream("backup", "backup", code=0, DATABASE_URL=url)
        with psycopg.connect(url, application_name="greenstream queue"):
            ended = greenstream("restore", "backup", "--replace", code=1, DATABASE_URL=url)
        assert "1 connection to the database busy (greenstream queue): stop what runs" in one_line(ended.err)


def test_a_database_shared_with_others_is_not_replaced(greenstream: Command, dsn: str) -> None:
    with database(dsn, "shared", "template1") as url:
        greenstream("ingest", greenstream.file("a.csv", READING), code=0, DATABASE_URL=url)
        greenstream("backup", "backup", code=0, DATABASE_URL=url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE public.invoices ()")
        ended = greenstream("restore", "backup", "--replace", code=1, DATABASE_URL=url)
        assert "tables that aren't GreenStream's (public.invoices)" in one_line(ended.err)


def test_a_role_that_may_not_create_databases_is_told_so_before_anything_else(greenstream: Command, dsn: str) -> None:
    with database(dsn, "limited", "template1") as url:
        greenstream("ingest", greenstream.file("a.csv", READING), code=0, DATABASE_URL=url)
        greenstream("backup", "backup", code=0, DATABASE_URL=url)
        with login(url, "limited", "IN ROLE pg_read_all_data"):
            own = url.replace("user=greenstream", "user=limited")
            ended = greenstream("restore", "backup", "--replace", code=1, DATABASE_URL=own)
        assert "ALTER ROLE limited CREATEDB" in one_line(ended.err)


def test_rights_of_others_are_given_again_as_far_as_they_are_there(greenstream: Command, dsn: str) -> None:
    with database(dsn, "watched", "template1") as url, psycopg.connect(dsn, autocommit=True) as admin:
        greenstream("db", "migrate", code=0, DATABASE_URL=url)
        with psycopg.connect(url) as connection:
            for role in ("dashboard", "auditor"):
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
                connection.execute(sql.SQL("GRANT SELECT ON meter_readings TO {}").format(sql.Identifier(role)))
        greenstream("backup", "backup", "--no-files", code=0, DATABASE_URL=url)
        with psycopg.connect(url) as connection:
            connection.execute("DROP OWNED BY auditor")
            connection.execute("DROP ROLE auditor")
        ended = greenstream("restore", "backup", code=0, DATABASE_URL=url)
        assert 'can\'t be given again: role "auditor" does not exist' in one_line(ended.err)
        with psycopg.connect(url) as connection:
            asked = "SELECT has_table_privilege('dashboard', 'meter_readings', 'SELECT')"
            assert connection.execute(asked).fetchone() == (True,)
            connection.execute("DROP OWNED BY dashboard")
        admin.execute("DROP ROLE dashboard")


def test_meters_erased_since_the_backup_are_named(greenstream: Command, dsn: str) -> None:
    with database(dsn, "forgetful", "template1") as url:
        greenstream("ingest", greenstream.file("a.csv", READING), code=0, DATABASE_URL=url)
        greenstream("backup", "backup", code=0, DATABASE_URL=url)
        greenstream("erase", "SM-1", "--reason", "request 7", "--yes", code=0, DATABASE_URL=url)
        ended = greenstream("restore", "backup", "--replace", code=0, DATABASE_URL=url)
        assert "erase it again (request 7)" in ended.err
        assert "0 files put back" in ended.out


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: flip(path / "database.dump"), "database.dump isn't as it was written"),
        (lambda path: flip(next((path / "files").rglob("*.csv"))), "isn't as it was written"),
        (lambda path: next((path / "files").rglob("*.csv")).unlink(), "is missing"),
        (lambda path: flip(path / "SHA256SUMS"), "SHA256SUMS isn't as it was written"),
        (lambda path: cut(path / "backup.json"), "damaged backup.json"),
        (lambda path: (path / "backup.json").unlink(), "is no backup: it has no backup.json"),
        (lambda path: change(path, schema_version="9999", program="9.1"), "install GreenStream 9.1 or a newer one"),
        (lambda path: change(path, format=2, program="9.1"), "in a format that this version does not know"),
        (lambda path: change(path, timezone="Europe/Berlin"), "set GREENSTREAM_TIMEZONE=Europe/Berlin"),
        (lambda path: change(path, pg_dump="99.1"), "must not be older than PostgreSQL 99"),
        (lambda path: change_rows(path, 1_000_000), "rows, in the backup it had"),
        (
            lambda path: path.rename(path.with_name(".backup.greenstream-tmp-backup")),
            "is being taken, or was broken off",
        ),
    ],
)
def test_an_unusable_backup_changes_nothing(
    lived_in: Command, dsn: str, tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(lived_in.folder / "backup", backup)
    damage(backup)
    with database(dsn, "unchanged", "template1") as url:
        place, bars = Place(Settings(home=tmp_path / "own", database_url=url), lambda _: None), Console().progress
        with pytest.raises(PermanentError) as refused:
            place.backups.restore(place.backups.plan_restore(backup, bars), bars, replace=True, files=True)
        assert said in str(refused.value)
        assert "\n" not in str(refused.value)
        assert relations(url) == {}
        assert databases_like(url, "unchanged%") == ["unchanged"]


def test_a_name_is_used_once(greenstream: Command) -> None:
    greenstream.file("taken/x", "")
    assert "exists already" in one_line(greenstream("backup", "taken", code=1).err)
    assert "make the folder above it first" in one_line(greenstream("backup", "no/such/backup", code=1).err)
    assert "holds backups" not in one_line(greenstream("restore", "taken", code=1).err)


def test_the_folder_of_backups_is_none_but_names_the_last_one(lived_in: Command) -> None:
    ended = lived_in("restore", ".", code=1)
    assert f"the last by name is {lived_in.folder / 'backup'}" in one_line(ended.err)


def test_files_in_a_bucket_stay_there_and_that_is_said(greenstream: Command, dsn: str) -> None:
    with database(dsn, "bucket", "template1") as url:
        greenstream("db", "migrate", code=0, DATABASE_URL=url)
        bucket = {"DATABASE_URL": url, "STORAGE": "s3://readings/berlin"}
        ended = greenstream("backup", "backup", code=0, **bucket)
        assert "the files stay in s3://readings/berlin: its versioning and replication" in ended.err
        assert json.loads((greenstream.folder / "backup" / "backup.json").read_bytes())["files"] is None


def test_a_dump_that_is_killed_is_said_in_a_line_and_leaves_nothing(greenstream: Command, dsn: str) -> None:
    """By the limit on the size of files, which the system enforces with a signal."""
    with database(dsn, "full", "template1") as url:
        name = greenstream.file("many.csv", HEADER + "".join(rows(f"SM-{n}", 0, 48) for n in range(20)))
        greenstream("ingest", "--no-watch", name, code=0, DATABASE_URL=url)
        limited = "trap '' XFSZ; ulimit -f 16; exec greenstream backup backup"
        environment = {**os.environ, "GREENSTREAM_HOME": str(greenstream.home), "GREENSTREAM_DATABASE_URL": url}
        environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
        ended = subprocess.run(
            ["/bin/sh", "-c", limited],
            check=False,
            cwd=greenstream.folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 1
        assert "pg_dump was ended by SIGXFSZ" in one_line(ended.stderr)
        assert [path.name for path in greenstream.folder.iterdir()] == ["many.csv"]


def test_the_password_is_seen_by_nobody(greenstream: Command, dsn: str) -> None:
    with database(dsn, "secret", "template1") as url:
        greenstream("ingest", greenstream.file("a.csv", READING), code=0, DATABASE_URL=url)
        with_password = make_conninfo(url, password="s3cret-s3cret")
        process = greenstream.start("backup", "backup", "--no-files", DATABASE_URL=with_password)
        seen = set()
        while process.poll() is None:
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(entry.read_bytes())
        process.communicate()
        assert process.returncode == 0
        assert any(b"pg_dump" in line for line in seen)
        assert not any(b"s3cret-s3cret" in line for line in seen)


def test_nothing_is_left_of_a_backup_that_fails(greenstream: Command, dsn: str) -> None:
    with database(dsn, "void", "template1") as url:
        ended = greenstream("backup", "backup", code=1, DATABASE_URL=url)
        assert "nothing was set up in this database yet" in one_line(ended.err)
        assert [path.name for path in greenstream.folder.iterdir()] == []


def test_what_a_killed_backup_left_is_cleared_by_the_next_one(greenstream: Command) -> None:
    for name in ("backup", "backup-2024-03-15"):
        greenstream.file(f".{name}.greenstream-tmp-backup/database.dump", "half")
    greenstream.file(".theirs.part/database.dump", "half")
    greenstream("ingest", greenstream.file("a.csv", READING), code=0)
    greenstream("backup", "backup", code=0)
    left = sorted(path.name for path in greenstream.folder.iterdir() if path.name.startswith("."))
    assert left == [".theirs.part"]
    assert greenstream("restore", "backup", "--dry-run", code=0).out.startswith("backup is whole")
    rights = {path.is_dir(): path.stat().st_mode & 0o777 for path in (greenstream.folder / "backup").rglob("*")}
    assert (greenstream.folder / "backup").stat().st_mode & 0o777 == 0o700
    assert rights == {True: 0o700, False: 0o600}


def test_the_sums_are_those_of_sha256sum_whatever_the_names(dsn: str, tmp_path: Path) -> None:
    own = Command(tmp_path / "own", tmp_path)
    with database(dsn, "odd_names", "template1") as url:
        own("ingest", own.file("odd\n\\name é.csv", READING), code=0, DATABASE_URL=url)
        own("backup", "backup", code=0, DATABASE_URL=url)
        sums = (tmp_path / "backup" / "SHA256SUMS").read_bytes().splitlines()
        [odd] = [line for line in sums if line.startswith(b"\\")]
        digest, _, name = odd[1:].partition(b"  ")
        path = os.fsdecode(re.sub(rb"\\(.)", lambda found: {b"n": b"\n"}.get(found[1], found[1]), name))
        assert hashlib.sha256((tmp_path / "backup" / path).read_bytes()).hexdigest().encode() == digest
        assert "is whole" in own("restore", "backup", "--dry-run", code=0, DATABASE_URL=url).out


def load(number: int) -> str:
    """40 meters in a slot of their own."""
    at = datetime(2024, 3, 10, tzinfo=UTC) + timedelta(minutes=15 * number)
    return HEADER + "".join(f"SM-{n},{at:%Y-%m-%dT%H:%M}Z,{n} kW,,\n" for n in range(40)) + "SM-1,never,1 kW,,\n"


def ids(found: dict[str, list[dict[str, object]]]) -> list[object]:
    return [row["record_id"] for row in found["meter_readings"]]


def files_of(home: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of all files of the store."""
    zones = ("raw-data", "quarantine", "analytics", "aggregates", "manifest")
    paths = [path for zone in zones for path in (home / zone).rglob("*") if path.is_file()]
    return {str(path.relative_to(home)): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


@contextmanager
def running(command: Command, url: str) -> Iterator[None]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    up = command.start("up", **quiet, METRICS_PORT="0", DATABASE_URL=url)
    try:
        yield
    finally:
        up.terminate()
        up.communicate()


def await_files(url: str, count: int) -> None:
    asked = "SELECT count(*) FROM source_files"
    with psycopg.connect(url, autocommit=True) as connection:
        await_(lambda: connection.execute(asked).fetchone() == (count,))


def await_(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_being_filled(url: str, name: str) -> bool:
    if name not in databases_like(url, name):
        return False
    with psycopg.connect(url, dbname=name) as connection:
        return connection.execute("SELECT to_regnamespace('greenstream') IS NOT NULL").fetchone() == (True,)


def databases_like(url: str, pattern: str) -> list[str]:
    with psycopg.connect(url, dbname="postgres") as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY 1", [pattern])
        return [row[0] for row in found]


def one_line(text: str) -> str:
    [line] = [line for line in text.splitlines() if line.startswith("error: ")]
    return line


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def change(path: Path, **values: object) -> None:
    described = json.loads((path / "backup.json").read_text())
    (path / "backup.json").write_text(json.dumps({**described, **values}))


def change_rows(path: Path, meters: int) -> None:
    tables = json.loads((path / "backup.json").read_text())["tables"]
    change(path, tables={**tables, "greenstream.meter": meters})
