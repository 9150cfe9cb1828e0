"""The answer to a person's SQL: in one transaction that only reads, streamed in the form that is wanted."""

import csv
import io
import json
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from threading import Timer
from typing import Protocol

import psycopg
from psycopg import Column, errors, sql

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.query.answer_budget import Budget
from greenstream.adapters.query.column_names import check_names
from greenstream.domain.errors import InvalidQuery
from greenstream.domain.limits import QueryLimits

BATCH_ROWS = 5_000
_DECLARE = b"DECLARE greenstream_query NO SCROLL CURSOR FOR\n"
_FETCH = f"FETCH FORWARD {BATCH_ROWS} FROM greenstream_query".encode()
_SELECTING = ("SELECT", "WITH", "VALUES", "TABLE", "(")
_REPORTING = ("EXPLAIN", "SHOW")
_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*([(]|\w*)", re.DOTALL)
_TO_WRITE = 'to write, use psql "$(greenstream db url)"'
_OF_THE_SERVER = ("08", "53", "57P", "58")  # not the query's fault: connection, resources, shutdown, system
_TOO_LARGE_FILES = "53400"  # temp_file_limit
_TOO_SLOW = ("57014", "25P03", "25P04")  # statement, idle_in_transaction_session and transaction_timeout
_GRACE = 1  # seconds for the server to end the statement by its own clock
_PATIENCE = 10  # seconds until it ends the transaction of a client that doesn't
_WITH_TRANSACTION_TIMEOUT = 170_000
_MEMORY_SHARE = 8  # a query has several sorts and hashes

Row = tuple[object, ...]
Cursor = psycopg.Cursor[Row]


class Answer(Protocol):
    """Columns and rows. The rows can be read once, by one of the methods."""

    @property
    def columns(self) -> list[Column]:
        """Name and type of each column."""
        ...

    def texts(self) -> Iterator[list[tuple[str | None, ...]]]:
        """Batches of rows, each value as PostgreSQL writes it."""
        ...

    def values(self) -> Iterator[list[Row]]:
        """Batches of rows of Python values."""
        ...

    def json_rows(self) -> Iterator[list[str]]:
        """Batches of rows, each a JSON object; InvalidQuery where two columns have the same name."""
        ...

    def csv(self) -> Generator[bytes]:
        """CSV with a header, in pieces."""
        ...


@contextmanager
def answer(connection: Connection, text: str, limits: QueryLimits) -> Iterator[Answer]:
    """Run one SELECT, WITH, VALUES, TABLE, EXPLAIN or SHOW; the answer is read while the block lasts.

    What the query may do is what the connection's role may: it should be one that only reads. The transaction is
    read-only and, where the role may drop its other rights, has only that of reading, which guards against accidents.
    The SQL goes by the protocol that takes a single statement.

    Raises:
        InvalidQuery: the SQL is wrong, wants to write, fails on the data, or wants more than the limits.
        DatabaseUnavailable: as every call to the database.
    """
    statement, budget = _statement(text), Budget(limits)
    with _explained(statement, budget), connection.transaction(), _abandoned_on_interrupt(connection):
        _restrict(connection, limits)
        cursor = connection.cursor()
        with _ended_in_time(connection, budget):
            yield _Report(cursor, statement) if statement.reports else _Selection(cursor, statement, budget)


@dataclass(frozen=True, kw_only=True)
class _Statement:
    text: str  # without the last semicolon
    offset: int  # in what the user wrote
    reports: bool  # no query in the grammar's sense: can't be a cursor or a subquery

    @property
    def sql(self) -> bytes:
        return self.text.encode(errors="surrogateescape")


class _Selection:
    """A query: first made a cursor, which proves it to be one, so that it can then be put into other statements."""

    def __init__(self, cursor: Cursor, statement: _Statement, budget: Budget) -> None:
        self._cursor = cursor
        self._statement = statement
        self._budget = budget
        cursor.execute(_DECLARE + statement.sql, binary=True)  # binary: by the protocol for a single statement
        self.columns = _columns(cursor.execute(b"FETCH FORWARD 0 FROM greenstream_query"))

    def texts(self) -> Iterator[list[tuple[str | None, ...]]]:
        return map(_texts, self._batches())

    def values(self) -> Iterator[list[Row]]:
        return (batch.fetchall() for batch in self._batches())

    def json_rows(self) -> Iterator[list[str]]:
        check_names(column.name for column in self.columns)
        self._cursor.execute(b"CLOSE greenstream_query")
        as_json = b"SELECT row_to_json(greenstream_row)::text FROM (" + self._statement.sql + b"\n) greenstream_row"
        self._cursor.execute(_DECLARE + as_json)
        return ([str(row[0]) for row in batch.fetchall()] for batch in self._batches())

    def csv(self) -> Generator[bytes]:
        with self._cursor.copy(b"COPY (" + self._statement.sql + b"\n) TO STDOUT (FORMAT csv, HEADER)") as copy:
            pieces = iter(copy)
            # The header waits for the first row, so that a query which fails at once leaves nothing on stdout.
            yield bytes(next(pieces, b"")) + bytes(next(pieces, b""))
            yield from map(bytes, islice(pieces, self._budget.limits.rows - 1))  # a piece is a row
            if next(pieces, None) is not None:
                raise self._budget.too_many_rows()

    def _batches(self) -> Iterator[Cursor]:
        while rows := self._cursor.execute(_FETCH).rowcount:
            self._budget.take(rows)
            yield self._cursor


class _Report:
    """What EXPLAIN and SHOW say: a few rows of text."""

    def __init__(self, cursor: Cursor, statement: _Statement) -> None:
        self._cursor = cursor.execute(statement.sql, binary=True)
        self.columns = _columns(cursor)

    def texts(self) -> Iterator[list[tuple[str | None, ...]]]:
        yield _texts(self._cursor)

    def values(self) -> Iterator[list[Row]]:
        yield self._cursor.fetchall()

    def json_rows(self) -> Iterator[list[str]]:
        names = [column.name for column in self.columns]
        yield [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in self._cursor]

    def csv(self) -> Generator[bytes]:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(column.name for column in self.columns)
        writer.writerows(_texts(self._cursor))
        yield text.getvalue().encode()


def _statement(text: str) -> _Statement:
    found = _FIRST_WORD.match(text)
    assert found is not None
    word = found[1].upper()
    if not word:
        raise InvalidQuery('the SQL is empty or begins with a sign: try "SELECT count(*) FROM meter_readings"')
    if word not in (*_SELECTING, *_REPORTING):
        raise InvalidQuery(
            f"{word} is refused: only SELECT, WITH, VALUES, TABLE, EXPLAIN and SHOW are run here; {_TO_WRITE}"
        )
    # A comment that only seems to end before EXPLAIN must not smuggle in another statement: nothing before it is sent.
    offset = found.start(1) if word in _REPORTING else 0
    return _Statement(text=text[offset:].rstrip().rstrip("; \t\r\n"), offset=offset, reports=word in _REPORTING)


def _restrict(connection: Connection, limits: QueryLimits) -> None:
    settings: dict[str, int] = {
        "statement_timeout": limits.seconds * 1000,
        "idle_in_transaction_session_timeout": limits.seconds * 1000,
        "work_mem": limits.memory_mb * 1024 // _MEMORY_SHARE,
        "max_parallel_workers_per_gather": 0,  # each would take as much memory again
        "cursor_tuple_fraction": 1,  # all rows are wanted, not the first ones soon
    }
    if connection.info.server_version >= _WITH_TRANSACTION_TIMEOUT:
        settings["transaction_timeout"] = (limits.seconds + _PATIENCE) * 1000  # else the others are ignored
    connection.execute("SET TRANSACTION READ ONLY")
    for name, value in settings.items():
        connection.execute(_set(name, sql.Literal(value)))
    _try(connection, _set("temp_file_limit", sql.Literal(limits.temp_mb * 1024)))  # a superuser's to set
    _try(connection, _set("role", sql.Literal("pg_read_all_data")))


def _set(name: str, value: sql.Literal) -> sql.Composed:
    return sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(name), value)


