"""A database made beside another one, which takes its place at once when it is complete."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from greenstream.adapters.postgres.backup.snapshot import row_counts
from greenstream.adapters.postgres.base.connection import Connection, connect
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.fetch import column, one, one_or_none, run, scalar
from greenstream.adapters.postgres.base.roles import READER
from greenstream.domain.errors import BackupFailed, RestoreRefused

MARK = "left by greenstream restore: can be dropped"


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What a database holds: meters, files, stored readings, and when the last file was processed."""

    meters: int
    files: int
    stored: int
    newest: datetime | None

    @property
    def is_empty(self) -> bool:
        return not (self.meters or self.files)

    def __str__(self) -> str:
        last = f", the last processed at {self.newest:%Y-%m-%d %H:%M} UTC" if self.newest else ""
        return f"{self.meters:,} meters and {self.stored:,} readings of {self.files:,} files{last}"


@dataclass(frozen=True, kw_only=True)
class Target:
    """The database that is to be replaced; `holding` is None where GreenStream was never set up in it.

    `erased` are the reasons of erasures since the backup was taken.
    """

    dsn: str = field(repr=False)
    major: int
    holding: Holding | None
    erased: tuple[str, ...]

    @property
    def name(self) -> str:
        return str(conninfo_to_dict(self.dsn)["dbname"])


def inspect_target(dsn: str, taken_at: datetime) -> Target:
    """Look at a database before it is replaced by a backup of that time.

    Raises:
        RestoreRefused: somebody is connected to it, or it holds tables of others, or the role can't replace it.
    """
    with translated("looking at the database to restore into"), connect(dsn, client_encoding="utf-8") as connection:
        connection.execute("SET timezone TO 'UTC'")
        major, can_create, owns, role, others, is_ours, knows_erasures, foreign = one(connection, "backups.target")
        name = connection.info.dbname
        _refuse_others(name, others)
        if foreign:
            raise RestoreRefused(
                f"the database {name} also holds tables that aren't GreenStream's ({', '.join(foreign[:3])}), which "
                "would be gone: restore into a database of its own"
            )
        if not (can_create and owns):
            raise RestoreRefused(
                f"the role {role} can't replace the database {name}: it must own it and be allowed to create databases "
                f"(ALTER ROLE {role} CREATEDB; ALTER DATABASE {name} OWNER TO {role})"
            )
        return Target(
            dsn=make_conninfo(dsn, dbname=name),
            major=major,
            holding=_holding(connection) if is_ours else None,
            erased=_erased(connection, taken_at) if knows_erasures else (),
        )


@contextmanager
def replacing(target: Target) -> Iterator[str]:
    """A new, empty database, by its DSN; when the block ends well it takes the target's name, and the old one goes.

    If it doesn't, the new one goes. Raises RestoreRefused if another process does the same.
    """
    new, old = f"{target.name}_restoring", f"{target.name}_replaced"
    with _administration(target) as admin:
        if not scalar(admin, "backups.lock", bool, name=new):
            raise RestoreRefused(f"another process restores into the database {target.name}: wait for its end")
        with translated(f"creating the database {new}"):
            for left_over in (new, old):
                _drop_left_over(admin, left_over)
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(new)))
            _mark(admin, new, MARK)
        try:
            yield make_conninfo(target.dsn, dbname=new)
            _swap(admin, target.name, new, old)
        except BaseException:
            with suppress(psycopg.Error):
                _drop(admin, new)
            raise
        with translated(f"dropping the database {old}"):
            _drop(admin, old)


def check_rows(dsn: str, expected: dict[str, int]) -> None:
    """Compare the rows of each table with those of the backup. Raises BackupFailed."""
    with translated("counting what was restored"), connect(dsn) as connection:
        found = row_counts(connection)
    wrong = [name for name in sorted({*found, *expected}) if found.get(name) != expected.get(name)]
    if wrong:
        name = wrong[0]
        raise BackupFailed(
            f"{name} has {found.get(name, 0):,} rows, in the backup it had {expected.get(name, 0):,} "
            f"({len(wrong)} tables differ): take another backup"
        )


def give_rights(dsn: str, statements: list[str]) -> list[str]:
    """Run each GRANT and REVOKE; what PostgreSQL says of those it refuses, as where a role isn't there.

    Nothing is said of our own reader, whom only an embedded server has, and gives its rights to anew.
    """
    refused = []
    with translated("giving rights to others"), connect(dsn) as connection:
        for statement in statements:
            try:
                connection.execute(statement.encode())
            except psycopg.errors.UndefinedObject as error:
                if READER not in statement:
                    refused.append(str(error).partition("\n")[0])
            except psycopg.ProgrammingError as error:
                refused.append(str(error).partition("\n")[0])
    return list(dict.fromkeys(refused))


def analyze(dsn: str) -> None:
    """Let the planner know the new tables."""
    with translated("analyzing what was restored"), connect(dsn) as connection:
        run(connection, "backups.analyze")


@contextmanager
def _administration(target: Target) -> Iterator[Connection]:
    """A connection to another database of the server, for one can't rename the database one is in."""
    with translated("connecting to the database postgres, beside which the backup is restored"):
        connection = connect(target.dsn, dbname="postgres", application_name="greenstream restore")
    with closing(connection):
        yield connection


def _swap(admin: Connection, name: str, new: str, old: str) -> None:
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with translated(f"giving the restored database the name {name}"):
        # Who has connected since we looked has nothing to lose: raw files that were loaded meanwhile are still there.
        run(admin, "backups.end_connections", names=[name, new])
        with admin.transaction():
            admin.execute(rename.format(sql.Identifier(name), sql.Identifier(old)))
            admin.execute(rename.format(sql.Identifier(new), sql.Identifier(name)))
            _mark(admin, old, MARK)
            _mark(admin, name, None)


def _mark(admin: Connection, name: str, mark: str | None) -> None:
    """Note on a database that it is ours to drop, whoever of us finds it."""
    admin.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(mark)))


def _drop_left_over(admin: Connection, name: str) -> None:
    """Drop what a killed restore left; never a database of somebody else that has this name."""
    if (row := one_or_none(admin, "backups.comment", name=name)) is None:
        return
    if row != (MARK,):
        raise RestoreRefused(
            f"the database {name} is there, and no restore made it: drop or rename it, for a restore needs the name"
        )
    _drop(admin, name)


def _drop(admin: Connection, name: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _holding(connection: Connection) -> Holding:
    meters, files, stored, newest = one(connection, "backups.dropped")
    return Holding(meters=meters, files=files, stored=stored, newest=newest)


def _erased(connection: Connection, since: datetime) -> tuple[str, ...]:
    return tuple(column(connection, "backups.erased", str, since=since))


def _refuse_others(name: str, others: list[str]) -> None:
    if others:
        who = ", ".join(sorted(set(others)))
        raise RestoreRefused(
            f"{len(others)} connection{'s' if len(others) > 1 else ''} to the database {name} ({who}): stop what runs "
            "there first (greenstream down; systemctl stop …)"
        )
