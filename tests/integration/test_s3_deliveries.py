"""A worker on S3: each content that was put under a key is loaded, in order; other keys are dead letters."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from tests.contract.storage_fixtures import BUCKET, S3Server, versioned_bucket
from tests.support.harness import DAY_FOLDER, HEADER, NOW, Harness
from tests.support.nights import Nights
from tests.support.turns import turn_on

from greenstream.adapters.storage import open_store
from greenstream.application.loading.attempt import Later, Turn, take_turn
from greenstream.application.loading.intake import Intake
from greenstream.application.loading.process_file import new_versions, next_version
from greenstream.application.loading.raw_file import RawFile, raw_file
from greenstream.domain.errors import InvalidKey, StorageUnavailable
from greenstream.domain.ledger import FileResult, Outcome
from greenstream.domain.routing import Route

KEY = f"{DAY_FOLDER}/f.csv"


def content(*kilowatts: int, meter: str = "SM-1") -> bytes:
    lines = (f"{meter},2024-03-01 {hour:02}:00,{kw} kW,Zone_1\n" for hour, kw in enumerate(kilowatts))
    return (HEADER + "".join(lines)).encode()


@pytest.fixture(scope="module")
def buckets(s3: S3Server) -> dict[str, str]:
    return {"keeping": versioned_bucket(s3, "deliveries"), "plain": BUCKET}


@pytest.fixture(params=["keeping", "plain"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def on_s3(
    harness: Harness, s3: S3Server, buckets: dict[str, str], kind: str, monkeypatch: pytest.MonkeyPatch
) -> Harness:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    harness.store = open_store(f"s3://{buckets[kind]}/{harness.folder.parent.name}-{id(harness)}")
    return harness


only_keeping = pytest.mark.parametrize("kind", ["keeping"], indirect=True)


class Service:
    """Intake and worker, a step at a time."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.queued: list[str] = []
        self.replaced: list[str] = []
        self.intake = Intake(
            queue=self,
            waiting=harness.database.waiting(),
            limits=harness.site.limits,
            ends_a_line=harness.store.ends_a_line,
            atomic=True,
            on_replaced=lambda file, _: self.replaced.append(file.path),
        )

    def put(self, path: str, route: Route) -> None:
        del route
        self.queued.append(path)

    def scan(self) -> None:
        self.intake.take(self.harness.store.list_landed(), datetime.now(UTC))

    def work(self, path: str) -> list[FileResult]:
        """All that a worker's turn at a path comes to."""
        results = [self.turn(path)]
        while new_versions(path, self.harness.store, self.harness.database):
            results.append(self.turn(path))
        return [each for each in results if isinstance(each, FileResult)]

    def turn(self, path: str) -> FileResult | Later | None:
        return take_turn(path, tools(self.harness, lambda key: self.harness.process(key, now=NOW)))


def tools(harness: Harness, process: Callable[[str], FileResult]) -> Turn:
    return turn_on(harness, process, head=lambda key: next_version(key, harness.store, harness.database))


def loaded(harness: Harness) -> list[tuple[str, int]]:
    rows = harness.query("SELECT outcome, stored FROM source_files ORDER BY processed_at")
    return [(row["outcome"], row["stored"]) for row in rows]


@only_keeping
def test_contents_put_under_one_key_before_the_first_was_read_are_all_loaded_in_order(on_s3: Harness) -> None:
    service = Service(on_s3)
    for kilowatts in ((1,), (2, 2)):
        on_s3.store.put(KEY, content(*kilowatts))
    service.scan()
    on_s3.store.put(KEY, content(3, 3, 3))
    service.scan()

    results = service.work(KEY)

    assert [result.ledger.rows for result in results] == [1, 2, 3]
    assert loaded(on_s3) == [("loaded", 1), ("loaded", 2), ("loaded", 3)]
    assert on_s3.one("SELECT consumption_kw::int FROM current_readings WHERE reading_at = '2024-03-01T00:00Z'") == 3
    service.scan()
    assert on_s3.query("SELECT FROM waiting_files") == []


