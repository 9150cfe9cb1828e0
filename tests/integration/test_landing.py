"""Landing in a folder: hand-dropped files, killed processes, full disks."""

import multiprocessing
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.contract.storage_fixtures import content_of

from greenstream.adapters.storage import ObjectStore, open_store
from greenstream.adapters.storage.names import escape, is_listed, landing_text, unescape, with_hash
from greenstream.domain.errors import NotFound, StorageRefused
from greenstream.domain.landing import Stray

DAY = date(2024, 3, 15)
NOBODY = 65534
LAND = """
import sys
from datetime import date
from pathlib import Path
from greenstream.adapters.storage import open_store
open_store(sys.argv[1]).land(Path(sys.argv[2]), day=date(2024, 3, 15))
"""

file_names = st.binary(min_size=1, max_size=255).filter(
    lambda name: not {b"/", b"\0"} & {name[i : i + 1] for i in range(len(name))} and name not in {b".", b".."}
)
texts = file_names.map(lambda name: name.decode("utf-8", "surrogateescape"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> ObjectStore:
    return open_store(root)


@pytest.fixture
def drop(root: Path) -> Path:
    """The day's folder, in which people drop files by hand."""
    folder = root / "raw-data" / "2024-03-15"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "f.csv"
    path.write_bytes(b"a")
    return path


@contextmanager
def as_a_user_without_rights() -> Iterator[None]:
    """Root may do anything, so become nobody; other users are kept out by the mode of the file."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@given(texts)
@example("a%20b.csv")
@example("%%41%4\n1")
@example("\udce9%ff.csv")
def test_a_name_has_one_key_and_the_way_back_is_exact(text):
    segment = escape(text)

    assert unescape(segment) == text
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in segment)
    assert "\\" not in segment


@given(texts)
@example("." + "\n" * 254)
@example("\udcff" * 84 + "#1" + "x" * 169)
@example("\ufffe" * 68 + "." + "\ufffe" * 16)
def test_any_name_lands_under_one_that_is_listed_and_fits(text):
    landing = landing_text(text)

    assert is_listed(landing)
    assert landing_text(landing) == landing
    for name in (landing, *(with_hash(landing, "0" * digits) for digits in (8, 16, 64))):
        assert is_listed(name)
        assert 0 < len(escape(name).encode()) <= 255


def test_files_dropped_by_hand_under_any_name_are_listed_and_read(store, drop):
    names = [
        b"caf\xe9.csv",
        b"a\nb.csv",
        b"a%0Ab.csv",
        b"a%250Ab.csv",
        b"100%.csv",
        b"a\\b.csv",
        b" .csv",
        b"\xff" * 255,
    ]
    for name in names:
        Path(os.fsdecode(bytes(drop) + b"/" + name)).write_bytes(name)

    landed = list(store.list_landed())

    assert sorted(content_of(store, each.path) for each in landed) == sorted(names)
    for each in landed:
        each.path.encode()
        assert store.head(each.path) == each
        assert content_of(store, store.quarantine(each.path, b"a")) == b"a"


def test_what_is_no_file_of_ours_is_named_and_the_listing_goes_on(store, root, drop, source):
    (drop / "good.csv").write_bytes(b"a")
    (drop / "link.csv").symlink_to(source)
    (drop / "folder.csv").mkdir()
    os.mkfifo(drop / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(drop / "s.csv"))
    (root / "raw-data" / "2024-03-16").symlink_to(drop)
    (root / "raw-data" / "latest").mkdir()
    for name in (".hidden", "f.csv.part"):
        (drop / name).symlink_to(source)
    strays: list[Stray] = []

    assert [each.path for each in store.list_landed(on_stray=strays.append)] == ["raw-data/2024-03-15/good.csv"]
    assert list(store.unfiled(on_stray=strays.append)) == []

    assert {each.path.removeprefix("raw-data/"): each.why for each in strays} == {
        "2024-03-15/link.csv": "a symbolic link, which isn't followed",
        "2024-03-15/folder.csv": "a folder in a day's folder",
        "2024-03-15/pipe.csv": "a named pipe",
        "2024-03-15/s.csv": "a socket",
        "2024-03-16": "a symbolic link, which isn't followed",
        "latest": "a folder whose name is no day (YYYY-MM-DD)",
    }


def test_a_days_folder_that_is_closed_to_us_is_named_and_the_others_are_listed():
    strays: list[Stray] = []
    with tempfile.TemporaryDirectory() as root:  # which others can reach, unlike those of pytest
        Path(root).chmod(0o755)
        for day, mode in (("2024-03-14", 0), ("2024-03-15", 0o755)):
            (Path(root) / "raw-data" / day).mkdir(parents=True)
            (Path(root) / "raw-data" / day / "f.csv").write_bytes(b"a")
            (Path(root) / "raw-data" / day).chmod(mode)
        store = open_store(root)
        with as_a_user_without_rights():
            listed = [file.path for file in store.list_landed(on_stray=strays.append)]

    assert listed == ["raw-data/2024-03-15/f.csv"]
    assert [each.path for each in strays] == ["raw-data/2024-03-14"]
    assert "Permission denied" in strays[0].why


@pytest.mark.parametrize("depth", ["zone", "day"])
def test_a_folder_that_is_a_link_is_never_followed(store, root, drop, source, depth):
    """Neither for reading nor for writing, deleting or sweeping."""
    elsewhere = root / "elsewhere"
    (drop / "f.csv").write_bytes(b"theirs")
    (drop / ".greenstream-0123456789abcdef.tmp").write_bytes(b"theirs")
    known = store.head("raw-data/2024-03-15/f.csv")
    linked = drop if depth == "day" else drop.parent
    linked.rename(elsewhere)
    linked.symlink_to(elsewhere)
    before = sorted(path.name for path in elsewhere.rglob("*"))

    for use in (
        lambda: list(store.read(known)),
        lambda: store.head(known.path),
        lambda: store.read_range(known, 0, 1),
        lambda: store.rewrite(known, b"ours"),
        lambda: store.land(source, day=DAY),
        lambda: store.put(known.path, b"ours"),
    ):
        with pytest.raises((NotFound, StorageRefused)):
            use()
    if depth == "day":
        assert store.delete(known) is False
        store.remove(known.path)
        assert list(store.list_landed()) == list(store.list_landed(DAY)) == []
    else:
        for use in (store.folder, lambda: list(store.list_landed()), lambda: list(store.unfiled())):
            with pytest.raises(StorageRefused, match="is a symbolic link"):
                use()
    assert store.sweep(before=datetime.now(UTC) + timedelta(hours=1)) == 0
    store.close_to_others()

    assert sorted(path.name for path in elsewhere.rglob("*")) == before
    theirs = next(elsewhere.rglob("f.csv"))
    assert theirs.read_bytes() == b"theirs"
    assert stat.filemode(theirs.stat().st_mode) == "-rw-r--r--"


def test_the_root_may_be_reached_through_links(tmp_path, source):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")

    landed = open_store(tmp_path / "link" / "store").land(source, day=DAY)

    assert (tmp_path / "disk" / "store" / landed.path).read_bytes() == b"a"


def test_a_named_pipe_that_was_swapped_in_stops_nobody(store, root, drop, source):
    path = drop / "f.csv"
    path.write_bytes(b"a")
    landed = store.head("raw-data/2024-03-15/f.csv")
    (root / "raw-data" / "drop.csv").write_bytes(b"a")
    (unfiled,) = store.unfiled()
    for each in (path, root / "raw-data" / "drop.csv"):
        each.unlink()
        os.mkfifo(each)

    for use in (lambda: list(store.read(landed)), lambda: store.read_range(landed, 0, 1)):
        with pytest.raises(NotFound):
            use()
    with pytest.raises(NotFound):
        store.file_under(unfiled.path, DAY)
    assert store.delete(landed) is False
    assert {path.name for path in drop.iterdir()} == {"f.csv"}


def test_a_drop_is_moved_not_copied_and_whoever_writes_to_it_goes_on_there(store, root, drop):
    path = root / "raw-data" / "f.csv"
    path.write_bytes(b"first half, ")
    with path.open("ab") as slow:
        (unfiled,) = store.unfiled()
        landed = store.file_under(unfiled.path, DAY)
        slow.write(b"second half")

    assert landed.path == "raw-data/2024-03-15/f.csv"
    assert store.head(landed.path).version != landed.version
    assert content_of(store, landed.path) == b"first half, second half"
    assert names_in(root / "raw-data") == ["2024-03-15"]


def test_the_same_drop_again_is_a_delivery_of_its_own(store, root):
    paths = []
    for content in (b"a", b"a", b"b", b"a"):
        (root / "raw-data").mkdir(parents=True, exist_ok=True)
        (root / "raw-data" / "f.csv").write_bytes(content)
        paths.append(store.file_under("raw-data/f.csv", DAY).path.rpartition("/")[2])

    assert paths[:3] == ["f.csv", "f.ca978112.csv", "f.3e23e816.csv"]
    assert re.fullmatch(r"f\.ca978112-[0-9a-f]{8}\.csv", paths[3])
    assert sorted(content_of(store, each.path) for each in store.list_landed()) == [b"a", b"a", b"a", b"b"]


def test_only_regular_complete_files_are_listed(store, drop, source):
    (drop / "good.csv").write_bytes(b"a")
    (drop / "link.csv").symlink_to(source)
    (drop / "dangling.csv").symlink_to("nowhere")
    (drop / "folder.csv").mkdir()
    (drop / "folder.csv" / "inner.csv").write_bytes(b"a")
    os.mkfifo(drop / "pipe.csv")
    for name in (".hidden.csv", "f.csv.part", "f.csv.tmp", "f.csv#12"):
        (drop / name).write_bytes(b"a")

    (good,) = store.list_landed()
    assert good.path == "raw-data/2024-03-15/good.csv"
    for name in ("link.csv", "dangling.csv", "folder.csv", "pipe.csv"):
        with pytest.raises(NotFound):
            list(store.read(replace(good, path=f"raw-data/2024-03-15/{name}")))


@pytest.mark.parametrize("obstacle", ["link", "dangling link", "folder"])
def test_a_name_taken_by_no_file_is_left_alone(store, drop, source, obstacle):
    taken = drop / "f.csv"
    if obstacle == "folder":
        taken.mkdir()
    else:
        taken.symlink_to(source if obstacle == "link" else "nowhere")

    landed = store.land(source, day=DAY)

    assert landed.path == "raw-data/2024-03-15/f.ca978112.csv"
    assert source.read_bytes() == b"a"
    assert [each.path for each in store.list_landed()] == [landed.path]


def test_a_file_in_the_landing_zone_is_landed_already(store, drop, monkeypatch):
    (drop / "f.csv").write_bytes(b"a")
    before = store.head("raw-data/2024-03-15/f.csv")
    monkeypatch.chdir(drop)

    for path in (drop / "f.csv", Path("f.csv"), drop / ".." / "2024-03-15" / "f.csv"):
        assert store.land(path, day=date(2025, 1, 1)) == before
    assert list(store.list_landed()) == [before]


@pytest.mark.parametrize("place", ["raw-data/2024-03-15/f.csv.part", "raw-data/f.csv", "quarantine/2024-03-15/f.csv"])
def test_a_file_elsewhere_in_the_store_is_landed_by_copy(store, root, place):
    (root / place).parent.mkdir(parents=True)
    (root / place).write_bytes(b"a")

    landed = store.land(root / place, day=date(2025, 1, 1))

    assert landed.path.startswith("raw-data/2025-01-01/f.csv")
    assert (root / place).read_bytes() == b"a"


def test_a_link_in_the_landing_zone_is_landed_by_copy(store, drop, source):
    (drop / "link.csv").symlink_to(source)

    landed = store.land(drop / "link.csv", day=DAY)

    assert landed.path == "raw-data/2024-03-15/link.ca978112.csv"


def test_the_landed_file_is_a_plain_one_and_nothing_else_is_left(store, root, source):
    for _ in range(2):
        store.land(source, day=DAY)
    store.quarantine("raw-data/2024-03-15/f.csv", source.read_bytes())
    store.check()

    files = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    assert files == ["quarantine/2024-03-15/f.csv", "raw-data/2024-03-15/f.csv"]
    status = (root / files[1]).stat()
    assert status.st_nlink == 1
    assert stat.filemode(status.st_mode) == "-rw-r-----"


def test_no_sender_can_choose_when_a_file_came(store, drop):
    file = drop / "f.csv"
    file.write_bytes(b"a")
    os.utime(file, ns=(0, 1_710_528_300_123_456_789))

    landed = store.head("raw-data/2024-03-15/f.csv")
    assert landed.modified_at == datetime(2024, 3, 15, 18, 45, 0, 123456, tzinfo=UTC)
    assert abs(datetime.now(UTC) - landed.received_at) < timedelta(minutes=1)


@pytest.mark.parametrize("seconds", [-(2**31), 2**33, 2**40])
def test_an_absurd_time_of_modification_does_not_stop_the_listing(store, drop, seconds):
    (drop / "f.csv").write_bytes(b"a")
    os.utime(drop / "f.csv", (0, seconds))

    assert len(list(store.list_landed())) == 1


def test_a_delivery_at_once_after_another_still_has_its_own_time_and_version(store, source):
    landed = [store.land(source, day=DAY) for _ in range(20)]

    assert len({each.version for each in landed}) == len({each.modified_at for each in landed}) == len(landed)


def test_a_process_killed_while_landing_leaves_nothing_under_the_name(store, root, tmp_path):
    source = tmp_path / "f.csv"
    with source.open("wb") as file:
        file.truncate(2**30)
    folder = root / "raw-data" / "2024-03-15"

    with subprocess.Popen([sys.executable, "-c", LAND, str(root), str(source)]) as process:
        while not (folder.is_dir() and names_in(folder)):
            assert process.poll() is None
            time.sleep(0.001)
        process.kill()

    assert process.returncode == -signal.SIGKILL
    assert len(names_in(folder)) == 1
    assert list(store.list_landed()) == []
    assert store.sweep(before=datetime.now(UTC) - timedelta(hours=1)) == 0
    assert store.sweep(before=datetime.now(UTC) + timedelta(hours=1)) == 1
    assert names_in(folder) == []


def test_processes_landing_different_files_under_one_name_at_once_keep_all(store, root, tmp_path):
    sources = []
    for number in range(8):
        sources.append(tmp_path / str(number) / "f.csv")
        sources[-1].parent.mkdir()
        sources[-1].write_bytes(str(number).encode() * 1000)

    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.starmap(land, [(root, source) for source in sources], chunksize=1)

    found = sorted(content_of(store, landed.path) for landed in store.list_landed())
    assert found == [source.read_bytes() for source in sources]


def land(root: Path, source: Path) -> None:
    open_store(root).land(source, day=DAY)


def test_a_disk_that_takes_no_more_is_refused_and_nothing_is_left(store, root, source):
    source.write_bytes(b"a" * 100_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(StorageRefused, match="cannot be written: File too large"):
            store.land(source, day=DAY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert names_in(root / "raw-data" / "2024-03-15") == []


def test_a_source_without_permission_is_refused_by_name(store, source):
    source.chmod(0)

    with as_a_user_without_rights(), pytest.raises(StorageRefused, match=r"f\.csv is not readable"):
        store.land(source, day=DAY)


def test_a_store_without_permission_is_refused_with_a_remedy(store, drop, root):
    (drop / "f.csv").write_bytes(b"a")
    (drop / "f.csv").chmod(0)
    root.chmod(0)

    with as_a_user_without_rights():
        for use in (store.check, lambda: list(store.list_landed()), lambda: store.head("raw-data/2024-03-15/f.csv")):
            with pytest.raises(StorageRefused, match="give GreenStream's user the permission"):
                use()
    root.chmod(0o700)


def test_a_root_that_is_a_file_is_refused(source):
    with pytest.raises(StorageRefused, match="Not a directory"):
        open_store(source).check()
