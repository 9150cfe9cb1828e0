"""Who may read and write the files of a store in a folder."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from tests.integration.embedded_support import AS_ROOT, scratch

from greenstream.adapters.storage import ObjectStore, moves, open_store
from greenstream.domain.errors import SettingsError, StorageRefused

DAY = date(2024, 3, 15)
NOBODY = 65534
GROUP = 54321 if AS_ROOT else os.getegid()


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture
def root() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


def fill(store: ObjectStore, root: Path) -> None:
    (root / "source.csv").write_bytes(b"a")
    store.land(root / "source.csv", day=DAY)
    store.quarantine("raw-data/2024-03-15/source.csv", b"a")
    store.put("analytics/year=2024/a.parquet", b"a")
    store.put("aggregates/b.parquet", b"a")
    (root / "source.csv").unlink()


def modes(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): stat.filemode(path.lstat().st_mode) for path in root.rglob("*")}


def in_a_process_of(uid: int, gid: int, act: Callable[[], object]) -> bool:
    """Whether another user, who is in a group, can do something."""
    if (child := os.fork()) == 0:
        try:
            os.setgroups([gid])
            os.setgid(gid)
            os.setuid(uid)
            act()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    ("mask", "folder", "file"), [(0o022, "drwxr-x---", "-rw-r-----"), (0o077, "drwx------", "-rw-------")]
)
def test_what_the_store_makes_is_closed_to_other_users(root, mask, folder, file):
    with umask(mask):
        fill(open_store(root), root)

    assert set(modes(root).values()) == {folder, file}
    assert modes(root)["raw-data/2024-03-15/source.csv"] == file
    assert modes(root)["aggregates"] == folder


def test_a_group_has_the_landing_zone_whatever_the_umask(root):
    with umask(0o077):
        fill(open_store(root, group=str(GROUP)), root)

    found = modes(root)
    assert found["raw-data"] == found["raw-data/2024-03-15"] == "drwxrws---"
    assert found["raw-data/2024-03-15/source.csv"] == "-rw-rw----"
    assert {path.stat().st_gid for path in (root / "raw-data", *(root / "raw-data").rglob("*"))} == {GROUP}
    assert found["quarantine/2024-03-15/source.csv"] == found["analytics/year=2024/a.parquet"] == "-rw-------"
    assert (root / "quarantine").stat().st_gid == os.getegid()


def unknown(*_: object) -> None:
    raise OSError(22, "Invalid argument")


def test_a_store_of_an_earlier_version_is_closed_once(root):
    fill(open_store(root), root)
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    outside = root / "outside"
    outside.write_bytes(b"theirs")
    outside.chmod(0o644)
    (root / "quarantine" / "link").symlink_to(outside)
    (root / "quarantine" / "second name").hardlink_to(outside)

    assert open_store(root).close_to_others() == 11
    assert open_store(root).close_to_others() == 0

    found = modes(root)
    assert found["outside"] == found["quarantine/second name"] == "-rw-r--r--"
    ours = {path: mode for path, mode in found.items() if not path.startswith(("outside", "quarantine/"))}
    assert set(ours.values()) == {"drwxr-x---", "-rw-r-----"}


def test_a_group_that_is_named_later_gets_the_landing_zone_that_is_there(root):
    fill(open_store(root), root)

    assert open_store(root, group=str(GROUP)).close_to_others() == 3
    assert open_store(root, group=str(GROUP)).close_to_others() == 0

    assert modes(root)["raw-data/2024-03-15"] == "drwxrws---"
    assert modes(root)["quarantine"] == "drwxr-x---"


def test_a_group_that_there_is_not_is_named(root):
    with pytest.raises(SettingsError, match="GREENSTREAM_STORAGE_GROUP=no-such-group"):
        open_store(root, group="no-such-group")


if AS_ROOT:  # only root can be several users

    def test_a_member_of_the_group_drops_files_and_they_are_filed(root):
        store = open_store(root, group=str(GROUP))
        fill(store, root)
        zone = root / "raw-data"

        def drop() -> None:
            (zone / "f.csv").write_bytes(b"f")
            (zone / "2024-03-15" / "g.csv").write_bytes(b"g")

        assert in_a_process_of(NOBODY, GROUP, drop)
        assert not in_a_process_of(NOBODY, GROUP, lambda: list((root / "quarantine").iterdir()))
        assert not in_a_process_of(NOBODY, GROUP + 1, lambda: list(zone.iterdir()))

        for file in list(store.unfiled()):
            store.file_under(file.path, DAY)
        assert {file.path.rpartition("/")[2] for file in store.list_landed()} == {"f.csv", "g.csv", "source.csv"}
        assert (zone / "2024-03-15" / "f.csv").stat().st_uid == NOBODY

    @pytest.mark.parametrize("known", [True, False])
    def test_a_drop_of_another_user_is_filed_by_a_user_without_rights(root, monkeypatch, known):
        """Linux refuses hard links to files of others (fs.protected_hardlinks), where there is no exclusive rename."""
        if not known:
            monkeypatch.setattr(moves, "_rename_exclusively", unknown)
        os.chown(root, NOBODY, NOBODY)
        (root / "raw-data" / "2024-03-15").mkdir(parents=True)
        (root / "raw-data" / "f.csv").write_bytes(b"of root")
        for path in (root / "raw-data", root / "raw-data" / "2024-03-15"):
            os.chown(path, NOBODY, NOBODY)

        assert in_a_process_of(NOBODY, NOBODY, lambda: open_store(root).file_under("raw-data/f.csv", DAY))

        (filed,) = (root / "raw-data" / "2024-03-15").iterdir()
        assert filed.name == "f.csv" if known else filed.name.startswith("f.")
        assert filed.read_bytes() == b"of root"
        assert [path.name for path in (root / "raw-data").iterdir()] == ["2024-03-15"]

    def test_a_group_that_is_not_ours_is_named(root):
        os.chown(root, NOBODY, NOBODY)

        def use() -> None:
            with pytest.raises(StorageRefused, match="make GreenStream's user a member of it"):
                open_store(root, group=str(GROUP)).folder()

        assert in_a_process_of(NOBODY, NOBODY, use)

    def test_what_belongs_to_another_user_is_left_as_it_is(root):
        fill(open_store(root), root)
        for path in (root / "quarantine", root / "quarantine" / "2024-03-15" / "source.csv"):
            path.chmod(0o755)
        os.chown(root / "quarantine" / "2024-03-15" / "source.csv", NOBODY, NOBODY)

        assert open_store(root).close_to_others() == 1

        assert modes(root)["quarantine/2024-03-15/source.csv"] == "-rwxr-xr-x"


if AS_ROOT:

    def test_what_root_puts_into_the_store_of_somebody_else_is_theirs(root: Path) -> None:
        os.chown(root, NOBODY, -1)
        store = open_store(root)
        (root.parent / f"{root.name}.csv").write_bytes(b"a")
        try:
            store.land(root.parent / f"{root.name}.csv", day=DAY)
        finally:
            (root.parent / f"{root.name}.csv").unlink()
        store.put("analytics/year=2024/a.parquet", b"a")
        assert {path.lstat().st_uid for path in root.rglob("*")} == {NOBODY}
        landed = root / "raw-data" / str(DAY) / f"{root.name}.csv"
        assert in_a_process_of(NOBODY, NOBODY, landed.read_bytes)
