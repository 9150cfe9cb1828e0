"""Deliveries in rows of the database."""

from collections.abc import Sequence
from typing import Any

from greenstream.domain.ledger import Delivery

COLUMNS = ("path", "size_bytes", "received_at", "sha256", "modified_at", "version", "replaced_at")


def delivery_of(values: Sequence[Any]) -> Delivery:
    """A delivery from the first, or all, of COLUMNS."""
    return Delivery(**dict(zip(COLUMNS, values, strict=False)))
