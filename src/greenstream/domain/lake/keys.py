"""The keys under which the lake's objects lie; their columns are in `domain/readings/schema.py`.

Days are local days. `year`, `month` and `region` are partition columns: they are in the key, not in the object.
"""

from datetime import date

READINGS_ZONE = "analytics"
AGGREGATES_ZONE = "aggregates"
MANIFEST_ZONE = "manifest"


def reading_key(day: date, region: str) -> str:
    return f"{READINGS_ZONE}/{_month(day)}/region={region}/{day}.parquet"


def month_key(day: date) -> str:
    """Where the folders of the regions are."""
    return f"{READINGS_ZONE}/{_month(day)}"


def meter_days_key(day: date) -> str:
    return f"{AGGREGATES_ZONE}/meter_days/{_month(day)}/{day}.parquet"


def load_curves_key(day: date) -> str:
    return f"{AGGREGATES_ZONE}/load_curves/{_month(day)}/{day}.parquet"


def manifest_key(day: date) -> str:
    return f"{MANIFEST_ZONE}/{_month(day)}/{day}.json"


def _month(day: date) -> str:
    return f"year={day:%Y}/month={day:%m}"
