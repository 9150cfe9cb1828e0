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
from tests.integration.test_replay import means, rejudged, replay
from tests.support.bed import HEADER, NOW, Bed
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
Change = Callable[[Bed, str], None]


@pytest.fixture
def nights(bed: Bed) -> Nights:
    return Nights(bed)


def file_of(bed: Bed, path: str) -> Path:
    return bed.folder / path


def copy_home(bed: Bed, path: str) -> None:
    """As `cp -a`, or a restore, does: other inodes with the old times."""
    aside = bed.folder.with_name(f"{bed.folder.name}-copy")
    shutil.copytree(bed.folder, aside)
    shutil.rmtree(bed.folder)
    aside.rename(bed.folder)


def change_rights(bed: Bed, path: str) -> None:
    file_of(bed, path).chmod(0o600)


def link(bed: Bed, path: str) -> None:
    (bed.folder / "elsewhere.csv").hardlink_to(file_of(bed, path))


def put_back(bed: Bed, path: str) -> None:
    """As a restore of a file that was moved away does, with its own time to the microsecond."""
    file, content = file_of(bed, path), file_of(bed, path).read_bytes()
    at = file.stat().st_mtime_ns // 1000 * 1000
    file.unlink()
    file.write_bytes(content)
    os.utime(file, ns=(at, at))


def touch(bed: Bed, path: str) -> None:
    os.utime(file_of(bed, path))


def copy_again(bed: Bed, path: str) -> None:
    file_of(bed, path).write_bytes(file_of(bed, path).read_bytes())


def unknown(bed: Bed) -> set[str]:
    return bed.database.waiting().unknown(list(bed.store.list_landed()))


def lines(bed: Bed) -> list[tuple[str, datetime]]:
    found = bed.query("SELECT outcome, received_at FROM source_files ORDER BY processed_at, received_at")
    return [(row["outcome"], row["received_at"]) for row in found]


@pytest.mark.parametrize("change", [change_rights, link, copy_home, put_back])
@pytest.mark.parametrize("content", [LINE, "no header\n"], ids=["loaded", "rejected"])
def test_what_leaves_time_and_bytes_as_they_are_is_no_delivery(bed: Bed, change: Change, content: str) -> None:
    path = bed.land("a.csv", content)
    first = bed.process(path)
    before = bed.store.head(path)
    change(bed, path)
    assert bed.store.head(path).version != before.version
    assert unknown(bed) == {path}  # it is read once to see that its bytes are the same
    again = bed.process(path)
    assert (again.outcome, again.delivery.received_at, again.processed_at) == (first.outcome, NOW, first.processed_at)
    assert lines(bed) == [(first.outcome, NOW)]
    assert unknown(bed) == set()


@pytest.mark.parametrize("change", [touch, copy_again])
def test_the_same_bytes_written_again_are_another_delivery(bed: Bed, change: Change) -> None:
    path = bed.land("a.csv", LINE)
    bed.process(path)
    change(bed, path)
    assert unknown(bed) == {path}
    assert bed.process(path).outcome is Outcome.DUPLICATE
    assert [outcome for outcome, _ in lines(bed)] == ["loaded", "duplicate"]


