"""Deliveries in rows of the database."""

from collections.abc import Sequence
from typing import Any

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.fetch import all_rows
from greenstream.domain.landing import LandedFile
from greenstream.domain.ledger import Delivery

COLUMNS = ("path", "size_bytes", "received_at", "sha256", "modified_at", "version", "replaced_at")


def delivery_of(values: Sequence[Any]) -> Delivery:
    """A delivery from the first, or all, of COLUMNS."""
    return Delivery(**dict(zip(COLUMNS, values, strict=False)))


def new_of(files: Sequence[LandedFile], connection: Connection) -> list[LandedFile]:
    """Those of some versions that the ledger has no line of."""
    values = {"paths": [file.path for file in files], "versions": [file.version for file in files]}
    known = set(all_rows(connection, "deliveries.recorded_versions", **values))
    return [file for file in files if (file.path, file.version) not in known]
