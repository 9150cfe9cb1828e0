"""What every store promises: a folder, memory, and a real S3 server."""

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.contract.storage_fixtures import (
    BUCKET,
    S3Server,
    content_of,
    free_ports,
    running_s3_server,
)

from greenstream.adapters.storage import LandedFile, ObjectStore, open_store
from greenstream.domain.errors import NotFound, SettingsError, StorageRefused, StorageUnavailable

DAY = date(2024, 3, 15)
MEBIBYTE = 1024 * 1024
ODD_NAMES = [
    pytest.param(b"day 1 .csv", "day 1 .csv", id="blanks"),
    pytest.param(b" lead.csv ", " lead.csv ", id="blanks at the ends"),
    pytest.param(b"a#1.csv", "a#1.csv", id="number sign"),
    pytest.param(b"a%20b.csv", "a%2520b.csv", id="percent encoded"),
    pytest.param(b"100%.csv", "100%.csv", id="percent"),
    pytest.param(b"a*?[x]{y}~^`|.csv", "a*?[x]{y}~^`|.csv", id="wildcards"),
    pytest.param(b"<a&b>+\"'=;,.csv", "<a&b>+\"'=;,.csv", id="markup"),
    pytest.param("zähler-€-😀.csv".encode(), "zähler-€-😀.csv", id="unicode"),
    pytest.param(b"caf\xe9.csv", "caf%E9.csv", id="not UTF-8"),
    pytest.param(b"a\nb\t\x7f.csv", "a%0Ab%09%7F.csv", id="control characters"),
    pytest.param("\x85\u2028.csv".encode(), "%C2%85\u2028.csv", id="unicode controls"),
    pytest.param("\ufffe.csv".encode(), "%EF%BF%BE.csv", id="no character"),
    pytest.param(b"a\\b.csv", "a%5Cb.csv", id="backslash"),
    pytest.param(b".hidden.csv", "_.hidden.csv", id="hidden"),
    pytest.param(b".csv", "_.csv", id="extension alone"),
    pytest.param(b"f.csv.part", "f.csv.part_", id="partial"),
    pytest.param(b"f.csv#1", "f.csv#1_", id="staging of obstore"),
    pytest.param(b"-rf", "-rf", id="option"),
    pytest.param(b"...", "_...", id="dots"),
    pytest.param(b"f" * 251 + b".csv", "f" * 251 + ".csv", id="255 bytes"),
    pytest.param(b"\xff" * 251 + b".csv", "%FF" * 83 + ".csv", id="255 bytes not UTF-8"),
    pytest.param(b"." * 251 + b".csv", "_" + "." * 250 + ".csv", id="255 bytes hidden"),
]


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{uuid.uuid4()}"


