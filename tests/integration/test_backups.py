"""A backup that was damaged, or made by somebody else, is refused in a line; nothing of it is believed unseen."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import LiteralString, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.harness import Harness

from greenstream.adapters.backups.files import FilesBack, copy_back, copy_out
from greenstream.adapters.backups.folder import check_outside, new_folder, write_sums
from greenstream.adapters.backups.reading import Contents, check_contents, describe
from greenstream.adapters.postgres.backup.dump_programs import check_dump, find_tools
from greenstream.domain.backup import Backup, StoredFiles, read_backup, read_times
from greenstream.domain.errors import BackupFailed, InvalidBackup
from greenstream.entrypoints.cli.console import Console

T = TypeVar("T")
BARS = Console(quiet=True).progress
RAW = "raw-data/2024-03-15/a.csv"
DESCRIBED = Backup(
    taken_at=datetime(2024, 3, 15, tzinfo=UTC),
    program="0.1",
    schema_version="0001",
    timezone="UTC",
    interval_minutes=15,
    postgresql="18.1",
    pg_dump="18.1",
    tables={"greenstream.meter": 1},
    database_bytes=4,
    store="/store",
    files=StoredFiles(count=2, size_bytes=9),
    sums_sha256="0" * 64,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    for name, content in ((RAW, "first"), ("quarantine/2024-03-15/b.csv", "bad!")):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(content)
    return root


@pytest.fixture
def backup(tmp_path: Path, store: Path) -> Path:
    """A backup as it is written, but for the dump, which is of no interest here."""
    path = tmp_path / "backup"
    with new_folder(path) as folder:
        (folder / "database.dump").write_bytes(b"dump")
        files = copy_out(store, folder, BARS)
        assert files.left_out == ()
        describe_anew(folder, {**files.sums, "database.dump": hashlib.sha256(b"dump").hexdigest()})
        folder.rename(path)
    return path


def describe_anew(folder: Path, sums: dict[str, str], **other: object) -> None:
    """Write the sums, and a description that fits them."""
    for name in ("SHA256SUMS", "backup.json"):
        (folder / name).unlink(missing_ok=True)
    described = {**json.loads(DESCRIBED.to_json()), "sums_sha256": write_sums(folder, sums), **other}
    (folder / "backup.json").write_text(json.dumps(described))


def sums_of(folder: Path) -> dict[str, str]:
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def contents(path: Path) -> Contents:
    return check_contents(path, describe(path), BARS)


def with_times(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    """Change files.json, and make all sums fit again: the backup of somebody who knows what is looked at."""
    times = json.loads((path / "files.json").read_text())
    written = json.dumps(change(times)).encode()
    (path / "files.json").write_bytes(written)
    describe_anew(path, {**sums_of(path), "files.json": hashlib.sha256(written).hexdigest()})


def without_sums(path: Path, *names: str) -> None:
    describe_anew(path, {name: digest for name, digest in sums_of(path).items() if name not in names})


def replaced(path: Path, name: str, make: Callable[[Path], object]) -> None:
    (path / name).unlink()
    make(path / name)


def folder_is_a_link(path: Path) -> None:
    (path / "files" / "raw-data").rename(path / "elsewhere")
    (path / "files" / "raw-data").symlink_to(path / "elsewhere")


def sums_file(path: Path, content: bytes) -> None:
    (path / "SHA256SUMS").write_bytes(content)
    described = json.loads((path / "backup.json").read_text())
    (path / "backup.json").write_text(json.dumps({**described, "sums_sha256": hashlib.sha256(content).hexdigest()}))


def test_a_backup_goes_back_as_it_was(backup: Path, store: Path, tmp_path: Path) -> None:
    back = tmp_path / "back"
    assert copy_back(backup, contents(backup), back, BARS) == FilesBack(put_back=2)
    assert (back / RAW).read_text() == "first"
    assert (back / RAW).stat().st_mtime_ns == (store / RAW).stat().st_mtime_ns
    (back / RAW).write_text("other")
    assert copy_back(backup, contents(backup), back, BARS) == FilesBack(same=1, other=1)
    assert [path.name for path in (back / RAW).parent.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: replaced(path, f"files/{RAW}", lambda it: it.symlink_to("/etc/passwd")), "no regular file"),
        (lambda path: replaced(path, "database.dump", lambda it: it.symlink_to("/etc/passwd")), "no regular file"),
        (lambda path: replaced(path, "files.json", lambda it: it.symlink_to("/etc/passwd")), "no regular file"),
        (lambda path: replaced(path, "SHA256SUMS", lambda it: it.symlink_to("/etc/passwd")), "no regular file"),
        (lambda path: replaced(path, "backup.json", lambda it: it.symlink_to("/etc/passwd")), "no regular file"),
        (lambda path: replaced(path, f"files/{RAW}", os.mkfifo), "no regular file"),
        (lambda path: replaced(path, "backup.json", os.mkfifo), "no regular file"),
        (lambda path: replaced(path, f"files/{RAW}", Path.mkdir), "no regular file"),
        (lambda path: replaced(path, f"files/{RAW}", lambda it: None), "is missing"),
        (folder_is_a_link, "no regular file, or reached through a link"),
        (lambda path: (path / "files" / RAW).write_text("firsT"), "isn't as it was written"),
        (lambda path: (path / "files" / RAW).write_text("longer"), "doesn't hold as much"),
        (lambda path: (path / "SHA256SUMS").write_text(""), "isn't as it was written"),
        (lambda path: sums_file(path, b""), "a line that is no sum"),
        (lambda path: sums_file(path, b"\n"), "a line that is no sum"),
        (lambda path: sums_file(path, (path / "SHA256SUMS").read_bytes() * 2), "twice"),
        (lambda path: sums_file(path, (path / "SHA256SUMS").read_bytes() + b"0" * 64 + b" x\n"), "that is no sum"),
        (lambda path: without_sums(path, *sums_of(path)), "a line that is no sum"),
        (lambda path: without_sums(path, "database.dump"), "no sum of 'database.dump'"),
        (lambda path: without_sums(path, f"files/{RAW}"), f"no sum of 'files/{RAW}'"),
        (lambda path: without_sums(path, "files.json"), "files.json isn't as it was written"),
        (lambda path: describe_anew(path, {**sums_of(path), "../x": "0" * 64}), "names '../x'"),
        (lambda path: describe_anew(path, {**sums_of(path), "files/x": "0" * 64}), "names 'files/x'"),
        (lambda path: describe_anew(path, sums_of(path), database_bytes=2**62), "doesn't hold as much"),
        (lambda path: describe_anew(path, sums_of(path), files={"count": 3, "size_bytes": 9}), "as much"),
        (lambda path: describe_anew(path, sums_of(path), files=None), "which isn't of a backup"),
        (lambda path: os.truncate(path / "backup.json", 1 << 40), "too large"),
        (lambda path: os.truncate(path / "SHA256SUMS", 1 << 40), "too large"),
        (lambda path: with_times(path, lambda times: []), "it is no object"),
        (lambda path: with_times(path, lambda times: {**times, RAW: "1"}), "a time is none"),
        (lambda path: with_times(path, lambda times: {**times, RAW: 2**70}), "a time is none"),
        (lambda path: with_times(path, lambda times: {**times, RAW: True}), "a time is none"),
        (lambda path: with_times(path, lambda times: {}), "which isn't of a backup"),
        *(
            (lambda path, name=name: with_times(path, lambda times: {**times, name: 1}), "no file of a store")
            for name in (
                *("", "/etc/passwd", "raw-data", "raw-data/", "raw-data/../../x", "raw-data/./x", "raw-data//x"),
                *("raw-data/a\0b", "raw-data/\ud800", "postgres/x", "../raw-data/x", "raw-data/.hidden"),
            )
        ),
        (lambda path: with_times(path, lambda times: {**times, f"raw-data/{'x' * 300}": 1}), "no sum of"),
    ],
)
def test_a_damaged_or_hostile_backup_is_refused_in_a_line(
    backup: Path, damage: Callable[[Path], object], said: str
) -> None:
    damage(backup)
    with pytest.raises(InvalidBackup) as refused:
        contents(backup)
    assert said in str(refused.value)
    assert str(refused.value).isprintable()


def test_a_name_that_no_file_can_have_is_refused(backup: Path) -> None:
    name = f"raw-data/{'x' * 300}"
    with_times(backup, lambda times: {**times, name: 1})
    describe_anew(backup, {**sums_of(backup), f"files/{name}": "0" * 64})
    with pytest.raises(InvalidBackup, match="can't be read: File name too long"):
        contents(backup)


def test_what_changes_between_the_check_and_the_copy_is_not_put_back(backup: Path, tmp_path: Path) -> None:
    checked = contents(backup)
    (backup / "files" / RAW).write_text("FIRST")
    with pytest.raises(InvalidBackup, match="changed since the backup was checked"):
        copy_back(backup, checked, tmp_path / "back", BARS)
    assert not [path for path in (tmp_path / "back").rglob("*") if path.is_file()]


@pytest.mark.parametrize("link", ["raw-data", "raw-data/2024-03-15"])
def test_nothing_is_put_back_through_a_link(backup: Path, tmp_path: Path, link: str) -> None:
    back, elsewhere = tmp_path / "back", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (back / link).parent.mkdir(parents=True)
    (back / link).symlink_to(elsewhere)
    with pytest.raises(BackupFailed, match="no regular file, or reached through a link"):
        copy_back(backup, contents(backup), back, BARS)
    assert list(elsewhere.iterdir()) == []


def test_a_file_is_not_put_back_where_a_link_of_its_name_is(backup: Path, tmp_path: Path) -> None:
    back = tmp_path / "back"
    (back / RAW).parent.mkdir(parents=True)
    (back / RAW).symlink_to(tmp_path / "nowhere")
    assert copy_back(backup, contents(backup), back, BARS) == FilesBack(put_back=1, other=1)
    assert not (tmp_path / "nowhere").exists()


def test_a_backup_leaves_out_what_is_no_file_of_the_store_and_names_it(store: Path, tmp_path: Path) -> None:
    day = (store / RAW).parent
    (day / "link.csv").symlink_to("/etc/passwd")
    (day / "folder").symlink_to("/etc")
    os.mkfifo(day / "pipe.csv")
    shutil.copy(day / "a.csv", day / "upload.csv.part")
    (tmp_path / "out").mkdir()
    files = copy_out(store, tmp_path / "out", BARS)
    assert files.stored == StoredFiles(count=2, size_bytes=9)
    assert files.left_out == tuple(f"raw-data/2024-03-15/{name}" for name in ("folder", "link.csv", "pipe.csv"))


def test_a_zone_that_is_a_link_ends_a_backup_rather_than_being_left_out(store: Path, tmp_path: Path) -> None:
    (store / "raw-data").rename(tmp_path / "other-disk")
    (store / "raw-data").symlink_to(tmp_path / "other-disk")
    (tmp_path / "out").mkdir()
    with pytest.raises(BackupFailed, match="raw-data is a link, which isn't followed: set GREENSTREAM_STORAGE"):
        copy_out(store, tmp_path / "out", BARS)


@pytest.mark.parametrize("target", ["backup", "raw-data/2024-03-15/backup", "../link/backup"])
def test_a_backup_in_its_own_store_is_refused(store: Path, target: str) -> None:
    (store.parent / "link").symlink_to(store)
    with pytest.raises(BackupFailed, match="lies in the store"):
        check_outside(store / target, store)
    check_outside(store.parent / "backup", store)


def test_a_dump_of_something_else_is_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "database.dump").write_bytes(b"PGDMP" + bytes(100))
    with pytest.raises(InvalidBackup, match="is no dump that pg_restore"):
        check_dump(find_tools(15), tmp_path / "database.dump")


@pytest.mark.parametrize(
    "foreign",
    [
        "CREATE SCHEMA evil; CREATE FUNCTION evil.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
        " CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION f()",
    ],
)
def test_a_dump_with_more_than_our_schemas_is_refused(harness: Harness, tmp_path: Path, foreign: LiteralString) -> None:
    dump = tmp_path / "database.dump"
    tools = find_tools(18)

    def dumped() -> None:
        pg_dump = [tools.bin_dir / "pg_dump", "--format=custom", f"--file={dump}", f"--dbname={harness.dsn}"]
        subprocess.run(pg_dump, check=True)

    harness.execute("CREATE VIEW mine AS SELECT * FROM meter_readings")
    dumped()
    check_dump(tools, dump)
    harness.execute(foreign)
    dumped()
    with pytest.raises(InvalidBackup, match="also holds what isn't of GreenStream"):
        check_dump(tools, dump)


@settings(max_examples=300)
@given(JSON, st.sampled_from(sorted(json.loads(DESCRIBED.to_json()))))
def test_any_value_in_the_description_is_taken_or_refused(value: object, key: str) -> None:
    described = {**json.loads(DESCRIBED.to_json()), key: value}
    for content in (json.dumps(described), json.dumps(value)):
        found = taken_or_refused(lambda content=content: read_backup("x", content.encode()))
        assert found is None or read_backup("x", found.to_json()) == found


@settings(max_examples=300)
@given(st.binary(max_size=6), st.integers(0, len(DESCRIBED.to_json())), st.integers(0, 8))
def test_any_bytes_in_the_description_are_taken_or_refused(noise: bytes, at: int, length: int) -> None:
    content = DESCRIBED.to_json()
    changed = content[:at] + noise + content[at + length :]
    found = taken_or_refused(lambda: read_backup("x", changed))
    assert found is None or read_backup("x", found.to_json()) == found


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"a":' * 100_000, b'{"format": 1, "format": 1}', b"\xff\xfe", b"1" * 5000]
)
def test_json_that_breaks_parsers_is_refused(content: bytes) -> None:
    for read in (read_backup, read_times):
        with pytest.raises(InvalidBackup):
            read("x", content)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["backup.json", "SHA256SUMS", "files.json", "database.dump"]),
    st.integers(0, 400),
    st.binary(min_size=1, max_size=3),
)
def test_a_backup_with_other_bytes_anywhere_is_refused(backup: Path, name: str, at: int, noise: bytes) -> None:
    content = (backup / name).read_bytes()
    at %= len(content)
    changed = content[:at] + noise + content[at + len(noise) :]
    (backup / name).write_bytes(changed)
    found = taken_or_refused(lambda: contents(backup))
    (backup / name).write_bytes(content)
    assert found is None or name == "backup.json" or changed == content
    assert found is None or set(found.times) == {RAW, "quarantine/2024-03-15/b.csv"}


def taken_or_refused(read: Callable[[], T]) -> T | None:
    """What was read; None where it was refused in a line."""
    try:
        return read()
    except InvalidBackup as error:
        refused = str(error)
    assert refused.isprintable()
    return None
