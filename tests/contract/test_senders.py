"""A sender may be at a file while the store is: every content that was ever complete under a name is kept, or was read.

Each thing that the store does is tried with each thing that a sender may do, before each system call in turn.
"""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from tests.contract.senders import ACTIONS, Interruption, Sender
from tests.contract.storage_fixtures import content_of

from greenstream.adapters.storage import LandedFile, ObjectStore, moves, open_store
from greenstream.domain.errors import GreenStreamError

DAY = date(2024, 3, 15)
DROP = "raw-data/f.csv"
LANDED = "raw-data/2024-03-15/f.csv"
FIRST = b"meter_id,timestamp\n"
ERASED = b"erased\n"
Use = Callable[[ObjectStore, LandedFile], set[bytes]]


def file_a_drop(store: ObjectStore, drop: LandedFile) -> set[bytes]:
    store.file_under(drop.path, DAY)
    return set()


def load(store: ObjectStore, file: LandedFile) -> set[bytes]:
    return {b"".join(store.read(file))}


def quarantine(store: ObjectStore, file: LandedFile) -> set[bytes]:
    store.quarantine(LANDED, b"".join(store.read(file)))
    return set()


def retire(store: ObjectStore, file: LandedFile) -> set[bytes]:
    """What retention deletes has been loaded."""
    return {FIRST} if store.delete(file) else set()


def erase(store: ObjectStore, file: LandedFile) -> set[bytes]:
    store.rewrite(file, ERASED)
    return {FIRST}


def contents(store: ObjectStore) -> set[bytes]:
    """What is found by a scan, once all drops are filed, and in the quarantine."""
    for drop in list(store.unfiled()):
        store.file_under(drop.path, DAY)
    kept = {content_of(store, file.path) for file in store.list_landed()}
    return kept | {content_of(store, file.path) for file in store.quarantined(date.max)}


def lost(root: Path, use: Use, action: str, number: int) -> tuple[set[bytes], bool]:
    """What is missing after a sender acted before the call with a number; whether there was such a call."""
    store = open_store(root)
    path = DROP if use is file_a_drop else LANDED
    sender = Sender(root / path, FIRST)
    file = store.head(path)
    interruption = Interruption(number, getattr(sender, action))
    used: set[bytes] = set()
    with interruption(), suppress(GreenStreamError):
        used = use(store, file)
    sender.finish()
    assert used <= sender.ever
    return sender.whole - used - contents(store), interruption.was_reached


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power cut is tried here."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture(params=["as it is", "no exclusive rename", "nor hard links"])
def file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """NFS knows no rename that replaces nothing; some file systems have no hard links, or refuse them."""

    if request.param != "as it is":
        monkeypatch.setattr(moves, "_rename_exclusively", refused_with(errno.EINVAL))
    if request.param == "nor hard links":
        monkeypatch.setattr(os, "link", refused_with(errno.EPERM))
    return str(request.param)


def refused_with(number: int) -> Callable[..., None]:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("use", [load, quarantine])
@pytest.mark.usefixtures("quick")
def test_what_is_read_while_a_sender_is_at_it_is_whole_or_refused(tmp_path, use, action):
    try_each_moment(tmp_path, use, action)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("use", [file_a_drop, retire, erase])
@pytest.mark.usefixtures("quick", "file_system")
def test_what_is_moved_deleted_or_rewritten_while_a_sender_is_at_it_loses_nothing(tmp_path, use, action):
    try_each_moment(tmp_path, use, action)


@pytest.mark.parametrize(
    ("use", "ends"), [(file_a_drop, [{FIRST}]), (retire, [{FIRST}, set()]), (erase, [{FIRST}, {ERASED}])]
)
@pytest.mark.usefixtures("quick", "file_system")
def test_a_process_killed_at_any_call_leaves_the_file_whole_and_the_next_scan_finds_it(tmp_path, use, ends):
    for number in count(1):
        root = tmp_path / str(number)
        path = DROP if use is file_a_drop else LANDED
        Sender(root / path, FIRST).finish()
        was_reached = killed(root, path, use, number)
        assert contents(open_store(root)) in ends, f"killed before call {number}"
        assert len(list(open_store(root).list_landed())) <= 1
        if not was_reached:
            break
    assert number > 5


def killed(root: Path, path: str, use: Use, number: int) -> bool:
    """Whether a process that uses the store came to the call with a number, where it was killed."""
    if (child := os.fork()) == 0:
        try:
            store = open_store(root)
            file = store.head(path)
            with Interruption(number, lambda: os._exit(9))(), suppress(GreenStreamError):
                use(store, file)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def try_each_moment(folder: Path, use: Use, action: str) -> None:
    for number in count(1):
        missing, was_reached = lost(folder / str(number), use, action, number)
        assert missing == set(), f"before call {number}"
        if not was_reached:
            break
    assert number > 5
