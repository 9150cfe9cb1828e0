"""S3 alone: whatever keys people put into a bucket, and what a bucket with versions keeps."""

from datetime import date
from pathlib import Path

import pytest
from tests.contract.storage_fixtures import S3Server, content_of, send

from greenstream.adapters.storage import ObjectStore, open_store
from greenstream.domain.errors import NotFound, StorageRefused, StorageUnavailable
from greenstream.domain.landing import Stray

DAY = date(2024, 3, 15)
FOLDER = "raw-data/2024-03-15"
READABLE = [
    *(
        "f.csv",
        "day 1.csv",
        "a+b.csv",
        "100%.csv",
        "a%20b.csv",
        "a%0Ab.csv",
        "zähler-€-😀.csv",
        "a?b#c&d=e.csv",
        "~(x)!*'.csv",
    ),
    *("e\u0301.csv", "<a&b>.csv", "f" * 250),
]
UNREADABLE = ["a\nb.csv", "a\rb.csv", "a\tb.csv", "\x7f.csv", "\x85.csv"]


@pytest.fixture
def store(s3: str) -> ObjectStore:
    return open_store(s3)


@pytest.fixture
def keeping(kept: str) -> ObjectStore:
    return open_store(kept)


def put(server: S3Server, store: ObjectStore, key: str, content: bytes = b"a") -> None:
    send(server, "PUT", f"{str(store).removeprefix('s3://')}/{key}", body=content)


def contents(store: ObjectStore) -> list[bytes]:
    return [b"".join(store.read(file)) for file in store.list_landed()]


def test_whatever_key_a_file_has_it_is_read_or_named_and_stops_no_listing(
    s3_server: S3Server, store: ObjectStore
) -> None:
    for name in (*READABLE, *UNREADABLE, "sub/f.csv", "hidden/", ".f.csv", "f.csv.part"):
        put(s3_server, store, f"{FOLDER}/{name}", name.encode())
    strays: list[Stray] = []

    files = list(store.list_landed(DAY, on_stray=strays.append))

    assert [file.path for file in files] == sorted(f"{FOLDER}/{name}" for name in READABLE)
    for file in files:
        assert content_of(store, file.path) == file.path.removeprefix(f"{FOLDER}/").encode()
        assert store.head(file.path) == file
        assert content_of(store, store.quarantine(file.path, b"bad")) == b"bad"
    named = {stray.path.removeprefix(f"{FOLDER}/"): stray.why for stray in strays}
    assert named.keys() == {*UNREADABLE, "sub/", "hidden/"}
    assert "control character" in named["a\nb.csv"]


def test_what_lies_outside_the_folders_of_days_is_filed_or_named(s3_server: S3Server, store: ObjectStore) -> None:
    for key in ("raw-data/x.csv", "raw-data/.x.csv", "raw-data/incoming/x.csv", "raw-data/2024-3-15/x.csv"):
        put(s3_server, store, key)
    put(s3_server, store, "raw-data/")
    strays: list[Stray] = []

    assert list(store.list_landed(on_stray=strays.append)) == []
    assert [file.path for file in store.unfiled()] == ["raw-data/x.csv"]
    assert [stray.path for stray in strays] == ["raw-data/2024-3-15/", "raw-data/incoming/"]


def test_a_listing_of_many_pages_is_whole(s3_server: S3Server, keeping: ObjectStore) -> None:
    keys = [f"{FOLDER}/{number:04}.csv" for number in range(501)]
    for key in keys * 2:
        keeping.put(key, b"a")

    assert [file.path for file in keeping.list_landed(DAY)] == [key for key in keys for _ in range(2)]
    assert [file.path for file in keeping.walk(FOLDER)] == keys


def test_a_file_of_a_bucket_that_is_missing_is_not_gone(s3: str) -> None:
    store = open_store("s3://no-such-bucket")

    for use in (lambda: store.head(f"{FOLDER}/f.csv"), lambda: store.landed(f"{FOLDER}/f.csv")):
        with pytest.raises(StorageRefused, match="no such bucket"):
            use()


def test_each_content_that_was_put_under_a_key_is_a_file(keeping: ObjectStore) -> None:
    key = f"{FOLDER}/f.csv"
    for content in (b"first", b"second", b"third"):
        keeping.put(key, content)
    files = list(keeping.list_landed())

    assert contents(keeping) == [b"first", b"second", b"third"]
    assert len({file.version for file in files}) == 3
    assert keeping.head(key) == files[-1]
    assert list(keeping.landed(key)) == files
    assert keeping.read_range(files[0], 1, 3) == b"ir"
    assert [file.size_bytes for file in keeping.walk("raw-data")] == [5]


def test_what_is_put_while_a_file_is_read_neither_mixes_with_it_nor_hides_it(keeping: ObjectStore) -> None:
    key, content = f"{FOLDER}/f.csv", bytes(20 * 1024 * 1024)
    keeping.put(key, content)
    reading = keeping.read(keeping.head(key))
    first = next(reading)

    keeping.put(key, b"second")

    assert first + b"".join(reading) == content
    assert content_of(keeping, key) == b"second"


def test_only_the_newest_version_is_deleted_and_none_comes_back(keeping: ObjectStore) -> None:
    key = f"{FOLDER}/f.csv"
    for content in (b"first", b"second"):
        keeping.put(key, content)
    first, second = keeping.list_landed()

    assert not keeping.delete(first)
    assert contents(keeping) == [b"first", b"second"]
    assert keeping.delete(second)
    assert list(keeping.list_landed()) == []
    with pytest.raises(NotFound):
        keeping.head(key)

    keeping.put(key, b"third")
    assert contents(keeping) == [b"third"]


def test_a_rewritten_file_is_one_version_and_its_old_bytes_are_gone(keeping: ObjectStore) -> None:
    keeping.put(f"{FOLDER}/f.csv", b"a name")
    (old,) = keeping.list_landed()

    new = keeping.rewrite(old, b"------")

    assert list(keeping.list_landed()) == [new]
    with pytest.raises(NotFound):
        list(keeping.read(old))
    with pytest.raises(StorageUnavailable):
        keeping.rewrite(old, b"again")


def test_drops_of_one_name_are_all_filed_the_oldest_first(keeping: ObjectStore) -> None:
    for content in (b"first", b"second", b"third"):
        keeping.put("raw-data/f.csv", content)

    filed = [keeping.file_under(file.path, DAY).path for file in keeping.unfiled()]

    assert [content_of(keeping, path) for path in filed] == [b"first", b"second", b"third"]
    assert filed[0] == f"{FOLDER}/f.csv"
    assert list(keeping.unfiled()) == []


def test_a_drop_replaced_while_it_is_filed_stays_to_be_filed(store: ObjectStore) -> None:
    """Without versions: what came in between has another ETag."""
    store.put("raw-data/f.csv", b"first")
    (drop,) = store.unfiled()

    store.put("raw-data/f.csv", b"second")

    assert not store.delete_version(drop)
    assert content_of(store, "raw-data/f.csv") == b"second"


def test_same_content_landed_again_is_another_version(keeping: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "f.csv"
    source.write_bytes(b"a")

    landed = [keeping.land(source, day=DAY) for _ in range(2)]

    assert list(keeping.list_landed()) == landed
    keeping.check()
