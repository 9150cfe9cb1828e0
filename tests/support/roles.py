"""Roles that may log in to the test's server, as in a PostgreSQL of somebody's own."""

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql


@contextmanager
def login(dsn: str, role: str, options: str = "") -> Iterator[str]:
    """A role that this OS user may connect as, for the time of the block; gone with its rights afterwards."""
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)) + sql.SQL(f" {options}"))
        try:
            _let_in(admin, dsn, role)
            yield role
        finally:
            admin.execute(sql.SQL("DROP OWNED BY {}; DROP ROLE {}").format(*[sql.Identifier(role)] * 2))


def _let_in(admin: "psycopg.Connection[tuple[object, ...]]", dsn: str, role: str) -> None:
    row = admin.execute("SHOW ident_file").fetchone()
    assert row is not None
    with Path(str(row[0])).open("a") as users:
        users.write(f'greenstream "{getpass.getuser()}" {role}\n')
    admin.execute("SELECT pg_reload_conf()")
    deadline = time.monotonic() + 10
    while not _is_let_in(dsn, role) and time.monotonic() < deadline:
        time.sleep(0.05)


def _is_let_in(dsn: str, role: str) -> bool:
    """A role without the right to connect is let in as well: it is told so."""
    try:
        psycopg.connect(dsn, user=role).close()
    except psycopg.OperationalError as error:
        return "Peer authentication failed" not in str(error)
    return True
