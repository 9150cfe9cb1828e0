"""When what failed is tried again, and when it is given up."""

RETRY_DELAYS = (2, 4, 8)
"""Seconds before each further try of what failed for a passing reason; after the last one it is a dead letter."""


OUTAGE_DELAY = 5
"""Seconds before a file is looked at again while the database is away: no fault of the file, so never counted."""


MAX_CRASHES = 5
"""So many workers may die over a file before it is a dead letter."""
