"""The only place that chooses adapters."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path

from psycopg.conninfo import make_conninfo

from greenstream import __version__
from greenstream.adapters.alerts.apprise_channel import AppriseChannel, channels
from greenstream.adapters.backups import Plan, Restored, Taken, check_outside, plan_restore, restore, take_backup
from greenstream.adapters.backups.bars import Bars
from greenstream.adapters.disks import disks
from greenstream.adapters.lake.objects import ObjectLake
from greenstream.adapters.postgres.alerts import PostgresAlerts, connect_alerts
from greenstream.adapters.postgres.base.address import checked
from greenstream.adapters.postgres.base.roles import READER
from greenstream.adapters.postgres.base.whole_database import only_one
from greenstream.adapters.postgres.corrections.replay import PostgresReplays
from greenstream.adapters.postgres.embedded import EmbeddedServer, ServerInfo
from greenstream.adapters.postgres.loading.database import PostgresDatabase
from greenstream.adapters.postgres.reports.answers import Answer
from greenstream.adapters.postgres.reports.gauges import GaugeValue, read_gauges
from greenstream.adapters.postgres.reports.reader import PostgresReader, connect_reader
from greenstream.adapters.postgres.schema.rights import admit_reader, grant_reading
from greenstream.adapters.queues.procrastinate_queue import FileQueue, FileWorker, hand_back_lost
from greenstream.adapters.storage import ObjectStore, open_store
from greenstream.adapters.temporary import sweep
from greenstream.application.alerts import Checked, Pace, Sent, check_alerts, send_alerts
from greenstream.application.corrections.context import CorrectionContext
from greenstream.application.corrections.discard_file import Discarding, discard_file
from greenstream.application.corrections.erase import Erasing, Unsearchable, erase, erase_again
from greenstream.application.corrections.rejudge import RejudgedDay, rejudge_days
from greenstream.application.corrections.replay import ReplayedFile, export_rows, replay_fixes, replay_rows
from greenstream.application.corrections.reprocess import ReprocessedFile, reprocess
from greenstream.application.history.detect import OnProgress, Watched, untold, watch_meters
from greenstream.application.history.import_meters import Imported, import_meters
from greenstream.application.history.settle import Settled, settle
from greenstream.application.lake.archive import Archived, archive
from greenstream.application.lake.retire import Retention, Retirement, retire, retire_day
from greenstream.application.lake.verify import Verification, Verified, verify
from greenstream.application.loading.attempt import Later, Tools, after_crash, fail, note_outage, work_on
from greenstream.application.loading.intake import Intake
from greenstream.application.loading.outages import StoreProbe, is_outage
from greenstream.application.loading.process_file import new_versions, next_version, process_file, reject_unlanded
from greenstream.application.nightly import Night
from greenstream.domain.alerts.values import Outage
from greenstream.domain.corrections.fixes import read_fixes, to_csv
from greenstream.domain.corrections.values import RowChoice
from greenstream.domain.errors import DatabaseUnavailable, GreenStreamError
from greenstream.domain.formats.roster import Roster
from greenstream.domain.lake.retention import Deletion
from greenstream.domain.landing import LandedFile
from greenstream.domain.ledger import FileResult
from greenstream.domain.routing import Route
from greenstream.domain.site import Site, day_start, local_day, slot_of
from greenstream.settings import PlaceSettings

Progress = Callable[[str], None]


def now() -> datetime:
    """The clock of a real system."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class System:
    """One GreenStream: its settings and, made when first used, its adapters.

    `progress` hears of slow steps, such as the first start of the embedded PostgreSQL.
    """

    settings: PlaceSettings
    progress: Progress

    @property
    def site(self) -> Site:
        return self.settings.site

    @cached_property
    def server(self) -> EmbeddedServer | None:
        """The embedded PostgreSQL; None with a database of yours."""
        return None if self.settings.database_url else EmbeddedServer(self.settings.home)

    @property
    def own_dsn(self) -> str | None:
        """Where a database of yours is, with its password; None with the embedded one. Raises SettingsError."""
        given = self.settings.database_url
        return checked(given.get_secret_value()) if given else None

    @cached_property
    def dsn(self) -> str:
        """Where the database is; starts the embedded one. Raises SettingsError for an address that can't be used."""
        return self._started(self.server).dsn if self.server else str(self.own_dsn)

    @cached_property
    def database(self) -> PostgresDatabase:
        """The database, at this program's version."""
        database = PostgresDatabase(self.dsn, self.site, version=__version__)
        if not database.is_current():
            self.progress("bringing the database to this version")
            self._bring_up(self.dsn)
        return database

    def _bring_up(self, dsn: str) -> str:
        """Bring a database to this program's version, its reader's rights included; that version."""
        database = PostgresDatabase(dsn, self.site, version=__version__)
        version = database.migrate(now=now(), retention_days=self.settings.retention_days)
        if self.server is not None:
            admit_reader(dsn, temp_mb=self.settings.query_max_temp_mb)
        return version

    @cached_property
    def store(self) -> ObjectStore:
        """The store, closed to other users of this machine."""
        store = open_store(self.settings.storage_url, group=self.settings.storage_group)
        if changed := store.close_to_others():
            self.progress(f"closed {changed} files and folders in {store} to other users of this machine")
        return store

    @cached_property
    def lake(self) -> ObjectLake:
        return ObjectLake(self.store, version=__version__)

    def reader(self) -> AbstractContextManager[PostgresReader]:
        """A connection that reads, for the time of a block; the database is as it is."""
        return connect_reader(self.dsn)

    @contextmanager
    def ask(self, text: str) -> Iterator[Answer]:
        """The answer to a person's SQL, for the time of a block, within the limits of the settings."""
        with connect_reader(self.reader_dsn) as reader, reader.ask(text, self.settings.query_limits) as answer:
            yield answer

    @property
    def reader_dsn(self) -> str:
        """Where people's SQL goes: as a role that only reads, unless a database of yours has none."""
        if self.settings.reader_url:
            return checked(self.settings.reader_url.get_secret_value(), "GREENSTREAM_READER_URL")
        self.database.close()  # the relations are there
        if self.server is None:
            return self.dsn
        admit_reader(self.dsn, temp_mb=self.settings.query_max_temp_mb)
        return make_conninfo(self.dsn, user=READER)

    def grant_reading(self, role: str) -> list[str]:
        """Let another role of the database read the relations; what it can do now, a line each."""
        self.database.close()  # the relations are there
        return grant_reading(self.dsn, role)

    def migrate(self) -> tuple[str | None, str]:
        """Bring the database to this program's version; the versions before and after."""
        with self.reader() as reader:
            before = reader.server().schema_version
        return before, self._bring_up(self.dsn)

    def back_up(self, path: Path, bars: Bars, *, files: bool) -> Taken:
        """Write a backup of the database as it is, and of the files, where they are in a folder."""
        if root := self.store.root():
            check_outside(path, root)
        root = root if files else None
        return take_backup(path, self.dsn, store=str(self.store), root=root, program=__version__, bars=bars)

    def plan_restore(self, path: Path, bars: Bars) -> Plan:
        """See that a backup is whole and fits; nothing is changed."""
        return plan_restore(path, lambda: self.dsn, self.site, bars)

    def restore(self, plan: Plan, bars: Bars, *, replace: bool, files: bool) -> Restored:
        """Replace the database by a backup, and put those files back that aren't there."""
        root = self.store.root() if files and plan.backup.files else None
        return restore(plan, replace=replace, root=root, migrate=self._bring_up, bars=bars)

    @cached_property
    def queue(self) -> FileQueue:
        return FileQueue(self.dsn)

    def intake(
        self, on_queued: Callable[[LandedFile, Route], None], on_replaced: Callable[[LandedFile, datetime], None]
    ) -> Intake:
        """From the landing zone into the queue.

        `on_queued` hears of each file, `on_replaced` of one that took the place of another that nobody had read.
        """
        return Intake(
            queue=self.queue,
            waiting=self.database.waiting(),
            limits=self.settings.limits,
            ends_a_line=self.store.ends_a_line,
            atomic=self.store.folder() is None,
            on_queued=on_queued,
            on_replaced=on_replaced,
        )

    def worker(self, route: Route, work: Callable[[str], int | None]) -> FileWorker:
        """A worker of one route, which takes files one at a time."""
        _ = self.database  # at this program's version, before the queue is asked
        return FileWorker(self.dsn, route, work)

    def work_on(self, path: str, on_start: Callable[[int], None]) -> FileResult | Later | None:
        """Take a turn at a landed file; `on_start` hears the number of the attempt."""
        return work_on(path, self._tools(), on_start)

    def note_outage(self, path: str, error: GreenStreamError) -> None:
        """A worker had to let a file go, as the database couldn't be told at that moment."""
        note_outage(path, error, self.database.waiting(), now)

    def _tools(self) -> Tools:
        return Tools(
            process=self.process,
            head=self._next_version,
            store_answers=self._probe.answers,
            waiting=self.database.waiting(),
            database=self.database,
            clock=now,
        )

    def is_outage(self, error: Exception) -> bool:
        """Whether it is no fault of the file that it happened to."""
        return is_outage(error, self._probe.answers)

    @cached_property
    def _probe(self) -> StoreProbe:
        return StoreProbe(check=self.store.check, seconds=time.monotonic)

    def fail(self, path: str, error: Exception, *, attempts: int) -> FileResult:
        """Make a landed file a dead letter for an error of its own."""
        return fail(path, error, self._tools(), attempts=attempts)

    def hand_back_lost(self, heard: Callable[[str, Route, FileResult | None], None]) -> int:
        """Give files whose worker is gone back to the queue; how many. `heard` learns of each, and of dead letters."""

        def crashed(path: str, route: Route) -> bool:
            given_up = after_crash(path, self._tools())
            heard(path, route, given_up)
            return given_up is None

        return hand_back_lost(self.dsn, crashed)

    def gauges(self) -> list[GaugeValue]:
        """What monitoring asks of the database; never starts it. Raises DatabaseUnavailable or DatabaseRefused."""
        dsn = self.server.status().dsn if self.server else self.own_dsn
        if dsn is None:
            raise DatabaseUnavailable("the embedded PostgreSQL does not run; the next command that needs it starts it")
        return read_gauges(dsn)

    def close(self) -> None:
        """End all connections; what is used again is made again."""
        for name in ("database", "queue"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()
        self.__dict__.pop("dsn", None)

    def watch(self, on_progress: OnProgress = untold) -> Watched:
        """Apply the history rules to what was loaded since the last time."""
        with self.database.history() as history:
            return watch_meters(history, self.site, now(), on_progress=on_progress)

    def settle(self, day: date) -> Settled:
        """Make a local day final."""
        with self.database.history() as history:
            return settle(history, self.lake, self.site, day, now())

    def due_days(self) -> list[date]:
        """Local days that have ended and were never settled, or have changed since; oldest first."""
        return self.database.due_days(self.today())

    def archive(self, day: date) -> Archived:
        """Write a settled day to the lake."""
        return archive(day, archives=self.database.archives(), lake=self.lake, site=self.site, now=now())

    def to_archive(self) -> list[date]:
        """Settled days whose last settling the lake hasn't seen; oldest first."""
        return self.database.archives().to_archive()

    def retire(self, *, dry_run: bool = False) -> Iterator[Retirement]:
        """Let go of what is past its lifetime and provably in the lake."""
        return retire(self._retention(dry_run=dry_run), self.today(), now())

    def retire_day(self, day: date, *, dry_run: bool = False) -> Iterator[Retirement]:
        """Let go of one day of the database, if it is past its lifetime and in the lake."""
        means = self._retention(dry_run=dry_run)
        for facts in means.archives.to_retire(self.today() - timedelta(days=means.lifetimes.readings)):
            if facts.day == day:
                yield retire_day(facts, means, now())

    def night(self, *, dry_run: bool = False) -> Night:
        """The night of all days that need it; a dry run's only looks."""
        if not dry_run:
            sweep(Path(tempfile.gettempdir()))
        return Night(
            erase_again=lambda: iter(()) if dry_run else erase_again(self._erasing()),
            to_settle=self.due_days if dry_run else self._due_after_a_look,
            settle=self.settle,
            to_archive=self.to_archive,
            archive=self.archive,
            retire=partial(self.retire, dry_run=dry_run),
        )

    def night_of(self, day: date, *, dry_run: bool = False) -> Night:
        """The night of one day."""
        return Night(
            erase_again=lambda: iter(()),
            to_settle=lambda: [day],
            settle=self.settle,
            to_archive=lambda: [day],
            archive=self.archive,
            retire=partial(self.retire_day, day, dry_run=dry_run),
        )

    def erase(
        self, meter_id: str, reason: str, *, on_file: Callable[[str], None], on_day: Callable[[date], None]
    ) -> Iterator[Deletion | Unsearchable]:
        """Erase a meter everywhere. Raises NotFound."""
        return erase(meter_id, reason, replace(self._erasing(), on_file=on_file, on_day=on_day))

    def _erasing(self) -> Erasing:
        return Erasing(
            erasures=self.database.erasures(),
            archives=self.database.archives(),
            lake=self.lake,
            landing=self.store,
            site=self.site,
            clock=now,
        )

    def discard_file(self, path: str, reason: str | None, *, dry_run: bool) -> Deletion:
        """Delete a file that can't be read: of a rejected delivery, or its copy. Raises NotFound."""
        means = Discarding(archives=self.database.archives(), landing=self.store, clock=now, dry_run=dry_run)
        return discard_file(path, reason, means)

    def only_night(self) -> AbstractContextManager[bool]:
        """Whether no other night is under way anywhere; none begins while the block lasts."""
        _ = self.database  # the relations are there
        return self.no_night()

    def no_night(self) -> AbstractContextManager[bool]:
        """The same for a database that stays as it is, of whatever version."""
        return only_one(self.dsn, "nightly")

    def days(self) -> list[date]:
        """All days that ever had a reading; oldest first."""
        return self.database.archives().days()

    def verify(self, day: date, *, raw: bool = True) -> Verified:
        """Compare what database, lake and raw files tell of a day."""
        means = Verification(
            archives=self.database.archives(), lake=self.lake, landing=self.store, site=self.site, raw=raw
        )
        return verify(day, means)

    def _due_after_a_look(self) -> list[date]:
        self.watch()
        return self.due_days()

    def _retention(self, *, dry_run: bool) -> Retention:
        return Retention(
            archives=self.database.archives(),
            lake=self.lake,
            landing=self.store,
            lifetimes=self.settings.lifetimes,
            timezone=self.settings.timezone,
            dry_run=dry_run,
        )

    def import_meters(self, roster: Roster) -> Imported:
        """Register a roster's meters, and judge those anew whose end has changed."""
        return import_meters(roster, self.database.fleet, self.site, now())

    def today(self) -> date:
        """The local day."""
        interval = self.site.limits.interval_minutes
        return local_day(slot_of(now(), interval), self.site.timezone, interval)

    def process(self, path: str) -> FileResult:
        """Take a landed file, given by its key, to its end."""
        return process_file(path, landing=self.store, database=self.database, lake=self.lake, site=self.site, clock=now)

    def has_new_version(self, path: str) -> bool:
        """Whether more was put under a path than was read yet, in a bucket that keeps what was replaced."""
        return self.store.keeps_versions() and bool(new_versions(path, self.store, self.database))

    def _next_version(self, path: str) -> LandedFile:
        return next_version(path, self.store, self.database)

    def refuse(self, source: Path) -> FileResult | None:
        """The rejection of a file of this machine that is too large to be landed; None for any other."""
        unlanded = self.store.unlanded(source, day=self.today())
        if unlanded is None or unlanded[1] <= self.site.limits.max_file_bytes:
            return None
        return reject_unlanded(*unlanded, database=self.database, site=self.site, clock=now)

    def _started(self, server: EmbeddedServer) -> ServerInfo:
        info = server.ensure_running(self.progress)
        for notice in info.notices:
            self.progress(notice)
        return info

    @cached_property
    def alert_channels(self) -> Sequence[AppriseChannel]:
        """Where alerts are sent."""
        urls = self.settings.alert_urls
        return channels(urls.get_secret_value() if urls else "")

    def alerts(self) -> AbstractContextManager[PostgresAlerts]:
        """The alerts, on a connection of their own for the time of a block, so for any thread."""
        _ = self.database  # the relations are there
        return connect_alerts(self.dsn)

    def check_alerts(self, outages: Sequence[Outage] = ()) -> Checked | None:
        """Raise what is wrong and resolve what has ended; None where another process does it at this moment.

        `outages` are those that this process ran into.
        """
        with self.alerts() as book, book.checking() as ours:
            return check_alerts(book, disks(self.settings.home), outages, self.site, now()) if ours else None

    def send_alerts(self) -> list[Sent]:
        """Send what is due by all channels; nothing where another process does it at this moment.

        It may take a minute a message where a channel is slow or down, and raises only errors of the database.
        """
        if not self.alert_channels:
            return []
        pace = Pace(
            interval=timedelta(minutes=self.settings.alert_interval_minutes),
            max_per_hour=self.settings.alert_max_per_hour,
        )
        with self.alerts() as book, book.sending() as ours:
            return send_alerts(book, self.alert_channels, pace, now()) if ours else []

    def replays(self) -> PostgresReplays:
        """Rejected rows and dead letters."""
        return self.database.replays()

    def replay_rows(self, choice: RowChoice, *, dry_run: bool = False) -> Iterator[ReplayedFile]:
        """Judge rejected rows anew, a file at a time."""
        return replay_rows(choice, self._replay_means(dry_run=dry_run))

    def replay_fixes(self, name: str, content: bytes, *, dry_run: bool = False) -> Iterator[ReplayedFile]:
        """Replay the lines of an export that was fixed by hand. Raises InvalidFixes."""
        return replay_fixes(read_fixes(name, content), self._replay_means(dry_run=dry_run))

    def replay_rule(
        self, rule_id: str, first: date | None, behind: date | None, *, dry_run: bool = False
    ) -> Iterator[ReplayedFile]:
        """Judge the rows anew that a rule rejected on the local days from `first` to before `behind`."""
        since, until = (day_start(day, self.site.timezone) if day else None for day in (first, behind))
        return self.replay_rows(RowChoice(rule_id=rule_id, since=since, until=until), dry_run=dry_run)

    def rejudge_days(
        self, flags: int, first: date | None, last: date | None, *, dry_run: bool = False
    ) -> Iterator[RejudgedDay]:
        """Judge stored readings with any of these flags anew (0: all), a local day at a time."""
        return rejudge_days(flags, first, last, self._replay_means(dry_run=dry_run))

    def reprocess(self, first: date, last: date, *, dry_run: bool = False) -> Iterator[ReprocessedFile]:
        """Process loaded files of some local days again, by this version."""
        return reprocess(first, last, self._replay_means(dry_run=dry_run))

    def export_rows(self, choice: RowChoice) -> tuple[bytes, int]:
        """Rejected rows as CSV for a person to fix, and how many."""
        rows = list(export_rows(choice, self._replay_means(dry_run=True)))
        return to_csv(rows), sum(part.height for part in rows)

    def _replay_means(self, *, dry_run: bool) -> CorrectionContext:
        return CorrectionContext(
            landing=self.store,
            replays=self.replays(),
            lake=self.lake,
            site=self.site,
            clock=now,
            dry_run=dry_run,
        )
