"""Whatever passes parsing is stored, whatever doesn't is a rejected row: no text makes a load fail."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.oracle.records import raw_text
from tests.oracle.reference import Evaluation, evaluate_file
from tests.support.harness import NOW, Databases, Harness, site_of

from greenstream.application.corrections.context import CorrectionContext
from greenstream.application.corrections.replay import replay_fixes
from greenstream.application.history.import_meters import import_meters
from greenstream.domain.corrections.fixes import Fixes
from greenstream.domain.formats.roster import read_roster
from greenstream.domain.ledger import Outcome
from greenstream.domain.limits import LONGEST_INDEXED_TEXT, MIB

COLUMNS = ("meter_id", "timestamp", "energy_value", "unit", "location")
HEADER = ",".join(COLUMNS).encode() + b"\n"
GOOD = {
    "meter_id": "SM-1",
    "timestamp": "2024-03-15 18:45:00",
    "energy_value": "5 kW",
    "unit": "",
    "location": "Residential_Zone_7",
}
LENGTHS = (1, 64, 65, 255, 256, 257, 600, 5000)
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def noise(seed: int, length: int) -> str:
    """Characters of four bytes each, without a pattern: no index can compress them."""
    digits = "".join(hashlib.sha256(f"{seed} {n}".encode()).hexdigest() for n in range(length // 12 + 1))
    return "".join(chr(0x10000 + int(digits[n * 5 : n * 5 + 5], 16) % 0xFFFFF) for n in range(length))


ODD_TEXTS = st.one_of(
    st.builds(noise, st.integers(0, 99), st.sampled_from(LENGTHS)),
    st.sampled_from(LENGTHS).map(lambda length: "x" * length),
    st.sampled_from(LENGTHS).map(lambda length: "\u0301" * length),  # combining
    st.text(max_size=20),
    st.text(st.characters(categories=["Cn", "Co", "Cf", "Mn"]), min_size=1, max_size=300),
    st.sampled_from(["\ufeffSM", "S\ufeffM", "\ufffe\uffff", "\U0010ffff\U0001fffe", "\u0085", "\u2028", "\\.", "\\N"]),
    st.sampled_from(["0000-01-01 00:00", "0001-01-01 00:00", "9999-12-31 23:59:59-14:00", "9999-12-31 23:59"]),
    st.sampled_from(["9" * 250 + " kW", "-0e999999999 W", "1e-999999999 kW", "999999999.99995 kW", "+.5e+9 W"]),
)
ODD_BYTES = st.sampled_from([b"\xed\xa0\x80", b"\xff", b"\xf5\x80\x80\x80", b"\xc0\x80", b"\0", b"\x1b[0m", b"\x7f"])


@st.composite
def cells(draw: st.DrawFn) -> bytes:
    text = draw(ODD_TEXTS)
    quoted = '"' + text.replace('"', '""') + '"' if draw(st.booleans()) else text
    raw = quoted.encode(errors="surrogatepass")
    return raw + draw(ODD_BYTES) if draw(st.integers(0, 9)) == 0 else raw


@st.composite
def odd_lines(draw: st.DrawFn) -> bytes:
    """A row in which one field or all of them are odd."""
    odd = draw(st.sampled_from([(name,) for name in COLUMNS] + [COLUMNS]))
    return b",".join(draw(cells()) if name in odd else GOOD[name].encode() for name in COLUMNS)


@pytest.fixture(scope="module")
def shared(databases: Databases) -> Iterator[Harness]:
    with databases.harness() as harness:
        yield harness


def expected(content: bytes) -> Evaluation:
    return evaluate_file("odd.csv", content, received_at=NOW, now=NOW)


@few
@given(st.lists(odd_lines(), min_size=1, max_size=6))
def test_what_passes_is_stored_and_the_rest_is_rejected(shared: Harness, lines: list[bytes]) -> None:
    content = HEADER + b"\n".join(lines)
    name = f"{hashlib.sha256(content).hexdigest()}.csv"
    path = shared.land(name, content)
    result = shared.process(path, now=NOW)
    assert result.outcome in (Outcome.LOADED, Outcome.DUPLICATE), result.error
    found = shared.query(
        "SELECT line_number, raw_line, rule_id, code FROM quarantined_rows WHERE source_file = %s ORDER BY 1", path
    )
    wanted = expected(content)
    if result.outcome is Outcome.LOADED:
        assert found == [vars(each) for each in wanted.quarantined]
        assert result.ledger.rows == wanted.rows
    for reading in wanted.readings:
        stored = shared.query("SELECT * FROM meter_readings WHERE record_id = %s", reading.record_id)
        assert [(row["meter_id"], row["energy_value"], row["consumption_kw"]) for row in stored] == [
            (reading.meter_id, reading.energy_value, reading.consumption_kw)
        ]


def texts_of(length: int) -> dict[str, str]:
    return {name: noise(number, length) for number, name in enumerate(("meter_id", "location"))}


def test_texts_as_long_as_a_setting_can_allow_are_stored(databases: Databases) -> None:
    site = site_of(max_meter_id_chars=LONGEST_INDEXED_TEXT, max_field_chars=LONGEST_INDEXED_TEXT)
    longest = texts_of(LONGEST_INDEXED_TEXT)
    with databases.harness(site) as harness:
        result = harness.load("long.csv", HEADER + ",".join({**GOOD, **longest}.values()).encode())
        assert (result.outcome, result.ledger.stored) == (Outcome.LOADED, 1)
        assert harness.query("SELECT meter_id, location FROM meter_readings") == [longest]


@pytest.mark.parametrize("line", [b"x", b'"', b"\0", b"\xc3\xa4\xff"], ids=ascii)
def test_a_line_of_many_megabytes_is_kept_whole_and_the_rows_around_it_are_stored(
    harness: Harness, line: bytes
) -> None:
    good = b"SM-1,2024-03-15 18:%02d:00,5 kW,,x\n"
    huge = (line * (5 * MIB // len(line)))[: 5 * MIB]
    result = harness.load("huge.csv", HEADER + good % 0 + huge + b"\r\n" + good % 15)
    assert (result.ledger.rows, result.ledger.stored, result.ledger.rejected) == (3, 2, 1)
    (kept,) = harness.query(
        "SELECT line_number, code, md5(raw_line) AS text, md5(raw_bytes) AS bytes FROM greenstream.quarantined_row"
    )
    assert kept == {
        "line_number": 3,
        "code": "MALFORMED_ROW",
        "text": hashlib.md5(raw_text(huge).encode()).hexdigest(),
        "bytes": hashlib.md5(huge).hexdigest(),
    }
    harness.assert_adds_up()


def test_many_rejected_rows_are_all_kept_in_order(harness: Harness) -> None:
    result = harness.load("many.csv", HEADER + b"x\n" * 300_000 + b",,,,\n" * 100_000)
    assert (result.ledger.rows, result.ledger.rejected) == (400_000, 400_000)
    counts = harness.query(
        "SELECT code, count(*) AS rows, min(line_number) AS first, max(line_number) AS last, min(raw_line) AS raw"
        " FROM quarantined_rows GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row.values()) for row in counts] == [
        ("MALFORMED_ROW", 300_000, 2, 300_001, "x"),
        ("MISSING_METER_ID", 100_000, 300_002, 400_001, ",,,,"),
    ]


@few
@given(st.lists(st.tuples(cells(), cells()), min_size=1, max_size=6))
def test_a_roster_of_odd_texts_is_taken_in_but_for_its_bad_lines(
    shared: Harness, rows: list[tuple[bytes, bytes]]
) -> None:
    content = b"meter_id,location\n" + b"\n".join(b",".join(row) for row in rows)
    roster = read_roster("roster.csv", content, shared.site.limits)
    import_meters(roster, shared.database.fleet, shared.site, shared.clock())
    stored = {row["meter_id"] for row in shared.query("SELECT meter_id FROM meter_metadata")}
    assert {meter.meter_id for meter in roster.meters} <= stored
    assert all(len(bad.reason) < 300 for bad in roster.bad)


@few
@given(odd_lines().filter(lambda line: b"\n" not in line))
def test_a_fixed_row_of_odd_texts_is_stored_or_stays(shared: Harness, line: bytes) -> None:
    text = line.decode("utf-8", "replace")
    path = shared.land(f"{hashlib.sha256(line).hexdigest()}.csv", HEADER + b"broken\n" + line[:50])
    shared.process(path, now=NOW)
    context = CorrectionContext(
        landing=shared.store,
        replays=shared.database.replays(),
        lake=shared.lake,
        site=shared.site,
        clock=lambda: NOW + timedelta(days=1),
    )
    for done in replay_fixes({path: Fixes(lines={2: text})}, context):
        assert done.trouble is None or "no row that waits" in done.trouble
