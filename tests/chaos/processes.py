"""The processes of a round, and what is done to them."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from subprocess import Popen

import psycopg
from tests.acceptance.conftest import Command

from greenstream.adapters.postgres.embedded import EmbeddedServer

ROLES = {
    "up": {"up": ("up",)},
    "split": {"watch": ("watch",), "one": ("worker",), "two": ("worker",)},
}
FROZEN_SECONDS = (11.0, 14.0)
"""Longer than a worker may keep silent before its file goes to another one."""


@dataclass
class Cast:
    """Who runs, by role; `done` counts what was done to them."""

    command: Command
    mode: str
    running: dict[str, Popen[bytes]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        for role in ROLES[self.mode]:
            self.revive(role)

    def revive(self, role: str) -> None:
        """Start a role unless it runs."""
        if role in self.running and self.running[role].poll() is None:
            return
        with (self.command.folder / f"{role}.log").open("ab") as log:
            arguments = ROLES[self.mode][role]
            self.running[role] = self.command.start(*arguments, "--log-json", stdout=log, stderr=log)

    def stop(self) -> list[str]:
        """Ask all to stop and wait; the roles that ended with an error."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        return [role for role, process in self.running.items() if _ended(process) != 0]

    def kill_all(self) -> None:
        for process in self.running.values():
            process.kill()
            _ended(process)


def _ended(process: Popen[bytes]) -> int:
    process.communicate(timeout=120)
    return process.returncode


def wreak(cast: Cast, rng: Random, seconds: float) -> None:
    """Do something to somebody every few seconds, for so long. At the end all run."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(rng.uniform(0.5, 3.0))
        name = rng.choices(list(DEEDS), [weight for weight, _ in DEEDS.values()])[0]
        DEEDS[name][1](cast, rng)
        cast.done[name] += 1
        for role in ROLES[cast.mode]:
            cast.revive(role)


def _kill(cast: Cast, rng: Random) -> None:
    process = cast.running[rng.choice(sorted(cast.running))]
    process.kill()
    _ended(process)
    time.sleep(rng.uniform(0.0, 2.0))


def _freeze(cast: Cast, rng: Random) -> None:
    """Stop one for longer than its heart may: its file goes to another one, and then it goes on."""
    process = cast.running[rng.choice(sorted(cast.running.keys() - {"watch"}))]
    process.send_signal(signal.SIGSTOP)
    time.sleep(rng.uniform(*FROZEN_SECONDS))
    process.send_signal(signal.SIGCONT)


def _kill_backend(cast: Cast, rng: Random) -> None:
    """Kill one of the server's processes: it throws all connections away and recovers."""
    if backends := _backends(cast):
        with suppress(ProcessLookupError):
            os.kill(rng.choice(backends), signal.SIGKILL)


def _cut(cast: Cast, rng: Random) -> None:
    """End one connection."""
    if backends := _backends(cast):
        with suppress(ProcessLookupError):
            os.kill(rng.choice(backends), signal.SIGTERM)


def _kill_postmaster(cast: Cast, _: Random) -> None:
    if pid := EmbeddedServer(cast.command.home).status().pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


DEEDS: dict[str, tuple[int, Callable[[Cast, Random], None]]] = {
    "process killed": (6, _kill),
    "connection cut": (4, _cut),
    "backend killed": (2, _kill_backend),
    "postmaster killed": (2, _kill_postmaster),
    "process frozen": (1, _freeze),
}


def _backends(cast: Cast) -> list[int]:
    query = (
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY 1"
    )
    dsn = (cast.command.folder / "dsn").read_text()
    with suppress(psycopg.Error), psycopg.connect(dsn, connect_timeout=2) as connection:
        return [int(row[0]) for row in connection.execute(query)]
    return []