@pytest.fixture(params=["folder", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "s3":
        return open_store(request.getfixturevalue("s3"))
    return open_store("memory:///" if request.param == "memory" else tmp_path / "store")


@pytest.fixture
def source(tmp_path: Path) -> Callable[[bytes, str | bytes], Path]:
    def make(content: bytes, name: str | bytes = "f.csv") -> Path:
        folder = tmp_path / "sources" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        path = folder / os.fsdecode(name)
        path.write_bytes(content)
        return path

    return make


def wait_for_a_new_time(store: ObjectStore, landed: LandedFile) -> None:
    """S3 tells times in seconds."""
    while str(store).startswith("s3:") and datetime.now(UTC) - landed.received_at < timedelta(seconds=1.1):
        time.sleep(0.05)


def paths(store: ObjectStore) -> list[str]:
    return [landed.path for landed in store.list_landed()]


def test_a_landed_file_is_found_listed_and_read_under_its_key(store, source):
    landed = store.land(source(b"meter_id\n"), day=DAY)

    assert landed.path == "raw-data/2024-03-15/f.csv"
    assert landed.size_bytes == 9
    assert landed.received_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - landed.received_at) < timedelta(minutes=10)
    assert store.head(landed.path) == landed
    assert list(store.list_landed()) == [landed]
    assert content_of(store, landed.path) == b"meter_id\n"


def test_landing_leaves_the_source_as_it_was(store, source):
    file = source(b"a")
    before = file.stat().st_mtime_ns

    store.land(file, day=DAY)

    assert (file.read_bytes(), file.stat().st_mtime_ns) == (b"a", before)


@pytest.mark.parametrize("size", [0, 1, 8 * MEBIBYTE, 8 * MEBIBYTE + 1, 20 * MEBIBYTE])
def test_files_of_any_size_land_whole_and_are_read_in_chunks(store, source, size):
    content = os.urandom(size)

    landed = store.land(source(content), day=DAY)

    chunks = list(store.read(landed))
    assert landed.size_bytes == size
    assert b"".join(chunks) == content
    assert all(0 < len(chunk) <= 8 * MEBIBYTE for chunk in chunks)


def test_a_file_too_big_to_process_lands_whole_too_and_once(store, source):
    """In a bucket it has its hash in its name from the start: uploads in parts are not atomic everywhere."""
    store.put("raw-data/2024-03-15/f.csv", b"older")
    content = os.urandom(MEBIBYTE) * 129

    landed = [store.land(source(content), day=DAY) for _ in range(2)]

    digest = hashlib.sha256(content).hexdigest()
    assert {each.path for each in landed} == {f"raw-data/2024-03-15/f.{digest[:8]}.csv"}
    assert landed[1].size_bytes == len(content)
    assert content_of(store, landed[1].path) == content
    assert content_of(store, "raw-data/2024-03-15/f.csv") == b"older"


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("f.csv", "f.ca978112.csv"),
        ("f.CSV.gz", "f.ca978112.CSV.gz"),
        ("f.v2.csv.ZST", "f.v2.ca978112.csv.ZST"),
        ("f.v2.csv", "f.v2.ca978112.csv"),
        ("f", "f.ca978112"),
        ("f" * 251 + ".csv", "f" * 242 + ".ca978112.csv"),
        ("ü" * 125 + ".csv", "ü" * 121 + ".ca978112.csv"),
        ("a%20b.csv", "a%2520b.ca978112.csv"),
    ],
)
def test_other_content_under_a_known_name_is_kept_beside_it_with_its_hash(store, source, name, beside):
    first = store.land(source(b"first", name), day=DAY)

    second = store.land(source(b"a", name), day=DAY)

    assert second.path == f"raw-data/2024-03-15/{beside}"
    assert content_of(store, first.path) == b"first"
    assert content_of(store, second.path) == b"a"


@pytest.mark.parametrize("size", [10, 9 * MEBIBYTE])
def test_the_same_content_under_the_same_name_is_one_file_received_anew(store, source, size):
    content = os.urandom(size)
    first = store.land(source(content), day=DAY)
    wait_for_a_new_time(store, first)

    second = store.land(source(content), day=DAY)

    assert second.path == first.path
    assert second.received_at > first.received_at
    assert list(store.list_landed()) == [second]
    assert content_of(store, second.path) == content


def test_content_kept_beside_another_is_known_again(store, source):
    contents = [os.urandom(size) for size in (5, 5, 9 * MEBIBYTE, 9 * MEBIBYTE)]
    first = [store.land(source(content), day=DAY).path for content in contents]

    again = [store.land(source(content), day=DAY).path for content in contents]

    assert again == first
    assert sorted(first) == paths(store)
    assert [content_of(store, path) for path in first] == contents


def test_a_name_taken_even_with_the_hash_gets_a_longer_hash(store, source):
    store.land(source(b"first"), day=DAY)
    store.land(source(b"a clash", "f.ca978112.csv"), day=DAY)

    landed = store.land(source(b"a"), day=DAY)

    assert landed.path == "raw-data/2024-03-15/f.ca978112ca1bbdca.csv"
    assert len(paths(store)) == 3


