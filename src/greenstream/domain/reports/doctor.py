"""`doctor`: what its checks say, and what they ask of the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from greenstream.domain.reports.doc import Doc


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"  # works, but not as well as it could
    FAULT = "fault"  # GreenStream can't do its work, or would do it wrongly


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found; nothing is to be done without a mend."""

    check: Annotated[str, Doc("what was looked at")]
    level: Annotated[Level, Doc("`ok`; `warning`: works, but not as well as it could; `fault`: doesn't, or wrongly")]
    found: Annotated[str, Doc("what is there")]
    mend: Annotated[str | None, Doc("what to do about it")] = None


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What all checks found."""

    checks: Annotated[Sequence[Finding], Doc("in the order in which a fault explains those after it")]
    warnings: Annotated[int, Doc("how many of them are warnings")]
    faults: Annotated[int, Doc("how many of them are faults")]


@dataclass(frozen=True, kw_only=True)
class ConnectedAs:
    """Who we are in which database."""

    role: str
    database: str
    host: str
    port: int


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    """A server's settings, and what it allows us."""

    version: str
    major: int
    encoding: str
    synchronous_commit: str
    fsync: str
    max_connections: int
    connections: int
    role: str
    database: str
    can_create_schemas: bool
    can_create_views: bool
    clock: datetime


@dataclass(frozen=True, kw_only=True)
class ReaderRights:
    """What the role of people's queries can do beside reading, and whether its temporary files are unlimited."""

    role: str
    excess: Sequence[str]
    is_unlimited: bool
