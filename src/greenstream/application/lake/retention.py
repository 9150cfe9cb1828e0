"""What is older than its lifetime goes, once the next layer provably holds it; every deletion is noted."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from itertools import islice

from greenstream.application.exclusion import Exclusion
from greenstream.application.lake.compare import differences
from greenstream.application.loading.raw_file import is_still
from greenstream.domain.errors import LakeDamaged, NotFound, StorageUnavailable, TransactionConflict
from greenstream.domain.lake.lifetimes import DayFacts, Deletion, LandedCopy, Layer, Lifetimes
from greenstream.domain.site import day_start
from greenstream.ports.lake import Archives, Lake
from greenstream.ports.landing import Landing

FILES_AT_ONCE = 200
HALF_WRITTEN = timedelta(days=1)
"""What is older was left behind by a process that was killed."""


@dataclass(frozen=True, kw_only=True)
class Retirement:
    """What retention did, or of a dry run would do: deleted something, or kept it, and why.

    `kept_because` is None for what went, and `is_trouble` where it won't pass by itself. `amount` is of `unit`.
    """

    layer: Layer
    subject: str
    amount: int = 0
    unit: str = "readings"
    kept_because: str | None = None
    is_trouble: bool = False


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What retention works with; a dry run only says what would go."""

    exclusion: Exclusion
    archives: Archives
    lake: Lake
    landing: Landing
    lifetimes: Lifetimes
    timezone: str
    dry_run: bool = False


def retire(context: Retention, today: date, now: datetime) -> Iterator[Retirement]:
    """Delete all that is past its lifetime: days of the database, raw files, then what was kept about them."""
    with _alone(context):
        yield from _retire(context, today, now)


def _retire(context: Retention, today: date, now: datetime) -> Iterator[Retirement]:
    last = today - timedelta(days=context.lifetimes.readings)
    gone = set[date]()
    for facts in context.archives.to_retire(last):
        retired = retire_day(facts, context, now)
        if retired.kept_because is None:
            gone.add(facts.day)
        yield retired
    if not context.dry_run:
        with suppress(TransactionConflict):  # loads and readers left no gap: the next night does it
            context.archives.join_older(last)
        context.landing.sweep(before=now - HALF_WRITTEN)
    yield from _retire_landed(context, day_start(last, context.timezone), gone, now)
    yield from _expire_copies(today - timedelta(days=context.lifetimes.quarantine), context, now)
    for layer, unit, lifetime in _kept_longer(context.lifetimes):
        yield from _expire(layer, unit, today - timedelta(days=lifetime), context, now)


def retire_day(facts: DayFacts, context: Retention, now: datetime) -> Retirement:
    """Delete a day's readings in the database, if the lake has each of them."""
    with _alone(context), context.archives.retiring(facts.day) as retiring:
        snapshot = retiring.snapshot()
        too_early = _too_early(retiring.facts())
        kept_because = too_early or next(differences(retiring.facts(), snapshot, context.lake), None)
        rows = sum(part.rows for part in snapshot.checksums().values())
        if kept_because is None and not context.dry_run:
            reason = f"older than {context.lifetimes.readings} days; the lake has the same {rows} record_ids"
            deletion = Deletion(layer=Layer.DATABASE, subject=str(facts.day), amount=rows, reason=reason)
            retiring.retire(deletion, now)
    return Retirement(
        layer=Layer.DATABASE,
        subject=str(facts.day),
        amount=rows,
        kept_because=kept_because,
        is_trouble=kept_because is not None and too_early is None,
    )


def _alone(context: Retention) -> AbstractContextManager[None]:
    """A dry run gets in nobody's way."""
    return nullcontext() if context.dry_run else context.exclusion.alone()


def _too_early(facts: DayFacts) -> str | None:
    if not facts.is_final:
        return f"{facts.day} has to be settled first"
    return None if facts.is_archived else f"{facts.day} has to be archived first"


def _retire_landed(context: Retention, before: datetime, gone_days: set[date], now: datetime) -> Iterator[Retirement]:
    checked: dict[date, str | None] = {}
    if not context.dry_run:
        context.archives.forget_replaced(before, now)
    landed = iter(context.archives.landed_before(before))
    while files := list(islice(landed, FILES_AT_ONCE)):
        gone, deleted = [], []
        for file in files:
            yield from _newly_damaged(file, context.lake, checked)
            kept_because = _still_needed(file, gone_days, checked)
            dropped = _drop(file, context) if kept_because is None else Dropped.NOT
            if kept_because is None and dropped is Dropped.NOT:
                kept_because = "somebody is writing to it"
            gone += [file] if dropped is not Dropped.NOT else []
            deleted += [file] if dropped is Dropped.NOW else []
            if dropped is Dropped.BEFORE:
                continue
            yield Retirement(
                layer=Layer.RAW,
                subject=file.delivery.path,
                amount=file.delivery.size_bytes,
                unit="bytes",
                kept_because=kept_because,
            )
        if not context.dry_run:
            context.archives.forget_landed([file.source_file_id for file in gone], now)
            context.archives.note([_raw_deletion(file, context) for file in deleted], now)


