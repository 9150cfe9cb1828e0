"""What the rules found, as scores compare it with the truth."""

from typing import NamedTuple


class LocatedFinding(NamedTuple):
    """A flag or a window by meter and slots, or a quarantined row by the name of its file and its line."""

    code: str
    meter_id: str | None
    file: str | None
    line_number: int | None
    first: int | None  # slot
    last: int | None  # slot
