"""`query`: SQL that reads, answered as a table, CSV, JSON or Parquet."""

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from greenstream.domain.text import plain_json
from greenstream.entrypoints.cli.console import (
    Console,
    Json,
    UsageError,
    command,
    for_stdout,
    is_colourful,
    open_place,
)
from greenstream.entrypoints.cli.tables import Layout

if TYPE_CHECKING:
    from greenstream.adapters.postgres.reports.answers import Answer
    from greenstream.wiring import Place

NUMERIC_OIDS = frozenset((20, 21, 23, 26, 700, 701, 1700))  # int8, int2, int4, oid, float4, float8, numeric


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


Sql = Annotated[
    str, typer.Argument(metavar="SQL", help="One SELECT, WITH, VALUES, EXPLAIN or SHOW; - reads it from stdin.")
]
Wanted = Annotated[
    Format | None, typer.Option("--format", "-f", help="table (the default), csv, json: an array of objects, parquet.")
]
OfLake = Annotated[
    bool,
    typer.Option("--lake", help="Ask the lake, by DuckDB: meter_readings, current_readings, meter_days, load_curves."),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, whole or not at all.")]

EXAMPLE = """\
greenstream query "SELECT region, round(sum(consumption_kw), 1) AS kw FROM current_readings GROUP BY region"
greenstream query --lake "SELECT day, sum(kwh) FROM meter_days GROUP BY day ORDER BY day"
greenstream query --format csv "SELECT * FROM data_quality_log" > log.csv"""


def register(app: typer.Typer) -> None:
    command(app, "query", example=EXAMPLE)(query)


def query(
    console: Console,
    sql: Sql,
    format: Wanted = None,
    output: Output = None,
    lake: OfLake = False,
    json: Json = False,
) -> None:
    """Ask the database in SQL, or the lake. It can read everything and change nothing."""
    wanted = _format(format, json=json)
    if wanted is Format.PARQUET and output is None and sys.stdout.isatty():
        raise UsageError("Parquet is no text for a terminal: add --output FILE, or send it into a file")
    if output is not None and not output.parent.is_dir():
        raise UsageError(f"--output {output}: there is no folder {output.parent}")
    text = sys.stdin.read() if sql == "-" else sql
    place = open_place(console)
    bold = output is None and is_colourful(sys.stdout)
    asked = _ask_lake(place, text, wanted, bold=bold) if lake else _ask(place, text, wanted, bold=bold)
    with asked as answered, _target(output) as target, closing(answered) as pieces:
        for piece in for_stdout(pieces) if wanted is Format.CSV and output is None else pieces:
            target.write(piece)
        target.flush()


@contextmanager
def _ask(place: "Place", text: str, wanted: Format, *, bold: bool) -> Iterator[Generator[bytes]]:
    with place.reports.ask(text) as answer:
        yield _pieces(answer, wanted, bold=bold)


@contextmanager
def _ask_lake(place: "Place", text: str, wanted: Format, *, bold: bool) -> Iterator[Generator[bytes]]:
    from greenstream.adapters.extras import needing

    with needing("lake-sql", "SQL over the lake"):
        from greenstream.adapters.lake.duckdb_query import ask_lake

    with ask_lake(place.store, text, place.settings.query_limits) as answer:
        if wanted is Format.CSV:
            yield answer.csv()
        elif wanted is Format.JSON:
            yield _array(answer.json_rows())
        elif wanted is Format.PARQUET:
            yield answer.parquet()
        else:
            yield _table(answer.names, answer.numeric, answer.texts(), bold=bold)


def _format(given: Format | None, *, json: bool) -> Format:
    if json and given not in (None, Format.JSON):
        raise UsageError(f"--json and --format {given} contradict each other")
    return Format.JSON if json else given or Format.TABLE


def _pieces(answer: "Answer", wanted: Format, *, bold: bool) -> Generator[bytes]:
    if wanted is Format.CSV:
        return answer.csv()
    if wanted is Format.JSON:
        return _array(answer.json_rows())
    if wanted is Format.PARQUET:
        from greenstream.adapters.postgres.reports.parquet import parquet

        return parquet(answer)
    names = [column.name for column in answer.columns]
    right = [column.name for column in answer.columns if column.type_code in NUMERIC_OIDS]
    return _table(names, right, answer.texts(), bold=bold)


def _array(objects: Iterator[list[str]]) -> Generator[bytes]:
    """An array, a line an object."""
    lead = "[\n"
    for batch in objects:
        if batch:
            yield (lead + plain_json(",\n".join(batch))).encode()
            lead = ",\n"
    yield b"[]\n" if lead == "[\n" else b"\n]\n"


def _table(
    names: list[str], right: list[str], rows: Iterator[list[tuple[str | None, ...]]], *, bold: bool
) -> Generator[bytes]:
    """Rows batch by batch; the first one settles the widths."""
    layout, count = None, 0
    for batch in rows:
        lines = []
        if layout is None:
            layout = Layout(names, batch, right=right)
            lines = list(layout.header(bold=bold))
        yield "".join(f"{line}\n" for line in [*lines, *map(layout.line, batch)]).encode(errors="backslashreplace")
        count += len(batch)
    if layout is None:
        yield "".join(f"{line}\n" for line in Layout(names, [], right=right).header(bold=bold)).encode()
    yield f"({count:,} row{'' if count == 1 else 's'})\n".encode()


@contextmanager
def _target(output: Path | None) -> Iterator[IO[bytes]]:
    """Stdout, or a file that appears when it is complete."""
    if output is None:
        yield sys.stdout.buffer
        return
    from greenstream.adapters.temporary import file_in_place_of

    with file_in_place_of(output) as new, new.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
        new.chmod(0o666 & ~_umask())
        new.replace(output)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
