"""Rosters of meters, and simulated fleets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from greenstream.domain.reports.doc import Counts, Doc


@dataclass(frozen=True, kw_only=True)
class BadRosterLine:
    """A line of a roster that was left out."""

    line_number: Annotated[int, Doc("in the file; 1 is the header's")]
    reason: Annotated[str, Doc("why")]


@dataclass(frozen=True, kw_only=True)
class ImportedRoster:
    """What became of a roster's lines: lines = registered + changed + unchanged + bad."""

    file: Annotated[str, Doc("as it was called")]
    lines: Annotated[int, Doc("after the header")]
    registered: Annotated[int, Doc("meters that are new")]
    changed: Annotated[int, Doc("meters with other values now")]
    unchanged: Annotated[int, Doc("meters that were known so")]
    bad: Annotated[int, Doc("lines that were left out")]
    bad_lines: Annotated[Sequence[BadRosterLine], Doc("these")]
    findings: Annotated[Counts, Doc("that are new in the meters' history, by code")]


@dataclass(frozen=True, kw_only=True)
class SimulatedFleet:
    """The files of a simulated fleet."""

    folder: Annotated[str, Doc("where they are")]
    files: Annotated[int, Doc("by name")]
    rows: Annotated[int, Doc("of the files")]
    size_bytes: Annotated[int, Doc("of the files", "bytes")]
    meters: Annotated[int, Doc("how many")]
    first_day: Annotated[date, Doc("local day")]
    last_day: Annotated[date, Doc("local day")]
    timezone: Annotated[str, Doc("of the days, an IANA name")]
    seed: Annotated[int, Doc("of the simulation")]
    faults: Annotated[Counts, Doc("put in, by kind")]
    truth: Annotated[str, Doc("the file that names every fault")]
    manifest: Annotated[str, Doc("the file that says when each file is delivered")]
    again: Annotated[str, Doc("the command that makes the same files on any day")]
