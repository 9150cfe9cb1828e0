"""`greenstream doctor`: every fault is provoked for real, and must come with its mend."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.acceptance.conftest import Ended
from tests.support.databases import another_database
from tests.support.roles import login

Checks = dict[str, list[dict[str, Any]]]


def by_level(ended: Any) -> Checks:
    """The checks of a report, by level."""
    report = ended.json
    found: Checks = {"ok": [], "warning": [], "fault": []}
    for check in report["checks"]:
        found[check["level"]].append(check)
    assert (report["warnings"], report["faults"]) == (len(found["warning"]), len(found["fault"]))
    assert all(check["mend"] for check in found["warning"] + found["fault"])
    return found


def only_fault(ended: Any) -> dict[str, Any]:
    assert ended.code == 1
    (fault,) = by_level(ended)["fault"]
    return fault


def warning_of(ended: Any, check: str) -> dict[str, Any]:
    """The only warning of a check; the machine may have others, as data of a home that is gone."""
    (warning,) = [each for each in by_level(ended)["warning"] if each["check"] == check]
    return warning


def test_a_good_set_up_has_no_fault(greenstream):
    ended = greenstream("doctor", "--json", code=0)
    found = by_level(ended)
    assert found["fault"] == []
    assert {
        *("Python", "packages", "hashing", "settings", "clock", "memory", "time zone", "home", "storage", "database"),
        *("server", "encoding", "durability", "connections", "database clock", "tables", "site", "reader", "disk"),
    } <= {check["check"] for check in found["ok"] + found["warning"]}


def test_each_check_has_a_line_and_the_counts_end_the_report(greenstream):
    ended = greenstream("doctor", code=0)
    assert "ok server PostgreSQL" in " ".join(ended.out.split())
    assert ended.out.splitlines()[-1].endswith(" 0 faults")
    assert "\x1b" not in ended.out


def test_it_starts_the_embedded_server_and_says_so(new_greenstream):
    new_greenstream("db", "migrate", code=0)
    new_greenstream("down", code=0)
    found = by_level(new_greenstream("doctor", "--json", code=0))["ok"]
    assert ["started now" in check["found"] for check in found if check["check"] == "database"] == [True]


def test_a_database_of_yours_that_holds_nothing_yet_is_no_fault(greenstream, dsn):
    with another_database(dsn) as url:
        found = by_level(greenstream("doctor", "--json", code=0, DATABASE_URL=url))["ok"]
    assert ["none yet" in check["found"] for check in found if check["check"] == "tables"] == [True]


def test_a_package_that_cant_be_imported_is_a_fault_and_doesnt_stop_the_doctor(greenstream):
    greenstream.file("shadow/polars/__init__.py", "raise ImportError('no such processor')")
    ended = subprocess.run(
        [str(Path(sys.executable).parent / "greenstream"), "doctor", "--json"],
        env={"PYTHONPATH": str(greenstream.folder / "shadow")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    faults = by_level(Ended(ended.returncode, ended.stdout, ended.stderr))["fault"]
    mends = {fault["found"]: fault["mend"] for fault in faults}
    assert "install" in mends["polars can't be imported: ImportError: no such processor"]


def test_tables_of_another_version_are_a_warning(greenstream, dsn):
    with another_database(dsn) as url:
        greenstream("db", "migrate", code=0, DATABASE_URL=url)
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE public.greenstream_version SET version_num = '0000'")
        warning = warning_of(greenstream("doctor", "--json", code=0, DATABASE_URL=url), "tables")
    assert "greenstream db migrate" in warning["mend"]


def test_a_misspelt_variable_is_named_with_the_nearest_setting(greenstream):
    warning = warning_of(greenstream("doctor", "--json", code=0, TIMEZON="Europe/Berlin"), "settings")
    assert "GREENSTREAM_TIMEZON " in warning["found"]
    assert "GREENSTREAM_TIMEZONE?" in warning["mend"]


@pytest.mark.parametrize(("name", "value"), [("TIMEZONE", "Europe/Berln"), ("INTERVAL_MINUTES", "7")])
def test_a_setting_that_cant_be_used_is_a_fault(greenstream, name, value):
    fault = only_fault(greenstream("doctor", "--json", **{name: value}))
    assert fault["check"] == "settings"
    assert value in fault["found"]


def test_a_settings_file_that_cant_be_read_is_a_fault(greenstream):
    greenstream.file("greenstream.toml", "timezone = [")
    assert "greenstream.toml" in only_fault(greenstream("doctor", "--json"))["found"]


def test_a_database_of_another_site_is_a_fault(greenstream):
    fault = only_fault(greenstream("doctor", "--json", TIMEZONE="Europe/Berlin"))
    assert fault["check"] == "site"
    assert "GREENSTREAM_TIMEZONE" in fault["found"]


def test_a_closed_port_is_a_fault(greenstream):
    fault = only_fault(greenstream("doctor", "--json", DATABASE_URL="postgresql://you@127.0.0.1:1/none"))
    assert fault["check"] == "connection"
    assert "GREENSTREAM_DATABASE_URL" in fault["mend"]


def test_a_home_that_cant_be_made_is_a_fault(greenstream):
    file = greenstream.file("occupied", "a file")
    faults = by_level(greenstream("doctor", "--json", code=1, HOME=f"{file}/home"))["fault"]
    assert "home" in {fault["check"] for fault in faults}
    assert "GREENSTREAM_HOME" in next(fault["mend"] for fault in faults if fault["check"] == "home")


def test_a_store_that_isnt_there_is_a_fault(greenstream):
    file = greenstream.file("occupied", "a file")
    fault = only_fault(greenstream("doctor", "--json", STORAGE=f"file://{greenstream.folder}/{file}"))
    assert fault["check"] == "storage"
    assert "GREENSTREAM_STORAGE" in fault["mend"]


def test_a_database_of_yours_is_checked_for_encoding_durability_and_rights(greenstream, dsn):
    with another_database(dsn, "LATIN1") as url, psycopg.connect(url, autocommit=True) as admin:
        name = sql.Identifier(admin.info.dbname)
        admin.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(name))
        with login(url, "doctors_guest"):
            theirs = make_conninfo(url, user="doctors_guest")
            faults = by_level(greenstream("doctor", "--json", code=1, DATABASE_URL=theirs))["fault"]
    mends = {fault["check"]: fault["mend"] for fault in faults}
    assert set(mends) == {"encoding", "durability", "permissions"}
    assert "synchronous_commit = on" in mends["durability"]
    assert "GRANT CREATE ON DATABASE" in mends["permissions"]


def test_readings_from_the_future_are_a_fault(greenstream, dsn):
    with another_database(dsn) as url:
        greenstream("db", "migrate", code=0, DATABASE_URL=url)
        with psycopg.connect(url) as connection:
            connection.execute(
                """WITH place AS (INSERT INTO greenstream.location (location, region) VALUES ('', 'Unknown')
                       RETURNING location_key),
                     meter AS (INSERT INTO greenstream.meter (meter_id, location_key)
                       SELECT 'SM-1', location_key FROM place RETURNING meter_key)
                   INSERT INTO greenstream.meter_activity
                   SELECT meter_key, now(), now() + interval '2 days' FROM meter"""
            )
        fault = only_fault(greenstream("doctor", "--json", DATABASE_URL=url))
    assert fault["check"] == "newest reading"
