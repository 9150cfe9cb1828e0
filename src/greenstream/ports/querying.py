"""What people may ask for in SQL."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class QueryLimits:
    """The most that one query may take: seconds until its last row is read, rows, MiB of memory and of temporary files.

    In PostgreSQL memory is that of each sort and each hash of a query.
    """

    seconds: int
    rows: int
    memory_mb: int
    temp_mb: int
