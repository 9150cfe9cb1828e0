"""From the previous version of the tables, and from an older major of PostgreSQL: with real data, as the docs say."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.acceptance.conftest import HEADER, Command
from tests.acceptance.test_backup import another_home, dsn_of
from tests.acceptance.test_settle import rows
from tests.support.databases import database
from tests.support.relations import assert_adds_up, relations

from greenstream.adapters.postgres.backup.dump_programs import find_tools, pg_restore
from greenstream.adapters.postgres.embedded import EmbeddedServer
from greenstream.adapters.postgres.embedded.binaries import OLDEST_MAJOR, Binaries, installed
from greenstream.adapters.postgres.schema.version import newest_version

BACKUPS = Path(__file__).parents[1] / "backups"
OLD_VERSIONS = sorted(path.name for path in BACKUPS.iterdir() if path.is_dir())
NEWEST = next(installed()).major
RECENT = (datetime.now(UTC) - timedelta(days=3)).replace(hour=0, minute=0)
LOAD = HEADER + rows("SM-1", 0, 24, start=RECENT) + rows("SM-2", 3, 20, start=RECENT) + "SM-3,never,1 kW,,\n"


def other_majors() -> list[Any]:
    """The programs of each other major that is found here; the wheel alone brings one."""
    found = {each.major: each for each in installed() if each.major not in (NEWEST, *range(OLDEST_MAJOR))}
    return [pytest.param(found[major], id=f"PostgreSQL {major}") for major in sorted(found)]


def make_home(home: Path, older: Binaries) -> None:
    """A home whose database is made by these programs: whatever runs there later is of their major."""
    EmbeddedServer(home, shared_dir=home.parent / "shared", bin_dirs=[older.bin_dir]).ensure_running()


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_a_database_of_an_older_version_is_migrated_with_its_rows(version: str, greenstream: Command, dsn: str) -> None:
    with database(dsn, "older", "template1") as url:
        tools = find_tools(NEWEST)
        pg_restore(tools, url, BACKUPS / version / "database.dump", NEWEST, lambda _: None)
        ended = greenstream("db", "migrate", "--json", code=0, DATABASE_URL=url)
        assert ended.json == {"from": version, "to": newest_version()}
        assert_kept(version, relations(url))
        assert_goes_on(greenstream, url)


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_a_backup_of_an_older_version_is_brought_to_this_one(version: str, greenstream: Command, dsn: str) -> None:
    with database(dsn, "older_backup", "template1") as url:
        ended = greenstream("restore", str(BACKUPS / version), "--json", code=0, DATABASE_URL=url)
        assert ended.json["schema_version"] == newest_version()
        assert_kept(version, relations(url))
        assert_goes_on(greenstream, url)


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_a_database_is_backed_up_before_it_is_upgraded_as_it_is(version: str, greenstream: Command, dsn: str) -> None:
    with database(dsn, "as_it_is", "template1") as url:
        tools = find_tools(NEWEST)
        pg_restore(tools, url, BACKUPS / version / "database.dump", NEWEST, lambda _: None)
        ended = greenstream("backup", "backup", "--no-files", "--json", code=0, DATABASE_URL=url)
        assert ended.json["schema_version"] == version
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT version_num FROM greenstream_version").fetchone() == (version,)


@pytest.mark.parametrize("older", other_majors())
def test_a_home_of_an_older_major_moves_to_the_newest_by_backup_and_restore(
    older: Binaries, new_greenstream: Command
) -> None:
    make_home(new_greenstream.home, older)
    new_greenstream("ingest", new_greenstream.file("load.csv", LOAD), code=0)
    new_greenstream("nightly", code=0)
    assert server_major(new_greenstream) == older.major
    before = relations(dsn_of(new_greenstream))
    data = Path(new_greenstream("status", "--json", code=0).json["server"]["data_dir"])

    new_greenstream("backup", "backup", code=0)
    new_greenstream("down", code=0)
    data.rename(data.with_name("postgres-old"))
    new_greenstream("restore", "backup", code=0)

    assert server_major(new_greenstream) == NEWEST
    assert relations(dsn_of(new_greenstream)) == before
    assert "no differences" in new_greenstream("verify", code=0).err
    assert_goes_on(new_greenstream, dsn_of(new_greenstream))


@pytest.mark.parametrize("older", other_majors()[:1])
def test_a_backup_of_the_newest_major_goes_into_an_older_server_of_yours(
    older: Binaries, greenstream: Command, dsn: str, tmp_path: Path
) -> None:
    with database(dsn, "newest", "template1") as url:
        greenstream("ingest", greenstream.file("load.csv", LOAD), code=0, DATABASE_URL=url)
        greenstream("backup", "backup", code=0, DATABASE_URL=url)
        before = relations(url)
    with another_home(tmp_path) as old:
        make_home(old.home, older)
        own = dsn_of(old)
        greenstream("restore", "backup", code=0, DATABASE_URL=own)
        assert server_major(old) == older.major
        assert relations(own) == before
        assert_goes_on(greenstream, own)


def assert_kept(version: str, found: dict[str, Any]) -> None:
    """All that the older program showed is there, in columns of the same names."""
    shown = json.loads(gzip.decompress((BACKUPS / f"{version}.relations.json.gz").read_bytes()))
    for relation, expected in shown.items():
        columns = list(expected[0]) if expected else []
        now = [
            {column: row[column] for column in columns} for row in json.loads(json.dumps(found[relation], default=str))
        ]
        assert sorted(now, key=str) == sorted(expected, key=str), relation
    assert len(found["meter_readings"]) > 500
    assert_adds_up(found)


def assert_goes_on(greenstream: Command, url: str) -> None:
    content = HEADER + "SM-4,2024-03-15 18:45:00,1 kW,,Residential_Zone_7\n"
    ended = greenstream("ingest", "--json", greenstream.file("next.csv", content), code=0, DATABASE_URL=url)
    assert ended.json["stored"] == 1
    assert_adds_up(relations(url))


def server_major(command: Command) -> int:
    with psycopg.connect(dsn_of(command)) as connection:
        return connection.info.server_version // 10_000
