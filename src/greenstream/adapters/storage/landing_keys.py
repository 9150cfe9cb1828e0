"""Which keys are landed files: one answer for listings, folders, buckets, queues and events."""

import re
from dataclasses import dataclass
from enum import Enum

from greenstream.adapters.storage.backend import LANDING
from greenstream.adapters.storage.names import is_day, is_listed
from greenstream.domain.errors import InvalidKey

# What neither obstore nor a listing in XML can carry, and C1 controls. Names of files come without: see `names`.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


class Place(Enum):
    """What a key says about what lies there."""

    FILE = "a landed file: raw-data/YYYY-MM-DD/<name>"
    DROP = "beside the folders of days: it has to be filed in one"
    IGNORED = "hidden, an upload under way, or the mark of an empty folder"
    STRAY = "no file of ours: it is left alone"


@dataclass(frozen=True)
class Placed:
    """The place of a key, and of a stray why it is one."""

    place: Place
    why: str = ""


def placed(key: str) -> Placed:
    """Where a key belongs. One that ends with a slash stands for a folder."""
    zone, *rest = key.split("/")
    if why := unreadable(key):
        return Placed(Place.STRAY, why)
    if zone == LANDING and not all(is_listed(part) for part in rest if part):
        return Placed(Place.IGNORED)
    if why := _why_elsewhere(zone, rest):
        return Placed(Place.STRAY, why)
    if not rest[-1]:
        return Placed(Place.IGNORED)
    return Placed(Place.DROP if len(rest) == 1 else Place.FILE)


def _why_elsewhere(zone: str, rest: list[str]) -> str:
    if zone != LANDING or not rest:
        return f"it doesn't lie in {LANDING}/"
    if len(rest) > 1 and not is_day(rest[0]):
        return "its folder isn't named like a day (YYYY-MM-DD)"
    return "it lies in a folder within a day's folder" if len(rest) > 2 else ""


def unreadable(key: str) -> str:
    """Why an object of this key couldn't be read, or its folder not be listed; empty if it could."""
    if _CONTROLS.search(key):
        return "its name holds a control character"
    if {"", ".", ".."} & set(key.removesuffix("/").split("/")):
        return "a part between its slashes is empty, or all dots"
    return ""


def is_landing(folder: str) -> bool:
    return folder.split("/")[0] == LANDING


def is_landed(key: str) -> bool:
    return placed(key).place is Place.FILE


def check_landed(key: str) -> None:
    """Raise InvalidKey for a key that isn't that of a landed file."""
    found = placed(key)
    if found.place is not Place.FILE:
        raise InvalidKey(f"{key!r} is no landed file: {found.why or found.place.value}")
