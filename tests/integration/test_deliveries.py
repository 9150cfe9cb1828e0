"""A delivery is a version of a path: what makes another one, when it came, and what is left of a replaced one."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.integration.test_intake import Tickets, intake
from tests.integration.test_lake import DAY, LONG_AFTER, day_file
from tests.integration.test_replay import context, rejudged, replay
from tests.support.harness import HEADER, NOW, Harness
from tests.support.nights import Nights
from tests.support.turns import turn_on

from greenstream.adapters.postgres.corrections.erase import PostgresErasures
from greenstream.adapters.storage.folder import Folder
from greenstream.application.corrections.erase import Unsearchable
from greenstream.application.corrections.reprocess import reprocess
from greenstream.application.loading.attempt import fail
from greenstream.application.loading.process_file import reject_unlanded
from greenstream.domain.codes import Reason
from greenstream.domain.corrections.values import RowChoice
from greenstream.domain.errors import StorageRefused, StorageUnavailable
from greenstream.domain.landing import LandedFile
from greenstream.domain.ledger import FileResult, Outcome

LATER = NOW + timedelta(hours=5)
LINE = HEADER + "SM-1,2024-03-15 10:00,1 kW,\n"
TEBIBYTE = 1024**4
Change = Callable[[Harness, str], None]


@pytest.fixture
def nights(harness: Harness) -> Nights:
    return Nights(harness)


def file_of(harness: Harness, path: str) -> Path:
    return harness.folder / path


def copy_home(harness: Harness, path: str) -> None:
    """As `cp -a`, or a restore, does: other inodes with the old times."""
    aside = harness.folder.with_name(f"{harness.folder.name}-copy")
    shutil.copytree(harness.folder, aside)
    shutil.rmtree(harness.folder)
    aside.rename(harness.folder)


def change_rights(harness: Harness, path: str) -> None:
    file_of(harness, path).chmod(0o600)


def link(harness: Harness, path: str) -> None:
    (harness.folder / "elsewhere.csv").hardlink_to(file_of(harness, path))


def put_back(harness: Harness, path: str) -> None:
    """As a restore of a file that was moved away does, with its own time to the microsecond."""
    file, content = file_of(harness, path), file_of(harness, path).read_bytes()
    at = file.stat().st_mtime_ns // 1000 * 1000
    file.unlink()
    file.write_bytes(content)
    os.utime(file, ns=(at, at))


def touch(harness: Harness, path: str) -> None:
    os.utime(file_of(harness, path))


def copy_again(harness: Harness, path: str) -> None:
    file_of(harness, path).write_bytes(file_of(harness, path).read_bytes())


def unknown(harness: Harness) -> set[str]:
    return harness.database.waiting().unknown(list(harness.store.list_landed()))


def lines(harness: Harness) -> list[tuple[str, datetime]]:
    found = harness.query("SELECT outcome, received_at FROM source_files ORDER BY processed_at, received_at")
    return [(row["outcome"], row["received_at"]) for row in found]


@pytest.mark.parametrize("change", [change_rights, link, copy_home, put_back])
@pytest.mark.parametrize("content", [LINE, "no header\n"], ids=["loaded", "rejected"])
def test_what_leaves_time_and_bytes_as_they_are_is_no_delivery(harness: Harness, change: Change, content: str) -> None:
    path = harness.land("a.csv", content)
    first = harness.process(path)
    before = harness.store.head(path)
    change(harness, path)
    assert harness.store.head(path).version != before.version
    assert unknown(harness) == {path}  # it is read once to see that its bytes are the same
    again = harness.process(path)
    assert (again.outcome, again.delivery.received_at, again.processed_at) == (first.outcome, NOW, first.processed_at)
    assert lines(harness) == [(first.outcome, NOW)]
    assert unknown(harness) == set()


@pytest.mark.parametrize("change", [touch, copy_again])
def test_the_same_bytes_written_again_are_another_delivery(harness: Harness, change: Change) -> None:
    path = harness.land("a.csv", LINE)
    harness.process(path)
    change(harness, path)
    assert unknown(harness) == {path}
    assert harness.process(path).outcome is Outcome.DUPLICATE
    assert [outcome for outcome, _ in lines(harness)] == ["loaded", "duplicate"]


def test_a_delivery_that_ended_is_looked_up_without_reading_it(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = harness.land("a.csv", LINE)
    first = harness.process(path)

    def refuse(_file: LandedFile) -> Iterator[bytes]:
        raise StorageRefused("not to be read")

    monkeypatch.setattr(harness.store, "read", refuse)
    assert harness.process(path) == first


def test_a_file_came_when_the_intake_first_saw_it(harness: Harness) -> None:
    path, tickets = harness.drop("a.csv", LINE, NOW - timedelta(days=120)), Tickets()
    came = harness.store.head(path).received_at
    assert abs(datetime.now(UTC) - came) < timedelta(minutes=1)
    intake(harness, tickets).take(harness.store.list_landed(), came + timedelta(seconds=1))
    time.sleep(0.05)
    change_rights(harness, path)
    intake(harness, tickets).take(harness.store.list_landed(), came + timedelta(minutes=1))
    assert harness.store.head(path).received_at > came
    assert harness.one("SELECT received_at FROM waiting_files") == came
    assert harness.process(path).delivery.received_at == came


def given_up(harness: Harness, path: str) -> FileResult:
    """What becomes of a file that a sound store won't give."""
    return fail(path, StorageRefused("permission denied"), turn_on(harness), attempts=1)


