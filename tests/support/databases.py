"""Databases beside the one of the test run, on the same server, each for the time of a block."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo


def database(dsn: str, name: str, template: str) -> AbstractContextManager[str]:
    """A copy of a database; its address."""
    return _made(dsn, name, sql.SQL("TEMPLATE {}").format(sql.Identifier(template)))


def another_database(dsn: str, encoding: str = "UTF8") -> AbstractContextManager[str]:
    """An empty database; its address with a host, as one of yours has it."""
    options = sql.SQL("ENCODING {} LOCALE 'C' TEMPLATE template0").format(sql.Literal(encoding))
    return _made(dsn, f"another_{os.getpid()}", options)


@contextmanager
def _made(dsn: str, name: str, options: sql.Composed) -> Iterator[str]:
    with psycopg.connect(dsn, dbname="postgres", autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), options))
        try:
            yield make_conninfo(dsn, dbname=name)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
