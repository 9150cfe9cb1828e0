"""`backup` and `restore`: the drill, and what may go wrong with it."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.acceptance.conftest import HEADER, Command
from tests.acceptance.test_settle import database
from tests.integration.embedded_support import scratch

from greenstream.adapters.postgres.embedded import EmbeddedServer, installed

RELATIONS = (
    *("meter_readings", "current_readings", "meter_metadata", "data_quality_log", "source_files"),
    *("quarantined_rows", "dead_letters", "alerts", "days", "deletions", "erasures", "superseded_readings"),
)
DAY = "2026-03-02"


def readings(meter: str, *, slots: int = 20) -> str:
    rows = [f"{DAY} {n // 4:02d}:{n % 4 * 15:02d},{n % 7 + 1} kW,,Residential_Zone_1" for n in range(slots)]
    odd = ["lost,1 kW,,", f"{DAY} 12:00,9 Volts,,", f"{DAY} 12:15,too,many,of,them,here"]
    return HEADER + "".join(f"{meter},{row}\n" for row in [*rows, *odd])


def kept(command: Command, **place: str) -> dict[str, list[str]]:
    """All rows of all relations."""
    rows = {}
    with psycopg.connect(place.get("DATABASE_URL") or command("db", "url", code=0).out.strip()) as connection:
        for name in RELATIONS:
            found = connection.execute(sql.SQL("SELECT r::text FROM {} r").format(sql.Identifier(name))).fetchall()
            rows[name] = sorted(row[0] for row in found)
    return rows


@pytest.fixture
def other() -> Iterator[Command]:
    """The command with another home, to restore into."""
    with scratch() as folder:
        command = Command(folder / "home", folder)
        try:
            yield command
        finally:
            command("down")


@pytest.fixture
def filled(greenstream: Command, dsn: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A place with a database of the shared server: loaded, settled, archived."""
    with database(dsn, "to_back_up", "template1") as own:
        place = {"DATABASE_URL": own, "STORAGE": (tmp_path / "store").as_uri()}
        for number in range(2):
            greenstream("ingest", greenstream.file(f"{number}.csv", readings(f"SM-{number}")), code=0, **place)
        for step in ("settle", "archive"):
            greenstream(step, code=0, **place)
        yield place


def test_the_drill(greenstream: Command, other: Command, filled: dict[str, str]) -> None:
    """From a server of yours into the embedded one: all is there, and it goes on."""
    before = kept(greenstream, **filled)
    said = greenstream("backup", "copy", "--json", code=0, **filled).json
    assert said["files"] > 5
    other("restore", str(greenstream.folder / "copy"), code=0)
    assert kept(other) == before
    assert other("verify", code=0).err.startswith("1 day: no differences")

    late = other.file("late.csv", readings("SM-1", slots=40))
    assert other("ingest", late, "--json", code=0).json_lines[0]["stored"] == 20
    again = other.file("again.csv", readings("SM-0"))
    assert other("ingest", again, "--json", code=0).json_lines[0]["outcome"] == "duplicate"
    other("settle", code=0)
    other("archive", code=0)
    other("verify", code=0)


def test_what_landed_meanwhile_is_loaded_again_and_nothing_twice(
    greenstream: Command, other: Command, filled: dict[str, str], tmp_path: Path
) -> None:
    """The backup is taken while files are loaded; afterwards the store has more than the database knows."""
    names = [
        greenstream.file(f"more/{number}.csv", readings(f"SM-{number % 5}", slots=30 + number)) for number in range(12)
    ]
    loading = greenstream.start("ingest", *names, **filled)
    greenstream("backup", "copy", code=0, **filled)
    loading.communicate()
    assert loading.returncode == 0
    everything = kept(greenstream, **filled)["meter_readings"]
    place = {"STORAGE": filled["STORAGE"]}
    other("restore", str(greenstream.folder / "copy"), code=0, **place)
    landed = sorted(str(path) for path in (tmp_path / "store" / "raw-data").rglob("*.csv"))
    other("ingest", *landed, "--quiet", code=0, **place)
    ids = [row.split(",")[0] for row in kept(other)["meter_readings"]]
    assert ids == [row.split(",")[0] for row in everything]


