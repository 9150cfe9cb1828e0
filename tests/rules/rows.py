"""Small files through the whole engine, so that a test of a rule is a few lines."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.support.engine import Result, run

NOW = datetime(2024, 12, 31, 12, tzinfo=UTC)
DAY = "2024-03-15"
COLUMNS = ("meter_id", "timestamp", "energy_value", "unit", "location")


def read(text: str, **options: Any) -> Result:
    """A comma file through parsing and all rules; landed and processed at NOW."""
    return run("readings.csv", text.encode(), **{"received_at": NOW, "now": NOW, **options})


def read_rows(rows: Sequence[Sequence[str]], *, delimiter: str = ",", **options: Any) -> Result:
    """Rows of COLUMNS, each cell quoted."""
    lines = [delimiter.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in rows]
    return read("\n".join([delimiter.join(COLUMNS), *lines]), **options)


def reading(
    *,
    meter_id: str = "SM-48291",
    timestamp: str = "2024-03-15 18:45:00",
    energy_value: str = "3250 W",
    unit: str = "",
    location: str = "Residential_Zone_7",
    **options: Any,
) -> dict[str, Any]:
    """The one reading that a file of one row gives."""
    [only] = read_rows([(meter_id, timestamp, energy_value, unit, location)], **options).readings
    return only


def kw(energy_value: str, unit: str = "", **options: Any) -> float | None:
    found: float | None = reading(energy_value=energy_value, unit=unit, **options)["consumption_kw"]
    return found


def flags(energy_value: str, unit: str = "", **options: Any) -> tuple[str, ...]:
    found: tuple[str, ...] = reading(energy_value=energy_value, unit=unit, **options)["flags"]
    return found


def fates(*timestamps: str, **options: Any) -> list[str]:
    """What became of the rows of one meter, see `fates_of`."""
    return fates_of([("SM-1", timestamp) for timestamp in timestamps], **options)


def fates_of(rows: Sequence[tuple[str, str]], **options: Any) -> list[str]:
    """What became of rows of meter and timestamp: the instant in UTC, `~` before an inferred one, or the code.

    Times without a day, in and out, are of DAY.
    """
    full = [(meter, f"{DAY} {time}" if _is_time(time) else time, "1 kW", "", "") for meter, time in rows]
    result = read_rows(full, **options)
    fate = {row["line_number"]: _instant(row) for row in result.readings}
    fate |= {row["line_number"]: row["code"] for row in result.quarantined}
    return [fate[line] for line in sorted(fate)]


def _is_time(text: str) -> bool:
    return len(text) in (5, 8) and text[2] == ":" and text.replace(":", "").isdigit()


def _instant(row: dict[str, Any]) -> str:
    text = f"{row['reading_at']:%Y-%m-%d %H:%M:%S}".removesuffix(":00").removeprefix(f"{DAY} ")
    return f"~{text}" if "TIMESTAMP_INFERRED" in row["flags"] else text