def test_a_file_that_nobody_could_read_keeps_the_time_at_which_it_came(harness: Harness) -> None:
    path = harness.land("a.csv", LINE)
    failed = given_up(harness, path)
    assert (failed.delivery.received_at, failed.delivery.sha256) == (NOW, None)
    change_rights(harness, path)
    assert unknown(harness) == {path}
    assert harness.process(path).delivery.received_at == NOW
    assert lines(harness) == [("loaded", NOW)]
    assert harness.one("SELECT replayed_at IS NOT NULL FROM dead_letters")


def test_a_loaded_file_that_was_unreadable_for_a_while_is_no_delivery(harness: Harness) -> None:
    path = harness.land("a.csv", LINE)
    harness.process(path)
    change_rights(harness, path)
    given_up(harness, path)
    file_of(harness, path).chmod(0o640)
    assert harness.process(path).outcome is Outcome.LOADED
    assert lines(harness) == [("loaded", NOW)]
    assert harness.one("SELECT replayed_at IS NOT NULL FROM dead_letters")


def test_a_file_replaced_before_it_was_read_is_named(harness: Harness) -> None:
    named: list[tuple[str, datetime]] = []
    path = harness.drop("a.csv", LINE)
    first = harness.store.head(path).received_at
    looking = intake(harness, Tickets())
    looking.on_replaced = lambda file, received_at: named.append((file.path, received_at))
    looking.take(harness.store.list_landed(), first + timedelta(seconds=1))
    change_rights(harness, path)
    looking.take(harness.store.list_landed(), first + timedelta(seconds=10))
    assert named == []
    harness.drop("a.csv", LINE + "SM-2,2024-03-15 10:00,1 kW,\n", LATER)
    looking.take(harness.store.list_landed(), first + timedelta(seconds=20))
    assert named == [(path, first)]
    assert harness.process(path).ledger.stored == 2


def test_a_file_that_changes_while_it_is_read_is_put_off(harness: Harness) -> None:
    path = harness.drop("a.csv", b"a" * 9 * 1024 * 1024)
    reading = harness.store.read(harness.store.head(path))
    next(reading)
    with file_of(harness, path).open("ab") as file:
        file.write(b"more")
    with pytest.raises(StorageUnavailable, match="changed while it was being read"):
        list(reading)


def test_a_file_that_loses_its_name_while_it_is_read_is_read_to_its_end(harness: Harness) -> None:
    old, path = b"a" * 9 * 1024 * 1024, harness.drop("a.csv", b"a" * 9 * 1024 * 1024)
    reading = harness.store.read(harness.store.head(path))
    first = next(reading)
    harness.store.put(path, b"another")
    assert first + b"".join(reading) == old


