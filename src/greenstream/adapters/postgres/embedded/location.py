"""Where the data of a home lies, and as whom its server runs."""

import glob
import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from greenstream.adapters.postgres.embedded.account import Account, account_for, account_for_new_data, public_folder
from greenstream.adapters.postgres.embedded.processes import Cluster
from greenstream.domain.errors import ServerError

SHARED_DIR = Path("/var/lib/greenstream")
HOME = "home"
"""The file beside data outside of its home that has the home's path."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A data folder, its server's user, and what the person should know about it."""

    data_dir: Path
    account: Account
    notices: tuple[str, ...]

    @property
    def cluster(self) -> Cluster:
        return Cluster(data_dir=self.data_dir, name=cluster_name(self.data_dir), uid=self.account.uid)

    @property
    def made_by(self) -> int | None:
        """The major version that made the data, None if there is no data yet."""
        return data_version(self.data_dir)


def digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]


def cluster_name(data_dir: Path) -> str:
    return f"greenstream-{digest(data_dir)}"


def data_version(data_dir: Path) -> int | None:
    try:
        return int((data_dir / "PG_VERSION").read_text().strip())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ServerError(
            f"The database folder {data_dir} is damaged (PG_VERSION holds no version): "
            "restore it from a backup, or move it away to begin a new one"
        ) from error


def known_data_dir(home: Path) -> Path:
    """Where the data is, or will be unless the server's user can't go there."""
    pointer = _pointer(home)
    if pointer.is_file():
        return Path(os.fsdecode(pointer.read_bytes()).removesuffix("\n"))
    return (home / "postgres").resolve()


def settle(home: Path, shared_dir: Path) -> Place:
    """The place of the home's data; decides it if there is none yet. Call it under the home's lock.

    Raises ServerError if this process may not touch the data, or the server's user can't reach it.
    """
    data_dir = known_data_dir(home)
    if data_version(data_dir) is not None:
        _name_home(home, data_dir, shared_dir)
        return _existing(home, data_dir)
    account = account_for_new_data()
    if account.switch and not _pointer(home).exists() and not _reachable(data_dir.parent, account):
        data_dir = _relocate(home, shared_dir)
    public_folder(data_dir.parent)
    _name_home(home, data_dir, shared_dir)
    return Place(data_dir=data_dir, account=account, notices=_notices(home, data_dir, account))


def _existing(home: Path, data_dir: Path) -> Place:
    account = account_for(data_dir)
    if not account.can_use(data_dir):
        raise ServerError(
            f"PostgreSQL's user {account.name} cannot use the database folder {data_dir}: "
            "let that user through every folder above it (chmod o+x), and write in it"
        )
    return Place(data_dir=data_dir, account=account, notices=_notices(home, data_dir, account))


def _reachable(parent: Path, account: Account) -> bool:
    """Whether the account can use a folder made for it here."""
    with tempfile.TemporaryDirectory(prefix="postgres.new-", dir=parent) as trial:
        account.own(Path(trial))
        return account.can_use(Path(trial))


def _relocate(home: Path, shared_dir: Path) -> Path:
    """Choose a folder outside of the home, and write it down there before anything is put into it.

    A folder that exists belongs to an earlier home of this name: a new home begins with no data.
    """
    public_folder(shared_dir)
    stem = f"{home.name}-{digest(home)}"
    names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, 10_000))
    folder = next(shared_dir / name for name in names if not (shared_dir / name).exists())
    data_dir = folder / "postgres"
    replace_file(_pointer(home), os.fsencode(data_dir) + b"\n")
    return data_dir


def _name_home(home: Path, data_dir: Path, shared_dir: Path) -> None:
    """Write beside data that lies outside of its home whose it is, for the home may be deleted without it."""
    note = data_dir.parent / HOME
    if data_dir.parent.parent == shared_dir and not note.exists():
        with suppress(PermissionError):  # of data that another user made: its next start writes it
            replace_file(note, os.fsencode(home) + b"\n")


def replace_file(path: Path, content: bytes, account: Account | None = None) -> None:
    """Write a file that is whole at any instant, never through a link that somebody put in its place.

    Call it under the home's lock: what a killed process left of the same file goes first.
    """
    for left_over in path.parent.glob(f"{glob.escape(path.name)}.new-*"):
        left_over.unlink()
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.new-", dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        os.fchmod(handle, 0o600 if account else 0o644)
        file.flush()
        os.fsync(handle)
    if account:
        account.own(Path(name))
    Path(name).replace(path)


def _pointer(home: Path) -> Path:
    return home / "postgres.location"


def _notices(home: Path, data_dir: Path, account: Account) -> tuple[str, ...]:
    if not _pointer(home).exists():
        return ()
    return (f"PostgreSQL runs as the user {account.name}, to whom {home} is closed: its data is in {data_dir}",)
