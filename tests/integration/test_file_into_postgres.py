"""Files through the real path into PostgreSQL, compared with the oracle relation by relation."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from tests.oracle.generators import random_file
from tests.oracle.reference import Evaluation, evaluate_file
from tests.support.expected import Processed, wrong_relations
from tests.support.harness import HEADER, NOW, Databases, Harness, site_of

CONTRACT = {
    "meter_readings": "record_id text, meter_id text, reading_at timestamptz, energy_value text,"
    " consumption_kw numeric, location text, region text, customer_class text, period text, season text, flags text[],"
    " quality_score int4,"
    " quality_grade text, processed_timestamp timestamptz, pipeline_version text, source_file text",
    "meter_metadata": "meter_id text, location text, region text, customer_class text, first_seen_at timestamptz,"
    " last_seen_at timestamptz, reliability float8, status text",
    "data_quality_log": "rule_id text, code text, severity text, meter_id text, record_id text, reading_at timestamptz,"
    " window_start timestamptz, window_end timestamptz, detail jsonb, source_file text, detected_at timestamptz,"
    " resolved_at timestamptz",
    "source_files": "path text, sha256 text, size_bytes int8, outcome text, reason text, rows int8, stored int8,"
    " duplicate int8, rejected int8, received_at timestamptz, processed_at timestamptz, pipeline_version text",
    "quarantined_rows": "source_file text, line_number int8, raw_line text, rule_id text, code text,"
    " quarantined_at timestamptz, replayed_at timestamptz, discarded_at timestamptz",
    "dead_letters": "source_file text, error text, attempts int4, failed_at timestamptz, replayed_at timestamptz",
    "alerts": "code text, severity text, subject text, message text, count int8, first_at timestamptz,"
    " last_at timestamptz, acknowledged_at timestamptz",
}
CONTRACT["current_readings"] = CONTRACT["meter_readings"]


@pytest.mark.parametrize("relation", CONTRACT)
def test_a_relation_has_the_columns_and_types_of_the_contract(harness: Harness, relation: str) -> None:
    columns = harness.query(
        "SELECT column_name || ' ' || regexp_replace(udt_name, '^_(.*)', '\\1[]') AS found"
        " FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position",
        relation,
    )
    wanted = CONTRACT[relation].split(", ")
    assert [row["found"] for row in columns if row["found"] in wanted] == wanted


def test_the_sample_record_reads_as_the_contract_says(harness: Harness) -> None:
    harness.load("a.csv", HEADER + "SM-48291,2024-03-15 18:45:00,3250 W,Residential_Zone_7\n")
    (row,) = harness.query("SELECT * FROM meter_readings")
    assert row["record_id"] == "94c80d433ed95d02340740bc2829980abb5ff0d27df139dd4e0cc2993741e00a"
    assert f"{row['consumption_kw']}" == "3.2500"
    assert (row["region"], row["period"], row["quality_score"], row["quality_grade"]) == ("Zone7", "peak", 100, "A")


def landing_name(seed: int, name: str) -> str:
    return f"{seed}-{name}"


def processed(harness: Harness, path: str, content: bytes, kwargs: Mapping[str, Any], now: datetime) -> Processed:
    evaluation = evaluate_file(Path(path).name, content, **{**kwargs, "now": now})
    return Processed(path=path, processed_at=now, evaluation=evaluation)


def give_reliabilities(harness: Harness, reliability: Mapping[str, float | None]) -> None:
    """Meters as settling left them, before the file comes."""
    with psycopg.connect(harness.dsn) as connection:
        connection.execute("INSERT INTO greenstream.location (location, region) VALUES ('', 'Unknown')")
        connection.cursor().executemany(
            "INSERT INTO greenstream.meter (meter_id, location_key, reliability)"
            " SELECT %s, location_key, %s FROM greenstream.location",
            [*reliability.items()],
        )


def seeded_disagreements(databases: Databases, seed: int) -> list[str]:
    name, content, kwargs = random_file(seed)
    limits = {key: kwargs[key] for key in ("interval_minutes", "earliest_reading") if key in kwargs}
    with databases.harness(site_of(kwargs["timezone"], **limits), now=kwargs["now"]) as harness:
        give_reliabilities(harness, kwargs["reliability"])
        path = harness.land(landing_name(seed, name), content, received_at=kwargs["received_at"])
        harness.process(path, now=kwargs["now"])
        return wrong_relations(harness, [processed(harness, path, content, kwargs, kwargs["now"])])


@pytest.mark.parametrize("seed", range(14))
def test_a_hostile_file_ends_in_the_database_as_the_oracle_says(databases: Databases, seed: int) -> None:
    assert seeded_disagreements(databases, seed) == []


METERS = ("SM-1", "SM-2", "sm-1", "Zähler 3", "M'4\\", 'M"5')
PLACES = ("Residential_Zone_7", "Commercial_Zone_2", "", "Depot, Süd", "\\N", "\\.")
ENERGIES = ("3250 W", "3.25 kW", "", "abc", "0 kW", "50 kW", "12 Volts", "\\.", "\\N", '"q"')


def overlapping_file(rng: Random) -> bytes:
    """Few meters, slots and values, so that files repeat, overlap and correct each other."""
    lines = [overlapping_line(rng) for _ in range(rng.randrange(1, 30))]
    return (HEADER + "".join(lines)).encode()


def overlapping_line(rng: Random) -> str:
    minute = rng.choice((0, 15, 30, 45, 46))
    timestamp = rng.choice((f"2024-03-{rng.randrange(15, 18)} 10:{minute}:00",) * 9 + ("broken",))
    fields = (rng.choice(METERS), timestamp, rng.choice(ENERGIES), rng.choice(PLACES))
    return ",".join('"' + field.replace('"', '""') + '"' for field in fields) + "\n"


@pytest.mark.parametrize("seed", range(8))
def test_overlaps_repeats_and_corrections_over_many_files_are_as_the_oracle_says(harness: Harness, seed: int) -> None:
    rng = Random(seed)
    files: dict[bytes, Processed] = {}
    for number in range(6):
        content = overlapping_file(rng)
        received_at = NOW + timedelta(minutes=number)
        path = harness.land(f"{number}.csv", content, received_at=received_at)
        now = NOW + timedelta(minutes=number, seconds=30)
        harness.process(path, now=now)
        files.setdefault(content, processed(harness, path, content, {"received_at": received_at}, now))
    assert wrong_relations(harness, [*files.values()]) == []
    harness.assert_adds_up()


def test_the_comparison_sees_what_is_missing(harness: Harness) -> None:
    nothing = Processed(path="x", processed_at=NOW, evaluation=Evaluation(reason="EMPTY_FILE"))
    assert wrong_relations(harness, []) == []
    assert len(wrong_relations(harness, [nothing])) == 2