def test_a_delivery_that_ended_is_looked_up_without_reading_it(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bed.land("a.csv", LINE)
    first = bed.process(path)

    def refuse(_file: LandedFile) -> Iterator[bytes]:
        raise StorageRefused("not to be read")

    monkeypatch.setattr(bed.store, "read", refuse)
    assert bed.process(path) == first


def test_a_file_came_when_the_intake_first_saw_it(bed: Bed) -> None:
    path, tickets = bed.drop("a.csv", LINE, NOW - timedelta(days=120)), Tickets()
    came = bed.store.head(path).received_at
    assert abs(datetime.now(UTC) - came) < timedelta(minutes=1)
    intake(bed, tickets).take(bed.store.list_landed(), came + timedelta(seconds=1))
    time.sleep(0.05)
    change_rights(bed, path)
    intake(bed, tickets).take(bed.store.list_landed(), came + timedelta(minutes=1))
    assert bed.store.head(path).received_at > came
    assert bed.one("SELECT received_at FROM waiting_files") == came
    assert bed.process(path).delivery.received_at == came


def given_up(bed: Bed, path: str) -> FileResult:
    """What becomes of a file that a sound store won't give."""
    return fail(path, StorageRefused("permission denied"), turn_on(bed), attempts=1)


def test_a_file_that_nobody_could_read_keeps_the_time_at_which_it_came(bed: Bed) -> None:
    path = bed.land("a.csv", LINE)
    failed = given_up(bed, path)
    assert (failed.delivery.received_at, failed.delivery.sha256) == (NOW, None)
    change_rights(bed, path)
    assert unknown(bed) == {path}
    assert bed.process(path).delivery.received_at == NOW
    assert lines(bed) == [("loaded", NOW)]
    assert bed.one("SELECT replayed_at IS NOT NULL FROM dead_letters")


def test_a_loaded_file_that_was_unreadable_for_a_while_is_no_delivery(bed: Bed) -> None:
    path = bed.land("a.csv", LINE)
    bed.process(path)
    change_rights(bed, path)
    given_up(bed, path)
    file_of(bed, path).chmod(0o640)
    assert bed.process(path).outcome is Outcome.LOADED
    assert lines(bed) == [("loaded", NOW)]
    assert bed.one("SELECT replayed_at IS NOT NULL FROM dead_letters")


def test_a_file_replaced_before_it_was_read_is_named(bed: Bed) -> None:
    named: list[tuple[str, datetime]] = []
    path = bed.drop("a.csv", LINE)
    first = bed.store.head(path).received_at
    looking = intake(bed, Tickets())
    looking.on_replaced = lambda file, received_at: named.append((file.path, received_at))
    looking.take(bed.store.list_landed(), first + timedelta(seconds=1))
    change_rights(bed, path)
    looking.take(bed.store.list_landed(), first + timedelta(seconds=10))
    assert named == []
    bed.drop("a.csv", LINE + "SM-2,2024-03-15 10:00,1 kW,\n", LATER)
    looking.take(bed.store.list_landed(), first + timedelta(seconds=20))
    assert named == [(path, first)]
    assert bed.process(path).ledger.stored == 2


def test_a_file_that_changes_while_it_is_read_is_put_off(bed: Bed) -> None:
    path = bed.drop("a.csv", b"a" * 9 * 1024 * 1024)
    reading = bed.store.read(bed.store.head(path))
    next(reading)
    with file_of(bed, path).open("ab") as file:
        file.write(b"more")
    with pytest.raises(StorageUnavailable, match="changed while it was being read"):
        list(reading)


def test_a_file_that_loses_its_name_while_it_is_read_is_read_to_its_end(bed: Bed) -> None:
    old, path = b"a" * 9 * 1024 * 1024, bed.drop("a.csv", b"a" * 9 * 1024 * 1024)
    reading = bed.store.read(bed.store.head(path))
    first = next(reading)
    bed.store.put(path, b"another")
    assert first + b"".join(reading) == old


# the size comes first


def giant(bed: Bed, name: str = "giant.csv", size: int = TEBIBYTE) -> str:
    path = bed.drop(name, b"")
    os.truncate(file_of(bed, path), size)
    return path


def test_a_file_above_the_limit_costs_nothing(bed: Bed) -> None:
    path, began = giant(bed), time.perf_counter()
    result = bed.process(path)
    assert time.perf_counter() - began < 1
    assert (result.outcome, result.reason) == (Outcome.REJECTED, Reason.TOO_LARGE)
    assert result.error == f"TOO_LARGE: {path} has {TEBIBYTE} bytes, more than {bed.site.limits.max_file_bytes}"
    (line,) = bed.query("SELECT sha256, size_bytes, outcome, reason FROM source_files")
    assert line == {"sha256": None, "size_bytes": TEBIBYTE, "outcome": "rejected", "reason": "TOO_LARGE"}
    assert not (bed.folder / "quarantine").exists()
    change_rights(bed, path)
    assert bed.process(path).processed_at == result.processed_at
    assert len(lines(bed)) == 1
    assert unknown(bed) == set()


@pytest.mark.parametrize(("name", "reason"), [("a.txt", Reason.BAD_EXTENSION), ("a.csv", Reason.TOO_LARGE)])
def test_the_extension_is_judged_before_the_size(bed: Bed, name: str, reason: Reason) -> None:
    assert bed.process(giant(bed, name)).reason is reason
    assert not (bed.folder / "quarantine").exists()


def test_a_giant_goes_with_its_age_and_no_layer_copies_it(bed: Bed, nights: Nights) -> None:
    path = giant(bed)
    bed.process(path)
    bed.load("a.csv", day_file())
    assert [each.path for each in nights.erase("SM-1") if isinstance(each, Unsearchable)] == [path]
    bed.now = datetime.now(UTC) + timedelta(days=91)
    assert path in [each.subject for each in nights.retire()]
    assert not file_of(bed, path).exists()
    assert not (bed.folder / "quarantine").exists()


def test_a_giant_that_never_landed_is_a_line_and_no_delivery_of_its_path(bed: Bed, nights: Nights) -> None:
    path = bed.land("a.csv", day_file())
    bed.process(path)
    result = reject_unlanded(path, TEBIBYTE, database=bed.database, site=bed.site, clock=bed.clock)
    assert (result.reason, result.delivery.sha256) == (Reason.TOO_LARGE, None)
    nights.run()
    assert (nights.verify(DAY).files, nights.verify(DAY).replaced) == (1, 0)
    change_rights(bed, path)
    assert bed.process(path).outcome is Outcome.LOADED
    assert sorted(outcome for outcome, _ in lines(bed)) == ["loaded", "rejected"]
    given_up(bed, f"{path}.csv")
    reject_unlanded(f"{path}.csv", TEBIBYTE, database=bed.database, site=bed.site, clock=bed.clock)
    assert bed.one("SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL") == 1


# a path whose content was replaced


FIRST = day_file(meters=2) + "SM-1,a,b,c,d,e\n"
SECOND = day_file(meters=3, kilowatts=9) + "SM-1,b,c,d,e,f\n"


@pytest.fixture
def replaced(bed: Bed) -> str:
    path = bed.land("a.csv", FIRST)
    assert bed.process(path).outcome is Outcome.LOADED
    bed.land("a.csv", SECOND, received_at=LATER)
    assert bed.process(path).outcome is Outcome.LOADED
    return path


def test_verify_looks_at_the_latest_delivery_and_names_the_earlier_one(bed: Bed, nights: Nights, replaced: str) -> None:
    nights.run()
    verified = nights.verify(DAY)
    assert (verified.differences, verified.files, verified.replaced) == ((), 1, 1)
    assert verified.notes == (
        f"{replaced}, received at 2024-03-20 12:00:00 UTC, was replaced by the delivery of 2024-03-20 17:00:00 UTC, so"
        " its own bytes are gone",
    )
    file_of(bed, replaced).write_text(SECOND.replace("9 kW", "8 kW"))
    assert nights.verify(DAY).differences == (f"{replaced} isn't what was loaded: its checksum differs",)


def test_reprocess_and_replay_never_take_bytes_of_another_delivery(bed: Bed, replaced: str) -> None:
    first, second = reprocess(DAY, DAY, means(bed))
    assert first.trouble is not None
    assert first.trouble.startswith("was replaced by the delivery of 2024-03-20 17:00:00 UTC")
    assert (second.trouble, second.is_other) == (None, False)
    one, other = replay(bed, RowChoice(source_file=replaced))
    assert one.trouble is not None
    assert "was replaced by the delivery" in one.trouble
    assert "its rows are kept whole" in one.trouble
    assert other.trouble is None
    assert other.rows == 1
    bed.assert_adds_up()


def test_a_comma_is_read_as_the_delivery_meant_it_that_brought_it(bed: Bed) -> None:
    path = bed.land("a.csv", "meter_id;timestamp;energy_value\nSM-1;2024-03-15 10:00;1,5 Volts\n")
    bed.process(path)
    bed.land("a.csv", 'meter_id,timestamp,energy_value\nSM-2,2024-03-15 10:00,"1,5 Volts"\n', received_at=LATER)
    bed.process(path)
    (day,) = rejudged(bed, "B1.2")
    assert (day.readings, day.unknown) == (2, 1)


def test_erase_empties_the_lines_of_the_latest_delivery(bed: Bed, nights: Nights, replaced: str) -> None:
    nights.run()
    nights.erase("SM-1")
    assert b"SM-1," not in file_of(bed, replaced).read_bytes()
    assert unknown(bed) == set()
    verified = nights.verify(DAY)
    assert (verified.differences, verified.files, verified.replaced) == ((), 1, 1)


def test_erase_follows_all_deliveries_of_the_same_bytes(bed: Bed, nights: Nights) -> None:
    path = bed.land("a.csv", FIRST)
    bed.process(path)
    touch(bed, path)
    assert bed.process(path).outcome is Outcome.DUPLICATE
    nights.run()
    nights.erase("SM-1")
    verified = nights.verify(DAY)
    assert (verified.differences, verified.files, verified.replaced) == ((), 1, 0)
    (done,) = reprocess(DAY, DAY, means(bed))
    assert done.trouble is None


def test_the_raw_file_goes_by_the_time_and_the_days_of_its_latest_delivery(bed: Bed, nights: Nights) -> None:
    path = bed.land("a.csv", day_file())
    bed.process(path)
    bed.now = LONG_AFTER
    bed.land("a.csv", HEADER + "SM-7,2024-07-31 10:00,1 kW,\n", received_at=LONG_AFTER)
    bed.process(path)
    nights.run()
    assert file_of(bed, path).exists()
    deleted = "SELECT raw_deleted_at IS NOT NULL AS deleted FROM greenstream.source_file ORDER BY source_file_id"
    assert [row["deleted"] for row in bed.query(deleted)] == [True, False]
    bed.now = LONG_AFTER + timedelta(days=100)
    nights.run()
    assert not file_of(bed, path).exists()
    assert [row["deleted"] for row in bed.query(deleted)] == [True, True]


def test_bytes_that_came_again_stay_while_a_day_of_theirs_is_not_in_the_lake(bed: Bed, nights: Nights) -> None:
    path = bed.land("a.csv", day_file())
    bed.process(path)
    bed.land("a.csv", day_file(), received_at=LATER)
    assert bed.process(path).outcome is Outcome.DUPLICATE
    bed.now = LONG_AFTER
    (kept,) = (each for each in nights.retire() if each.subject == path)
    assert kept.kept_because is not None
    assert "isn't wholly in the lake yet" in kept.kept_because
    change_rights(bed, path)
    nights.run()
    assert not file_of(bed, path).exists()


# killed between a write of ours and its note


def killed(*_args: object, **_options: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("finder", ["a worker", "erase"])
def test_what_a_killed_erasure_has_written_is_no_delivery(
    bed: Bed, nights: Nights, monkeypatch: pytest.MonkeyPatch, finder: str
) -> None:
    path = bed.land("a.csv", FIRST)
    first = bed.process(path)
    nights.run()
    with monkeypatch.context() as patched:
        patched.setattr(PostgresErasures, "rewritten", killed)
        with pytest.raises(KeyboardInterrupt):
            nights.erase("SM-1")
    assert b"SM-1," not in file_of(bed, path).read_bytes()
    if finder == "a worker":
        assert unknown(bed) == {path}
        assert bed.process(path).processed_at == first.processed_at
    nights.erase("SM-1")
    assert unknown(bed) == set()
    assert lines(bed) == [("loaded", NOW)]
    assert nights.verify(DAY).differences == ()


def test_an_erasure_killed_before_its_write_leaves_the_file_as_it_is(
    bed: Bed, nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bed.land("a.csv", FIRST)
    bed.process(path)
    nights.run()
    with monkeypatch.context() as patched:
        patched.setattr(bed.store, "rewrite", killed)
        with pytest.raises(KeyboardInterrupt):
            nights.erase("SM-1")
    assert nights.verify(DAY).differences == ()
    nights.erase("SM-1")
    assert b"SM-1," not in file_of(bed, path).read_bytes()
    assert (nights.verify(DAY).differences, unknown(bed)) == ((), set())


def test_what_was_cleaned_elsewhere_is_taken_only_while_it_has_those_bytes(bed: Bed, nights: Nights) -> None:
    """A copy of a cleaned file comes, and the cleaned one is replaced before the night."""
    bed.load("a.csv", FIRST)
    nights.run()
    nights.erase("SM-1")
    copy = bed.land("copy.csv", FIRST, received_at=LATER)
    assert bed.process(copy).outcome is Outcome.DUPLICATE
    bed.drop("a.csv", LINE.replace("SM-1", "SM-5"), LATER)
    nights.run()
    text = file_of(bed, copy).read_text()
    assert "SM-0,2024-03-15T00:00:00Z" in text
    assert "SM-1,2024" not in text


def test_a_delivery_that_had_ended_is_known_by_its_version_and_by_its_bytes(bed: Bed) -> None:
    path = bed.land("a.csv", LINE)
    assert not bed.process(path).was_known
    assert bed.process(path).was_known
    change_rights(bed, path)
    assert bed.process(path).was_known
    file_of(bed, path).write_text(LINE)
    assert not bed.process(path).was_known


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
    bed: Bed, nights: Nights, unreadable: Callable[[str], None]
) -> None:
    closed, other = bed.land("a.csv", LINE), bed.land("b.csv", LINE.replace("SM-1", "SM-2"))
    for path in (closed, other):
        bed.process(path)
    nights.run()
    unreadable(closed)
    (difference,) = nights.verify(date(2024, 3, 15)).differences
    assert difference == f"{closed} can't be looked at: {closed} cannot be read: Permission denied"
    done = list(nights.erase("SM-2"))
    assert [each.path for each in done if isinstance(each, Unsearchable)] == [closed]
    assert bed.query("SELECT DISTINCT meter_id FROM meter_readings") == [{"meter_id": "SM-1"}]
    assert "SM-2" not in b"".join(bed.store.read(bed.store.head(other))).decode()
