"""`ingest`, and the files of dead letters again."""

from dataclasses import dataclass
from typing import Annotated

from greenstream.domain.reports.doc import Doc


@dataclass(frozen=True, kw_only=True)
class IngestedFile:
    """A file, and what became of it and of its rows: rows = stored + duplicate + rejected."""

    file: Annotated[str, Doc("as it was called")]
    outcome: Annotated[str, Doc("`loaded`, `duplicate`, `rejected` or `failed`")]
    reason: Annotated[str | None, Doc("why it was rejected")]
    rows: Annotated[int, Doc("records after the header; 0 of a file that isn't loaded, as all that follow")]
    stored: Annotated[int, Doc("that became readings")]
    duplicate: Annotated[int, Doc("that were known")]
    rejected: Annotated[int, Doc("that are quarantined")]


@dataclass(frozen=True, kw_only=True)
class ReplayedLetter:
    """A dead letter's file, processed again. Without an outcome it could not be processed."""

    id: Annotated[int, Doc("of the dead letter")]
    source_file: Annotated[str, Doc("the store's key")]
    outcome: Annotated[str | None, Doc("`loaded`, `duplicate`, `rejected` or `failed`")] = None
    reason: Annotated[str | None, Doc("why it was rejected")] = None
    rows: Annotated[int | None, Doc("records after the header")] = None
    stored: Annotated[int | None, Doc("that became readings")] = None
    duplicate: Annotated[int | None, Doc("that were known")] = None
    rejected: Annotated[int | None, Doc("that are quarantined")] = None
    error: Annotated[str | None, Doc("why it didn't come in")]


@dataclass(frozen=True, kw_only=True)
class DiscardedLetters:
    """Dead letters that were given up."""

    discarded: Annotated[list[int], Doc("those that waited, by their ids")]
