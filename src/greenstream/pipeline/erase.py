"""Erase a meter everywhere: raw files, quarantine, database, findings, lake and aggregates."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from greenstream.domain.aggregates import CURVE_PARTS, curve_parts, load_curves
from greenstream.domain.erasure import blanked, lines_of, lines_that_name, without_erased
from greenstream.domain.errors import FileRejected, NotFound
from greenstream.domain.evaluate import Site, evaluate
from greenstream.domain.parsing import parse_file
from greenstream.domain.schema import Reason
from greenstream.ports import Archives, Clock, Deletion, Erasures, Lake, LandedFile, Landing, Layer, RawFile


@dataclass(frozen=True, kw_only=True)
class Erasing:
    """What erasing works with. `on_file` and `on_day` hear of each one that is looked at."""

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


def erase(meter_id: str, reason: str, means: Erasing) -> Iterator[Deletion | Unsearchable]:
    """Erase all of a meter's readings up to now; what was deleted, each of it noted, under a hash of the meter_id.

    From the beginning on readings of that time are not taken in again. Broken off, it goes on when called again.

    Raises:
        NotFound: no such meter is known.
    """
    erasure = means.erasures.begin(meter_id, reason, means.clock())
    if erasure is None:
        raise NotFound(f"no meter {meter_id} is known; nothing was erased")
    for file in _all_files(means.landing):
        means.on_file(file.path)
        done = _erase_from_file(file, meter_id, means)
        if done is not None:
            yield _noted(done, means) if isinstance(done, Deletion) else done
    for deletion in means.erasures.delete(meter_id):
        yield _noted(deletion, means)
    for day in means.erasures.days(erasure):
        means.on_day(day)
        gone = _erase_from_lake(day, meter_id, means.lake, means.site)
        if gone is not None:
            yield _noted(gone, means)
    means.erasures.complete(erasure, means.clock())


def erase_again(means: Erasing) -> Iterator[Deletion]:
    """Erase from raw files what came again since. Its rows were not taken in, but its lines lie there."""
    erased = means.erasures.erased()
    for raw in means.erasures.to_erase():
        try:
            done = _clean(raw, erased, means)
        except (NotFound, FileRejected):  # it went, or nobody can read it any more
            done = None
        if done is not None:
            yield _noted(done, means)
        means.erasures.done_with(raw.path)


def _clean(raw: RawFile, erased: pl.DataFrame, means: Erasing) -> Deletion | None:
    file = means.landing.head(raw.path)
    content = b"".join(means.landing.read(file))
    if raw.cleaned is not None and raw.cleaned != raw.path:
        new = b"".join(means.landing.read(means.landing.head(raw.cleaned)))
        return _replace(file, new, content.count(b"\n"), means)
    parsed = parse_file(raw.path, content, means.site.limits)
    evaluated = evaluate(parsed, means.site, received_at=raw.received_at, now=raw.processed_at)
    lines = without_erased(evaluated, parsed, erased).erased_lines.to_list()
    return _rewrite(file, raw.path, content, lines, means) if lines else None


def _all_files(landing: Landing) -> Iterator[LandedFile]:
    yield from landing.list_landed()
    yield from landing.quarantined(date.max)


def _noted(deletion: Deletion, means: Erasing) -> Deletion:
    means.archives.note([deletion], means.clock())
    return deletion


def _erase_from_file(file: LandedFile, meter_id: str, means: Erasing) -> Deletion | Unsearchable | None:
    try:
        content = b"".join(means.landing.read(file))
        name, lines = _lines(file.path, content, meter_id, means.site)
    except NotFound:  # retention was faster
        return None
    except FileRejected as error:
        return Unsearchable(path=file.path, why=str(error))
    return _rewrite(file, name, content, lines, means) if lines else None


def _lines(path: str, content: bytes, meter_id: str, site: Site) -> tuple[str, list[int]]:
    """A name by which the content can be read, and the meter's lines: its records, and bad ones that name it."""
    limits = site.limits
    try:
        if not lines_that_name(path, content, None, meter_id, limits):  # much faster than to parse it
            return path, []
        parsed = parse_file(path, content, limits)
    except FileRejected as error:
        if error.reason is Reason.EMPTY_FILE:
            return path, []
        if error.reason in (Reason.CORRUPT_ARCHIVE, Reason.TOO_LARGE):
            raise
        name = path if error.reason is not Reason.BAD_EXTENSION else "plain.csv"
        return name, lines_that_name(name, content, None, meter_id, limits)
    bad = parsed.rejected["line_number"].to_list()
    own = lines_of(parsed, meter_id).to_list()
    return path, sorted({*own, *lines_that_name(path, content, bad, meter_id, limits)})


def _rewrite(file: LandedFile, name: str, content: bytes, lines: list[int], means: Erasing) -> Deletion:
    """Empty the lines of a file, which keeps its name and its time where the store can."""
    new = blanked(name, content, lines, means.site.limits)
    return _replace(file, new, len(lines), means)


def _replace(file: LandedFile, new: bytes, lines: int, means: Erasing) -> Deletion:
    written = means.landing.rewrite(file, new)
    means.erasures.rewritten(
        file.path,
        hashlib.sha256(new).hexdigest(),
        was_received_at=file.received_at,
        received_at=written.received_at,
    )
    layer = Layer.RAW if file.path.startswith("raw-data/") else Layer.QUARANTINE
    return Deletion(layer=layer, subject=file.path, amount=lines, reason="erased lines")


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
