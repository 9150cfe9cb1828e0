"""SQL over the lake's objects: DuckDB in this process."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from greenstream.adapters.lake.answers import LakeAnswer, LakeReport, LakeSelection, quoted
from greenstream.adapters.lake.files import ROOT, ZONES, LakeFiles
from greenstream.adapters.query.answer_budget import Budget
from greenstream.adapters.query.interruptible import Interruptible, in_memory
from greenstream.adapters.storage import ObjectStore
from greenstream.adapters.temporary import temporary_folder
from greenstream.domain.errors import GreenStreamError, InvalidQuery, LakeDamaged, StorageRefused
from greenstream.domain.lake.keys import AGGREGATES_ZONE, READINGS_ZONE
from greenstream.domain.limits import QueryLimits
from greenstream.domain.readings.schema import LAKE, LOAD_CURVES, METER_DAYS, PARTITIONS

TYPES: dict[pl.DataType, str] = {
    pl.String(): "VARCHAR",
    pl.Datetime("us", "UTC"): "TIMESTAMPTZ",
    pl.List(pl.String()): "VARCHAR[]",
    pl.Int32(): "INTEGER",
    pl.Float64(): "DOUBLE",
    pl.Boolean(): "BOOLEAN",
    pl.Date(): "DATE",
    pl.Decimal(18, 4): "DECIMAL(18, 4)",
}
RECORD_ID = (
    "sha256(meter_id || strftime(reading_at AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S') || coalesce(energy_value, ''))"
)
ANSWER = "own.answer"
REFUSED = (
    "only one SELECT, WITH, VALUES, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN of them is run here; nothing can be written"
)
# Nothing but these words may stand between EXPLAIN and what it explains: a quote or a comment could hide another query.
_OPTION = r"(?:analyze|format\s+\w+)"
_EXPLAIN = re.compile(
    r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
    rf"(?P<explain>explain\b(?:\s*\(\s*{_OPTION}(?:\s*,\s*{_OPTION})*\s*\)|\s+analyze\b)?)",
    re.IGNORECASE | re.DOTALL,
)


@contextmanager
def ask_lake(store: ObjectStore, text: str, limits: QueryLimits) -> Iterator[LakeAnswer]:
    """Run one query over a store's lake: views `meter_readings`, `current_readings`, `meter_days`, `load_curves`.

    The query is made a view, which DuckDB refuses for whatever writes, also in a WITH; it sees no file but the lake's.

    Raises:
        InvalidQuery: the SQL is wrong, wants to write, fails on the data, or wants more than the limits.
        LakeDamaged: an object is missing or can't be read.
        StorageUnavailable: the store doesn't answer.
        StorageRefused: no permission, or no space for what doesn't fit in memory.
    """
    files, budget = LakeFiles(store), Budget(limits)
    with temporary_folder("query") as scratch, in_memory(budget) as duck, _explained(files, store, budget):
        duck.connection.register_filesystem(files)
        parquet = scratch / "answer.parquet"
        for statement in (*_views(files), *_guards(scratch / "spill", parquet, limits)):
            duck.execute(statement)
        yield _answer(duck, text, parquet)


def _answer(duck: Interruptible, text: str, parquet: Path) -> LakeAnswer:
    found = _EXPLAIN.match(text)
    asked = text[found.end() :] if found else text
    statements = duck.connection.extract_statements(asked)
    if len(statements) > 1:
        raise InvalidQuery(f"this is more than one statement: {REFUSED}")
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise InvalidQuery(REFUSED)
    duck.execute(f"CREATE VIEW {ANSWER} AS {asked}")
    if found:
        return LakeReport(duck.execute(f"{found['explain']} {asked}"))
    # The view tells repeated names apart; in the relation they are as they were written.
    relation = duck.run(duck.connection.sql, asked)
    types = [str(each) for each in relation.types]
    return LakeSelection(duck, ANSWER, list(zip(relation.columns, types, strict=True)), parquet)


def _views(files: LakeFiles) -> Iterator[str]:
    readings = _source(files, f"{READINGS_ZONE}/year=*/month=*/region=*/*.parquet", {**LAKE, **PARTITIONS})
    columns = ", ".join([*LAKE.names(), *PARTITIONS.names()])
    yield f"CREATE VIEW meter_readings AS SELECT {RECORD_ID} AS record_id, {columns} FROM {readings}"
    yield "CREATE VIEW current_readings AS SELECT * EXCLUDE (is_current) FROM meter_readings WHERE is_current"
    for name, schema in (("meter_days", METER_DAYS), ("load_curves", LOAD_CURVES)):
        source = _source(files, f"{AGGREGATES_ZONE}/{name}/year=*/month=*/*.parquet", schema)
        yield f"CREATE VIEW {name} AS SELECT {', '.join(schema.names())} FROM {source}"


def _source(files: LakeFiles, pattern: str, columns: dict[str, pl.DataType] | pl.Schema) -> str:
    """The objects of a pattern, or no rows of the same types where there are none."""
    if not files.glob(pattern):
        nulls = ", ".join(f"CAST(NULL AS {TYPES[dtype]}) AS {name}" for name, dtype in columns.items())
        return f"(SELECT {nulls} WHERE false)"
    hive = [f"{quoted(name)}: {TYPES[dtype]}" for name, dtype in PARTITIONS.items() if name in columns]
    partitions = f"true, hive_types = {{{', '.join(hive)}}}" if "year" in columns else "false"
    return f"read_parquet({quoted(f'{ROOT}{pattern}')}, hive_partitioning = {partitions})"


def _guards(spill: Path, parquet: Path, limits: QueryLimits) -> Iterator[str]:
    """The lake's objects can be read, our own answer written, and nothing else; the query can change none of it."""
    zones = ", ".join(quoted(f"{ROOT}{zone}/") for zone in ZONES)
    yield "CREATE SCHEMA own"
    yield "SET TimeZone = 'UTC'"
    yield "SET autoinstall_known_extensions = false"  # a query must not go to the network
    yield "SET autoload_known_extensions = false"
    yield "SET allow_community_extensions = false"
    yield "SET allow_persistent_secrets = false"
    yield "SET python_enable_replacements = false"  # variables of ours are no tables
    yield f"SET memory_limit = '{limits.memory_mb}MiB'"
    yield f"SET max_temp_directory_size = '{limits.temp_mb}MiB'"
    yield f"SET temp_directory = {quoted(str(spill))}"
    yield f"SET allowed_directories = [{zones}]"
    yield f"SET allowed_paths = [{quoted(str(parquet))}]"
    yield "SET enable_external_access = false"
    yield "SET lock_configuration = true"


