"""The site that a database was set up for; apart, for to compare it needs no rules."""

from datetime import date

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.fetch import one
from greenstream.domain.errors import SettingsError
from greenstream.domain.site import Site


def check_site(connection: Connection, site: Site) -> date:
    """The first day that has a partition of its own.

    Raises:
        SettingsError: the database belongs to a site with another time zone or interval.
    """
    timezone, interval_minutes, first_daily = one(connection, "schema.read_site")
    if (timezone, interval_minutes) != (site.timezone, site.limits.interval_minutes):
        raise SettingsError(
            f"this database was set up for time zone {timezone} and slots of {interval_minutes} minutes, but the "
            f"settings say {site.timezone} and {site.limits.interval_minutes}; days and slots are cut by them, so set "
            f"GREENSTREAM_TIMEZONE and GREENSTREAM_INTERVAL_MINUTES back, or use another database"
        )
    day: date = first_daily
    return day
