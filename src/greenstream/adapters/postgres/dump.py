"""A whole database into a file and back, by PostgreSQL's own programs."""

import os
import re
import secrets
import subprocess
from collections.abc import Sequence
from pathlib import Path

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from greenstream.adapters.postgres.connection import Connection, connect
from greenstream.adapters.postgres.embedded import Binaries, installed
from greenstream.adapters.postgres.errors import translated
from greenstream.adapters.postgres.sql import query
from greenstream.domain.errors import BackupRefused


def dump(dsn: str, target: Path) -> None:
    """Write the database as it is at one moment; loading may go on.

    Raises BackupRefused where no fitting pg_dump is here, or it fails; DatabaseUnavailable, DatabaseRefused.
    """
    programs = _programs_for(dsn)
    _run(programs, "pg_dump", dsn, ["--format=custom", "--compress=1", f"--file={target}"])


def restore_into_new(dsn: str, source: Path) -> str:
    """Make a database beside the one of the DSN and fill it; its name. Nothing is left of it if that fails."""
    name = f"greenstream_restored_{secrets.token_hex(4)}"
    with translated("making a database to restore into"), _beside(dsn) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name)))
    new = make_conninfo(dsn, dbname=name)
    try:
        options = ["--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={_without_password(new)}"]
        _run(_programs_for(dsn), "pg_restore", new, [*options, str(source)])
    except BaseException:
        drop(dsn, name)
        raise
    return name


def is_empty(dsn: str) -> bool:
    """Whether nothing of ours is in the database."""
    with translated("looking into the database"), connect(dsn) as connection:
        return connection.execute("SELECT to_regnamespace('greenstream') IS NULL").fetchone() == (True,)


def put_in_place(dsn: str, name: str) -> None:
    """Give a database the name of the DSN's, which is dropped. Connections to either end it for them.

    Raises BackupRefused where somebody connects again and again.
    """
    ours = _name(dsn)
    aside = f"{ours}_before_{secrets.token_hex(4)}"
    with translated("putting the restored database in place"), _beside(dsn) as admin:
        for each in (ours, name):
            admin.execute(query("restore_disconnect"), {"name": each})
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        admin.execute(rename.format(sql.Identifier(ours), sql.Identifier(aside)))
        admin.execute(rename.format(sql.Identifier(name), sql.Identifier(ours)))
    drop(dsn, aside)


def drop(dsn: str, name: str) -> None:
    with translated(f"dropping the database {name}"), _beside(dsn) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _beside(dsn: str) -> Connection:
    """Databases can't be made or renamed from within."""
    return connect(dsn, dbname="postgres")


def _name(dsn: str) -> str:
    name = conninfo_to_dict(dsn)["dbname"]
    assert isinstance(name, str)
    return name


def _programs_for(dsn: str) -> Binaries:
    """pg_dump must not be older than the server; the oldest that isn't fits best."""
    with translated("asking the server for its version"), connect(dsn, dbname="postgres") as connection:
        major = connection.info.server_version // 10_000
    fitting = [each for each in installed() if each.major >= major and (each.bin_dir / "pg_dump").exists()]
    if not fitting:
        raise BackupRefused(
            f"the server is PostgreSQL {major}, and there is no pg_dump of that version or a newer one here: install "
            f"PostgreSQL's client programs {major}"
        )
    return min(fitting, key=lambda each: each.version)


def _run(programs: Binaries, program: str, dsn: str, options: Sequence[str]) -> None:
    """The password goes by the environment: arguments are seen by everybody on the machine."""
    password = conninfo_to_dict(dsn).get("password")
    environment = {**os.environ, "LC_ALL": "C", **({"PGPASSWORD": str(password)} if password else {})}
    target = [] if program == "pg_restore" else [f"--dbname={_without_password(dsn)}"]
    done = subprocess.run(
        [programs.bin_dir / program, "--no-password", *target, *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [f"it ended with {done.returncode}"]
        reason = re.sub(r"^pg_\w+: (error: )?", "", said[0])
        raise BackupRefused(f"{program} failed: {reason}")


def _without_password(dsn: str) -> str:
    parts = conninfo_to_dict(dsn)
    parts.pop("password", None)
    return make_conninfo("", **parts)
