"""What the answers of an S3 server become: each as obstore tells it, and as a signed request hears it."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from tests.contract.answering import Answers, answering_server

from greenstream.adapters.storage import ObjectStore, open_store
from greenstream.domain.errors import GreenStreamError, InvalidKey, NotFound, StorageRefused, StorageUnavailable

KEY = "raw-data/2024-03-15/f.csv"
DAY = date(2024, 3, 15)
ANSWERS = [
    (404, "NoSuchKey", NotFound, "no such object"),
    (404, "NoSuchVersion", NotFound, "no such version"),
    (404, "NoSuchBucket", StorageRefused, "there is no such bucket"),
    (404, "", StorageRefused, "HTTP 404"),
    (403, "AccessDenied", StorageRefused, "AWS_ACCESS_KEY_ID"),
    (403, "InvalidAccessKeyId", StorageRefused, "AWS_ACCESS_KEY_ID"),
    (403, "SignatureDoesNotMatch", StorageRefused, "AWS_ACCESS_KEY_ID"),
    (403, "", StorageRefused, "AWS_ACCESS_KEY_ID"),
    (403, "RequestTimeTooSkewed", StorageRefused, "clock"),
    (403, "InvalidObjectState", StorageRefused, "archive"),
    (400, "ExpiredToken", StorageRefused, "AWS_SESSION_TOKEN"),
    (403, "InvalidToken", StorageRefused, "AWS_SESSION_TOKEN"),
    (301, "PermanentRedirect", StorageRefused, "AWS_REGION"),
    (307, "TemporaryRedirect", StorageRefused, "AWS_REGION"),
    (400, "AuthorizationHeaderMalformed", StorageRefused, "AWS_REGION"),
    (400, "KeyTooLongError", InvalidKey, "another name"),
    (400, "RequestTimeout", StorageUnavailable, "tried again"),
    (409, "OperationAborted", StorageUnavailable, "tried again"),
    (409, "ConditionalRequestConflict", StorageUnavailable, "tried again"),
    (429, "", StorageUnavailable, "HTTP 429"),
    (500, "InternalError", StorageUnavailable, "HTTP 500 InternalError"),
    (503, "SlowDown", StorageUnavailable, "tried again"),
    (501, "NotImplemented", StorageRefused, "can't do this"),
    (418, "Teapot", StorageRefused, "HTTP 418 Teapot"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Answers]:
    with answering_server() as server:
        yield server


@pytest.fixture
def store(server: Answers, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": server.endpoint,
    }.items():
        monkeypatch.setenv(name, value)
    return open_store("s3://landing/greenstream")


def error_of(call: Callable[[], object]) -> GreenStreamError:
    with pytest.raises(GreenStreamError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize(("status", "code", "kind", "said"), ANSWERS)
def test_each_answer_about_an_object_is_an_error_of_ours_with_a_remedy(server, store, status, code, kind, said):
    server.refuse(status, code)

    error = error_of(lambda: store.head(KEY))

    assert type(error) is kind
    assert said in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(("status", "code", "kind", "said"), [row for row in ANSWERS if row[2] is not NotFound])
def test_each_answer_to_a_listing_or_deletion_is_the_same_error(server, store, status, code, kind, said):
    server.refuse(status, code)

    errors = [error_of(lambda: list(store.list_landed(DAY)))]
    if status != 404:
        errors.append(error_of(lambda: store.remove(KEY)))

    for error in errors:
        assert type(error) is kind
        assert said in str(error)
        assert "\n" not in str(error)


def test_a_conflict_of_two_writers_is_no_name_that_is_taken(server, store, tmp_path):
    source = tmp_path / "f.csv"
    source.write_bytes(b"a")
    server.refuse(409, "ConditionalRequestConflict")

    assert type(error_of(lambda: store.land(source, day=DAY))) is StorageUnavailable


def test_an_answer_that_is_no_listing_is_refused(server, store):
    server.status, server.body = 200, "<html><p>Welcome to the wireless network</html>"

    assert type(error_of(lambda: list(store.list_landed(DAY)))) is StorageRefused


def test_a_secret_never_comes_into_a_message(server, store, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "canary")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    store = open_store("s3://landing")

    for call in (lambda: list(store.list_landed(DAY)), lambda: store.head(KEY), lambda: store.remove(KEY)):
        error = error_of(call)
        assert type(error) is StorageUnavailable
        assert "canary" not in f"{error} {error.__cause__!r}"
