"""What `up` does at night."""

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.events import keeping, named
from tests.support.harness import Harness

from greenstream.adapters.postgres.base.whole_database import only_one
from greenstream.application.lake.archive import ArchiveState
from greenstream.application.nightly import Due, nightly, planned
from greenstream.domain.errors import LakeDamaged
from greenstream.entrypoints.cli.console import Console
from greenstream.entrypoints.service import night_schedule
from greenstream.entrypoints.service.logs import logger
from greenstream.settings import Settings
from greenstream.wiring import Place, utc_now


class SettableClock:
    """The time now, or ahead of it."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


LINE = "meter_id,timestamp,energy_value\nSM-1,2024-03-01 00:00,{} kW\n"


def test_a_day_is_settled_once_a_night_however_often_late_data_comes(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each settling of a fleet-day keeps loads out of that day for a while."""
    monkeypatch.setattr(night_schedule, "NIGHTLY_HOUR", 0)
    clock = SettableClock()
    place = Place(Settings(home=harness.folder, database_url=harness.dsn), lambda _: None, clock)
    part = night_schedule.NightSchedule(threading.Event(), logger(json=True))

    def load(name: str, kilowatts: int) -> bool:
        """Whether a day is due once the file is loaded and the night's part has run."""
        place.loading.process(harness.land(name, LINE.format(kilowatts)))
        place.history.detect()
        assert place.history.due_days() != []
        part.look(place)
        return place.history.due_days() != []

    assert not load("a.csv", 1)
    assert load("b.csv", 2)
    clock.ahead = timedelta(days=1)
    assert not load("c.csv", 3)
    place.close()


def test_a_damaged_lake_breaks_off_the_night_and_not_the_service(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(night_schedule, "NIGHTLY_HOUR", 0)
    events = list[dict[str, Any]]()
    clock = SettableClock()
    place = Place(Settings(home=harness.folder, database_url=harness.dsn), lambda _: None, clock)
    part = night_schedule.NightSchedule(threading.Event(), keeping(events))
    place.loading.process(harness.land("a.csv", LINE.format(1)))
    part.look(place)
    assert named(events, "archived")
    for manifest in (harness.folder / "manifest").rglob("*.json"):
        manifest.write_bytes(b"{")
    place.loading.process(harness.land("b.csv", LINE.format(2)))
    clock.ahead = timedelta(days=1)
    part.look(place)
    (broken,) = named(events, "night broken off")
    assert (
        harness.one("SELECT message FROM alerts WHERE code = 'LAKE_DAMAGED' AND subject = 'nightly'") == broken["error"]
    )
    place.close()


def test_a_night_that_is_called_for_raises_the_alert_about_a_damaged_lake_as_well(harness: Harness) -> None:
    place = Place(Settings(home=harness.folder, database_url=harness.dsn), lambda _: None)
    place.loading.process(harness.land("a.csv", LINE.format(1)))
    list(nightly(place.lake.night(), lambda _step: None))
    for manifest in (harness.folder / "manifest").rglob("*.json"):
        manifest.write_bytes(b"{")
    place.loading.process(harness.land("b.csv", LINE.format(2)))
    with pytest.raises(LakeDamaged) as broken:
        list(nightly(place.lake.night(), lambda _step: None))
    assert harness.one("SELECT message FROM alerts WHERE code = 'LAKE_DAMAGED' AND subject = 'nightly'") == str(
        broken.value
    )
    place.close()


def test_an_archive_that_would_lose_readings_raises_the_alert_whoever_asks_for_it(harness: Harness) -> None:
    place = Place(Settings(home=harness.folder, database_url=harness.dsn), lambda _: None)
    place.loading.process(harness.land("a.csv", LINE.format(1)))
    day = date(2024, 3, 1)
    assert place.lake.archive(day).state is ArchiveState.ARCHIVED
    harness.execute("DELETE FROM greenstream.reading")
    assert place.lake.archive(day).state is ArchiveState.WOULD_LOSE
    assert harness.one("SELECT subject FROM alerts WHERE code = 'LAKE_DAMAGED'") == str(day)
    place.close()


class Waited(Exception):
    """Somebody was told to wait."""


def refuse_to_wait(text: str) -> None:
    if "under way" in text:
        raise Waited(text)


EXCLUDED: dict[str, Callable[[Place, Path], object]] = {
    "archive": lambda place, _: place.lake.archive(date(2024, 3, 1)),
    "night": lambda place, _: list(nightly(place.lake.night(), lambda _step: None)),
    "night of a day": lambda place, _: list(nightly(place.lake.night_of(date(2024, 3, 1)), lambda _step: None)),
    "retention": lambda place, _: list(place.lake.night().retire(False)),
    "erasure": lambda place, _: list(
        place.corrections.erase("SM-1", "a test", on_file=lambda _path: None, on_day=lambda _day: None)
    ),
    "backup": lambda place, folder: place.backups.take(folder / "backup", Console().progress, files=False),
}


@pytest.mark.parametrize("name", EXCLUDED)
def test_one_at_a_time_whoever_calls(harness: Harness, tmp_path: Path, name: str) -> None:
    place = Place(Settings(home=harness.folder, database_url=harness.dsn), refuse_to_wait)
    place.loading.process(harness.land("a.csv", LINE.format(1)))
    with only_one(harness.dsn, "nightly") as ours:
        assert ours
        with pytest.raises(Waited):
            EXCLUDED[name](place, tmp_path)
    EXCLUDED[name](place, tmp_path)
    place.close()


def test_a_dry_run_waits_for_nobody_and_knows_of_what_the_rules_have_not_seen(harness: Harness) -> None:
    place = Place(Settings(home=harness.folder, database_url=harness.dsn), refuse_to_wait)
    place.loading.process(harness.land("a.csv", LINE.format(1)))
    with only_one(harness.dsn, "nightly"):
        assert Due(step="settle", day=date(2024, 3, 1)) in list(planned(place.lake.night()))
    place.close()
