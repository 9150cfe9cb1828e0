"""What is worth an alert, and how an alert reads. Rules on meters and files raise theirs where they are applied."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from greenstream.domain.calendar import day_start
from greenstream.domain.evaluate import Site
from greenstream.domain.limits import Limits
from greenstream.domain.schema import Severity

LOOK_BACK = timedelta(days=1)
"""Regions and sources are judged by the files of so long."""

DIGEST_LINES = 20
MAX_MESSAGE_CHARS = 1000


class AlertCode(StrEnum):
    """What alerts are about, beside the findings of the rules on a meter's history."""

    NO_FILE = "NO_FILE"
    BACKLOG = "BACKLOG"
    FILE_REJECTED = "FILE_REJECTED"
    DEAD_LETTER = "DEAD_LETTER"
    FILE_ERROR_RATE = "FILE_ERROR_RATE"
    SOURCE_ERROR_RATE = "SOURCE_ERROR_RATE"
    DISK_NEARLY_FULL = "DISK_NEARLY_FULL"
    NIGHTLY_MISSED = "NIGHTLY_MISSED"
    LAKE_DAMAGED = "LAKE_DAMAGED"
    ALERT_CHANNEL_DOWN = "ALERT_CHANNEL_DOWN"
    OUTAGE = "OUTAGE"


CONDITIONS = (
    AlertCode.NO_FILE,
    AlertCode.BACKLOG,
    AlertCode.SOURCE_ERROR_RATE,
    AlertCode.DISK_NEARLY_FULL,
    AlertCode.NIGHTLY_MISSED,
)
"""States that last and end by themselves; the other codes are events."""

Key = tuple[str, str]
"""Code and subject: what makes two alerts the same one."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Something that is wrong now."""

    code: AlertCode
    severity: Severity
    subject: str
    message: str

    @property
    def key(self) -> Key:
        return self.code, self.subject


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert as it is stored: `count` occurrences between two times; closed once acknowledged or resolved."""

    alert_id: int
    code: str
    severity: Severity
    subject: str
    message: str
    count: int
    first_at: datetime
    last_at: datetime
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RegionFiles:
    """When the first and the last file with new readings of a region arrived, within LOOK_BACK."""

    region: str
    first: datetime
    last: datetime


@dataclass(frozen=True, kw_only=True)
class SourceRows:
    """The rows of a source's files within LOOK_BACK.

    A source is the beginning of a file's name, up to four digits in a row (a date, a number) or the first dot.
    """

    source: str
    rows: int
    rejected: int


@dataclass(frozen=True, kw_only=True)
class BadFile:
    """A loaded file with too many rejected rows, of which no alert has told."""

    path: str
    rows: int
    rejected: int
    processed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A file system, as `host:/folder`."""

    name: str
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, kw_only=True)
class Outage:
    """What kept all files waiting: `store`, `database` or `settings`, and the error that a part ran into last."""

    subject: str
    since: datetime
    last_at: datetime
    error: str


@dataclass(frozen=True, kw_only=True)
class StoredFacts:
    """What the database knows. `going_on` are the conditions that were told and have not ended."""

    regions: Sequence[RegionFiles]
    sources: Sequence[SourceRows]
    dirty_days: Sequence[tuple[date, datetime]]  # and since when each waits for settling
    oldest_waiting: datetime | None  # since when the file waits that has waited the longest for a worker
    going_on: frozenset[Key]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What holds now, and what was told earlier and has ended."""

    holding: tuple[Condition, ...]
    ended: tuple[Key, ...]


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is sent: a title in one line, and a text."""

    title: str
    body: str
    severity: Severity


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
                message=f"no file with readings of {region.region} for {_lasting(now - region.last)}, "
                f"the last one came at {stamp(region.last)}",
            )


def _backlog(oldest: datetime | None, limits: Limits, now: datetime) -> Iterator[Condition]:
    if oldest is not None and now - oldest > timedelta(minutes=limits.backlog_minutes):
        yield Condition(
            code=AlertCode.BACKLOG,
            severity=Severity.WARNING,
            subject="queue",
            message=f"the oldest file has been waiting for {_lasting(now - oldest)}, since {stamp(oldest)}; "
            "is a worker running, and is one enough?",
        )


