"""What one old reading costs beside none: the same fleet, the same file but for one row of 2010 a meter."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import load
from bench.measure import Took, once
from greenstream.adapters.lake.objects import ObjectLake
from greenstream.adapters.postgres.loading.database import PostgresDatabase
from greenstream.adapters.storage import open_store
from greenstream.application.history.detect import detect_findings
from greenstream.application.loading.process_file import process_file
from greenstream.domain.limits import Limits
from greenstream.domain.site import Site

SITE = Site(timezone="UTC", limits=Limits())
NOW = datetime(2026, 3, 12, tzinfo=UTC)
START = datetime(2026, 3, 2, tzinfo=UTC)
OLD = datetime(2010, 1, 5, 12, tzinfo=UTC)
STEP = timedelta(minutes=15)
HEADER = "meter_id,timestamp,energy_value\n"
METERS = 300
DAYS = 9


def main() -> None:
    usual = [START + STEP * slot for slot in range(96 * DAYS)]
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with load.database(folder / "home") as (_, database):
            _watch_file(database, folder, "usual", usual, range(METERS))
            new = _watch_file(database, folder, "new", [START + STEP * 96 * DAYS], range(100))
            for label, when, meters in (
                ("one reading of 2010", lambda _: OLD, range(100, 101)),
                ("100 meters with a reading of 2010", lambda _: OLD, range(100, 200)),
                (
                    "100 meters with a reading at other times",
                    lambda meter: OLD + timedelta(days=59) * (meter - 199),
                    range(200, 300),
                ),
            ):
                took = _watch_rows(database, folder, label, [(meter, when(meter)) for meter in meters])
                print(
                    f"{label}: {took.wall:.2f} s, {took.wall / new.wall:.1f} times a new reading of 100 meters",
                    flush=True,
                )


def _watch_file(database: PostgresDatabase, folder: Path, name: str, slots: list[datetime], meters: range) -> Took:
    return _watch_rows(database, folder, name, [(meter, slot) for slot in slots for meter in meters])


def _watch_rows(database: PostgresDatabase, folder: Path, name: str, rows: list[tuple[int, datetime]]) -> Took:
    text = HEADER + "".join(f"SM-{meter},{at:%Y-%m-%dT%H:%M}Z,{1 + (at.minute + meter) % 7} kW\n" for meter, at in rows)
    path = folder / f"{name}.csv"
    path.write_text(text)
    store = open_store(folder / "home")
    landed = store.land(path, day=NOW.date()).path
    lake = ObjectLake(store, version="bench")
    process_file(landed, landing=store, database=database, lake=lake, site=SITE, clock=lambda: NOW)
    return once(lambda: _watch(database))


def _watch(database: PostgresDatabase) -> None:
    with database.history() as history:
        detect_findings(history, SITE, NOW)


if __name__ == "__main__":
    main()