def _newly_damaged(file: LandedCopy, lake: Lake, checked: dict[date, str | None]) -> Iterator[Retirement]:
    """Look at the days that left the database, each once; one whose objects are damaged is told once, too."""
    for day in sorted(set(file.days) - set(file.kept_by) - checked.keys()):
        checked[day] = damage = _damage(day, lake)
        if damage is not None:
            yield Retirement(layer=Layer.LAKE, subject=str(day), kept_because=damage, is_trouble=True)


def _still_needed(file: LandedCopy, gone_days: set[date], checked: dict[date, str | None]) -> str | None:
    """Why a raw file must stay. In a dry run the days that would go are still there."""
    if kept_by := sorted(set(file.kept_by) - gone_days):
        return f"{kept_by[0]}, on which it has readings, isn't wholly in the lake yet"
    return next((found for day in file.days if (found := checked.get(day))), None)


def _damage(day: date, lake: Lake) -> str | None:
    """What is wrong with a day's objects; it is some time since they were compared with the database."""
    try:
        manifest = lake.manifest(day)
        if manifest is None:
            return f"{day} is not in the lake"
        for file in manifest.readings:
            lake.check(file)
    except LakeDamaged as error:
        return str(error)
    return None


class Dropped(Enum):
    """Whether a raw file is gone: `BEFORE` says that its path holds nothing, or another delivery with its own time."""

    NOW = "now"
    BEFORE = "before"
    NOT = "not"


def _drop(file: LandedCopy, context: Retention) -> Dropped:
    try:
        landed = context.landing.head(file.delivery.path)
        if not is_still(landed, file.delivery, context.landing):
            return Dropped.BEFORE
        if context.dry_run:
            return Dropped.NOW
        if file.is_rejected and file.delivery.sha256 is not None:  # copied when it was rejected; this makes sure
            context.landing.quarantine(landed.path, b"".join(context.landing.read(landed)))
        return Dropped.NOW if context.landing.delete(landed) else Dropped.NOT
    except NotFound:
        return Dropped.BEFORE
    except StorageUnavailable:
        context.landing.head(file.delivery.path)  # raises, too, unless it was just this file that changed
        return Dropped.NOT


def _raw_deletion(file: LandedCopy, context: Retention) -> Deletion:
    days = f"{len(file.days)} days" if len(file.days) != 1 else str(file.days[0])
    reason = f"older than {context.lifetimes.readings} days; the lake has its readings of {days}"
    return Deletion(layer=Layer.RAW, subject=file.delivery.path, amount=file.delivery.size_bytes, reason=reason)


def _kept_longer(lifetimes: Lifetimes) -> tuple[tuple[Layer, str, int], ...]:
    return (
        (Layer.FINDINGS, "findings", lifetimes.findings),
        (Layer.QUARANTINE, "rows", lifetimes.quarantine),
        (Layer.LEDGER, "lines", lifetimes.ledger),
    )


def _expire(layer: Layer, unit: str, last: date, context: Retention, now: datetime) -> Iterator[Retirement]:
    count = context.archives.expire(layer, day_start(last, context.timezone), dry_run=context.dry_run)
    if not count:
        return
    subject = f"before {last}"
    if not context.dry_run:
        context.archives.note([Deletion(layer=layer, subject=subject, amount=count, reason="past its lifetime")], now)
    yield Retirement(layer=layer, subject=subject, amount=count, unit=unit)


def _expire_copies(last: date, context: Retention, now: datetime) -> Iterator[Retirement]:
    """Copies of rejected files."""
    for file in context.landing.quarantined(last):
        if not context.dry_run:
            if not context.landing.delete(file):
                continue
            deletion = Deletion(
                layer=Layer.QUARANTINE, subject=file.path, amount=file.size_bytes, reason="past its lifetime"
            )
            context.archives.note([deletion], now)
        yield Retirement(layer=Layer.QUARANTINE, subject=file.path, amount=file.size_bytes, unit="bytes")
