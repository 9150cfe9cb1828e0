"""Kill loaders and the server at random and at each step, until all files are in: then every row is there once.

    python -m tests.integration.crash_matrix --rounds 20 --seed 7

The suite runs a few rounds of it. It tells the seed of each round; the same seed kills at the same steps.
"""

import argparse
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.integration.embedded_support import postmaster_of, scratch
from tests.support.harness import HEADER, Databases, Harness
from tests.support.worker import STEPS, Death, Worker, barrier, job_of

from greenstream.adapters.postgres.embedded import EmbeddedServer, ServerInfo

FILES = 6
ROWS = 400
BATCH_ROWS = 60


def content_of(rng: Random) -> str:
    """Rows of few meters, days and values: files overlap, and a tenth of the rows is bad."""
    return HEADER + "".join(_line(rng) for _ in range(ROWS))


def _line(rng: Random) -> str:
    if rng.random() < 0.1:
        return rng.choice(("broken\n", ",2024-03-15 10:00:00,1 kW,\n", "SM-1,1999-01-01 00:00:00,1 kW,\n"))
    meter, minute = rng.randrange(20), rng.randrange(0, 60, 15)
    timestamp = f"2024-03-{rng.randrange(10, 20)} {rng.randrange(24):02}:{minute:02}:00"
    return f"SM-{meter},{timestamp},{rng.choice((1, 2, 'x'))} kW,Residential_Zone_{meter % 4}\n"


def land_files(harness: Harness, rng: Random) -> list[str]:
    paths = [harness.land(f"{number}.csv", content_of(rng)) for number in range(FILES)]
    return [*paths, harness.land("bad.csv", "no header\n")]


def expected(harness: Harness, paths: Sequence[str]) -> tuple[int, list[str]]:
    """The rows there are, and the record ids that loading the files in peace gives, in this database; it is emptied."""
    for path in paths:
        harness.process(path)
    rows = harness.sums()[0]
    records = stored(harness)
    harness.execute(
        "TRUNCATE greenstream.reading, greenstream.row_finding, greenstream.grade_count, greenstream.flag_count,"
        " greenstream.quarantined_row, greenstream.load, greenstream.source_file, greenstream.meter,"
        " greenstream.meter_activity, greenstream.location, greenstream.day, greenstream.alert CASCADE"
    )
    return rows, records


def stored(harness: Harness) -> list[str]:
    return [row["record_id"] for row in harness.query("SELECT record_id FROM meter_readings ORDER BY 1")]


def draw_death(rng: Random) -> Death:
    step = rng.choice(sorted(STEPS))
    nth = rng.randrange(1, 12) if step == "store" else rng.randrange(1, 4)
    return Death(step=step, after=rng.random() < 0.5, nth=nth)


def check_all_once(harness: Harness, rows: int, records: Sequence[str]) -> None:
    assert harness.sums()[0] == rows
    assert stored(harness) == list(records)
    outcomes = harness.query("SELECT outcome, count(*) AS files FROM source_files GROUP BY 1 ORDER BY 1")
    assert outcomes == [{"outcome": "loaded", "files": FILES}, {"outcome": "rejected", "files": 1}]
    assert harness.one("SELECT count(*) FROM dead_letters") == 0
    harness.assert_adds_up()


def run_round(harness: Harness, seed: int, *, kills: int = 6, server: "Victim | None" = None) -> int:
    """One harness through its deaths; how many processes died. Raises AssertionError where a row is lost or doubled."""
    rng = Random(seed)
    paths = land_files(harness, rng)
    rows, records = expected(harness, paths)
    died = sum(_one_kill(harness, rng, paths, server) for _ in range(kills))
    if server:
        server.revive()
    last = Worker(job_of(harness, *paths, batch_rows=BATCH_ROWS)).report()
    assert last is not None
    assert "gave up" not in last.outcomes
    check_all_once(harness, rows, records)
    return died


def _one_kill(harness: Harness, rng: Random, paths: Sequence[str], server: "Victim | None") -> bool:
    """Two workers on the files in orders of their own; one dies at a step, or at any moment, or the server does."""
    orders = [rng.sample(list(paths), 3) for _ in range(2)]
    at_step = draw_death(rng) if rng.random() < 0.6 else None
    delay, hits_server = rng.random() * 0.2, server is not None and rng.random() < 0.5
    start = barrier(3)
    workers = [
        Worker(job_of(harness, *order, batch_rows=BATCH_ROWS, death=death, attempts=3, barrier=start))
        for order, death in zip(orders, (at_step, None), strict=True)
    ]
    start.wait(60)
    if at_step is None:
        time.sleep(delay)
        server.kill() if server and hits_server else workers[0].kill()
    died = [worker.report() for worker in workers].count(None)
    if server:
        server.revive()
    return died > 0


class Victim:
    """The server, to be killed and started again."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self.info: ServerInfo = server.ensure_running()

    def kill(self) -> None:
        with suppress(ProcessLookupError, FileNotFoundError):
            os.kill(postmaster_of(self.info), signal.SIGKILL)

    def revive(self) -> None:
        self.info = self._server.ensure_running()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    with scratch() as folder:
        victim = Victim(EmbeddedServer(folder / "home", shared_dir=folder / "shared"))
        try:
            _run(options.rounds, options.seed, victim, folder)
        finally:
            EmbeddedServer(folder / "home", shared_dir=folder / "shared").stop("immediate")


def _run(rounds: int, seed: int, victim: Victim, folder: Path) -> None:
    for each in range(seed, seed + rounds):
        print(f"seed {each}: ", end="", flush=True)
        with Databases(victim.info.dsn, folder / "harnesses").harness() as harness:
            died = run_round(harness, each, server=victim)
        print(f"{died} workers died, every row is there once", flush=True)


if __name__ == "__main__":
    main()
