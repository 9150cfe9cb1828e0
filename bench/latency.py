"""From a landed file to committed rows: 50,000 meters through a real `up`, 15 minutes pressed into 30 s; then more.

    python -m bench.latency --minutes 5

Each snapshot is ten files, one a region, that land in the same instant: the worst case. Readings are those of the days
before today, in a time zone where the night's settling isn't due yet.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import numpy as np

from greenstream.simulator import SimulationPlan, simulate

METERS = 50_000
REGIONS = 10
DAYS = 3
SECONDS = 30.0
"""Between two snapshots, at first."""
STEP_SECONDS = 60.0
"""How long each doubled load lasts."""
BEHIND_SECONDS = 6.0
"""A load is not sustained if the last file of a step takes longer than this."""
GIVE_UP_SECONDS = 120.0

Snapshot = tuple[Path, ...]


@dataclass
class Up:
    """A running `up` and its log."""

    home: Path
    log: Path
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.home / "raw-data" / time.strftime("%Y-%m-%d", time.gmtime())

    def land(self, snapshot: Snapshot) -> None:
        """Put the files in place all at once, with the time of this moment."""
        for file in snapshot:
            os.utime(file)
        for file in snapshot:
            file.rename(self.folder / file.name)

    def latencies(self) -> dict[str, float]:
        """Seconds from the landing to the commit, by the name of the file."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{")]
        return {Path(e["file"]).name: e["since_landing"] for e in events if e["event"] == "loaded"}


@contextmanager
def running(folder: Path, timezone: str) -> Iterator[Up]:
    """A home of its own, whose `up` has started; it is stopped at the end."""
    greenstream = str(Path(sys.executable).parent / "greenstream")
    environment = {**os.environ, "GREENSTREAM_HOME": str(folder / "home"), "GREENSTREAM_TIMEZONE": timezone}
    up = Up(folder / "home", folder / "up.log")
    with up.log.open("wb") as log:
        process = subprocess.Popen([greenstream, "up"], cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        _wait(lambda: "started" in up.log.read_text(encoding="utf-8"))
        up.folder.mkdir(parents=True, exist_ok=True)
        yield up
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        subprocess.run([greenstream, "down"], cwd=folder, env=environment, check=True)


def _wait(done: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while not done() and time.monotonic() < deadline:
        time.sleep(0.2)
    return done()


def just_past_midnight() -> str:
    """A time zone in which the day is less than an hour old."""
    hour = datetime.now(UTC).hour
    return f"Etc/GMT{hour:+d}" if hour <= 12 else f"Etc/GMT{hour - 24:+d}"


def snapshots(folder: Path, timezone: str) -> Iterator[Snapshot]:
    """The files of a fleet, slot by slot, in a folder on the landing zone's disk."""
    start = datetime.now(ZoneInfo(timezone)).date() - timedelta(days=DAYS)
    plan = SimulationPlan(meters=METERS, regions=REGIONS, days=DAYS, start=start, layout="snapshot", timezone=timezone)
    made = sorted(simulate(plan, folder / "fleet").files, key=lambda file: (file.delivered_at, file.path.name))
    return (tuple(file.path for file in made[at : at + REGIONS]) for at in range(0, len(made), REGIONS))


@dataclass(frozen=True, kw_only=True)
class Step:
    """A load: a snapshot `every` so many seconds. `latencies` are infinite for files that never came through."""

    every: float
    latencies: list[float]
    seconds: float

    @property
    def offered(self) -> float:
        """Rows a second that landed."""
        return METERS / self.every

    @property
    def sustained(self) -> bool:
        return max(self.latencies[-REGIONS:]) <= BEHIND_SECONDS

    def __str__(self) -> str:
        p50, p99 = np.percentile(self.latencies, [50, 99], method="higher")
        rows = len(self.latencies) * METERS / REGIONS
        return (
            f"{self.offered:>9,.0f} rows/s landed, {rows / self.seconds:,.0f} committed; {len(self.latencies)} files, "
            f"p50 {p50:.2f} s, p99 {p99:.2f} s, max {max(self.latencies):.2f} s: "
            f"{'sustained' if self.sustained else 'falls behind'} (load average {os.getloadavg()[0]:.1f})"
        )


def step(up: Up, files: Iterator[Snapshot], every: float, seconds: float) -> Step:
    """Land a snapshot every so often, for so long, and wait until all are in."""
    landed: list[str] = []
    started = time.monotonic()
    for number in range(max(1, round(seconds / every))):
        time.sleep(max(0.0, started + number * every - time.monotonic()))
        snapshot = next(files)
        up.land(snapshot)
        landed += [file.name for file in snapshot]
    _wait(lambda: up.latencies().keys() >= set(landed))
    found = up.latencies()
    took = max(time.monotonic() - started, seconds)
    return Step(every=every, latencies=[found.get(name, float("inf")) for name in landed], seconds=took)


def measure(minutes: float) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        timezone = just_past_midnight()
        files = snapshots(folder, timezone)
        print(f"load average at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
        with running(folder, timezone) as up:
            step(up, files, SECONDS, SECONDS)  # meters are registered, code is warm
            print("wanted: p50 under 1.5 s, p99 under 6 s", flush=True)
            every, seconds, highest = SECONDS, minutes * 60, 0.0
            while (done := step(up, files, every, seconds)).sustained:
                print(done, flush=True)
                every, seconds, highest = every / 2, STEP_SECONDS, done.offered
            print(f"{done}\nhighest sustained load: {highest:,.0f} rows/s", flush=True)


def main() -> None:
    measure(5)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    measure(parser.parse_args().minutes)