def test_names_taken_on_purpose_are_refused_and_nothing_is_overwritten(store, source):
    digest = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    names = ["f.csv", *(f"f.{digest[:digits]}.csv" for digits in (8, 16, 64))]
    for name in names:
        store.land(source(name.encode(), name), day=DAY)

    with pytest.raises(StorageRefused, match="rename"):
        store.land(source(b"a"), day=DAY)

    assert {content_of(store, path).decode() for path in paths(store)} == set(names)


@pytest.mark.parametrize("size", [1000, 9 * MEBIBYTE])
def test_different_files_landing_under_one_name_at_once_are_all_kept(store, source, size):
    contents = [bytes([number]) * size for number in range(6)]
    sources = [source(content) for content in contents]

    with ThreadPoolExecutor(len(sources)) as pool:
        landed = list(pool.map(lambda file: store.land(file, day=DAY), sources))

    assert len({each.path for each in landed}) == len(contents)
    assert [content_of(store, each.path) for each in landed] == contents


def test_one_content_landing_twice_at_once_is_one_file(store, source):
    sources = [source(b"same") for _ in range(6)]

    with ThreadPoolExecutor(len(sources)) as pool:
        landed = list(pool.map(lambda file: store.land(file, day=DAY), sources))

    assert {each.path for each in landed} == {"raw-data/2024-03-15/f.csv"}
    assert len(paths(store)) == 1


@pytest.mark.parametrize(("name", "segment"), ODD_NAMES)
def test_any_file_name_lands_under_a_readable_key(store, source, name, segment):
    landed = store.land(source(name, name), day=DAY)

    assert landed.path == f"raw-data/2024-03-15/{segment}"
    assert list(store.list_landed()) == [landed]
    assert content_of(store, landed.path) == name
    assert content_of(store, store.quarantine(landed.path, name)) == name


def test_the_listing_is_by_day_and_name_and_can_be_of_one_day(store, source):
    days = [DAY + timedelta(days=1), DAY]
    for day in days:
        for name in ("b.csv", "a.csv"):
            store.land(source(name.encode(), name), day=day)

    assert paths(store) == [
        *("raw-data/2024-03-15/a.csv", "raw-data/2024-03-15/b.csv"),
        *("raw-data/2024-03-16/a.csv", "raw-data/2024-03-16/b.csv"),
    ]
    assert [each.path for each in store.list_landed(DAY)] == paths(store)[:2]


def test_an_empty_store_lists_nothing(store):
    assert list(store.list_landed()) == []
    assert list(store.list_landed(DAY)) == []


@pytest.mark.parametrize(
    "path",
    [
        *("raw-data/2024-03-15/.f.csv", "raw-data/2024-03-15/f.csv.part", "raw-data/2024-03-15/F.CSV.TMP"),
        *("raw-data/2024-03-15/f.csv#1", "raw-data/2024-03-15/sub/f.csv", "raw-data/f.csv", "f.csv"),
        *("raw-data/20240315/f.csv", "raw-data/latest/f.csv", "raw-data/2024-13-01/f.csv"),
        *("quarantine/2024-03-15/f.csv", "analytics/2024-03-15/f.csv"),
    ],
)
def test_what_is_not_a_complete_file_in_a_days_folder_is_not_listed(store, path):
    store.put(path, b"a")

    assert list(store.list_landed()) == []


def test_quarantine_copies_and_can_be_repeated(store, source):
    landed = store.land(source(b"bad", "f.csv.gz"), day=DAY)

    keys = [store.quarantine(landed.path, b"bad") for _ in range(2)]

    assert keys == ["quarantine/2024-03-15/f.csv.gz"] * 2
    assert content_of(store, keys[0]) == b"bad"
    assert store.head(landed.path) == landed


def test_quarantine_keeps_other_content_of_the_same_name(store, source):
    store.put("quarantine/2024-03-15/f.csv", b"older")
    landed = store.land(source(b"a"), day=DAY)

    keys = [store.quarantine(landed.path, b"a") for _ in range(2)]

    assert keys == ["quarantine/2024-03-15/f.ca978112.csv"] * 2
    assert content_of(store, "quarantine/2024-03-15/f.csv") == b"older"
    assert content_of(store, keys[0]) == b"a"


