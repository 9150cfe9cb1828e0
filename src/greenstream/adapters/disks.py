"""How much room is left on this machine's disks."""

import shutil
import socket
import tempfile
from collections.abc import Iterable
from pathlib import Path

from greenstream.domain.alerts.values import Disk


def disks(home: Path) -> list[Disk]:
    """The file systems of the home and of temporary files, each once; a folder yet to be made is on its parent's."""
    found: dict[int, Disk] = {}
    for folder in _existing([home, Path(tempfile.gettempdir())]):
        usage = shutil.disk_usage(folder)
        name = f"{socket.gethostname()}:{folder}"
        found.setdefault(folder.stat().st_dev, Disk(name=name, total_bytes=usage.total, free_bytes=usage.free))
    return list(found.values())


def _existing(folders: Iterable[Path]) -> Iterable[Path]:
    for folder in folders:
        path = folder.absolute()
        yield next(each for each in (path, *path.parents) if each.exists())
