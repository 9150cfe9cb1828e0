"""Whether database, lake and raw files still tell the same of a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from greenstream.application.lake.compare import differences
from greenstream.application.loading.delivery import judge_again
from greenstream.application.loading.raw_file import Absence, Absent
from greenstream.domain.errors import FileRejected, LakeDamaged
from greenstream.domain.lake.archive import id_bytes, with_record_ids
from greenstream.domain.lake.lifetimes import DayFacts, LoadedFile
from greenstream.domain.lake.manifest import Manifest
from greenstream.domain.readings.judge import EvaluatedFile
from greenstream.domain.site import Site
from greenstream.ports.lake import Archives, DaySnapshot, Lake
from greenstream.ports.landing import Landing

Ids = np.ndarray[tuple[int], np.dtype[np.uint64]]
NONE: Ids = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What was compared of a day, and what differs, in a line each.

    `readings` were computed anew from the lake, `files` are raw files that were read again, `replaced` are deliveries
    whose raw file is that of a later one by now. `notes` are no differences: what couldn't be compared, and why.
    """

    day: date
    readings: int = 0
    objects: int = 0
    files: int = 0
    replaced: int = 0
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What a verification works with; without `raw`, raw files aren't read again."""

    archives: Archives
    lake: Lake
    landing: Landing
    site: Site
    raw: bool = True


def verify(day: date, context: Verification) -> Verified:
    """Compare a day's lake objects with their manifest, the database with the lake, and raw files with either.

    Nothing is changed.
    """
    with context.archives.snapshot(day) as snapshot:
        facts = snapshot.facts()
        if facts is None:
            return _without_facts(day, context.lake)
        manifest = _manifest(day, context.lake)
        found, notes = list[str](), list[str]()
        if manifest is not None:
            found += _damaged_aggregates(manifest, context.lake)
            found += (f"{key} is in the lake, but not in its manifest" for key in context.lake.strays(manifest))
        found += differences(facts, snapshot, context.lake)
        if not facts.is_archived:
            notes.append(f"{day} isn't archived as it is now: the next nightly does it")
        files = list(context.archives.loaded_on(day)) if context.raw else []
        kept = _ids(facts, snapshot, manifest, context.lake) if files else NONE
        read = [_compare_raw(file, day, kept, context) for file in files]
        replaced = [each for each in read if isinstance(each, Replaced)]
    return Verified(
        day=day,
        readings=manifest.rows if manifest else 0,
        objects=len(manifest.files) if manifest else 0,
        files=sum(isinstance(each, str) for each in read),
        replaced=len(replaced),
        differences=(*found, *(each for each in read if isinstance(each, str) and each)),
        notes=(*notes, *(each.note for each in replaced)),
    )


def _without_facts(day: date, lake: Lake) -> Verified:
    try:
        manifest = lake.manifest(day)
    except LakeDamaged as error:
        return Verified(day=day, differences=(str(error),))
    if manifest is None:
        return Verified(day=day, notes=(f"{day} has no readings",))
    trouble = f"{day} is in the lake with {manifest.rows} readings, but the database knows nothing of it"
    return Verified(day=day, readings=manifest.rows, objects=len(manifest.files), differences=(trouble,))


def _manifest(day: date, lake: Lake) -> Manifest | None:
    """None also where it can't be read: `differences` says so."""
    try:
        return lake.manifest(day)
    except LakeDamaged:
        return None


def _damaged_aggregates(manifest: Manifest, lake: Lake) -> Iterator[str]:
    for file in (manifest.meter_days, manifest.load_curves):
        try:
            lake.check(file)
        except LakeDamaged as error:
            yield str(error)


def _ids(facts: DayFacts, snapshot: DaySnapshot, manifest: Manifest | None, lake: Lake) -> Ids:
    """Of all readings of the day: the first 8 bytes of their record_ids, sorted."""
    parts = list(snapshot.id_heads())
    if facts.retired_at and manifest is not None:
        for file in manifest.readings:
            try:
                parts += [_heads(with_record_ids(batch)["record_id"]) for batch in lake.batches(file)]
            except LakeDamaged:  # said already
                continue
    return np.unique(np.concatenate([NONE, *parts]))


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """A delivery that can't be looked at any more, for the path has the bytes of a later one."""

    note: str


def _compare_raw(file: LoadedFile, day: date, kept: Ids, context: Verification) -> str | Replaced | None:
    """What is wrong with a raw file, "" if nothing is; None where it is no longer there."""
    path, erased = file.delivery.path, context.archives.erased()
    try:
        judged = judge_again(file.delivery, context.landing, context.site, now=file.processed_at, erased=erased)
    except FileRejected as error:
        return f"{path} was loaded, but can't be read by the present settings: {error}"
    if isinstance(judged, Absent):
        return _without_raw(judged, file)
    produced = _ids_of(judged.evaluated, day)
    missing = len(produced) - int(_among(produced, kept).sum())
    return f"{path}: {missing} of its {len(produced)} readings of {day} are missing" if missing else ""


def _without_raw(raw: Absent, file: LoadedFile) -> str | Replaced | None:
    path = file.delivery.path
    if raw.absence is Absence.REPLACED:
        return Replaced(note=f"{path}, received at {file.delivery.received_at:%Y-%m-%d %H:%M:%S} UTC, {raw.text}")
    if raw.absence in (Absence.DAMAGED, Absence.UNREADABLE):
        return f"{path} {raw.text}"
    return None if file.may_be_gone else f"{path} is missing, though nobody deleted it"


def _ids_of(evaluated: EvaluatedFile, day: date) -> Ids:
    """What the rows of the day would be stored as."""
    reliable = pl.repeat(value=True, n=len(evaluated.meters), eager=True)
    parts = [_heads(batch.filter(pl.col("day") == day)["record_id"]) for batch in evaluated.readings(reliable)]
    return np.concatenate([NONE, *parts])


def _among(ids: Ids, kept: Ids) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Which of some ids are among those kept, which are sorted."""
    if not len(kept):
        return np.zeros(len(ids), dtype=np.bool_)
    at = np.searchsorted(kept, ids)
    among: np.ndarray[tuple[int], np.dtype[np.bool_]] = kept[np.minimum(at, len(kept) - 1)] == ids
    return among


def _heads(record_ids: pl.Series) -> Ids:
    ids: Ids = np.frombuffer(id_bytes(record_ids), dtype=">u8").reshape(-1, 4)[:, 0].astype(np.uint64)
    return ids
