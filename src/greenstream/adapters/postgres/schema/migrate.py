"""Bring a database to this version: alembic's migrations, the site, and the words behind the codes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg

from greenstream.adapters.postgres.base.connection import Connection, connect
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.fetch import one_or_none, run
from greenstream.adapters.postgres.base.sql import query
from greenstream.adapters.postgres.schema.partitions import create_older
from greenstream.adapters.postgres.schema.rights import grant_relations, readers
from greenstream.adapters.postgres.schema.site import check_site
from greenstream.adapters.postgres.schema.version import current_version, newest_version
from greenstream.domain.codes import GRADES, PERIODS, SEASONS, Flag
from greenstream.domain.errors import other_version
from greenstream.domain.rules import FLAG_RULES, HISTORY_RULES
from greenstream.domain.site import Site


def migrate(dsn: str, site: Site, *, now: datetime, retention_days: int) -> str:
    """Apply what is missing, all or nothing; the version reached. Two processes at once take turns.

    Roles that could read all relations can read the new ones.

    Raises:
        NotSetUp: the database is of a newer version; nothing was changed.
        SettingsError: the database belongs to a site with another time zone or interval.
        DatabaseUnavailable, DatabaseRefused: as every call to the database.
    """
    with translated("migrating the database"), connect(dsn) as connection:
        run(connection, "schema.lock_migration")
        _refuse_newer(connection)
        before = readers(connection)
        with _upgraded(dsn) as upgraded:
            for role in before:
                grant_relations(upgraded, role)
            _found_site(
                upgraded, site, (now - timedelta(days=retention_days)).astimezone(ZoneInfo(site.timezone)).date()
            )
            _write_words(upgraded)
    return newest_version()


def _refuse_newer(connection: Connection) -> None:
    found, newest = current_version(connection), newest_version()
    if found is not None and found > newest:
        raise other_version(found, newest)


def _found_site(connection: Connection, site: Site, first_daily: date) -> None:
    if one_or_none(connection, "schema.read_site") is None:
        run(
            connection,
            "schema.add_site",
            timezone=site.timezone,
            interval_minutes=site.limits.interval_minutes,
            first_daily=first_daily,
        )
        create_older(connection, first_daily, site.timezone)
    check_site(connection, site)


def _write_words(connection: Connection) -> None:
    words = {"period": PERIODS, "season": SEASONS, "grade": GRADES}
    with connection.cursor() as cursor:
        cursor.executemany(
            query("schema.add_code"),
            [
                {"kind": kind, "code": code, "word": word}
                for kind, all in words.items()
                for code, word in enumerate(all)
            ],
        )
        cursor.executemany(
            query("schema.add_flag"),
            [
                {"flag": rule.flag.bit, "code": rule.flag, "rule_id": rule.id, "severity": rule.severity}
                for rule in FLAG_RULES
            ],
        )
        cursor.executemany(
            query("schema.add_flag_set"),
            [{"flags": bits, "codes": [f.value for f in Flag if f.bit & bits]} for bits in range(2 ** len(Flag))],
        )
        cursor.executemany(
            query("schema.add_window_rule"),
            [{"code": rule.finding, "rule_id": rule.id, "severity": rule.severity} for rule in HISTORY_RULES],
        )


@contextmanager
def _upgraded(dsn: str, to: str = "head") -> Iterator[Connection]:
    """A transaction in which the migrations, up to one, have run.

    A version without its site and words must not be seen.
    """
    from alembic import command  # half a second to import, and nearly no command has to migrate
    from alembic.config import Config
    from sqlalchemy import create_engine, pool

    engine = create_engine("postgresql+psycopg://", creator=lambda: _in_transactions(dsn), poolclass=pool.NullPool)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "greenstream.adapters.postgres.schema:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        yield driver


def _in_transactions(dsn: str) -> Connection:
    """SQLAlchemy begins its own transactions."""
    connection = connect(dsn)
    connection.autocommit = False
    return connection
