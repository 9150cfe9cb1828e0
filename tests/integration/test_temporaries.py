"""What a killed process leaves behind is deleted by the next one; what has an owner, or is another's, stays."""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.integration.embedded_support import scratch

from greenstream.adapters.postgres.embedded.processes import find_process
from greenstream.adapters.temporary import (
    EVALUATION,
    MARK,
    file_in_place_of,
    hidden_name,
    orphans,
    owned_folder,
    sweep,
    temporary_folder,
)
from greenstream.entrypoints.cli.evaluate.home import passing_place
from greenstream.settings import Settings

HOLD = {
    "lake": "temporary_folder('lake')",
    "evaluation": "owned_folder(Path(tempfile.gettempdir()), EVALUATION)",
    "output": "file_in_place_of(Path(tempfile.gettempdir()) / 'answer.csv')",
    "backup": "new_folder(Path(tempfile.gettempdir()) / 'backup-2024-03-15')",
}
CHILD = """
import sys, tempfile
from pathlib import Path
from greenstream.adapters.backups.folder import new_folder
from greenstream.adapters.temporary import *
from greenstream.adapters.temporary import EVALUATION
with {hold} as path:
    (path / "half").write_text("x") if path.is_dir() else path.write_text("x")
    print(path, flush=True)
    sys.stdin.read()
"""
EVALUATING = """
import time
from greenstream.entrypoints.cli.evaluate.home import passing_place
from greenstream.settings import Settings
with passing_place(Settings(), lambda _: None) as system:
    print(system.server.ensure_running().data_dir, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def temp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files of the test's own."""
    with scratch() as folder:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        monkeypatch.setenv("TMPDIR", str(folder))
        yield folder


@contextmanager
def holder(kind: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    code = CHILD.format(hold=HOLD[kind])
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


@pytest.mark.parametrize("kind", sorted(HOLD))
def test_it_stays_as_long_as_its_owner_lives_and_goes_when_that_was_killed(temp: Path, kind: str) -> None:
    with holder(kind) as (process, path):
        clear(temp)
        assert path.exists()
        process.kill()
        process.wait()
        assert path.exists()
        clear(temp)
        assert list(temp.iterdir()) == []


def test_the_home_of_a_killed_evaluation_goes_with_its_server_and_data(temp: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", EVALUATING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        data = Path(process.stdout.readline().strip())
        process.kill()
    assert data.exists()
    postmaster = int((data / "postmaster.pid").read_text().splitlines()[0])
    with passing_place(Settings(), lambda _: None):
        assert not data.exists()
        assert find_process(postmaster) is None
    assert list(temp.iterdir()) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.symlink_to("/etc"),
        lambda path: path.symlink_to("/etc/passwd"),
        os.mkfifo,
    ],
)
def test_what_is_neither_file_nor_folder_is_never_swept(temp: Path, make: Callable[[Path], object]) -> None:
    make(temp / f"{MARK}lake-1-x")
    clear(temp)
    assert os.path.lexists(temp / f"{MARK}lake-1-x")


def test_other_names_and_other_users_files_stay(temp: Path) -> None:
    names = ("greenstream-0123456789", "greenstream-bug-x.txt", ".a.csv.part", ".greenstream-x.tmp", "mine")
    for name in names:
        (temp / name).mkdir()
    clear(temp)
    assert sorted(path.name for path in temp.iterdir()) == sorted(names)
    if os.geteuid() == 0:
        theirs = temp / f"{MARK}lake-1-x"
        theirs.touch()
        os.chown(theirs, 65534, -1)
        clear(temp)
        assert theirs.exists()


def test_it_is_for_this_user_only_and_gone_after_the_block(temp: Path) -> None:
    with temporary_folder("lake") as folder, file_in_place_of(temp / "a.csv") as file:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert file.stat().st_mode & 0o777 == 0o600
        (folder / "x").touch()
    assert list(temp.iterdir()) == []


def test_an_error_leaves_nothing_either(temp: Path) -> None:
    with pytest.raises(ZeroDivisionError), temporary_folder("lake"), file_in_place_of(temp / "a.csv"):
        raise ZeroDivisionError
    assert list(temp.iterdir()) == []


def test_a_file_that_has_taken_its_place_stays(temp: Path) -> None:
    with file_in_place_of(temp / "a.csv") as file:
        file.write_text("whole")
        file.replace(temp / "a.csv")
    sweep(temp)
    assert (temp / "a.csv").read_text() == "whole"


def test_a_name_as_long_as_names_can_be_has_a_hidden_one(temp: Path) -> None:
    with file_in_place_of(temp / ("ä" * 125 + ".csv")) as file:
        assert file.exists()
    assert hidden_name(temp / "a.csv", "x").name == f".a.csv.{MARK}x"


def test_what_another_process_swept_before_it_was_locked_is_made_anew(
    temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Path] = []
    lock = fcntl.flock

    def swept_first(handle: int, operation: int) -> None:
        if not taken:
            (path,) = temp.iterdir()
            taken.append(path)
            path.rmdir()
        lock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", swept_first)
    with owned_folder(temp, EVALUATION) as folder:
        assert folder.exists()
        assert folder not in taken


def clear(temp: Path) -> None:
    """As `query`, `backup`, the night and `evaluate` do it."""
    sweep(temp)
    for home in orphans(temp, f"{EVALUATION}*"):
        (home / "half").unlink()
        home.rmdir()
