"""What is worth an alert, and how an alert reads. Rules on meters and files raise theirs where they are applied."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from greenstream.domain.alerts import messages
from greenstream.domain.alerts.values import (
    AlertCode,
    BadFile,
    Condition,
    Disk,
    Outage,
    RegionFiles,
    SourceRows,
    StoredFacts,
    Verdict,
)
from greenstream.domain.codes import Severity
from greenstream.domain.limits import Limits
from greenstream.domain.site import Site, day_start

LOOK_BACK = timedelta(days=1)
"""Regions and sources are judged by the files of so long."""


def check_conditions(stored: StoredFacts, disks: Sequence[Disk], site: Site, now: datetime) -> Verdict:
    """Judge all conditions at once.

    While files wait for a worker nothing is said about regions without files: they may be among those. A region that
    has been silent for longer than LOOK_BACK stays as it was.
    """
    limits = site.limits
    backlog = list(_backlog(stored.oldest_waiting, limits, now))
    regions = () if backlog else stored.regions
    holding = (
        *backlog,
        *_silent_regions(regions, limits, now),
        *_bad_sources(stored.sources, limits),
        *_full_disks(disks, limits),
        *_missed_nights(stored.dirty_days, site, now),
    )
    judged = {
        AlertCode.NO_FILE: {r.region for r in regions},
        AlertCode.DISK_NEARLY_FULL: {d.name for d in disks},
    }
    known = {key for key in stored.going_on if key[0] not in judged or key[1] in judged[AlertCode(key[0])]}
    return Verdict(holding=holding, ended=tuple(sorted(known - {condition.key for condition in holding})))


def _silent_regions(regions: Sequence[RegionFiles], limits: Limits, now: datetime) -> Iterator[Condition]:
    """Regions that used to send; one import by hand is no habit, so its files must be apart in time."""
    patience = timedelta(minutes=limits.no_file_minutes)
    for region in regions:
        if now - region.last > patience and region.last - region.first >= patience:
            yield Condition(
                code=AlertCode.NO_FILE,
                severity=Severity.ERROR,
                subject=region.region,
                message=messages.no_file(region, now),
            )


def _backlog(oldest: datetime | None, limits: Limits, now: datetime) -> Iterator[Condition]:
    if oldest is not None and now - oldest > timedelta(minutes=limits.backlog_minutes):
        yield Condition(
            code=AlertCode.BACKLOG,
            severity=Severity.WARNING,
            subject="queue",
            message=messages.backlog(oldest, now),
        )


def _bad_sources(sources: Sequence[SourceRows], limits: Limits) -> Iterator[Condition]:
    for source in sources:
        if source.rows >= limits.error_share_min_rows and source.rejected > limits.max_error_share * source.rows:
            yield Condition(
                code=AlertCode.SOURCE_ERROR_RATE,
                severity=Severity.WARNING,
                subject=source.source,
                message=messages.source_error_rate(source),
            )


def _full_disks(disks: Sequence[Disk], limits: Limits) -> Iterator[Condition]:
    for disk in disks:
        if disk.free_bytes * 100 < disk.total_bytes * limits.disk_free_percent:
            yield Condition(
                code=AlertCode.DISK_NEARLY_FULL,
                severity=Severity.ERROR,
                subject=disk.name,
                message=messages.disk_nearly_full(disk),
            )


def _missed_nights(dirty_days: Sequence[tuple[date, datetime]], site: Site, now: datetime) -> Iterator[Condition]:
    """Days that have waited for too long, counted from their end or from the late data that came after it."""
    over = now - timedelta(hours=site.limits.nightly_missed_hours)
    missed = [
        day
        for day, dirty_since in dirty_days
        if max(dirty_since, day_start(day + timedelta(days=1), site.timezone)) < over
    ]
    if missed:
        yield Condition(
            code=AlertCode.NIGHTLY_MISSED,
            severity=Severity.ERROR,
            subject="nightly",
            message=messages.nightly_missed(missed),
        )


def bad_file(file: BadFile) -> Condition:
    return Condition(
        code=AlertCode.FILE_ERROR_RATE,
        severity=Severity.WARNING,
        subject=file.path,
        message=messages.file_error_rate(file),
    )


def lake_damaged(subject: str, why: str) -> Condition:
    """The alert about a lake that has less than the database, or more."""
    return Condition(code=AlertCode.LAKE_DAMAGED, severity=Severity.ERROR, subject=subject, message=why)


def channel_down(channel: str, trouble: str) -> Condition:
    return Condition(
        code=AlertCode.ALERT_CHANNEL_DOWN,
        severity=Severity.ERROR,
        subject=channel,
        message=messages.alert_channel_down(channel, trouble),
    )


def outage(found: Outage) -> Condition:
    return Condition(
        code=AlertCode.OUTAGE,
        severity=Severity.ERROR,
        subject=found.subject,
        message=messages.outage(found),
    )
