"""A round: files are delivered into a home while its processes and its server die; then all is compared."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import psycopg
from tests.acceptance.conftest import Command
from tests.chaos.deliveries import deliveries
from tests.chaos.processes import Cast, wreak
from tests.chaos.verdict import Tally, compare, unfinished
from tests.chaos.writers import Sent, deliver
from tests.integration.embedded_support import scratch
from tests.support.harness import Harness

SETTLING_SECONDS = 300.0
LIFETIMES = {f"{layer}RETENTION_DAYS": "36500" for layer in ("", "FINDINGS_", "QUARANTINE_", "LEDGER_")}
"""Each start of `up` has its night; nothing a round delivers is so old that it would go."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was done to whom, and what was there in the end."""

    done: dict[str, int]
    tally: Tally


def run_round(seed: int, *, mode: str, seconds: float, files: int) -> Report:
    """Raise AssertionError where a row is lost or doubled, or a file is left behind."""
    rng = Random(seed)
    with scratch() as folder:
        command = Command(folder / "home", folder, **LIFETIMES)
        try:
            return _run(command, rng, mode, seconds, files)
        finally:
            command("down")


def _run(command: Command, rng: Random, mode: str, seconds: float, files: int) -> Report:
    command("db", "migrate", code=0)
    dsn = command("db", "url", code=0).out.strip()
    command.file("dsn", dsn)
    started = datetime.now(UTC)
    sent = deliveries(Random(rng.random()), seconds, files, started.date(), command.folder / "fleet")
    cast = Cast(command, mode)
    cast.start()
    try:
        contents: list[Sent] = []
        writers = threading.Thread(target=lambda: contents.extend(deliver(command, sent)))
        writers.start()
        wreak(cast, rng, seconds)
        writers.join()
        harness = Harness(dsn, command.home, now=started)
        _await_end(harness)
        assert cast.stop() == []
    finally:
        cast.kill_all()
    command("db", "url", code=0)
    assert len(contents) >= len(sent), "a sender failed"
    tally = compare(harness, contents, dsn, command.folder / "quiet")
    harness.close()
    return Report(done=dict(cast.done), tally=tally)


def _await_end(harness: Harness) -> None:
    deadline, left = time.monotonic() + SETTLING_SECONDS, ["all"]
    while left:
        assert time.monotonic() < deadline, f"left behind: {left}"
        time.sleep(0.5)
        with suppress(psycopg.OperationalError):  # the server recovers
            left = unfinished(harness)