# the size comes first


def giant(harness: Harness, name: str = "giant.csv", size: int = TEBIBYTE) -> str:
    path = harness.drop(name, b"")
    os.truncate(file_of(harness, path), size)
    return path


def test_a_file_above_the_limit_costs_nothing(harness: Harness) -> None:
    path, began = giant(harness), time.perf_counter()
    result = harness.process(path)
    assert time.perf_counter() - began < 1
    assert (result.outcome, result.reason) == (Outcome.REJECTED, Reason.TOO_LARGE)
    assert result.error == f"TOO_LARGE: {path} has {TEBIBYTE} bytes, more than {harness.site.limits.max_file_bytes}"
    (line,) = harness.query("SELECT sha256, size_bytes, outcome, reason FROM source_files")
    assert line == {"sha256": None, "size_bytes": TEBIBYTE, "outcome": "rejected", "reason": "TOO_LARGE"}
    assert not (harness.folder / "quarantine").exists()
    change_rights(harness, path)
    assert harness.process(path).processed_at == result.processed_at
    assert len(lines(harness)) == 1
    assert unknown(harness) == set()


@pytest.mark.parametrize(("name", "reason"), [("a.txt", Reason.BAD_EXTENSION), ("a.csv", Reason.TOO_LARGE)])
def test_the_extension_is_judged_before_the_size(harness: Harness, name: str, reason: Reason) -> None:
    assert harness.process(giant(harness, name)).reason is reason
    assert not (harness.folder / "quarantine").exists()


def test_a_giant_goes_with_its_age_and_no_layer_copies_it(harness: Harness, nights: Nights) -> None:
    path = giant(harness)
    harness.process(path)
    harness.load("a.csv", day_file())
    assert [each.path for each in nights.erase("SM-1") if isinstance(each, Unsearchable)] == [path]
    harness.now = datetime.now(UTC) + timedelta(days=91)
    assert path in [each.subject for each in nights.retire()]
    assert not file_of(harness, path).exists()
    assert not (harness.folder / "quarantine").exists()


def test_a_giant_that_never_landed_is_a_line_and_no_delivery_of_its_path(harness: Harness, nights: Nights) -> None:
    path = harness.land("a.csv", day_file())
    harness.process(path)
    result = reject_unlanded(path, TEBIBYTE, database=harness.database, site=harness.site, clock=harness.clock)
    assert (result.reason, result.delivery.sha256) == (Reason.TOO_LARGE, None)
    nights.run()
    assert (nights.verify(DAY).files, nights.verify(DAY).replaced) == (1, 0)
    change_rights(harness, path)
    assert harness.process(path).outcome is Outcome.LOADED
    assert sorted(outcome for outcome, _ in lines(harness)) == ["loaded", "rejected"]
    given_up(harness, f"{path}.csv")
    reject_unlanded(f"{path}.csv", TEBIBYTE, database=harness.database, site=harness.site, clock=harness.clock)
    assert harness.one("SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL") == 1


# a path whose content was replaced


FIRST = day_file(meters=2) + "SM-1,a,b,c,d,e\n"
SECOND = day_file(meters=3, kilowatts=9) + "SM-1,b,c,d,e,f\n"


@pytest.fixture
def replaced(harness: Harness) -> str:
    path = harness.land("a.csv", FIRST)
    assert harness.process(path).outcome is Outcome.LOADED
    harness.land("a.csv", SECOND, received_at=LATER)
    assert harness.process(path).outcome is Outcome.LOADED
    return path


