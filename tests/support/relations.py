"""All public relations of a database, to be compared with those of another one."""

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

Rows = list[dict[str, object]]

RELATIONS = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    " AND table_name <> 'greenstream_version' ORDER BY 1"
)


def relations(dsn: str) -> dict[str, Rows]:
    """The rows of each public relation, in an order of their own."""
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        connection.execute("SET timezone TO 'UTC'")
        names = [row["table_name"] for row in connection.execute(RELATIONS)]
        return {name: _rows(connection, name) for name in names}


def _rows(connection: "psycopg.Connection[dict[str, object]]", name: str) -> Rows:
    return sorted(connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier("public", name))), key=str)


def assert_adds_up(found: dict[str, Rows]) -> None:
    """Each row of each loaded file has one fate, and is where the ledger says."""
    stored = [row["source_file"] for row in found["meter_readings"]]
    rejected = [row["source_file"] for row in found["quarantined_rows"] if row["replayed_at"] is None]
    assert len({row["record_id"] for row in found["meter_readings"]}) == len(stored)
    for file in found["source_files"]:
        assert file["rows"] == file["stored"] + file["duplicate"] + file["rejected"]  # type: ignore[operator]
        if file["outcome"] == "loaded":
            assert stored.count(file["path"]) == file["stored"]
            assert rejected.count(file["path"]) == file["rejected"]
