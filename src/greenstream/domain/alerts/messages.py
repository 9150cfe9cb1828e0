"""The text of each alert."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from greenstream.domain.alerts.values import BadFile, Disk, Outage, RegionFiles, SourceRows


def no_file(region: RegionFiles, now: datetime) -> str:
    return (
        f"no file with readings of {region.region} for {_lasting(now - region.last)}, "
        f"the last one came at {stamp(region.last)}"
    )


def backlog(oldest: datetime, now: datetime) -> str:
    return (
        f"the oldest file has been waiting for {_lasting(now - oldest)}, since {stamp(oldest)}; "
        "is a worker running, and is one enough?"
    )


def source_error_rate(source: SourceRows) -> str:
    share = _share(source.rejected, source.rows)
    return f"{share} of the rows in files {source.source}… were rejected within a day; see quarantined_rows"


def disk_nearly_full(disk: Disk) -> str:
    percent = disk.free_bytes * 100 / disk.total_bytes
    return f"{disk.free_bytes / 2**30:.1f} GiB ({percent:.0f} %) free on {disk.name}; make room before loading stops"


def nightly_missed(days: Sequence[date]) -> str:
    return (
        f"{len(days)} days should have been settled, the oldest is {min(days)}; "
        "the nightly job didn't run or didn't get through: greenstream nightly"
    )


def file_error_rate(file: BadFile) -> str:
    return f"{_share(file.rejected, file.rows)} of its rows were rejected; see quarantined_rows"


def alert_channel_down(channel: str, trouble: str) -> str:
    return f"alerts can't be sent by {channel}: {trouble}; it is tried again every minute"


def outage(found: Outage) -> str:
    return f"files wait since {stamp(found.since)}; work resumes by itself: {found.error}"


def stamp(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _share(part: int, whole: int) -> str:
    return f"{part * 100 / whole:.1f} % ({part:,} of {whole:,})"


def _lasting(time: timedelta) -> str:
    minutes = time // timedelta(minutes=1)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