def test_verify_looks_at_the_latest_delivery_and_names_the_earlier_one(
    harness: Harness, nights: Nights, replaced: str
) -> None:
    nights.run()
    verified = nights.verify(DAY)
    assert (verified.differences, verified.files, verified.replaced) == ((), 1, 1)
    assert verified.notes == (
        f"{replaced}, received at 2024-03-20 12:00:00 UTC, was replaced by the delivery of 2024-03-20 17:00:00 UTC, so"
        " its own bytes are gone",
    )
    file_of(harness, replaced).write_text(SECOND.replace("9 kW", "8 kW"))
    assert nights.verify(DAY).differences == (f"{replaced} isn't what was loaded: its checksum differs",)


def test_reprocess_and_replay_never_take_bytes_of_another_delivery(harness: Harness, replaced: str) -> None:
    first, second = reprocess(DAY, DAY, context(harness))
    assert first.trouble is not None
    assert first.trouble.startswith("was replaced by the delivery of 2024-03-20 17:00:00 UTC")
    assert (second.trouble, second.is_other) == (None, False)
    one, other = replay(harness, RowChoice(source_file=replaced))
    assert one.trouble is not None
    assert "was replaced by the delivery" in one.trouble
    assert "its rows are kept whole" in one.trouble
    assert other.trouble is None
    assert other.rows == 1
    harness.assert_adds_up()


def test_a_comma_is_read_as_the_delivery_meant_it_that_brought_it(harness: Harness) -> None:
    path = harness.land("a.csv", "meter_id;timestamp;energy_value\nSM-1;2024-03-15 10:00;1,5 Volts\n")
    harness.process(path)
    harness.land("a.csv", 'meter_id,timestamp,energy_value\nSM-2,2024-03-15 10:00,"1,5 Volts"\n', received_at=LATER)
    harness.process(path)
    (day,) = rejudged(harness, "B1.2")
    assert (day.readings, day.unknown) == (2, 1)


def test_erase_empties_the_lines_of_the_latest_delivery(harness: Harness, nights: Nights, replaced: str) -> None:
    nights.run()
    nights.erase("SM-1")
    assert b"SM-1," not in file_of(harness, replaced).read_bytes()
    assert unknown(harness) == set()
    verified = nights.verify(DAY)
    assert (verified.differences, verified.files, verified.replaced) == ((), 1, 1)


def test_erase_follows_all_deliveries_of_the_same_bytes(harness: Harness, nights: Nights) -> None:
    path = harness.land("a.csv", FIRST)
    harness.process(path)
    touch(harness, path)
    assert harness.process(path).outcome is Outcome.DUPLICATE
    nights.run()
    nights.erase("SM-1")
    verified = nights.verify(DAY)
    assert (verified.differences, verified.files, verified.replaced) == ((), 1, 0)
    (done,) = reprocess(DAY, DAY, context(harness))
    assert done.trouble is None


def test_the_raw_file_goes_by_the_time_and_the_days_of_its_latest_delivery(harness: Harness, nights: Nights) -> None:
    path = harness.land("a.csv", day_file())
    harness.process(path)
    harness.now = LONG_AFTER
    harness.land("a.csv", HEADER + "SM-7,2024-07-31 10:00,1 kW,\n", received_at=LONG_AFTER)
    harness.process(path)
    nights.run()
    assert file_of(harness, path).exists()
    deleted = "SELECT raw_deleted_at IS NOT NULL AS deleted FROM greenstream.source_file ORDER BY source_file_id"
    assert [row["deleted"] for row in harness.query(deleted)] == [True, False]
    harness.now = LONG_AFTER + timedelta(days=100)
    nights.run()
    assert not file_of(harness, path).exists()
    assert [row["deleted"] for row in harness.query(deleted)] == [True, True]


def test_bytes_that_came_again_stay_while_a_day_of_theirs_is_not_in_the_lake(harness: Harness, nights: Nights) -> None:
    path = harness.land("a.csv", day_file())
    harness.process(path)
    harness.land("a.csv", day_file(), received_at=LATER)
    assert harness.process(path).outcome is Outcome.DUPLICATE
    harness.now = LONG_AFTER
    (kept,) = (each for each in nights.retire() if each.subject == path)
    assert kept.kept_because is not None
    assert "isn't wholly in the lake yet" in kept.kept_because
    change_rights(harness, path)
    nights.run()
    assert not file_of(harness, path).exists()


