"""The demo's own home: marked, so that nobody's data is ever mixed with it or deleted as it."""

import json
import shlex
import shutil
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenstream.entrypoints.cli.console import UsageError
from greenstream.entrypoints.cli.simulate import SIMULATED

if TYPE_CHECKING:
    from greenstream.settings import PlaceSettings
    from greenstream.simulator import SimulationPlan

Choices = dict[str, Any]
"""What a demo simulates, as its mark says it."""

DEFAULT = Path("demo-data")
MARK = "demo.json"
DATA = ("raw-data", "quarantine", "analytics", "aggregates", "manifest", SIMULATED)


def remembered(home: Path) -> Choices:
    """The choices of the demo that was run here before; none in a new home.

    Raises UsageError for a folder that holds something else.
    """
    mark = home / MARK
    if mark.is_file():
        return _read(mark)
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise UsageError(f"{home} holds something else than a demo: name another folder with --home")
    return {}


def remember(home: Path, plan: "SimulationPlan") -> None:
    """Mark the home with what is simulated in it.

    Raises UsageError where it is something else than before, StorageRefused where it can't be written to.
    """
    from greenstream.domain.errors import StorageRefused

    chosen = choices_of(plan)
    before = remembered(home)
    others = [f"{name} {was}, not {chosen.get(name)}" for name, was in before.items() if chosen.get(name) != was]
    if others:
        what = ", ".join(others)
        raise UsageError(f"the demo in {home} has {what}: add --fresh to start over, or name another --home")
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / MARK).write_text(json.dumps(chosen) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageRefused(
            f"{home} can't be written to: {error.strerror}; name another folder with --home"
        ) from error


def choices_of(plan: "SimulationPlan") -> Choices:
    return {
        "meters": plan.meters,
        "days": plan.days,
        "start": plan.start.isoformat(),
        "timezone": plan.timezone,
        "interval_minutes": plan.interval_minutes,
        "seed": plan.seed,
    }


def start_of(before: Choices) -> date | None:
    return date.fromisoformat(before["start"]) if before else None


def clear(home: Path, progress: Callable[[str], None]) -> None:
    """Start over: no data, no files, but the same server. Raises ServerError, DatabaseUnavailable, DatabaseRefused."""
    from greenstream.adapters.postgres.base.whole_database import drop_database
    from greenstream.adapters.postgres.embedded import EmbeddedServer

    if not (home / MARK).is_file():
        return
    drop_database(EmbeddedServer(home).ensure_running(progress).dsn)
    for name in DATA:
        shutil.rmtree(home / name, ignore_errors=True)
    (home / MARK).write_text("{}\n", encoding="utf-8")


def exports(home: Path, settings: "PlaceSettings") -> list[str]:
    """The shell lines after which `greenstream` works on this home, whatever else is set."""
    others = {
        "GREENSTREAM_DATABASE_URL": settings.database_url,
        "GREENSTREAM_READER_URL": settings.reader_url,
        "GREENSTREAM_STORAGE": settings.storage,
    }
    activate = Path(sys.prefix, "bin", "activate")
    unknown = (
        shutil.which("greenstream") is None and activate.is_file()
    )  # `make demo` in a shell without the environment
    return [
        *([f". {shlex.quote(str(activate))}"] if unknown else []),
        f"export GREENSTREAM_HOME={shlex.quote(str(home.resolve()))}",
        *(f"unset {name}" for name, given in others.items() if given),
    ]


def _read(mark: Path) -> Choices:
    try:
        choices: Choices = json.loads(mark.read_text(encoding="utf-8"))
        return choices
    except ValueError as error:
        raise UsageError(f"{mark} is damaged: name another folder with --home") from error
