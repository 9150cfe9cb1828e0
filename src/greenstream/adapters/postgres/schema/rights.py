"""The rights of those who only read: what GreenStream publishes, and nothing else."""

from psycopg import errors, sql

from greenstream.adapters.postgres.base.connection import Connection, connect
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.fetch import column, run, scalar, scalar_or_none
from greenstream.adapters.postgres.base.roles import READER
from greenstream.domain.errors import DatabaseRefused, NotFound

RELATIONS = (
    "alerts",
    "current_readings",
    "data_quality_log",
    "days",
    "dead_letters",
    "deletions",
    "erasures",
    "meter_metadata",
    "meter_readings",
    "quarantined_rows",
    "source_files",
    "superseded_readings",
    "waiting_files",
)
"""All that people and programs may query; each is described in docs/reference/relations.md."""

READER_CONNECTIONS = 20  # of the embedded server's 100, so that readers can't keep workers out


def grant_reading(dsn: str, role: str) -> list[str]:
    """Let a role of a database of somebody's read our relations; what it can do now, a line each.

    Raises:
        NotFound: there is no such role.
        DatabaseRefused: ours can't give these rights.
    """
    doing = f"giving rights to {role}"
    with translated(doing), connect(dsn, application_name="greenstream") as connection, connection.transaction():
        if not scalar(connection, "schema.role_exists", bool, role=role):
            raise NotFound(f"there is no role {role}: make one first (CREATE ROLE {role} LOGIN PASSWORD '…')")
        _grant(connection, role)
        lacks = column(connection, "schema.reader_lacks", str, role=role, relations=list(RELATIONS))
        if lacks:
            raise DatabaseRefused(f"{doing}: {lacks[0]} can't be given by {connection.info.user}: ask the owner for it")
        database = connection.info.dbname
    return [f"CONNECT on database {database}", "USAGE on schema public", *(f"SELECT on {name}" for name in RELATIONS)]


def readers(connection: Connection) -> list[str]:
    """Roles that were given all of our relations, so that they get those of a later version as well."""
    return column(connection, "schema.readers", str, relations=list(RELATIONS))


def grant_relations(connection: Connection, role: str) -> None:
    """Let a role read our relations, all of which must be there."""
    names = sql.SQL(", ").join(sql.Identifier("public", name) for name in RELATIONS)
    connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(names, sql.Identifier(role)))


def admit_reader(dsn: str, *, temp_mb: int) -> None:
    """Make the reader of the embedded server, or put it right, and close what PUBLIC could disturb others with.

    Roles belong to the whole server and rights to one database: a restored one, or one of an older version, has none.
    """
    settings = {"default_transaction_read_only": "on", "temp_file_limit": f"{temp_mb}MB"}
    with translated(f"preparing the role {READER}"), connect(dsn, application_name="greenstream") as connection:
        if _is_ready(connection, settings):
            return
        with connection.transaction():
            run(connection, "schema.lock_reader")
            _make_reader(connection, settings)
            _grant(connection, READER)
            for statement in column(connection, "schema.reader_close", str):
                connection.execute(statement.encode())


def _is_ready(connection: Connection, settings: dict[str, str]) -> bool:
    values = {
        "role": READER,
        "connections": READER_CONNECTIONS,
        "settings": [f"{name}={value}" for name, value in settings.items()],
        "relations": list(RELATIONS),
    }
    is_ready = scalar_or_none(connection, "schema.reader_ready", bool, **values)
    return is_ready is True and not column(connection, "schema.reader_close", str)


def _make_reader(connection: Connection, settings: dict[str, str]) -> None:
    role = sql.Identifier(READER)
    if not scalar(connection, "schema.role_exists", bool, role=READER):
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
    powers = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT {}"
    connection.execute(sql.SQL(f"ALTER ROLE {{}} {powers}").format(role, sql.Literal(READER_CONNECTIONS)))
    for name, value in settings.items():
        setting = sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(name), sql.Literal(value))
        connection.execute(setting)


def _grant(connection: Connection, role: str) -> None:
    """What is ours to give; who owns the database may be another one, and have given the rest already."""
    to = sql.Identifier(role)
    database = sql.Identifier(connection.info.dbname)
    for statement in (
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, to),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(to),
    ):
        _try(connection, statement)
    grant_relations(connection, role)


def _try(connection: Connection, statement: sql.Composed) -> None:
    try:
        with connection.transaction():
            connection.execute(statement)
    except errors.InsufficientPrivilege:
        return
