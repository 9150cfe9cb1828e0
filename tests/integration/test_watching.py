"""Whatever the file system's events do, what lands is seen, and the watch goes on."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.integration.embedded_support import scratch
from tests.integration.test_landing import as_a_user_without_rights
from tests.support.events import keeping, named

from greenstream.adapters.storage import ObjectStore, open_store
from greenstream.domain.errors import StorageRefused
from greenstream.domain.landing import Stray
from greenstream.entrypoints.service import folder_events
from greenstream.entrypoints.service.folder_events import Watcher
from greenstream.entrypoints.service.landing_watch import FULL_SCAN_SECONDS, LOSS_SCAN_SECONDS, Scans
from greenstream.entrypoints.service.strays import MOST, Strays

DAY = date(2024, 3, 15)
Changes = Iterator[set[date] | None]


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return open_store(tmp_path)


@pytest.fixture
def zone(store: ObjectStore) -> Path:
    folder = store.folder()
    assert folder is not None
    (folder / str(DAY)).mkdir()
    return folder


@pytest.fixture
def events() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def changes(
    store: ObjectStore, zone: Path, events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Changes]:
    """What a watcher says, from when it watches on."""
    monkeypatch.setattr(folder_events, "AGAIN_SECONDS", 0.05)
    stop = threading.Event()
    changes = Watcher(stop, keeping(events)).changes(store)
    assert next(changes) is None
    yield changes
    stop.set()


def until(changes: Changes, found: Callable[[set[date] | None], bool]) -> None:
    assert any(found(change) for change, _ in zip(changes, range(100), strict=False))


def lost(change: set[date] | None) -> bool:
    return change is None


def seen(change: set[date] | None) -> bool:
    return bool(change and DAY in change)


@pytest.mark.parametrize("name", [b"caf\xe9.csv", b"\xff", b"caf\xe9.csv.part"])
def test_a_name_that_is_not_utf8_means_that_something_changed(
    zone: Path, changes: Changes, events: list[dict[str, Any]], name: bytes
) -> None:
    for folder in (zone, zone / str(DAY)):
        Path(os.fsdecode(bytes(folder) + b"/" + name)).write_bytes(b"x")
        until(changes, lost)
        until(changes, lost)  # a new watch begins
        (zone / str(DAY) / "good.csv").write_bytes(b"x")
        until(changes, seen)
    (warning,) = named(events, "can't watch the landing zone; it is scanned")
    assert "Unable to decode path" in warning["error"]


def test_while_no_watch_can_be_had_the_zone_is_scanned(
    changes: Changes, events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, zone: Path
) -> None:
    """As where the system's limit is reached, by other programs too."""
    with monkeypatch.context() as limited:
        limited.setattr(folder_events.watchfiles, "watch", out_of_watches)
        Path(os.fsdecode(bytes(zone) + b"/caf\xe9")).mkdir()
        for _ in range(5):
            until(changes, lost)
    until(changes, lambda change: change is not None)
    (zone / str(DAY) / "good.csv").write_bytes(b"x")
    until(changes, seen)
    assert len(named(events, "can't watch the landing zone; it is scanned")) == 1


def out_of_watches(*_: object, **__: object) -> Iterator[set[tuple[int, str]]]:
    raise OSError("OS file watch limit reached")


@pytest.mark.parametrize("how", ["removed", "renamed", "replaced"])
def test_a_landing_zone_that_vanishes_is_watched_again(
    zone: Path, changes: Changes, events: list[dict[str, Any]], how: str
) -> None:
    if how == "removed":
        shutil.rmtree(zone)
    else:
        zone.rename(zone.with_name("elsewhere"))
    if how == "replaced":
        zone.mkdir()
    until(changes, lost)
    until(changes, lost)
    (zone / str(DAY)).mkdir()
    until(changes, seen)
    assert len(named(events, "can't watch the landing zone; it is scanned")) == 1


def test_a_day_that_cannot_be_read_keeps_no_other_one_from_being_watched(events: list[dict[str, Any]]) -> None:
    stop = threading.Event()
    with scratch() as root:
        zone = root / "raw-data"
        for name, mode in (("2024-03-14", 0o000), (str(DAY), 0o777)):
            (zone / name).mkdir(parents=True)
            (zone / name).chmod(mode)
        with as_a_user_without_rights():
            changes = Watcher(stop, keeping(events)).changes(open_store(root))
            assert next(changes) is None
            (zone / str(DAY) / "a.csv").write_bytes(b"x")
            until(changes, seen)
    stop.set()
    assert events == []


def test_a_landing_zone_that_cannot_be_made_is_an_outage(zone: Path, changes: Changes) -> None:
    shutil.rmtree(zone)
    zone.touch()
    with pytest.raises(StorageRefused, match="raw-data cannot be written"):
        until(changes, lambda _: False)


def test_a_day_that_vanishes_and_comes_back_is_still_seen(zone: Path, changes: Changes) -> None:
    shutil.rmtree(zone / str(DAY))
    until(changes, seen)
    (zone / str(DAY)).mkdir()
    until(changes, seen)
    next(changes)
    (zone / str(DAY) / "a.csv").write_bytes(b"x")
    until(changes, seen)


def test_lost_events_bring_the_next_scans_forward() -> None:
    scans = Scans(60)
    assert (scans.recent(0), scans.full(0)) == (True, True)
    assert (scans.recent(59), scans.full(59)) == (False, False)
    scans.lost(59)
    assert (scans.recent(59), scans.full(59)) == (True, False)
    assert (scans.recent(118), scans.recent(119)) == (False, True)
    assert (scans.full(LOSS_SCAN_SECONDS - 1), scans.full(LOSS_SCAN_SECONDS)) == (False, True)
    assert not scans.full(LOSS_SCAN_SECONDS + FULL_SCAN_SECONDS - 1)


def test_a_stray_is_told_once_and_again_when_its_reason_changes(events: list[dict[str, Any]]) -> None:
    strays = Strays(keeping(events))
    for why in ("a link", "a link", "a folder", "a folder", "a link"):
        strays.tell(Stray(path="raw-data/2024-03-15/a.csv", why=why))
    assert [each["error"] for each in named(events, "stray")] == ["a link", "a folder", "a link"]


def test_strays_without_number_take_no_memory_without_number(events: list[dict[str, Any]]) -> None:
    strays = Strays(keeping(events))
    for number in range(3 * MOST):
        strays.tell(Stray(path=str(number), why="a link"))
    assert len(strays._told) <= MOST
