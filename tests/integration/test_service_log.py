"""A log that can't be written ends nothing: it is dropped, counted, and goes on when it can."""

import json
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from greenstream.entrypoints.service.logs import Lines


@pytest.fixture
def dropped() -> list[int]:
    return []


def test_a_full_disk_drops_lines(dropped: list[int]) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        lines = Lines(full.fileno(), lambda: dropped.append(1))
        lines.info("one")
        lines.error("two")
    assert len(dropped) == 2


def test_a_reader_that_is_gone_drops_lines(dropped: list[int]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    Lines(writer, lambda: dropped.append(1)).warning("one")
    os.close(writer)
    assert len(dropped) == 1


def test_a_closed_log_drops_lines(dropped: list[int]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    Lines(writer, lambda: dropped.append(1)).msg("one")
    assert len(dropped) == 1


@contextmanager
def small_files() -> Iterator[None]:
    """No file grows beyond 100 bytes, the one that pytest may write its report into included."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_line_that_was_cut_spoils_no_later_one(tmp_path: Path, dropped: list[int]) -> None:
    with (tmp_path / "log").open("wb", buffering=0) as log, small_files():
        lines = Lines(log.fileno(), lambda: dropped.append(1))
        for number in range(3):
            lines.msg(json.dumps({"event": "loaded", "number": number, "rest": "x" * 20}))
        log.truncate(80)
        log.seek(80)
        lines.msg("{}")
    assert len(dropped) == 2  # one was cut, one not even begun
    assert (tmp_path / "log").read_text().splitlines()[-1] == "{}"


def test_lines_of_many_threads_stay_whole(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb", buffering=0) as log:
        lines = Lines(log.fileno())
        threads = [threading.Thread(target=lambda: [lines.msg("x" * 5000) for _ in range(50)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {len(line) for line in (tmp_path / "log").read_text().splitlines()} == {5000}
