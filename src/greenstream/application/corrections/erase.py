"""Erase a meter everywhere: raw files, quarantine, database, findings, lake and aggregates."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter

import polars as pl

from greenstream.application.exclusion import Exclusion
from greenstream.application.loading.raw_file import Absent, RawFile, content_of, raw_file, sha256_of, version_of
from greenstream.domain.codes import Reason
from greenstream.domain.corrections.erased_lines import blanked, lines_to_erase
from greenstream.domain.corrections.values import ToErase
from greenstream.domain.errors import FileRejected, NotFound, StorageRefused, StorageUnavailable
from greenstream.domain.formats import LandedText
from greenstream.domain.lake.aggregates import curve_parts, load_curves
from greenstream.domain.lake.lifetimes import Deletion, Layer
from greenstream.domain.landing import Clock, LandedFile
from greenstream.domain.readings.delivery import judge_delivery
from greenstream.domain.readings.schema import CURVE_PARTS
from greenstream.domain.site import Site
from greenstream.ports.corrections import Erasures
from greenstream.ports.lake import Archives, Lake
from greenstream.ports.landing import Landing


@dataclass(frozen=True, kw_only=True)
class Erasing:
    """What erasing works with. `on_file` and `on_day` hear of each one that is looked at."""

    exclusion: Exclusion
    erasures: Erasures
    archives: Archives
    lake: Lake
    landing: Landing
    site: Site
    clock: Clock
    on_file: Callable[[str], None] = lambda _path: None
    on_day: Callable[[date], None] = lambda _day: None


@dataclass(frozen=True, kw_only=True)
class Unsearchable:
    """A file in which nobody can look for a meter."""

    path: str
    why: str
    is_refused: bool = False  # by the store; a person has to give us the permission


def erase(meter_id: str, reason: str, context: Erasing) -> Iterator[Deletion | Unsearchable]:
    """Erase all of a meter's readings up to now; what was deleted, each of it noted, under a hash of the meter_id.

    From the beginning on readings of that time are not taken in again. Broken off, it goes on when called again, and it
    isn't complete as long as there is a file that can't be searched.

    Raises:
        NotFound: no such meter is known.
    """
    with context.exclusion.alone():
        yield from _erase(meter_id, reason, context)


def _erase(meter_id: str, reason: str, context: Erasing) -> Iterator[Deletion | Unsearchable]:
    erasure = context.erasures.begin(meter_id, reason, context.clock())
    if erasure is None:
        raise NotFound(f"no meter {meter_id} is known; nothing was erased")
    _note_rewritten(context)
    everywhere = True
    for file in _all_files(context):
        context.on_file(file.path)
        done = _erase_from_file(file, meter_id, context)
        everywhere = everywhere and not isinstance(done, Unsearchable)
        if done is not None:
            yield _noted(done, context) if isinstance(done, Deletion) else done
    for deletion in context.erasures.delete(meter_id):
        yield _noted(deletion, context)
    for day in context.erasures.days(erasure):
        context.on_day(day)
        gone = _erase_from_lake(day, meter_id, context.lake, context.site)
        if gone is not None:
            yield _noted(gone, context)
    if everywhere:
        context.erasures.complete(erasure, context.clock())


def erase_again(context: Erasing) -> Iterator[Deletion]:
    """Erase from raw files what came again since. Its rows were not taken in, but its lines lie there."""
    _note_rewritten(context)
    erased = context.erasures.erased()
    for waiting in context.erasures.to_erase():
        try:
            done = _clean(waiting, erased, context)
        except (NotFound, FileRejected):  # it went, or nobody can read it any more
            done = None
        if done is not None:
            yield _noted(done, context)
        context.erasures.done_with(waiting.source_file_id)


def _note_rewritten(context: Erasing) -> None:
    """Let the ledger know of raw files that were rewritten just before an erasure was broken off."""
    for path, sha256 in context.erasures.rewriting_broken_off():
        with suppress(NotFound):
            file = context.landing.head(path)
            content = content_of(file, context.landing, context.site.limits.max_file_bytes)
            if content is not None and sha256_of(content) == sha256:
                context.erasures.rewritten(file, file, old=sha256, new=sha256)
        context.erasures.forget_rewriting(path)


def _clean(waiting: ToErase, erased: pl.DataFrame, context: Erasing) -> Deletion | None:
    """Erase from a raw file; one that was replaced has none of the lines any more, and a delivery of its own."""
    raw = raw_file(waiting.delivery, context.landing, context.site.limits)
    if isinstance(raw, Absent):
        return None
    if (cleaned := _cleaned(waiting, context)) is not None:
        return _replace(raw, cleaned, raw.content.count(b"\n"), context)
    text, received_at = raw.text(context.site.limits), waiting.delivery.received_at
    judged = judge_delivery(text, context.site, received_at=received_at, now=waiting.processed_at, erased=erased)
    lines = judged.erased_lines.to_list()
    return _rewrite(raw, text, lines, context) if lines else None


def _cleaned(waiting: ToErase, context: Erasing) -> bytes | None:
    """What erasure made of the same content under another path, if it is there yet."""
    if waiting.cleaned is None or waiting.cleaned.path == waiting.delivery.path:
        return None
    raw = raw_file(waiting.cleaned, context.landing, context.site.limits)
    return None if isinstance(raw, Absent) else raw.content


def _all_files(context: Erasing) -> Iterator[LandedFile]:
    """Without what a bucket keeps of a path and nobody has read: it is erased from when it has been."""
    for _, of_path in groupby(context.landing.list_landed(), attrgetter("path")):
        *older, newest = of_path
        unread = set(context.erasures.new_of(older)) if older else set()
        yield from (file for file in older if file not in unread)
        yield newest
    yield from context.landing.quarantined(date.max)


def _noted(deletion: Deletion, context: Erasing) -> Deletion:
    context.archives.note([deletion], context.clock())
    return deletion


def _erase_from_file(file: LandedFile, meter_id: str, context: Erasing) -> Deletion | Unsearchable | None:
    try:
        raw = _as_it_is(file, context)
        text = raw.text(context.site.limits)
        lines = lines_to_erase(text, meter_id)
    except NotFound:  # retention was faster
        return None
    except FileRejected as error:
        return Unsearchable(path=file.path, why=str(error))
    except StorageRefused as error:
        return Unsearchable(path=file.path, why=str(error), is_refused=True)
    return _rewrite(raw, text, lines, context) if lines else None


def _as_it_is(listed: LandedFile, context: Erasing) -> RawFile:
    path, max_bytes = listed.path, context.site.limits.max_file_bytes
    file = version_of(context.landing, path, listed.version)
    content = content_of(file, context.landing, max_bytes)
    if content is None:
        raise FileRejected(Reason.TOO_LARGE, f"{path} has {file.size_bytes} bytes, more than {max_bytes}")
    return RawFile(file=file, content=content)


def _rewrite(raw: RawFile, text: LandedText, lines: list[int], context: Erasing) -> Deletion:
    """Empty the lines of a file, which keeps its name and its time where the store can.

    What a bucket keeps of a path that holds a newer version can't be rewritten: it is deleted.
    """
    if context.landing.versions(raw.file.path)[-1].version != raw.file.version:
        if not context.landing.delete_version(raw.file):
            raise StorageUnavailable(f"{raw.file.path} changed, or is being written to: try again")
        return Deletion(layer=Layer.RAW, subject=raw.file.path, amount=len(lines), reason="erased lines")
    return _replace(raw, blanked(text, lines), len(lines), context)


def _replace(raw: RawFile, content: bytes, lines: int, context: Erasing) -> Deletion:
    """What we write ourselves is no delivery: the ledger hears of it before, so that it knows it if we are killed."""
    path, old, new = raw.file.path, sha256_of(raw.content), sha256_of(content)
    context.erasures.rewriting(path, old=old, new=new)
    written = context.landing.rewrite(raw.file, content)
    context.erasures.rewritten(raw.file, written, old=old, new=new)
    layer = Layer.RAW if path.startswith("raw-data/") else Layer.QUARANTINE
    return Deletion(layer=layer, subject=path, amount=lines, reason="erased lines")


def _erase_from_lake(day: date, meter_id: str, lake: Lake, site: Site) -> Deletion | None:
    """Write anew what holds the meter: the objects of its regions, and the aggregates."""
    manifest = lake.manifest(day)
    if manifest is None:
        return None
    with lake.reading(day) as old, lake.writing(day) as new:
        regions, days = old.regions_of(meter_id), old.meter_days()
        if not regions and meter_id not in set(days["meter_id"]):
            return None
        parts = [pl.DataFrame(schema=CURVE_PARTS)]
        for file in manifest.readings:
            if file.region not in regions:
                new.keep(file)
                continue
            for rows in lake.batches(file):
                others = rows.filter(pl.col("meter_id") != meter_id)
                new.add(others)
                parts.append(curve_parts(others, site.limits))
        new.add_meter_days(days.filter(pl.col("meter_id") != meter_id))
        kept = old.load_curves().filter(~pl.col("region").is_in(regions))
        curves = pl.concat([kept, load_curves(pl.concat(parts), site.limits)])
        written = new.finish(curves.sort("region", "slot_at"), site)
    gone = manifest.rows - written.manifest.rows
    return Deletion(layer=Layer.LAKE, subject=str(day), amount=gone, reason="erased readings of one meter")
