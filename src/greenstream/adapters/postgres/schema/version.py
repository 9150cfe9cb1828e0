"""How far a database has been brought, and how far this program can bring it; apart, for to look needs no rules."""

from importlib.resources import files

from greenstream.adapters.postgres.base.connection import Connection, connect
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.fetch import scalar, scalar_or_none


def current_version(connection: Connection) -> str | None:
    """The newest migration the database has, None for an empty one."""
    with translated("reading the database's version"):
        if not scalar(connection, "schema.relation_exists", bool, relation="public.greenstream_version"):
            return None
        return scalar_or_none(connection, "schema.version", str)


def version_at(dsn: str) -> str | None:
    """As `current_version`, on a connection of its own. Raises DatabaseUnavailable or DatabaseRefused."""
    with translated("connecting to the database"):
        connection = connect(dsn, application_name="greenstream")
    with connection:
        return current_version(connection)


def newest_version() -> str:
    """The newest migration there is, by the names of the files: each begins with its version."""
    versions = files(__package__).joinpath("migrations", "versions").iterdir()
    return max(file.name.partition("_")[0] for file in versions if file.name.endswith(".sql"))
