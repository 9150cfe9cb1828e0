"""How far a database has been brought, and how far this program can bring it; apart, for to look needs no rules."""

from importlib.resources import files

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.errors import translated


def current_version(connection: Connection) -> str | None:
    """The newest migration the database has, None for an empty one."""
    with translated("reading the database's version"):
        if connection.execute("SELECT to_regclass('public.greenstream_version')").fetchone() == (None,):
            return None
        row = connection.execute("SELECT version_num FROM public.greenstream_version").fetchone()
        return str(row[0]) if row else None


def newest_version() -> str:
    """The newest migration there is, by the names of the files: each begins with its version."""
    versions = files(__package__).joinpath("migrations", "versions").iterdir()
    return max(file.name.partition("_")[0] for file in versions if file.name.endswith(".sql"))
