"""A real place to load files into: a database of its own on a real server, and a landing folder."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from greenstream.adapters.lake.objects import ObjectLake
from greenstream.adapters.postgres.loading.database import PostgresDatabase
from greenstream.adapters.postgres.reports.connection import reading
from greenstream.adapters.postgres.reports.lists import PostgresLists
from greenstream.adapters.storage import ObjectStore, open_store
from greenstream.application.loading.process_file import process_file
from greenstream.domain.ledger import FileResult
from greenstream.domain.limits import Limits
from greenstream.domain.routing import route_of
from greenstream.domain.site import Site

VERSION = "1.2.3"
NOW = datetime(2024, 3, 20, 12, 0, tzinfo=UTC)
DAY_FOLDER = "raw-data/2024-03-20"
HEADER = "meter_id,timestamp,energy_value,location\n"
RETENTION_DAYS = 90


def site_of(timezone: str = "UTC", **limits: Any) -> Site:
    return Site(timezone=timezone, limits=Limits(**limits))


UTC_SITE = site_of()


@dataclass
class Harness:
    """A database of its own and a landing folder. Its clock gives each call a second more than the last one."""

    dsn: str
    folder: Path
    site: Site = UTC_SITE
    now: datetime = NOW
    seconds: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.store: ObjectStore = open_store(self.folder)
        self.lake = ObjectLake(self.store, version=VERSION)
        self.database = self.connect()

    def connect(self) -> PostgresDatabase:
        return PostgresDatabase(self.dsn, self.site, version=VERSION)

    @contextmanager
    def lists(self) -> Iterator[PostgresLists]:
        """What people may ask for."""
        with reading(self.dsn) as connection:
            yield PostgresLists(connection)

    def close(self) -> None:
        self.database.close()

    def clock(self) -> datetime:
        self.seconds += 1
        return self.now + timedelta(seconds=self.seconds)

    def land(self, name: str, content: bytes | str, *, received_at: datetime = NOW) -> str:
        """Put a file where it would have landed at that time, first seen by the intake then; its path."""
        path = self.drop(name, content, received_at)
        file = replace(self.store.head(path), received_at=received_at)
        waiting = self.database.waiting()
        waiting.end(path)
        waiting.add(file, route_of(file.size_bytes, self.site.limits), received_at)
        return path

    def drop(self, name: str, content: bytes | str, modified_at: datetime = NOW) -> str:
        """Put a file with that time of its own into the landing zone, where nobody has seen it yet; its path."""
        path = self.folder / DAY_FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        since_epoch = (modified_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        os.utime(path, ns=(since_epoch * 1000, since_epoch * 1000))
        return f"{DAY_FOLDER}/{name}"

    def process(
        self, path: str, *, now: datetime | None = None, database: PostgresDatabase | None = None
    ) -> FileResult:
        result = process_file(
            path,
            landing=self.store,
            database=database or self.database,
            lake=self.lake,
            site=self.site,
            clock=self.clock if now is None else lambda: now,
        )
        self.database.waiting().end(path)
        return result

    def load(self, name: str, content: bytes | str, **landing: Any) -> FileResult:
        return self.process(self.land(name, content, **landing))

    def query(self, statement: LiteralString, *values: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            connection.execute("SET timezone TO 'UTC'")
            return connection.execute(statement, values).fetchall()

    def one(self, statement: LiteralString, *values: object) -> Any:
        """The only value of a query."""
        (row,) = self.query(statement, *values)
        (value,) = row.values()
        return value

    def execute(self, statement: LiteralString) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement)

    def sums(self) -> tuple[int, int, int, int]:
        """Rows, stored, duplicate and rejected of all loaded files."""
        (row,) = self.query(
            "SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(stored), 0) AS stored,"
            " coalesce(sum(duplicate), 0) AS duplicate, coalesce(sum(rejected), 0) AS rejected FROM source_files"
        )
        return int(row["rows"]), int(row["stored"]), int(row["duplicate"]), int(row["rejected"])

    def assert_adds_up(self) -> None:
        """The ledger agrees with itself, with the rows that are there, and with the counts kept beside them."""
        rows, stored, duplicate, rejected = self.sums()
        assert rows == stored + duplicate + rejected
        assert self.one("SELECT count(*) FROM meter_readings") == stored
        assert self.one("SELECT count(DISTINCT record_id) FROM meter_readings") == stored
        assert self.one("SELECT count(*) FROM quarantined_rows WHERE replayed_at IS NULL") == rejected
        assert self.one("SELECT coalesce(sum(readings), 0) FROM greenstream.grade_count") == stored
        flags = self.one("SELECT coalesce(sum(cardinality(flags)), 0) FROM meter_readings")
        assert self.one("SELECT count(*) FROM data_quality_log WHERE window_start IS NULL") == flags
        assert self.one("SELECT coalesce(sum(readings), 0) FROM greenstream.flag_count") == flags
        assert (
            self.query(
                "SELECT path FROM greenstream.source_file f WHERE rejected <> (SELECT count(*) FROM"
                " greenstream.quarantined_row q WHERE q.source_file_id = f.source_file_id AND replayed_at IS NULL)"
            )
            == []
        )
        per_file = "SELECT source_file, count(*) AS stored FROM meter_readings GROUP BY 1"
        noted = "SELECT path AS source_file, sum(stored) AS stored FROM source_files WHERE stored > 0 GROUP BY 1"
        assert sorted(map(str, self.query(per_file))) == sorted(
            str({**row, "stored": int(row["stored"])}) for row in self.query(noted)
        )


@dataclass
class Databases:
    """Makes databases on one server: from a migrated template where the site is the usual one."""

    server_dsn: str
    folder: Path
    templates: dict[tuple[str, int, datetime], str] = field(default_factory=dict)

    @contextmanager
    def harness(self, site: Site = UTC_SITE, *, now: datetime = NOW) -> Iterator[Harness]:
        key = site.timezone, site.limits.interval_minutes, now
        if key not in self.templates:
            self.templates[key] = self._migrated(site, now)
        with (
            self.database(self.templates[key]) as dsn,
            self._harness(Harness(dsn, self._new_folder(), site, now)) as harness,
        ):
            yield harness

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """An own database; its connection string."""
        name = self._create(template)
        try:
            yield make_conninfo(self.server_dsn, dbname=name)
        finally:
            self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def _harness(self, harness: Harness) -> Iterator[Harness]:
        try:
            yield harness
        finally:
            harness.close()

    def _new_folder(self) -> Path:
        return self.folder / secrets.token_hex(4)

    def _migrated(self, site: Site, now: datetime) -> str:
        name = self._create("template1")
        database = PostgresDatabase(make_conninfo(self.server_dsn, dbname=name), site, version=VERSION)
        database.migrate(now=now, retention_days=RETENTION_DAYS)
        return name

    def _create(self, template: str) -> str:
        name = f"harness_{secrets.token_hex(6)}"
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.server_dsn, autocommit=True) as connection:
            connection.execute(statement)