# killed between a write of ours and its note


def killed(*_args: object, **_options: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("finder", ["a worker", "erase"])
def test_what_a_killed_erasure_has_written_is_no_delivery(
    harness: Harness, nights: Nights, monkeypatch: pytest.MonkeyPatch, finder: str
) -> None:
    path = harness.land("a.csv", FIRST)
    first = harness.process(path)
    nights.run()
    with monkeypatch.context() as patched:
        patched.setattr(PostgresErasures, "rewritten", killed)
        with pytest.raises(KeyboardInterrupt):
            nights.erase("SM-1")
    assert b"SM-1," not in file_of(harness, path).read_bytes()
    if finder == "a worker":
        assert unknown(harness) == {path}
        assert harness.process(path).processed_at == first.processed_at
    nights.erase("SM-1")
    assert unknown(harness) == set()
    assert lines(harness) == [("loaded", NOW)]
    assert nights.verify(DAY).differences == ()


def test_an_erasure_killed_before_its_write_leaves_the_file_as_it_is(
    harness: Harness, nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = harness.land("a.csv", FIRST)
    harness.process(path)
    nights.run()
    with monkeypatch.context() as patched:
        patched.setattr(harness.store, "rewrite", killed)
        with pytest.raises(KeyboardInterrupt):
            nights.erase("SM-1")
    assert nights.verify(DAY).differences == ()
    nights.erase("SM-1")
    assert b"SM-1," not in file_of(harness, path).read_bytes()
    assert (nights.verify(DAY).differences, unknown(harness)) == ((), set())


def test_what_was_cleaned_elsewhere_is_taken_only_while_it_has_those_bytes(harness: Harness, nights: Nights) -> None:
    """A copy of a cleaned file comes, and the cleaned one is replaced before the night."""
    harness.load("a.csv", FIRST)
    nights.run()
    nights.erase("SM-1")
    copy = harness.land("copy.csv", FIRST, received_at=LATER)
    assert harness.process(copy).outcome is Outcome.DUPLICATE
    harness.drop("a.csv", LINE.replace("SM-1", "SM-5"), LATER)
    nights.run()
    text = file_of(harness, copy).read_text()
    assert "SM-0,2024-03-15T00:00:00Z" in text
    assert "SM-1,2024" not in text


def test_a_delivery_that_had_ended_is_known_by_its_version_and_by_its_bytes(harness: Harness) -> None:
    path = harness.land("a.csv", LINE)
    assert not harness.process(path).was_known
    assert harness.process(path).was_known
    change_rights(harness, path)
    assert harness.process(path).was_known
    file_of(harness, path).write_text(LINE)
    assert not harness.process(path).was_known


# a file that the store won't give


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes one file of a folder unreadable, also for root."""

    def refuse(path: str) -> None:
        read = Folder.read

        def refused(self: Folder, file: LandedFile) -> Iterator[bytes]:
            if file.path == path:
                raise StorageRefused(f"{path} cannot be read: Permission denied")
            return read(self, file)

        monkeypatch.setattr(Folder, "read", refused)

    return refuse


def test_a_file_that_cant_be_read_keeps_nothing_from_the_others(
    harness: Harness, nights: Nights, unreadable: Callable[[str], None]
) -> None:
    closed, other = harness.land("a.csv", LINE), harness.land("b.csv", LINE.replace("SM-1", "SM-2"))
    for path in (closed, other):
        harness.process(path)
    nights.run()
    unreadable(closed)
    (difference,) = nights.verify(date(2024, 3, 15)).differences
    assert difference == f"{closed} can't be looked at: {closed} cannot be read: Permission denied"
    done = list(nights.erase("SM-2"))
    assert [each.path for each in done if isinstance(each, Unsearchable)] == [closed]
    assert harness.query("SELECT DISTINCT meter_id FROM meter_readings") == [{"meter_id": "SM-1"}]
    assert "SM-2" not in b"".join(harness.store.read(harness.store.head(other))).decode()
