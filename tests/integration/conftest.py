"""One embedded PostgreSQL a test run, a fresh database and landing folder a test."""

from collections.abc import Iterator

import psycopg
import pytest
from tests.contract.storage_fixtures import S3Server, running_s3_server
from tests.integration.embedded_support import scratch
from tests.support.harness import Databases, Harness

from greenstream.adapters.postgres.embedded import EmbeddedServer


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    with scratch() as folder:
        server = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
        try:
            dsn = server.ensure_running().dsn
            forget_power_cuts(dsn)
            yield Databases(dsn, folder / "harnesses")
        finally:
            server.stop("immediate")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


def forget_power_cuts(dsn: str) -> None:
    """Nobody waits for the disk: what was committed outlives any kill, and no test pulls the plug."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET full_page_writes = off")
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture
def harness(databases: Databases) -> Iterator[Harness]:
    with databases.harness() as harness:
        yield harness
