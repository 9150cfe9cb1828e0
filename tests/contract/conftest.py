"""A real S3 server a test run; the environment and an empty place in its bucket a test."""

import uuid
from collections.abc import Iterator

import pytest
from tests.contract.storage_fixtures import BUCKET, S3Server, running_s3_server, versioned_bucket


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{uuid.uuid4()}"


@pytest.fixture(scope="session")
def keeping_bucket(s3_server: S3Server) -> str:
    return versioned_bucket(s3_server, "keeping")


@pytest.fixture
def kept(keeping_bucket: str, s3: str) -> str:
    """An empty place in a bucket that keeps versions."""
    return s3.replace(BUCKET, keeping_bucket)
