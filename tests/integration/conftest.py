"""One embedded PostgreSQL a test run, a fresh database and landing folder a test."""

from collections.abc import Iterator

import pytest
from tests.contract.storage_fixtures import S3Server, running_s3_server
from tests.integration.embedded_support import scratch
from tests.support.bed import Bed, Databases

from greenstream.adapters.postgres.embedded import EmbeddedServer


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    with scratch() as folder:
        server = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
        try:
            yield Databases(server.ensure_running().dsn, folder / "beds")
        finally:
            server.stop("immediate")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def bed(databases: Databases) -> Iterator[Bed]:
    with databases.bed() as bed:
        yield bed
