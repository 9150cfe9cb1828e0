"""The bytes of a delivery, read from its raw file: those that were delivered, or none."""

import hashlib
from dataclasses import dataclass
from enum import Enum

from greenstream.domain.errors import NotFound, StorageRefused
from greenstream.domain.formats import LandedText, landed_text
from greenstream.domain.landing import LandedFile
from greenstream.domain.ledger import Delivery
from greenstream.domain.limits import Limits
from greenstream.ports.landing import Landing


class Absence(Enum):
    """Why the bytes of a delivery can't be had."""

    GONE = "gone"
    REPLACED = "replaced"
    UNREADABLE = "unreadable"  # the store won't give just this one
    DAMAGED = "damaged"  # its path has other bytes, and no later delivery explains them


@dataclass(frozen=True, kw_only=True)
class Absent:
    """No bytes, and why: `text` goes on from the path."""

    absence: Absence
    text: str


@dataclass(frozen=True, kw_only=True)
class RawFile:
    """A raw file that holds the bytes of a delivery."""

    file: LandedFile
    content: bytes

    def text(self, limits: Limits) -> LandedText:
        return landed_text(self.file.path, self.content, limits)


def raw_file(delivery: Delivery, landing: Landing, limits: Limits) -> RawFile | Absent:
    """The raw file of a delivery, if the path has its bytes, as landed or as erasure left them.

    Raises:
        StorageUnavailable: the store can't tell, or the file was changed at this moment.
    """
    try:
        file = version_of(landing, delivery.path, delivery.version)
        content = content_of(file, landing, max(limits.max_file_bytes, delivery.size_bytes))
    except NotFound:
        return _absent(delivery, Absence.GONE, "is no longer in the landing zone")
    except StorageRefused as error:
        return Absent(absence=Absence.UNREADABLE, text=f"can't be looked at: {error}")
    if content is None or sha256_of(content) != delivery.sha256:
        return _absent(delivery, Absence.DAMAGED, "isn't what was loaded: its checksum differs")
    return RawFile(file=file, content=content)


def version_of(landing: Landing, path: str, version: str | None) -> LandedFile:
    """That version of a path where the store keeps it, else the one that the path holds now. Raises NotFound."""
    versions = landing.versions(path)
    return next((each for each in versions if each.version == version), versions[-1])


def is_still(file: LandedFile, delivery: Delivery, landing: Landing) -> bool:
    """Whether a file is a delivery's raw file yet: of its version, or of its time and bytes under another one.

    Raises:
        NotFound: it went at this moment.
    """
    if file.version == delivery.version:
        return True
    if file.modified_at != delivery.modified_at:
        return False
    if delivery.version is None:  # from before there were versions; the time was all that told two of them apart
        return True
    if delivery.sha256 is None:
        return file.size_bytes == delivery.size_bytes
    digest = hashlib.sha256()
    for chunk in landing.read(file):
        digest.update(chunk)
    return digest.hexdigest() == delivery.sha256


def content_of(file: LandedFile, landing: Landing, max_bytes: int) -> bytes | None:
    """The bytes of a version of a path; None, without reading any, where there are more of them."""
    return b"".join(landing.read(file)) if file.size_bytes <= max_bytes else None


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _absent(delivery: Delivery, absence: Absence, text: str) -> Absent:
    if delivery.replaced_at is None:
        return Absent(absence=absence, text=text)
    text = f"was replaced by the delivery of {delivery.replaced_at:%Y-%m-%d %H:%M:%S} UTC, so its own bytes are gone"
    return Absent(absence=Absence.REPLACED, text=text)
