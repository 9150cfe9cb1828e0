"""A backup: a folder with the database's dump, the store's files, and a description that is written last."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from greenstream.domain.errors import BackupRefused

DESCRIPTION = "backup.json"
DUMP = "database.dump"
FILES = "files"
ZONES = ("raw-data", "quarantine", "analytics", "aggregates", "manifest")
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a backup is of. `files` is how many of the store are in it; None where they weren't taken."""

    taken_at: str
    program: str
    schema: str
    postgresql: str
    timezone: str
    interval_minutes: int
    dump_sha256: str
    files: int | None
    format: int = FORMAT


def check_target(target: Path) -> None:
    """Raises BackupRefused unless a backup can be made there."""
    if target.exists():
        raise BackupRefused(f"{target} is there already: name a folder that isn't")
    if not target.parent.is_dir():
        raise BackupRefused(f"there is no folder {target.parent} to make {target.name} in")


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """A folder beside the target, that becomes it when the block ends well; nothing is left otherwise."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    with _errors(target):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        try:
            yield unfinished
            os.sync()
            unfinished.rename(target)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def describe(folder: Path, description: Description) -> None:
    text = json.dumps(asdict(description), indent=1) + "\n"
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")


def read_description(folder: Path) -> Description:
    """Raises BackupRefused where the folder is no backup, or not whole."""
    try:
        values = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        description = Description(**values)
    except FileNotFoundError as error:
        raise BackupRefused(f"{folder} is no backup: it has no {DESCRIPTION}, which is written last") from error
    except (OSError, ValueError, TypeError) as error:
        raise BackupRefused(f"{folder / DESCRIPTION} can't be read: {error}") from error
    if description.format != FORMAT:
        raise BackupRefused(f"{folder} is a backup of another format: restore it by the program that made it")
    if sha256(folder / DUMP) != description.dump_sha256:
        raise BackupRefused(f"{folder / DUMP} isn't what was written: its checksum differs; take another backup")
    return description


def sha256(path: Path) -> str:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise BackupRefused(f"{path} can't be read: {error.strerror}") from error


def copy_files(root: Path, target: Path, on_file: Callable[[str], None]) -> int:
    """Copy the store's files with their times, by which deliveries are known; how many there are.

    A file that is there already stays, where it is of the landing zone or the quarantine, and is replaced where it is
    of the lake: the database that comes with it knows this one.
    """
    count = 0
    with _errors(target):
        for zone in ZONES:
            for source in sorted(path for path in (root / zone).rglob("*") if path.is_file() and not path.is_symlink()):
                key = source.relative_to(root)
                on_file(str(key))
                _copy(source, target / key, keep=zone in ("raw-data", "quarantine"))
                count += 1
    return count


def _copy(source: Path, target: Path, *, keep: bool) -> None:
    if keep and target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".greenstream-{target.name}.tmp")
    try:
        shutil.copy2(source, unfinished)
    except FileNotFoundError:  # retention was faster
        return
    unfinished.rename(target)


@contextmanager
def _errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupRefused(f"{error.filename or target}: {error.strerror or error}; nothing is left of it") from error
