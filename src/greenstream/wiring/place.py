"""One GreenStream: its settings, its clock, its server, database and store. Each is made when it is first used."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from greenstream import __version__
from greenstream.application.exclusion import Exclusion
from greenstream.application.retry import Attempts, Once, Retry
from greenstream.domain.errors import SETS_UP, DatabaseUnavailable, NotSetUp, other_version
from greenstream.domain.landing import Clock
from greenstream.domain.site import local_day, slot_of

if TYPE_CHECKING:
    from greenstream.adapters.lake.objects import ObjectLake
    from greenstream.adapters.postgres.embedded import EmbeddedServer, ServerInfo
    from greenstream.adapters.postgres.loading.database import PostgresDatabase
    from greenstream.adapters.storage import ObjectStore
    from greenstream.domain.errors import RetryableError
    from greenstream.domain.retries import Pause
    from greenstream.domain.site import Site
    from greenstream.settings import PlaceSettings
    from greenstream.wiring.alerts import Alerts
    from greenstream.wiring.backups import Backups
    from greenstream.wiring.corrections import Corrections
    from greenstream.wiring.history import History
    from greenstream.wiring.lake import Lake
    from greenstream.wiring.loading import Loading
    from greenstream.wiring.reports import Reports

Say = Callable[[str], None]


def utc_now() -> datetime:
    """The clock of the machine."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Place:
    """For one thread. What is asked of it is in its groups, such as `place.loading.process(path)`.

    Attributes:
        say: hears of slow steps, such as the first start of the embedded PostgreSQL, and of what is waited for.
        clock: the time now.
        is_patient: whether what may pass by itself is tried again, after 2, 4 and 8 s. A service waits by itself, and
            nobody wants to wait for a request.
    """

    settings: PlaceSettings
    say: Say
    clock: Clock = utc_now
    is_patient: bool = field(default=False, kw_only=True)

    @property
    def site(self) -> Site:
        return self.settings.site

    def today(self) -> date:
        """The local day."""
        interval = self.site.limits.interval_minutes
        return local_day(slot_of(self.clock(), interval), self.site.timezone, interval)

    @cached_property
    def attempts(self) -> Attempts:
        return Retry(on_pause=self._say_pause, sleep=time.sleep, revive=self._revive) if self.is_patient else Once()

    @cached_property
    def exclusion(self) -> Exclusion:
        return Exclusion(self._only_one, on_wait=self._say_busy, sleep=time.sleep)

    @cached_property
    def server(self) -> EmbeddedServer | None:
        """The embedded PostgreSQL; None with a database of yours."""
        from greenstream.adapters.postgres.embedded import EmbeddedServer

        return None if self.settings.database_url else EmbeddedServer(self.settings.home)

    @property
    def own_dsn(self) -> str | None:
        """Where a database of yours is, with its password; None with the embedded one. Raises SettingsError."""
        from greenstream.adapters.postgres.base.address import checked

        given = self.settings.database_url
        return checked(given.get_secret_value()) if given else None

    @cached_property
    def dsn(self) -> str:
        """Where the database is; starts the embedded one.

        Raises:
            NotSetUp: there is no embedded one yet.
            SettingsError: an address that can't be used.
        """
        if self.server is None:
            return str(self.own_dsn)
        if not self.server.status().initialised:
            raise NotSetUp(f"nothing is set up in {self.settings.home} yet: {SETS_UP}")
        return self._started(self.server).dsn

    def started_dsn(self) -> str:
        """Where the database is; the embedded one is made where there is none, and started."""
        return self._started(self.server).dsn if self.server else str(self.own_dsn)

    @cached_property
    def current_dsn(self) -> str:
        """Where the database is, at this program's version. Raises NotSetUp where it has another one, or none."""
        from greenstream.adapters.postgres.schema.version import newest_version, version_at

        found, needed = version_at(self.dsn), newest_version()
        if found != needed:
            raise other_version(found, needed)
        return self.dsn

    @cached_property
    def database(self) -> PostgresDatabase:
        """The database, at this program's version. Raises NotSetUp where it has another one, or none."""
        return self._connected(self.current_dsn)

    def set_up(self) -> None:
        """Make what is missing: the embedded server, the relations, what a newer version of this program needs."""
        dsn = self.started_dsn()
        with suppress(NotSetUp):
            _ = self.database
            return
        self.say("bringing the database to this version")
        self.bring_up(dsn)
        self.__dict__.pop("dsn", None)

    def migrate(self) -> tuple[str | None, str]:
        """Bring the database to this program's version; the versions before and after."""
        from greenstream.adapters.postgres.schema.version import version_at

        dsn = self.started_dsn()
        before = version_at(dsn)
        return before, self.bring_up(dsn)

    def bring_up(self, dsn: str) -> str:
        """Bring a database to this program's version, its reader's rights included; that version."""
        version = self._connected(dsn).migrate(now=self.clock(), retention_days=self.settings.retention_days)
        if self.server is not None:
            self._admit_reader(dsn)
        return version

    @property
    def reader_dsn(self) -> str:
        """Where people's SQL goes: as a role that only reads, unless a database of yours has none."""
        from psycopg.conninfo import make_conninfo

        from greenstream.adapters.postgres.base.address import checked
        from greenstream.adapters.postgres.base.roles import READER

        if self.settings.reader_url:
            return checked(self.settings.reader_url.get_secret_value(), "GREENSTREAM_READER_URL")
        dsn = self.current_dsn
        if self.server is None:
            return dsn
        self._admit_reader(dsn)
        return make_conninfo(dsn, user=READER)

    def grant_reading(self, role: str) -> list[str]:
        """Let another role of the database read the relations; what it can do now, a line each."""
        from greenstream.adapters.postgres.schema.rights import grant_reading

        return grant_reading(self.current_dsn, role)

    @cached_property
    def store(self) -> ObjectStore:
        """The store, closed to other users of this machine."""
        from greenstream.adapters.storage import open_store

        store = open_store(self.settings.storage_url, group=self.settings.storage_group)
        if changed := store.close_to_others():
            self.say(f"closed {changed} files and folders in {store} to other users of this machine")
        return store

    @cached_property
    def objects(self) -> ObjectLake:
        """The lake's objects in the store."""
        from greenstream.adapters.lake.objects import ObjectLake

        return ObjectLake(self.store, version=__version__)

    @cached_property
    def loading(self) -> Loading:
        from greenstream.wiring.loading import Loading

        return Loading(self)

    @cached_property
    def history(self) -> History:
        from greenstream.wiring.history import History

        return History(self)

    @cached_property
    def lake(self) -> Lake:
        from greenstream.wiring.lake import Lake

        return Lake(self)

    @cached_property
    def corrections(self) -> Corrections:
        from greenstream.wiring.corrections import Corrections

        return Corrections(self)

    @cached_property
    def alerts(self) -> Alerts:
        from greenstream.wiring.alerts import Alerts

        return Alerts(self)

    @cached_property
    def reports(self) -> Reports:
        from greenstream.wiring.reports import Reports

        return Reports(self)

    @cached_property
    def backups(self) -> Backups:
        from greenstream.wiring.backups import Backups

        return Backups(self)

    def close(self) -> None:
        """End all connections; what is used again is made again."""
        for name in ("database", "loading"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()
        for name in ("dsn", "current_dsn"):
            self.__dict__.pop(name, None)

    def _connected(self, dsn: str) -> PostgresDatabase:
        from greenstream.adapters.postgres.loading.database import PostgresDatabase

        return PostgresDatabase(dsn, self.site, version=__version__)

    def _admit_reader(self, dsn: str) -> None:
        from greenstream.adapters.postgres.schema.rights import admit_reader

        admit_reader(dsn, temp_mb=self.settings.query_max_temp_mb)

    def _started(self, server: EmbeddedServer) -> ServerInfo:
        info = server.ensure_running(self.say)
        for notice in info.notices:
            self.say(notice)
        return info

    def _only_one(self) -> AbstractContextManager[bool]:
        from greenstream.adapters.postgres.base.whole_database import only_one

        return self.attempts.run(lambda: only_one(self.dsn, "nightly"))

    def _say_busy(self) -> None:
        self.say("a nightly is under way: waiting for its end")

    def _say_pause(self, error: RetryableError, pause: Pause) -> None:
        self.say(f"{error.code}: {error} (in {pause.seconds} s)")

    def _revive(self) -> None:
        if self.server is not None and self.server.status().initialised:
            with suppress(DatabaseUnavailable):  # a full disk, say; the next attempt tells
                self.server.ensure_running(self.say)