def _bad_sources(sources: Sequence[SourceRows], limits: Limits) -> Iterator[Condition]:
    for source in sources:
        if source.rows >= limits.error_share_min_rows and source.rejected > limits.max_error_share * source.rows:
            yield Condition(
                code=AlertCode.SOURCE_ERROR_RATE,
                severity=Severity.WARNING,
                subject=source.source,
                message=f"{_share(source.rejected, source.rows)} of the rows in files {source.source}… "
                "were rejected within a day; see quarantined_rows",
            )


def _full_disks(disks: Sequence[Disk], limits: Limits) -> Iterator[Condition]:
    for disk in disks:
        if disk.free_bytes * 100 < disk.total_bytes * limits.disk_free_percent:
            yield Condition(
                code=AlertCode.DISK_NEARLY_FULL,
                severity=Severity.ERROR,
                subject=disk.name,
                message=f"{disk.free_bytes / 2**30:.1f} GiB ({disk.free_bytes * 100 / disk.total_bytes:.0f} %) "
                f"free on {disk.name}; make room before loading stops",
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
            message=f"{len(missed)} days should have been settled, the oldest is {min(missed)}; "
            "the nightly job didn't run or didn't get through: greenstream nightly",
        )


def bad_file(file: BadFile) -> Condition:
    return Condition(
        code=AlertCode.FILE_ERROR_RATE,
        severity=Severity.WARNING,
        subject=file.path,
        message=f"{_share(file.rejected, file.rows)} of its rows were rejected; see quarantined_rows",
    )


def channel_down(channel: str, trouble: str) -> Condition:
    return Condition(
        code=AlertCode.ALERT_CHANNEL_DOWN,
        severity=Severity.ERROR,
        subject=channel,
        message=f"alerts can't be sent by {channel}: {trouble}; it is tried again every minute",
    )


def outage(found: Outage) -> Condition:
    return Condition(
        code=AlertCode.OUTAGE,
        severity=Severity.ERROR,
        subject=found.subject,
        message=f"files wait since {stamp(found.since)}; work resumes by itself: {found.error}",
    )


def compose(alerts: Sequence[Alert]) -> Message:
    """One alert in full, or several in short."""
    if len(alerts) == 1:
        return _single(alerts[0])
    severity = next(s for s in reversed(Severity) if any(a.severity == s for a in alerts))
    counts = Counter(alert.code for alert in alerts).most_common()
    lines = [f"{each.alert_id}: {each.severity} {each.code} {one_line(each.subject)}" for each in alerts[:DIGEST_LINES]]
    rest = [f"… and {len(alerts) - DIGEST_LINES} others"] if len(alerts) > DIGEST_LINES else []
    body = [", ".join(f"{count} {code}" for code, count in counts), "", *lines, *rest, ""]
    return Message(
        title=f"[GreenStream] {len(alerts)} more alerts",
        body="\n".join([*body, "All of them: greenstream alerts list"]),
        severity=severity,
    )


def _single(alert: Alert) -> Message:
    times = f"first {stamp(alert.first_at)}, last {stamp(alert.last_at)}"
    return Message(
        title=one_line(f"[GreenStream] {alert.severity} {alert.code} {alert.subject}"),
        body=f"{one_line(alert.message)}\n\ncount {alert.count}, {times}\n"
        f"Acknowledge: greenstream alerts ack {alert.alert_id}",
        severity=alert.severity,
    )


def one_line(text: str) -> str:
    """Text of any origin in one line of moderate length, without characters that mail or chat could obey."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    line = " ".join(shown.split())
    return line if len(line) <= MAX_MESSAGE_CHARS else f"{line[:MAX_MESSAGE_CHARS]}…"


def stamp(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _share(part: int, whole: int) -> str:
    return f"{part * 100 / whole:.1f} % ({part:,} of {whole:,})"


def _lasting(time: timedelta) -> str:
    minutes = time // timedelta(minutes=1)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
