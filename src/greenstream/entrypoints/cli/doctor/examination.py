"""All checks, in the order in which a fault explains those after it."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from greenstream.domain.reports.doctor import Finding, Level
from greenstream.entrypoints.cli.doctor import machine
from greenstream.entrypoints.cli.doctor.finding import Check, examined, fault, ok, warning
from greenstream.entrypoints.cli.tables import size_text

if TYPE_CHECKING:
    from greenstream.domain.landing import Clock
    from greenstream.wiring import Place

REINSTALL = "install the requirements again: pip install --force-reinstall greenstream"


def examine(environment: Mapping[str, str], clock: "Clock", progress: Callable[[str], None]) -> Iterator[Finding]:
    """Check everything; starts the embedded database if need be. Raises nothing.

    `environment` is looked through for variables that nobody reads. Without the packages we depend on, nothing
    after them is looked at: the other checks can't even be imported.
    """
    yield from examined("Python", machine.python, mend="install a Python from python.org or your system")
    yield from examined("clock", lambda: machine.clock(clock()), mend="set the clock")
    yield from examined("memory", machine.memory, mend="see how much memory this machine has")
    yield from examined("terminal", machine.terminal, mend="export LC_ALL=C.UTF-8")
    packages = list(examined("packages", machine.packages, mend=REINSTALL))
    yield from packages
    yield from examined("extras", machine.extras, mend=REINSTALL)
    if all(finding.level is not Level.FAULT for finding in packages):
        yield from examined("hashing", machine.hashing, mend=REINSTALL)
        yield from examined("settings", lambda: _settings(environment, clock, progress), mend=REINSTALL)


def _settings(environment: Mapping[str, str], clock: "Clock", progress: Callable[[str], None]) -> Iterator[Finding]:
    """The settings, and what they name."""
    from greenstream.domain.errors import SettingsError
    from greenstream.entrypoints.cli.doctor import configuration
    from greenstream.settings import load_settings
    from greenstream.wiring import Place

    yield from configuration.variables(environment)
    try:
        settings = load_settings()
    except SettingsError as error:
        mend = "correct it, and run `greenstream doctor` again: database and storage weren't looked at"
        yield fault("settings", str(error), mend)
        return
    yield from configuration.values(settings)
    yield from examined("time zone", lambda: configuration.zone(settings, clock()), mend="install the newest tzdata")
    yield from _of_place(Place(settings, progress), clock)


def _of_place(place: "Place", clock: "Clock") -> Iterator[Finding]:
    from greenstream.entrypoints.cli.doctor import database

    checks: tuple[tuple[str, Check, str], ...] = (
        ("home", lambda: machine.home(place.settings.home), "set GREENSTREAM_HOME to a folder you can write to"),
        ("storage", lambda: _storage(place), "see GREENSTREAM_STORAGE, and for S3 the variables AWS_*"),
        ("database", lambda: database.database(place, clock), "see the log of PostgreSQL"),
        ("data of other homes", _homeless, "look into /var/lib/greenstream"),
        ("disk", lambda: machine.disks(_folders(place)), "see with `df -h` which disk is full or broken"),
    )
    for name, check, mend in checks:
        yield from examined(name, check, mend=mend)


def _homeless() -> Iterator[Finding]:
    """Databases that root keeps outside of homes, whose home was deleted."""
    from greenstream.adapters.postgres.embedded import homeless

    for data in homeless():
        runs = f", and its server runs (process {data.pid})" if data.pid else ""
        home = data.home or "an unknown home"
        found = f"{size_text(data.size_bytes)} in {data.folder}, of {home}, which is gone{runs}"
        stop = f"kill -INT {data.pid}; " if data.pid else ""
        mend = f"where it is gone for good, and no disk is only unmounted: {stop}rm -r {shlex.quote(str(data.folder))}"
        yield warning("data of other homes", found, mend)


def _storage(place: "Place") -> Iterator[Finding]:
    if (root := place.store.root()) and not root.exists():
        yield ok("storage", f"{place.store} isn't there yet: it is made with the first file")
        return
    place.store.check()
    yield ok("storage", f"{place.store}: writing, reading back and deleting work")


def _folders(place: "Place") -> list[Path]:
    """Where this machine's disks are written to."""
    home = place.settings.home
    return [home] if place.server is None else [home, place.server.status().data_dir]
