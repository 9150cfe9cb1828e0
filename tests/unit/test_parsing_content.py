"""The bytes of a landed file: extension, size, archives."""

import tracemalloc

import pytest
from tests.unit.parsing_support import packed, parse, reason

from greenstream.domain.formats import content as content_module

TEXT = b"meter_id,timestamp,energy_value\nSM-1,2024-03-15 18:45,1 kW\nSM-2,2024-03-15 18:45,2 kW\n"
ARCHIVES = ("readings.csv.gz", "readings.csv.zst")


@pytest.mark.parametrize(
    "name", ["a.csv", "A.CSV", "a.b.Csv", "a.csv.gz", "a.CSV.GZ", "a.csv.zst", "a.Csv.Zst", ".csv"]
)
def test_the_extensions_are_known_in_any_case(name: str) -> None:
    assert parse(packed(name.lower(), TEXT), name=name).rows == 2


@pytest.mark.parametrize("name", ["a.txt", "a", "csv", "a.gz", "a.csv.bz2", "a.csv.zip", "a.csv.", "a.csv.gz.part", ""])
def test_another_extension_is_rejected_before_anything_else(name: str) -> None:
    assert reason(b"", name=name) == "BAD_EXTENSION"
    assert reason(TEXT, name=name, max_file_bytes=1) == "BAD_EXTENSION"


@pytest.mark.parametrize("name", ["readings.csv", *ARCHIVES])
def test_a_file_of_no_bytes_is_empty(name: str) -> None:
    assert reason(b"", name=name) == "EMPTY_FILE"


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_of_no_bytes_is_empty(name: str) -> None:
    assert reason(packed(name, b""), name=name) == "EMPTY_FILE"


def test_a_file_may_have_the_largest_size_and_no_byte_more() -> None:
    assert reason(TEXT, max_file_bytes=len(TEXT)) is None
    assert reason(TEXT, max_file_bytes=len(TEXT) - 1) == "TOO_LARGE"


@pytest.mark.parametrize("name", ARCHIVES)
def test_the_size_of_an_archive_counts_decompressed_too(name: str) -> None:
    archive = packed(name, TEXT)
    assert reason(archive, name=name, max_content_bytes=len(TEXT)) is None
    assert reason(archive, name=name, max_content_bytes=len(TEXT) - 1) == "TOO_LARGE"
    assert reason(archive, name=name, max_file_bytes=len(archive) - 1) == "TOO_LARGE"


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_bomb_is_stopped_with_little_memory(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_module, "BLOCK_BYTES", 65536)
    bomb = packed(name, TEXT + b"\n" * 50_000_000)
    tracemalloc.start()
    try:
        assert reason(bomb, name=name, max_content_bytes=1_000_000) == "TOO_LARGE"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_of_several_members_are_one_file(name: str) -> None:
    for cut in (0, 1, 40, len(TEXT)):
        parts = packed(name, TEXT[:cut]) + packed(name, TEXT[cut:])
        assert parse(parts, name=name) == parse(TEXT)


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_truncated_archive_is_corrupt(name: str) -> None:
    archive = packed(name, TEXT)
    assert {reason(archive[:end], name=name) for end in range(1, len(archive))} == {"CORRUPT_ARCHIVE"}


@pytest.mark.parametrize("name", ARCHIVES)
def test_garbage_behind_an_archive_makes_it_corrupt(name: str) -> None:
    assert reason(packed(name, TEXT) + b"garbage", name=name) == "CORRUPT_ARCHIVE"


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_file_that_is_no_archive_is_corrupt(name: str) -> None:
    assert reason(TEXT, name=name) == "CORRUPT_ARCHIVE"


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_corrupt_archive_is_named_before_its_bad_header(name: str) -> None:
    assert reason(packed(name, b"no header\n" * 1000)[:-1], name=name) == "CORRUPT_ARCHIVE"
    assert reason(packed(name, b"\xff\n") + b"garbage", name=name) == "CORRUPT_ARCHIVE"


@pytest.mark.parametrize("name", ARCHIVES)
def test_too_large_is_named_before_a_bad_header(name: str) -> None:
    assert reason(packed(name, b"no header\n" * 1000), name=name, max_content_bytes=5000) == "TOO_LARGE"


def test_a_csv_file_is_not_decompressed() -> None:
    assert reason(packed("x.gz", TEXT)) == "BAD_ENCODING"