def test_a_database_with_something_in_it_is_replaced_only_if_told(greenstream: Command, filled: dict[str, str]) -> None:
    before = kept(greenstream, **filled)
    greenstream("backup", "copy", "--no-files", code=0, **filled)
    greenstream("ingest", greenstream.file("more.csv", readings("SM-7")), code=0, **filled)
    refused = greenstream("restore", "copy", code=1, **filled)
    assert "--replace" in refused.err
    assert refused.err.count("\n") == 1
    greenstream("restore", "copy", "--replace", code=0, **filled)
    assert kept(greenstream, **filled) == before


@pytest.mark.parametrize("damage", ["flipped", "cut", "unfinished", "newer", "no backup"])
def test_a_bad_backup_is_refused_and_nothing_is_touched(
    greenstream: Command, filled: dict[str, str], damage: str
) -> None:
    before = kept(greenstream, **filled)
    greenstream("backup", "copy", "--no-files", code=0, **filled)
    dump, description = greenstream.folder / "copy/database.dump", greenstream.folder / "copy/backup.json"
    content, said = bytearray(dump.read_bytes()), json.loads(description.read_text())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    if damage == "cut":
        del content[100:]
    dump.write_bytes(content)
    if damage == "newer":
        description.write_text(json.dumps({**said, "schema": "9999"}))
    if damage == "unfinished":
        description.unlink()
    name = "nowhere" if damage == "no backup" else "copy"
    refused = greenstream("restore", name, "--replace", code=1, **filled)
    assert refused.err.startswith("error: BackupRefused: ")
    assert refused.err.count("\n") == 1
    assert kept(greenstream, **filled) == before


def test_a_backup_appears_whole_or_not_at_all(greenstream: Command, filled: dict[str, str]) -> None:
    greenstream.file("there/x", "")
    assert "is there already" in greenstream("backup", "there", code=1, **filled).err
    assert "no folder" in greenstream("backup", "a/b", code=1, **filled).err
    place = {**filled, "STORAGE": filled["STORAGE"]}
    process = greenstream.start("backup", "killed", **place)
    process.kill()
    process.communicate()
    assert not (greenstream.folder / "killed").exists()
    greenstream("backup", "killed", code=0, **place)


def test_from_an_older_postgresql_into_the_newest(greenstream: Command, other: Command) -> None:
    """As one upgrades: back up, take the newer programs, restore."""
    oldest = min(installed(), key=lambda each: each.version)
    newest = max(installed(), key=lambda each: each.version)
    assert oldest.major < newest.major, "the package brings two major versions"
    with scratch() as folder:
        server = EmbeddedServer(folder / "home", shared_dir=folder / "shared", bin_dirs=[oldest.bin_dir])
        try:
            place = {"DATABASE_URL": server.ensure_running().dsn, "STORAGE": (folder / "store").as_uri()}
            greenstream("ingest", greenstream.file("a.csv", readings("SM-1")), code=0, **place)
            greenstream("settle", code=0, **place)
            before = kept(greenstream, **place)
            assert (
                greenstream("backup", "copy", "--json", code=0, **place)
                .json["postgresql"]
                .startswith(str(oldest.major))
            )
        finally:
            server.stop("immediate")
    other("restore", str(greenstream.folder / "copy"), code=0)
    assert kept(other) == before
    other("archive", code=0)
    other("verify", code=0)


def test_the_password_is_seen_by_nobody(greenstream: Command, filled: dict[str, str]) -> None:
    with_password = make_conninfo(filled["DATABASE_URL"], password="s3cret-s3cret")
    process = greenstream.start("backup", "copy", "--no-files", **{**filled, "DATABASE_URL": with_password})
    seen = []
    while process.poll() is None:
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                seen.append(entry.read_bytes())
    process.communicate()
    assert process.returncode == 0
    assert not any(b"s3cret-s3cret" in line for line in seen)