@contextmanager
def _explained(files: LakeFiles, store: ObjectStore, budget: Budget) -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise _beyond(error, budget) from error
    except duckdb.Error as error:
        raise _translated(error, files, store) from error


def _beyond(error: duckdb.OutOfMemoryException, budget: Budget) -> InvalidQuery:
    """DuckDB has one error for memory and for files; it takes to files when memory is used up."""
    return budget.too_large_files() if "max_temp_directory_size" in str(error) else budget.too_much_memory()


def _translated(error: duckdb.Error, files: LakeFiles, store: ObjectStore) -> GreenStreamError:
    """DuckDB has many types of error for damaged objects, but names them in each."""
    if files.trouble is not None:
        return files.trouble
    text = str(error)
    said = " ".join(text.partition("\n\nLINE ")[0].replace(ROOT, f"{store}/").split())
    if "Permission denied" in text or "No space left" in text:
        return StorageRefused(f"the lake can't be read: {said}; give the permission, or free some space")
    asked_for_more = isinstance(error, duckdb.PermissionException | duckdb.ParserException | duckdb.BinderException)
    if (ROOT in text and not asked_for_more) or type(error) is duckdb.Error:
        return LakeDamaged(f"an object of the lake can't be read: {said}; `greenstream verify` names what is damaged")
    return InvalidQuery(said)
