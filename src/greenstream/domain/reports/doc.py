"""How a field of an answer says what it means."""

from collections.abc import Mapping
from typing import NamedTuple


class Doc(NamedTuple):
    """The second part of a field's `Annotated[…]`; the unit is that of a number."""

    meaning: str
    unit: str = ""


FLAT: Mapping[str, bool] = {"flat": True}
"""Metadata of a field whose own fields stand in the object around it; they are null where it is None."""

Counts = Mapping[str, int]