def _try(connection: Connection, statement: sql.Composed) -> None:
    try:
        with connection.transaction():
            connection.execute(statement)
    except (errors.InsufficientPrivilege, errors.InvalidParameterValue):
        return  # not granted to this role


@contextmanager
def _ended_in_time(connection: Connection, budget: Budget) -> Iterator[None]:
    """End the query ourselves: a role that may call set_config can lift the server's limit for what it fetches next."""

    def end() -> None:
        budget.expire()
        with suppress(psycopg.Error, OSError):
            connection.cancel_safe(timeout=5)

    timer = Timer(budget.limits.seconds + _GRACE, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _abandoned_on_interrupt(connection: Connection) -> Iterator[None]:
    """End the query on the server when its reader is interrupted or has nowhere to write; a rollback would wait."""
    try:
        yield
    except psycopg.Error:
        raise
    except BaseException:
        with suppress(psycopg.Error):
            connection.cancel_safe(timeout=5)
        connection.close()
        raise


def _columns(cursor: Cursor) -> list[Column]:
    return list(cursor.description or [])


def _texts(cursor: Cursor) -> list[tuple[str | None, ...]]:
    result = cursor.pgresult
    assert result is not None
    columns = range(result.nfields)
    values = (tuple(result.get_value(row, column) for column in columns) for row in range(result.ntuples))
    return [tuple(None if v is None else v.decode(errors="backslashreplace") for v in row) for row in values]


@contextmanager
def _explained(statement: _Statement, budget: Budget) -> Iterator[None]:
    """Tell errors of the query from those of the server."""
    with translated("running the query"):
        try:
            yield
        except psycopg.Error as error:
            if budget.expired or (error.sqlstate in _TOO_SLOW and "user request" not in str(error)):
                raise budget.too_slow() from error
            if error.sqlstate == _TOO_LARGE_FILES:
                raise budget.too_large_files() from error
            if error.sqlstate is None or error.sqlstate.startswith(_OF_THE_SERVER):
                raise
            raise InvalidQuery(_explanation(error, statement)) from error


def _explanation(error: psycopg.Error, statement: _Statement) -> str:
    said = error.diag
    if said.message_primary == "cannot insert multiple commands into a prepared statement":
        return "this is more than one statement: ask them one by one"
    parts = [f"{said.message_primary or error}{_place(said.statement_position, statement)}"]
    parts += [each for each in (said.message_detail, said.message_hint) if each]
    if isinstance(error, errors.ReadOnlySqlTransaction | errors.FeatureNotSupported):
        parts.append(_TO_WRITE)
    return "; ".join(parts)


def _place(position: str | None, statement: _Statement) -> str:
    """Line and column in what the user wrote, from the position in what was sent."""
    at = int(position or 0) - 1 - (0 if statement.reports else len(_DECLARE))
    if at < 0:
        return ""
    before = statement.text[:at]
    return f" (line {before.count(chr(10)) + 1}, column {at - (before.rfind(chr(10)) + 1) + 1})"
