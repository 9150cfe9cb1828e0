"""What DuckDB answers, in the forms that `query` writes: as from PostgreSQL, as far as the types are the same."""

import io
import json
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import duckdb
import polars as pl

from greenstream.adapters.query.column_names import check_names
from greenstream.adapters.query.interruptible import Interruptible

BATCH_ROWS = 5_000
PIECE_BYTES = 1 << 20
_NUMBERS = (
    *("DECIMAL", "FLOAT", "DOUBLE", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
)
_FLOATS = ("FLOAT", "DOUBLE")
_TIMES = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP")

Texts = tuple[str | None, ...]


class LakeAnswer(Protocol):
    """Columns and rows. The rows can be read once, by one of the methods."""

    @property
    def names(self) -> list[str]: ...

    @property
    def numeric(self) -> list[str]:
        """The names of the columns of numbers."""
        ...

    def texts(self) -> Iterator[list[Texts]]:
        """Batches of rows, each value as PostgreSQL would write it."""
        ...

    def json_rows(self) -> Iterator[list[str]]:
        """Batches of rows, each a JSON object; InvalidQuery where two columns have the same name."""
        ...

    def csv(self) -> Generator[bytes]:
        """CSV with a header, in pieces."""
        ...

    def parquet(self) -> Generator[bytes]:
        """One Parquet file, Snappy, in pieces; InvalidQuery where two columns have the same name."""
        ...


class LakeSelection:
    """The rows of a view, computed while they are read; `file` is where its Parquet may be written."""

    def __init__(self, duck: Interruptible, view: str, columns: Sequence[tuple[str, str]], file: Path) -> None:
        self._duck = duck
        self._source = f"{view} AS answer({', '.join(f'c{number}' for number in range(len(columns)))})"
        self._view = view
        self._types = [of_type for _, of_type in columns]
        self._file = file
        self.names = [name for name, _ in columns]
        self.numeric = [name for name, of_type in columns if of_type.startswith(_NUMBERS) and "[" not in of_type]

    def texts(self) -> Iterator[list[Texts]]:
        values = (_as_text(f"c{number}", of_type) for number, of_type in enumerate(self._types))
        return self._batches(f"SELECT {', '.join(values)} FROM {self._source}")

    def json_rows(self) -> Iterator[list[str]]:
        check_names(self.names)
        members = (
            f"{quoted(name)}, {_as_json(f'c{number}', of_type)}"
            for number, (name, of_type) in enumerate(zip(self.names, self._types, strict=True))
        )
        rows = self._batches(f"SELECT CAST(json_object({', '.join(members)}) AS VARCHAR) FROM {self._source}")
        return ([str(row[0]) for row in batch] for batch in rows)

    def csv(self) -> Generator[bytes]:
        # The header waits for the first rows, so that a query which fails at once leaves nothing on stdout.
        head = _csv_line(self.names)
        line = " || ',' || ".join(_as_csv(f"c{number}", of_type) for number, of_type in enumerate(self._types))
        for rows in self._batches(f"SELECT {line} FROM {self._source}"):
            yield (head + "".join(f"{row[0]}\n" for row in rows)).encode()
            head = ""
        yield head.encode()

    def parquet(self) -> Generator[bytes]:
        check_names([name.casefold() for name in self.names])
        counting = self._duck.execute(
            f"COPY (FROM {self._view} LIMIT {self._duck.budget.limits.rows + 1})"
            f" TO {quoted(str(self._file))} (FORMAT parquet, COMPRESSION snappy)"
        )
        self._duck.budget.take(int(counting.fetchall()[0][0]))
        with self._file.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece

    def _batches(self, sql: str) -> Iterator[list[Texts]]:
        cursor = self._duck.execute(sql)
        while rows := self._duck.run(cursor.fetchmany, BATCH_ROWS):
            self._duck.budget.take(len(rows))
            yield rows


class LakeReport:
    """What EXPLAIN says: a row of text or two."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self.names = [str(column[0]) for column in cursor.description or []]
        self.numeric: list[str] = []
        self._rows: list[Texts] = cursor.fetchall()

    def texts(self) -> Iterator[list[Texts]]:
        yield self._rows

    def json_rows(self) -> Iterator[list[str]]:
        yield [json.dumps(dict(zip(self.names, row, strict=True)), ensure_ascii=False) for row in self._rows]

    def csv(self) -> Generator[bytes]:
        yield "".join(map(_csv_line, [self.names, *self._rows])).encode()

    def parquet(self) -> Generator[bytes]:
        file = io.BytesIO()
        schema = dict.fromkeys(self.names, pl.String())
        pl.DataFrame(self._rows, schema=schema, orient="row").write_parquet(file, compression="snappy")
        yield file.getvalue()


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _as_text(column: str, of_type: str) -> str:
    if of_type == "BOOLEAN":
        return f"CASE WHEN {column} THEN 't' WHEN NOT {column} THEN 'f' END"
    if of_type == "VARCHAR[]":
        return f"'{{' || array_to_string(list_transform({column}, lambda e: {_ELEMENT}), ',') || '}}'"
    return f"CAST({column} AS VARCHAR)"


# An element of an array, quoted as PostgreSQL does it.
_ELEMENT = (
    "CASE WHEN e IS NULL THEN 'NULL'"
    r""" WHEN regexp_matches(e, '^$|[{}",\\\s]|^(?i:null)$')"""
    r""" THEN '"' || replace(replace(e, '\', '\\'), '"', '\"') || '"'"""
    " ELSE e END"
)


def _as_json(column: str, of_type: str) -> str:
    """Instants as ISO 8601; what JSON has no number for as text."""
    if of_type in _TIMES:
        zone = "|| ':00'" if of_type == _TIMES[0] else ""
        written = f"replace(CAST({column} AS VARCHAR), ' ', 'T')"
        return f"CASE WHEN isfinite({column}) THEN {written} {zone} ELSE CAST({column} AS VARCHAR) END"
    if of_type in _FLOATS:
        return (
            f"CASE WHEN isnan({column}) THEN to_json('NaN') WHEN isinf({column}) THEN"
            f" to_json(CASE WHEN {column} > 0 THEN 'Infinity' ELSE '-Infinity' END) ELSE to_json({column}) END"
        )
    return column


def _as_csv(column: str, of_type: str) -> str:
    """An empty text is quoted, null is not, as PostgreSQL writes them."""
    text = _as_text(column, of_type)
    is_marked = rf"""regexp_matches({text}, '[",\r\n]|^$')"""
    in_marks = f"""'"' || replace({text}, '"', '""') || '"'"""
    return f"CASE WHEN {column} IS NULL THEN '' WHEN {is_marked} THEN {in_marks} ELSE {text} END"


def _csv_line(values: Sequence[str | None]) -> str:
    return ",".join(map(_csv_field, values)) + "\n"


def _csv_field(value: str | None) -> str:
    if value is None:
        return ""
    if not value or any(sign in value for sign in ',"\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value
