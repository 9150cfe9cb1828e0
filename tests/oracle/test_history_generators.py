"""The random histories keep what they promise, and reach what they are for."""

from zoneinfo import ZoneInfo

import pytest
from tests.oracle.history import final_scores, findings
from tests.oracle.history_generators import random_history, readings_of, shuffled
from tests.oracle.history_grid import local_day
from tests.oracle.reference import evaluate_file


def test_a_seed_names_a_history_and_its_order() -> None:
    files, settings = random_history(7)
    assert (files, settings) == random_history(7)
    assert shuffled(files, 3) == shuffled(files, 3) != shuffled(files, 4)


@pytest.mark.parametrize("seed", range(8))
def test_order_and_repeats_change_nothing(seed: int) -> None:
    files, settings = random_history(seed, days=4)
    readings, others = readings_of(files, settings), readings_of(shuffled(files, seed), settings)
    zone = ZoneInfo(settings.timezone)
    assert {each.record_id for each in readings} == {each.record_id for each in others}
    assert findings(readings, timezone=settings.timezone) == findings(others, timezone=settings.timezone)
    for day in {local_day(each.slot, zone) for each in readings}:
        assert final_scores(readings, day, timezone=settings.timezone) == final_scores(
            others, day, timezone=settings.timezone
        )


def test_every_row_is_a_reading_with_its_timestamp_as_read() -> None:
    files, settings = random_history(1)
    for name, content in files:
        evaluation = evaluate_file(
            name, content, received_at=settings.now, now=settings.now, timezone=settings.timezone
        )
        assert len(evaluation.readings) == evaluation.rows
        assert not any("TIMESTAMP_INFERRED" in each.flags for each in evaluation.readings)


def test_random_histories_meet_every_rule_open_and_ended() -> None:
    met = set()
    for seed in range(16):
        files, settings = random_history(seed, days=8, meters=4)
        found = findings(readings_of(files, settings), timezone=settings.timezone)
        met |= {(each.rule_id, each.resolved) for each in found}
    assert met >= {(rule, resolved) for rule in ("B2.3", "B4.1", "B4.2", "B4.3") for resolved in (True, False)}
    assert ("B3.2", True) in met
