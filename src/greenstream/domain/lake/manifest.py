"""What the lake holds of a day, written beside its objects: the day's table of contents, and how to check it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from greenstream.domain.lake.archive import Checksum


@dataclass(frozen=True, kw_only=True)
class LakeFile:
    """An object: its key, its size, and the SHA-256 of its bytes in hex."""

    path: str
    rows: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ReadingsFile(LakeFile):
    """An object of readings: of one region, from the first to the last reading; `digest` as `Checksum` has it."""

    region: str
    digest: str
    first_reading_at: datetime
    last_reading_at: datetime

    @property
    def checksum(self) -> Checksum:
        return Checksum(rows=self.rows, digest=self.digest)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The objects of a local day; equal content gives an equal manifest, byte by byte."""

    day: date
    timezone: str
    interval_minutes: int
    pipeline_version: str
    readings: tuple[ReadingsFile, ...]
    meter_days: LakeFile
    load_curves: LakeFile

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.readings)

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def files(self) -> tuple[LakeFile, ...]:
        return (*self.readings, self.meter_days, self.load_curves)

    def to_json(self) -> bytes:
        return (json.dumps(asdict(self), indent=1, default=_text) + "\n").encode()


def read_manifest(content: bytes) -> Manifest:
    """The inverse of `Manifest.to_json`.

    Raises:
        ValueError: it is none, or a broken one.
    """
    try:
        values = json.loads(content)
        return Manifest(
            day=date.fromisoformat(values["day"]),
            timezone=values["timezone"],
            interval_minutes=int(values["interval_minutes"]),
            pipeline_version=values["pipeline_version"],
            readings=tuple(_readings_file(file) for file in values["readings"]),
            meter_days=LakeFile(**_known(LakeFile, values["meter_days"])),
            load_curves=LakeFile(**_known(LakeFile, values["load_curves"])),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no manifest: {error!r}") from error


def _readings_file(values: Mapping[str, Any]) -> ReadingsFile:
    instants = {name: datetime.fromisoformat(values[name]) for name in ("first_reading_at", "last_reading_at")}
    return ReadingsFile(**{**_known(ReadingsFile, values), **instants})


def _known(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """A later version may say more."""
    return {field.name: values[field.name] for field in fields(kind)}


def _text(value: object) -> str:
    assert isinstance(value, date | datetime)
    return value.isoformat()


@dataclass(frozen=True, kw_only=True)
class Written:
    """What writing a day to the lake did; `changed` are the keys of the objects whose content differs."""

    manifest: Manifest
    changed: tuple[str, ...]