def test_only_landed_files_can_be_quarantined(store):
    store.put("analytics/f.csv", b"a")

    with pytest.raises(NotFound, match="raw-data/"):
        store.quarantine("analytics/f.csv", b"a")


@pytest.mark.parametrize("size", [0, 10, 9 * MEBIBYTE])
def test_put_writes_and_replaces_from_memory_and_from_a_file(store, source, size):
    old, new = os.urandom(9 * MEBIBYTE), os.urandom(size)
    store.put("analytics/year=2024/a.parquet", old)

    store.put("analytics/year=2024/a.parquet", new)
    assert content_of(store, "analytics/year=2024/a.parquet") == new

    store.put("analytics/year=2024/a.parquet", source(old))
    assert content_of(store, "analytics/year=2024/a.parquet") == old


def test_an_object_replaced_while_it_is_read_is_never_mixed_with_the_new_one(store):
    old, new = bytes(20 * MEBIBYTE), b"a" * 20 * MEBIBYTE
    store.put("analytics/a.parquet", old)
    reading = store.read(store.head("analytics/a.parquet"))
    first = next(reading)

    store.put("analytics/a.parquet", new)

    if str(store).startswith("/"):
        assert first + b"".join(reading) == old
    else:
        with pytest.raises(StorageUnavailable, match="changed while it was being read"):
            next(reading)


def test_a_range_is_read_of_the_file_that_was_listed(store):
    store.put("analytics/a.parquet", b"0123456789")
    file = store.head("analytics/a.parquet")
    assert [store.read_range(file, *ends) for ends in ((0, 10), (3, 5), (9, 10))] == [b"0123456789", b"34", b"9"]

    store.put("analytics/a.parquet", b"another content")
    with pytest.raises(StorageUnavailable, match="changed while it was being read"):
        store.read_range(file, 0, 10)

    store.remove(file.path)
    with pytest.raises(NotFound):
        store.read_range(file, 0, 10)


def test_a_walk_finds_all_files_below_a_folder(store):
    keys = ["analytics/a.parquet", "analytics/b/c/d.parquet", "analytics/b/e.parquet"]
    for key in (*keys, "aggregates/f.parquet"):
        store.put(key, b"a")

    assert sorted(file.path for file in store.walk("analytics")) == keys
    assert all(file == store.head(file.path) for file in store.walk("analytics"))
    assert list(store.walk("absent")) == []


@pytest.mark.parametrize(("content", "ends"), [(b"", False), (b"a", False), (b"a\n", True), (b"\n\r", False)])
def test_the_last_byte_tells_whether_a_line_ends(store, source, content, ends):
    assert store.ends_a_line(store.land(source(content), day=DAY).path) is ends


def test_delete_removes_and_can_be_repeated(store, source):
    landed = store.land(source(b"a"), day=DAY)

    assert [store.delete(landed) for _ in range(2)] == [True, False]

    assert paths(store) == []
    with pytest.raises(NotFound):
        store.head(landed.path)


@pytest.mark.parametrize(
    "path", ["raw-data/2024-03-15/none.csv", "raw-data/2024-03-15", "raw-data/../f.csv", "raw-data/a\nb.csv"]
)
def test_a_key_without_an_object_is_not_found(store, source, path):
    store.land(source(b"a"), day=DAY)

    gone = replace(store.land(source(b"b"), day=DAY), path=path)
    for use in (lambda: store.head(path), lambda: list(store.read(gone))):
        with pytest.raises(NotFound):
            use()
    assert not store.delete(gone)


def test_only_the_version_that_was_seen_is_read_rewritten_and_deleted(store, source):
    first = store.land(source(b"a"), day=DAY)
    assert b"".join(store.read(first)) == b"a"
    wait_for_a_new_time(store, first)
    store.put(first.path, b"b")

    for use in (lambda: list(store.read(first)), lambda: store.rewrite(first, b"c")):
        with pytest.raises(StorageUnavailable, match="changed"):
            use()
    assert not store.delete(first)
    assert content_of(store, first.path) == b"b"


