"""What a named query gives, as a frame."""

import polars as pl

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.fetch import all_rows


def frame(connection: Connection, name: str, schema: pl.Schema, /, **values: object) -> pl.DataFrame:
    """The rows, whose columns stand in the schema's order."""
    return pl.DataFrame(all_rows(connection, name, **values), schema=schema, orient="row")
