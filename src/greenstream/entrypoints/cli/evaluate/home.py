"""A home for one run."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from greenstream.adapters.postgres.embedded import EmbeddedServer
from greenstream.adapters.temporary import EVALUATION, orphans, owned_folder
from greenstream.settings import PlaceSettings
from greenstream.wiring import Place


@contextmanager
def passing_place(settings: PlaceSettings, progress: Callable[[str], None]) -> Iterator[Place]:
    """A system of these thresholds with a folder and a server of its own, all of it gone after the block."""
    where = Path(tempfile.gettempdir())
    for left in orphans(where, f"{EVALUATION}*"):  # of runs that were killed
        _end(left)
    with owned_folder(where, EVALUATION) as home:
        home.chmod(0o755)  # another user's server must get to its data
        try:
            own = {"home": home, "database_url": None, "reader_url": None, "storage": None}
            yield Place(settings.model_copy(update=own), progress)
        finally:
            _end(home)


def _end(home: Path) -> None:
    server = EmbeddedServer(home)
    data = server.status().data_dir
    server.stop("immediate")
    shutil.rmtree(home, ignore_errors=True)
    if data.exists():  # it was kept elsewhere, in a folder of its own
        shutil.rmtree(data.parent, ignore_errors=True)
