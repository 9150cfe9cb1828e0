"""Locations of readings and of rosters, by their keys."""

import polars as pl

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.fetch import all_rows, run


def location_keys(connection: Connection, judged: pl.DataFrame) -> pl.Series:
    """The key of each location (`location`, null is none, `customer_class`, `region`); unknown ones are added."""
    names = judged["location"].fill_null("").to_list()
    found = all_rows(connection, "storing.location_keys", locations=names)
    if (None,) in found:
        values = {"classes": judged["customer_class"].to_list(), "regions": judged["region"].to_list()}
        run(connection, "storing.add_locations", locations=names, **values)
        found = all_rows(connection, "storing.location_keys", locations=names)
    return pl.Series("location_key", [key for (key,) in found], dtype=pl.Int32)