def test_a_content_that_was_replaced_before_it_was_read_is_loaded_or_named(on_s3: Harness, kind: str) -> None:
    service = Service(on_s3)
    on_s3.store.put(KEY, content(1))
    service.scan()
    while on_s3.store.head(KEY).received_at >= datetime.now(UTC).replace(microsecond=0):
        pass  # S3 tells times in seconds
    on_s3.store.put(KEY, content(2, 2))
    service.scan()

    service.work(KEY)

    assert on_s3.one("SELECT sum(stored) FROM source_files") == (3 if kind == "keeping" else 2)
    assert service.replaced == [KEY]


@only_keeping
def test_the_bytes_of_a_delivery_are_read_though_its_key_holds_others(on_s3: Harness) -> None:
    service, delivered = Service(on_s3), []
    for number in (1, 2):
        on_s3.store.put(KEY, content(number))
        delivered += service.work(KEY)

    for number, result in zip((1, 2), delivered, strict=True):
        raw = raw_file(result.delivery, on_s3.store, on_s3.site.limits)
        assert isinstance(raw, RawFile)
        assert raw.content == content(number)


@only_keeping
def test_a_version_that_was_given_up_keeps_no_later_one_waiting_and_is_tried_again(on_s3: Harness) -> None:
    service = Service(on_s3)
    on_s3.store.put(KEY, content(1))
    on_s3.store.put(KEY, content(2, 2))
    fails = take_turn(KEY, tools(on_s3, lambda _: (_ for _ in ()).throw(InvalidKey("a fault of this version"))))
    assert isinstance(fails, FileResult)

    results = service.work(KEY)

    assert [result.ledger.rows for result in results] == [2, 1]
    assert loaded(on_s3) == [("loaded", 2), ("loaded", 1)]


@pytest.mark.parametrize(
    "key",
    ["raw-data/x.csv", "raw-data/in/x.csv", f"{DAY_FOLDER}/s/x.csv", f"{DAY_FOLDER}//x.csv", f"{DAY_FOLDER}/a\nb.csv"],
)
@only_keeping
def test_a_key_of_no_landed_file_becomes_a_dead_letter_that_says_so(on_s3: Harness, key: str) -> None:
    (result,) = Service(on_s3).work(key)

    assert result.outcome is Outcome.FAILED
    assert "InvalidKey" in str(result.error)
    assert "is no landed file" in str(result.error)
    assert on_s3.one("SELECT count(*) FROM dead_letters") == 1


def test_only_what_the_store_says_is_gone_has_vanished(on_s3: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(on_s3)
    on_s3.store.put(KEY, content(1))
    service.scan()
    on_s3.store.remove(KEY)

    assert service.turn(KEY) is None

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    on_s3.store = open_store("s3://landing")
    assert isinstance(Service(on_s3).turn(KEY), Later)
    with pytest.raises(StorageUnavailable):
        on_s3.store.head(KEY)


@only_keeping
def test_an_erased_meter_leaves_every_version_that_was_read(on_s3: Harness) -> None:
    service = Service(on_s3)
    for number in (1, 2):
        on_s3.store.put(KEY, content(number) + content(5, meter="SM-10").removeprefix(HEADER.encode()))
        service.work(KEY)
    on_s3.store.put(KEY, content(3, 4, meter="SM-10"))
    on_s3.store.put(KEY, content(7) + content(6, meter="SM-10").removeprefix(HEADER.encode()))

    Nights(on_s3).erase("SM-1")

    kept = [b"".join(on_s3.store.read(file)) for file in on_s3.store.list_landed()]
    assert [b"SM-1," in each for each in kept] == [False, False]
    assert kept[0] == content(3, 4, meter="SM-10")
    assert [result.ledger.stored for result in service.work(KEY)] == [2, 1]
