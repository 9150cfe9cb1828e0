"""What `up` does at night."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from tests.support.bed import Bed
from tests.support.events import keeping, named

from greenstream import wiring
from greenstream.entrypoints.service import night
from greenstream.entrypoints.service.logs import logger
from greenstream.settings import Settings
from greenstream.wiring import System

LINE = "meter_id,timestamp,energy_value\nSM-1,2024-03-01 00:00,{} kW\n"


def test_a_day_is_settled_once_a_night_however_often_late_data_comes(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each settling of a fleet-day keeps loads out of that day for a while."""
    monkeypatch.setattr(night, "NIGHTLY_HOUR", 0)
    system = System(Settings(home=bed.folder, database_url=bed.dsn), lambda _: None)
    part = night.NightPart(threading.Event(), logger(json=True))

    def load(name: str, kilowatts: int) -> bool:
        """Whether a day is due once the file is loaded and the night's part has run."""
        system.process(bed.land(name, LINE.format(kilowatts)))
        system.watch()
        assert system.due_days() != []
        part.look(system)
        return system.due_days() != []

    assert not load("a.csv", 1)
    assert load("b.csv", 2)
    tomorrow = wiring.now() + timedelta(days=1)
    monkeypatch.setattr(night, "now", lambda: tomorrow)
    assert not load("c.csv", 3)
    system.close()


def test_a_damaged_lake_breaks_off_the_night_and_not_the_service(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(night, "NIGHTLY_HOUR", 0)
    events = list[dict[str, Any]]()
    system = System(Settings(home=bed.folder, database_url=bed.dsn), lambda _: None)
    part = night.NightPart(threading.Event(), keeping(events))
    system.process(bed.land("a.csv", LINE.format(1)))
    part.look(system)
    assert named(events, "archived")
    for manifest in (bed.folder / "manifest").rglob("*.json"):
        manifest.write_bytes(b"{")
    system.process(bed.land("b.csv", LINE.format(2)))
    tomorrow = wiring.now() + timedelta(days=1)
    monkeypatch.setattr(night, "now", lambda: tomorrow)
    part.look(system)
    (broken,) = named(events, "night broken off")
    assert bed.one("SELECT message FROM alerts WHERE code = 'LAKE_DAMAGED' AND subject = 'nightly'") == broken["error"]
    system.close()
