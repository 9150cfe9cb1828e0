"""Data that lies outside of its home, and whose home is gone. It is named, never deleted: a disk may be unmounted."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from greenstream.adapters.postgres.embedded.cluster import find_postmaster
from greenstream.adapters.postgres.embedded.location import HOME, SHARED_DIR, cluster_name, known_data_dir
from greenstream.adapters.postgres.embedded.processes import Cluster

_OURS = re.compile(r".*-[0-9a-f]{10}(-\d+)?", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Homeless:
    """A folder with the data of a home that is gone.

    `home` is None where nobody wrote down which; `pid` is that of a server that still runs there.
    """

    folder: Path
    home: Path | None
    size_bytes: int
    pid: int | None


def homeless(shared_dir: Path = SHARED_DIR) -> Iterator[Homeless]:
    """All of it on this machine, as far as this user may look; a home that has other data by now counts as gone."""
    for data_dir in sorted(shared_dir.glob("*/postgres")):
        with suppress(OSError):
            folder = data_dir.parent
            home = _home_of(folder)
            if _is_relocated(folder) and (home is None or known_data_dir(home) != data_dir):
                yield Homeless(folder=folder, home=home, size_bytes=_size(folder), pid=_pid(data_dir))


def _is_relocated(folder: Path) -> bool:
    """Whether it was made for data alone; somebody's home may lie here, too."""
    return _OURS.fullmatch(folder.name) is not None and not (folder / "postgres.lock").exists()


def _home_of(folder: Path) -> Path | None:
    try:
        return Path(os.fsdecode((folder / HOME).read_bytes()).removesuffix("\n"))
    except FileNotFoundError:
        return None


def _size(folder: Path) -> int:
    """What it takes on disk, in bytes; what can't be looked into counts nothing."""
    paths = (Path(inside, name) for inside, _, names in os.walk(folder) for name in names)
    return sum(path.lstat().st_blocks * 512 for path in paths if os.path.lexists(path))


def _pid(data_dir: Path) -> int | None:
    server = Cluster(data_dir=data_dir, name=cluster_name(data_dir), uid=data_dir.stat().st_uid)
    process = find_postmaster(server)
    return process.pid if process else None