def test_a_rewritten_file_is_another_version_under_its_old_time_where_the_store_can(store, source):
    landed = store.land(source(b"a"), day=DAY)
    wait_for_a_new_time(store, landed)
    rewritten = store.rewrite(landed, b"b")

    assert rewritten == store.head(landed.path)
    assert rewritten.version != landed.version
    assert (rewritten.modified_at == landed.modified_at) is str(store).startswith("/")
    assert b"".join(store.read(rewritten)) == b"b"


def test_a_sweep_takes_nothing_that_is_landed(store, source):
    landed = store.land(source(b"a"), day=DAY)

    assert store.sweep(before=datetime.now(UTC) + timedelta(hours=1)) == 0
    assert store.head(landed.path) == landed


def test_a_check_of_a_good_store_passes_and_leaves_nothing(store):
    store.check()

    assert list(store.list_landed()) == []


def test_a_source_that_is_missing_or_no_file_is_named(store, tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(NotFound, match=r"missing\.csv: no such file"):
        store.land(tmp_path / "missing.csv", day=DAY)
    with pytest.raises(StorageRefused, match="is a folder"):
        store.land(tmp_path, day=DAY)
    with pytest.raises(StorageRefused, match="pipe is not a regular file"):
        store.land(tmp_path / "pipe", day=DAY)
    assert paths(store) == []


def test_a_source_that_is_still_being_written_is_refused_for_now(store, source):
    file = source(os.urandom(40 * MEBIBYTE))

    with ThreadPoolExecutor(1) as pool:
        landing = pool.submit(store.land, file, day=DAY)
        while not landing.done():
            os.utime(file)
        with pytest.raises(StorageUnavailable, match="still being written"):
            landing.result()

    assert paths(store) == []


def test_a_missing_bucket_is_refused(s3, source):
    store = open_store("s3://no-such-bucket")

    for use in (store.check, lambda: store.land(source(b"a"), day=DAY), lambda: list(store.list_landed())):
        with pytest.raises(StorageRefused, match="no such bucket"):
            use()


@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_bad_credentials_are_refused_and_named(s3, source, monkeypatch, variable):
    monkeypatch.setenv(variable, "wrong")
    store = open_store(s3)

    for use in (
        store.check,
        lambda: store.land(source(b"a"), day=DAY),
        lambda: store.land(source(bytes(9 * MEBIBYTE)), day=DAY),
        lambda: list(store.list_landed()),
        lambda: store.head("raw-data/2024-03-15/f.csv"),
        lambda: store.remove("raw-data/2024-03-15/f.csv"),
    ):
        with pytest.raises(StorageRefused, match="AWS_ACCESS_KEY_ID"):
            use()


def test_missing_credentials_are_named(s3, source, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(SettingsError, match="Missing AccessKeyId"):
        open_store(s3)

    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{free_ports(1)[0]}")

    with pytest.raises(StorageUnavailable, match="no credentials were found either in AWS_ACCESS_KEY_ID"):
        open_store(s3).land(source(b"a"), day=DAY)


def test_a_server_that_does_not_answer_is_unavailable(s3, source, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_ports(1)[0]}")
    store = open_store(s3)

    for use in (lambda: store.land(source(b"a"), day=DAY), lambda: list(store.list_landed())):
        with pytest.raises(StorageUnavailable, match="AWS_ENDPOINT_URL"):
            use()


@pytest.mark.parametrize("url", ["ftp://host/x", "s3://", "file://host/x", "memory://x", "gs://bucket", "s3://a b/c"])
def test_a_url_that_cannot_be_used_is_a_settings_error(url):
    with pytest.raises(SettingsError, match=f"{url} (is no store|cannot be used)"):
        open_store(url)


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_a_folder_is_named_by_path_or_url(tmp_path, source, form):
    root = tmp_path / "my store"

    open_store(form.format(root).replace(" ", "%20" if form != "{}" else " ")).land(source(b"a"), day=DAY)

    assert (root / "raw-data" / "2024-03-15" / "f.csv").read_bytes() == b"a"
