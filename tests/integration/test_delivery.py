"""A file gives the same rows to whoever asks: when it is loaded, reprocessed, verified, and erased from."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from tests.integration.test_replay import context
from tests.oracle.generators import random_file
from tests.support.harness import Databases, Harness, site_of
from tests.support.nights import Nights

from greenstream.application.corrections import erase as erase_module
from greenstream.application.corrections.reprocess import reprocess
from greenstream.application.loading import delivery as delivery_module
from greenstream.application.loading import process_file as process_module
from greenstream.domain.errors import FileRejected
from greenstream.domain.formats import LandedText, check_size, landed_text
from greenstream.domain.formats.quarantine import LongRow
from greenstream.domain.ledger import Outcome
from greenstream.domain.readings.delivery import JudgedDelivery, judge_delivery
from greenstream.domain.readings.schema import ERASED

Facts = dict[str, Any]


def facts(judged: JudgedDelivery) -> Facts:
    evaluated = judged.evaluated
    reliable = pl.repeat(value=True, n=len(evaluated.meters), eager=True)
    batches = [batch.with_columns(evaluated.locations[batch["location"]]) for batch in evaluated.readings(reliable)]
    return {
        "rows": judged.rows,
        "readings": [row for batch in batches for row in batch.drop("meter").to_dicts()],
        "quarantined": [row for batch in judged.quarantined() for row in rows_of(batch)],
        "erased": judged.erased_lines.to_list(),
        "ignored": judged.ignored_columns,
    }


def rows_of(batch: pl.DataFrame | LongRow) -> list[Facts]:
    return batch.to_dicts() if isinstance(batch, pl.DataFrame) else [vars(batch)]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Facts]]:
    """What was judged since it was asked last."""
    judged = list[Facts]()

    def watched(text: LandedText, *args: Any, **options: Any) -> JudgedDelivery:
        done = judge_delivery(text, *args, **options)
        judged.append(facts(done))
        return done

    for module in (process_module, delivery_module, erase_module):
        monkeypatch.setattr(module, "judge_delivery", watched)

    def taken() -> list[Facts]:
        found = judged.copy()
        judged.clear()
        return found

    return taken


def loadable(seed: int) -> bool:
    name, content, options = random_file(seed)
    site = site_of(options["timezone"], interval_minutes=options["interval_minutes"])
    try:
        check_size(name, len(content), site.limits)
        done = judge_delivery(
            landed_text(name, content, site.limits),
            site,
            received_at=options["received_at"],
            now=options["now"],
            erased=pl.DataFrame(schema=ERASED),
        )
    except FileRejected:
        return False
    return done.evaluated.rows.height > 0


@pytest.mark.parametrize("seed", [seed for seed in range(24) if loadable(seed)][:4])
def test_load_verify_and_reprocess_judge_alike(
    seed: int, databases: Databases, seen: Callable[[], list[Facts]]
) -> None:
    name, content, options = random_file(seed)
    site = site_of(options["timezone"], interval_minutes=options["interval_minutes"])
    with databases.harness(site=site) as harness:
        harness.now = options["now"]
        path = harness.land(name, content, received_at=options["received_at"])
        assert harness.process(path).outcome is Outcome.LOADED
        (loaded,) = seen()
        local_day = "SELECT DISTINCT (reading_at AT TIME ZONE %s)::date AS day FROM meter_readings ORDER BY 1"
        days = [row["day"] for row in harness.query(local_day, site.timezone)]
        for day in days:
            assert Nights(harness).verify(day).differences == ()
            assert seen() == [loaded]
        (again,) = reprocess(days[0], days[-1], context(harness, harness.now, site=site))
        assert seen() == [loaded]
        assert not again.is_other


def test_erasing_from_what_came_again_judges_as_its_load_did(harness: Harness, seen: Callable[[], list[Facts]]) -> None:
    header = "meter_id,timestamp,energy_value\n"
    mine, others = "SM-1,2024-03-15 10:00,1 kW\n", "SM-2,2024-03-15 10:00,1 kW\n"
    harness.load("a.csv", header + mine)
    Nights(harness).erase("SM-1")
    assert harness.load("b.csv", header + mine + others).ledger.duplicate == 1
    loaded = seen()[-1]
    assert loaded["erased"] == [2]
    Nights(harness).run()
    assert loaded in seen()
