"""What monitoring asks of the database: a few counts, soon or not at all."""

from psycopg.conninfo import make_conninfo
from psycopg.rows import class_row

from greenstream.adapters.postgres.base.connection import connect
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.sql import query
from greenstream.domain.reports.gauges import GaugeValue
from greenstream.domain.routing import Route

# Shorter than elsewhere, whatever the DSN says: the next scrape comes soon.
_PATIENCE = {
    "connect_timeout": 2,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5_000,
}
_STATEMENT_TIMEOUT = "SET statement_timeout = '1500ms'"


def read_gauges(dsn: str) -> list[GaugeValue]:
    """All gauges of the query `reports.gauges`, on a connection of their own.

    Raises:
        DatabaseUnavailable: also where the answer takes longer than 1.5 s.
        DatabaseRefused: also where the tables are not there yet.
    """
    with (
        translated("reading the gauges"),
        connect(make_conninfo(dsn, **_PATIENCE), application_name="greenstream metrics") as connection,
    ):
        connection.execute(_STATEMENT_TIMEOUT)
        cursor = connection.cursor(row_factory=class_row(GaugeValue))
        return cursor.execute(query("reports.gauges"), {"routes": [route.value for route in Route]}).fetchall()
