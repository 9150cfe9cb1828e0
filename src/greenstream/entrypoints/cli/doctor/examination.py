"""All checks, in the order in which a fault explains those after it."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from greenstream.entrypoints.cli.doctor import machine
from greenstream.entrypoints.cli.doctor.finding import Check, Finding, Level, examined, fault, ok, warning
from greenstream.entrypoints.cli.tables import size_text

if TYPE_CHECKING:
    from greenstream.domain.landing import Clock
    from greenstream.wiring import System

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
    from greenstream.wiring import System

    yield from configuration.variables(environment)
    try:
        settings = load_settings()
    except SettingsError as error:
        mend = "correct it, and run `greenstream doctor` again: database and storage weren't looked at"
        yield fault("settings", str(error), mend)
        return
    yield from configuration.values(settings)
    yield from examined("time zone", lambda: configuration.zone(settings, clock()), mend="install the newest tzdata")
    yield from _of_place(System(settings, progress), clock)


def _of_place(system: "System", clock: "Clock") -> Iterator[Finding]:
    from greenstream.entrypoints.cli.doctor import database

    checks: tuple[tuple[str, Check, str], ...] = (
        ("home", lambda: machine.home(system.settings.home), "set GREENSTREAM_HOME to a folder you can write to"),
        ("storage", lambda: _storage(system), "see GREENSTREAM_STORAGE, and for S3 the variables AWS_*"),
        ("database", lambda: database.database(system, clock), "see the log of PostgreSQL"),
        ("data of other homes", _homeless, "look into /var/lib/greenstream"),
        ("disk", lambda: machine.disks(_folders(system)), "see with `df -h` which disk is full or broken"),
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


def _storage(system: "System") -> Iterator[Finding]:
    system.store.check()
    yield ok("storage", f"{system.store}: writing, reading back and deleting work")


def _folders(system: "System") -> list[Path]:
    """Where this machine's disks are written to."""
    home = system.settings.home
    return [home] if system.server is None else [home, system.server.status().data_dir]
