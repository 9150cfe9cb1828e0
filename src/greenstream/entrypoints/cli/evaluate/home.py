"""A home for one run."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from greenstream.settings import PlaceSettings
from greenstream.wiring import System


@contextmanager
def passing_system(settings: PlaceSettings, progress: Callable[[str], None]) -> Iterator[System]:
    """A system of these thresholds with a folder and a server of its own, all of it gone after the block."""
    home = Path(tempfile.mkdtemp(prefix="greenstream-evaluate-"))
    home.chmod(0o755)  # another user's server must get to its data
    system = System(
        settings.model_copy(update={"home": home, "database_url": None, "reader_url": None, "storage": None}), progress
    )
    assert system.server is not None
    try:
        yield system
    finally:
        data = system.server.status().data_dir
        system.server.stop()
        shutil.rmtree(home, ignore_errors=True)
        if data.exists():  # it was kept elsewhere, in a folder of its own
            shutil.rmtree(data.parent, ignore_errors=True)
