"""The writers of a round: each delivers files as some real one does."""

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.acceptance.conftest import Command
from tests.chaos.parcels import RARE_WAYS, Parcel

WRITERS = 8
ATTEMPTS = 30


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A content that stood whole under a name; `surely` says that nobody but GreenStream could have lost it."""

    name: str
    content: bytes
    surely: bool = True

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def deliver(command: Command, parcels: Sequence[Parcel]) -> list[Sent]:
    """Deliver all, each at its time, by several writers; wait for the last one."""
    started = time.monotonic()
    with ThreadPoolExecutor(WRITERS) as writers:
        done = [writers.submit(_deliver, command, parcel, started) for parcel in parcels]
    return [sent for each in done for sent in each.result()]


def _deliver(command: Command, parcel: Parcel, started: float) -> list[Sent]:
    time.sleep(max(0.0, started + parcel.at - time.monotonic()))
    return WAYS[parcel.way](command, parcel)


def _halves(command: Command, parcel: Parcel) -> list[Sent]:
    return _in_halves(_folder(command, parcel.folder) / parcel.name, parcel)


def _rename(command: Command, parcel: Parcel) -> list[Sent]:
    return _at_once(_folder(command, parcel.folder) / parcel.name, parcel)


def _dropped(command: Command, parcel: Parcel) -> list[Sent]:
    return _at_once(_folder(command, "") / parcel.name, parcel)


def _dropped_in_halves(command: Command, parcel: Parcel) -> list[Sent]:
    return _in_halves(_folder(command, "") / parcel.name, parcel)


def _ingest(command: Command, parcel: Parcel) -> list[Sent]:
    """By hand, and again while the database is unreachable, as the command asks for."""
    file = command.file(f"by-hand/{secrets.token_hex(4)}/{parcel.name}", parcel.content)
    for _ in range(ATTEMPTS):
        if command("ingest", file).code == 0:
            return _sent(parcel)
    raise AssertionError(f"{parcel.name} could not be ingested in {ATTEMPTS} attempts")


def _renamed_over(command: Command, parcel: Parcel) -> list[Sent]:
    """The newest file always under one name; the one before is the sender's own loss if it was still there."""
    target = _folder(command, "") / f"latest-{secrets.token_hex(4)}.csv"
    first = _first_lines(parcel)
    _replace(target, first)
    with target.open("rb") as before:
        time.sleep(4.5 + parcel.pause / 4)  # around the time at which it is filed
        _replace(target, parcel.content)
        replaced_by_us = os.fstat(before.fileno()).st_nlink == 0
    return [Sent(name=parcel.name, content=first, surely=not replaced_by_us), *_sent(parcel)]


def _appended(command: Command, parcel: Parcel) -> list[Sent]:
    target, first = _new(command, parcel), _first_lines(parcel)
    _replace(target, first)
    time.sleep(parcel.pause)
    with target.open("ab", buffering=0) as file:
        file.write(parcel.content[len(first) :])
    return [Sent(name=parcel.name, content=first, surely=False), *_sent(parcel)]


def _rewritten(command: Command, parcel: Parcel) -> list[Sent]:
    """In place, as `cp` does."""
    target, first = _new(command, parcel), _first_lines(parcel)
    _replace(target, first)
    time.sleep(parcel.pause)
    target.write_bytes(parcel.content)
    return [Sent(name=parcel.name, content=first, surely=False), *_sent(parcel)]


def _deleted(command: Command, parcel: Parcel) -> list[Sent]:
    target = _new(command, parcel)
    _replace(target, parcel.content)
    time.sleep(parcel.pause)
    target.unlink()
    return _sent(parcel, surely=False)


WAYS: dict[str, Callable[[Command, Parcel], list[Sent]]] = {
    "halves": _halves,
    "rename": _rename,
    "dropped": _dropped,
    "dropped halves": _dropped_in_halves,
    "ingest": _ingest,
    "paused": _halves,
    "dropped paused": _dropped_in_halves,
    "renamed over": _renamed_over,
    "appended": _appended,
    "rewritten": _rewritten,
    "deleted": _deleted,
}


def _folder(command: Command, name: str) -> Path:
    folder = command.home / "raw-data" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _new(command: Command, parcel: Parcel) -> Path:
    """A name in a day's folder that no other writer uses."""
    return _folder(command, parcel.folder) / f"{secrets.token_hex(4)}-{parcel.name}"


def _sent(parcel: Parcel, *, surely: bool = True) -> list[Sent]:
    return [Sent(name=parcel.name, content=parcel.content, surely=surely)]


def _first_lines(parcel: Parcel) -> bytes:
    return parcel.content[: parcel.content.index(b"\n", len(parcel.content) // 2) + 1]


def _in_halves(target: Path, parcel: Parcel) -> list[Sent]:
    """In two writes, with a pause within a line; beside a file that is there already."""
    if target.exists():
        target = target.with_name(f"{secrets.token_hex(4)}-{target.name}")
    middle = parcel.content.index(b",", len(parcel.content) // 2)
    with target.open("wb", buffering=0) as file:
        file.write(parcel.content[:middle])
        time.sleep(parcel.pause)
        file.write(parcel.content[middle:])
    _age(target, parcel.age)
    half = Sent(name=parcel.name, content=parcel.content[:middle], surely=False)
    return [*_sent(parcel), *([half] if parcel.way in RARE_WAYS else [])]


def _at_once(target: Path, parcel: Parcel) -> list[Sent]:
    """Takes the place of a file that is there already only if it is the same one."""
    _replace(target, parcel.content, parcel.age)
    return _sent(parcel)


def _replace(target: Path, content: bytes, age: timedelta = timedelta(0)) -> None:
    """Under a hidden name first."""
    hidden = target.with_name(f".{secrets.token_hex(4)}.tmp")
    hidden.write_bytes(content)
    _age(hidden, age)
    hidden.replace(target)


def _age(file: Path, by: timedelta) -> None:
    if by:
        with suppress(FileNotFoundError):  # a drop that was filed meanwhile
            at = file.stat().st_mtime + by.total_seconds()
            os.utime(file, (at, at))
