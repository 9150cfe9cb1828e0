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
from tests.chaos.deliveries import RARE_WAYS, PlannedDelivery

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


def deliver(command: Command, deliveries: Sequence[PlannedDelivery]) -> list[Sent]:
    """Deliver all, each at its time, by several writers; wait for the last one."""
    started = time.monotonic()
    with ThreadPoolExecutor(WRITERS) as writers:
        done = [writers.submit(_deliver, command, planned, started) for planned in deliveries]
    return [sent for each in done for sent in each.result()]


def _deliver(command: Command, planned: PlannedDelivery, started: float) -> list[Sent]:
    time.sleep(max(0.0, started + planned.at - time.monotonic()))
    return WAYS[planned.way](command, planned)


def _halves(command: Command, planned: PlannedDelivery) -> list[Sent]:
    return _in_halves(_folder(command, planned.folder) / planned.name, planned)


def _rename(command: Command, planned: PlannedDelivery) -> list[Sent]:
    return _at_once(_folder(command, planned.folder) / planned.name, planned)


def _dropped(command: Command, planned: PlannedDelivery) -> list[Sent]:
    return _at_once(_folder(command, "") / planned.name, planned)


def _dropped_in_halves(command: Command, planned: PlannedDelivery) -> list[Sent]:
    return _in_halves(_folder(command, "") / planned.name, planned)


def _ingest(command: Command, planned: PlannedDelivery) -> list[Sent]:
    """By hand, and again while the database is unreachable, as the command asks for."""
    file = command.file(f"by-hand/{secrets.token_hex(4)}/{planned.name}", planned.content)
    for _ in range(ATTEMPTS):
        if command("ingest", file).code == 0:
            return _sent(planned)
    raise AssertionError(f"{planned.name} could not be ingested in {ATTEMPTS} attempts")


def _renamed_over(command: Command, planned: PlannedDelivery) -> list[Sent]:
    """The newest file always under one name; the one before is the sender's own loss if it was still there."""
    target = _folder(command, "") / f"latest-{secrets.token_hex(4)}.csv"
    first = _first_lines(planned)
    _replace(target, first)
    with target.open("rb") as before:
        time.sleep(4.5 + planned.pause / 4)  # around the time at which it is filed
        _replace(target, planned.content)
        replaced_by_us = os.fstat(before.fileno()).st_nlink == 0
    return [Sent(name=planned.name, content=first, surely=not replaced_by_us), *_sent(planned)]


def _appended(command: Command, planned: PlannedDelivery) -> list[Sent]:
    target, first = _new(command, planned), _first_lines(planned)
    _replace(target, first)
    time.sleep(planned.pause)
    with target.open("ab", buffering=0) as file:
        file.write(planned.content[len(first) :])
    return [Sent(name=planned.name, content=first, surely=False), *_sent(planned)]


def _rewritten(command: Command, planned: PlannedDelivery) -> list[Sent]:
    """In place, as `cp` does."""
    target, first = _new(command, planned), _first_lines(planned)
    _replace(target, first)
    time.sleep(planned.pause)
    target.write_bytes(planned.content)
    return [Sent(name=planned.name, content=first, surely=False), *_sent(planned)]


def _deleted(command: Command, planned: PlannedDelivery) -> list[Sent]:
    target = _new(command, planned)
    _replace(target, planned.content)
    time.sleep(planned.pause)
    target.unlink()
    return _sent(planned, surely=False)


WAYS: dict[str, Callable[[Command, PlannedDelivery], list[Sent]]] = {
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


def _new(command: Command, planned: PlannedDelivery) -> Path:
    """A name in a day's folder that no other writer uses."""
    return _folder(command, planned.folder) / f"{secrets.token_hex(4)}-{planned.name}"


def _sent(planned: PlannedDelivery, *, surely: bool = True) -> list[Sent]:
    return [Sent(name=planned.name, content=planned.content, surely=surely)]


def _first_lines(planned: PlannedDelivery) -> bytes:
    return planned.content[: planned.content.index(b"\n", len(planned.content) // 2) + 1]


def _in_halves(target: Path, planned: PlannedDelivery) -> list[Sent]:
    """In two writes, with a pause within a line; beside a file that is there already."""
    if target.exists():
        target = target.with_name(f"{secrets.token_hex(4)}-{target.name}")
    middle = planned.content.index(b",", len(planned.content) // 2)
    with target.open("wb", buffering=0) as file:
        file.write(planned.content[:middle])
        time.sleep(planned.pause)
        file.write(planned.content[middle:])
    _age(target, planned.age)
    half = Sent(name=planned.name, content=planned.content[:middle], surely=False)
    return [*_sent(planned), *([half] if planned.way in RARE_WAYS else [])]


def _at_once(target: Path, planned: PlannedDelivery) -> list[Sent]:
    """Takes the place of a file that is there already only if it is the same one."""
    _replace(target, planned.content, planned.age)
    return _sent(planned)


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
