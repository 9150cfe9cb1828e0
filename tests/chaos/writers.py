"""The writers of a round: each delivers files as some real one does."""

import os
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from tests.acceptance.conftest import Command
from tests.chaos.parcels import Parcel

WRITERS = 4
ATTEMPTS = 30


def deliver(command: Command, parcels: Sequence[Parcel]) -> None:
    """Deliver all, each at its time, by several writers; wait for the last one."""
    started = time.monotonic()
    with ThreadPoolExecutor(WRITERS) as writers:
        done = [writers.submit(_deliver, command, parcel, started) for parcel in parcels]
    for each in done:
        each.result()


def _deliver(command: Command, parcel: Parcel, started: float) -> None:
    time.sleep(max(0.0, started + parcel.at - time.monotonic()))
    WAYS[parcel.way](command, parcel)


def _halves(command: Command, parcel: Parcel) -> None:
    _in_halves(_folder(command, parcel.folder) / parcel.name, parcel)


def _rename(command: Command, parcel: Parcel) -> None:
    _at_once(_folder(command, parcel.folder) / parcel.name, parcel)


def _dropped(command: Command, parcel: Parcel) -> None:
    _at_once(_folder(command, "") / parcel.name, parcel)


def _dropped_in_halves(command: Command, parcel: Parcel) -> None:
    _in_halves(_folder(command, "") / parcel.name, parcel)


def _ingest(command: Command, parcel: Parcel) -> None:
    """By hand, and again while the database is away, as the command asks for."""
    file = command.file(f"by-hand/{secrets.token_hex(4)}/{parcel.name}", parcel.content)
    for _ in range(ATTEMPTS):
        if command("ingest", file).code == 0:
            return
    raise AssertionError(f"{parcel.name} could not be ingested in {ATTEMPTS} attempts")


WAYS: dict[str, Callable[[Command, Parcel], None]] = {
    "halves": _halves,
    "rename": _rename,
    "dropped": _dropped,
    "dropped halves": _dropped_in_halves,
    "ingest": _ingest,
}


def _folder(command: Command, name: str) -> Path:
    folder = command.home / "raw-data" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _in_halves(target: Path, parcel: Parcel) -> None:
    """In two writes, with a pause within a line; beside a file that is there already."""
    if target.exists():
        target = target.with_name(f"{secrets.token_hex(4)}-{target.name}")
    middle = parcel.content.index(b",", len(parcel.content) // 2)
    with target.open("wb", buffering=0) as file:
        file.write(parcel.content[:middle])
        time.sleep(parcel.pause)
        file.write(parcel.content[middle:])
    _age(target, parcel.age)


def _at_once(target: Path, parcel: Parcel) -> None:
    """Under a hidden name first; takes the place of a file that is there already only if it is the same one."""
    hidden = target.with_name(f".{secrets.token_hex(4)}.tmp")
    hidden.write_bytes(parcel.content)
    _age(hidden, parcel.age)
    hidden.replace(target)


def _age(file: Path, by: timedelta) -> None:
    if by:
        at = file.stat().st_mtime + by.total_seconds()
        os.utime(file, (at, at))
