"""Databases beside the one of the test run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo


@contextmanager
def another_database(dsn: str, encoding: str = "UTF8") -> Iterator[str]:
    """A new database on the shared server; its address with a host, as one of yours has it."""
    name = f"doctor_{os.getpid()}"
    with psycopg.connect(dsn, dbname="postgres", autocommit=True) as admin:
        made = sql.SQL("CREATE DATABASE {} ENCODING {} LOCALE 'C' TEMPLATE template0")
        admin.execute(made.format(sql.Identifier(name), sql.Literal(encoding)))
        try:
            yield make_conninfo(dsn, dbname=name)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
