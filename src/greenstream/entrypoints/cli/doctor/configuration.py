"""The settings, and whether all parts see the same time zone in them."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from greenstream.adapters.extras import how_to_install, missing
from greenstream.domain.reports.doctor import Finding
from greenstream.entrypoints.cli.doctor.finding import fault, ok, warning
from greenstream.settings import ENV_PREFIX, PlaceSettings

OTHER_VARIABLES = ("GREENSTREAM_DEBUG",)  # read by the command line itself
LOCAL = "%Y-%m-%d %H:%M:%S"


def variables(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Variables that look like ours and are read by nobody."""
    from greenstream.settings import Settings

    known = {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields} | set(OTHER_VARIABLES)
    ours = sorted(name for name in environment if name.upper().startswith(ENV_PREFIX))
    unknown = [name for name in ours if name.upper() not in known]
    for name in unknown:
        yield warning("settings", f"{name} is no setting, so it does nothing", _nearest(name, known))
    if not unknown:
        yield ok("settings", f"{len(ours)} {ENV_PREFIX}* variables, all known" if ours else "no variables set")


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}? else unset it" if near else f"unset it: unset {name}"


def values(settings: PlaceSettings) -> Iterator[Finding]:
    """What was read, once it could be read."""
    place = "a database of yours" if settings.database_url else "the embedded database"
    yield ok("settings", f"{place}, files in {settings.storage_url}, kept {settings.retention_days} days")
    if settings.alert_urls and "alerts" in missing():
        yield warning("extras", "GREENSTREAM_ALERT_URLS is set, and nothing can be sent", how_to_install("alerts"))


def zone(settings: PlaceSettings, now: datetime) -> Iterator[Finding]:
    """Python and polars agree about the site's zone, just before and after its next change of clocks."""
    instants = telling_instants(settings.timezone, now)
    python, polars = local_times(settings.timezone, instants), _polars_local(settings.timezone, instants)
    if python == polars:
        yield ok("time zone", f"{settings.timezone}, now {now.astimezone(ZoneInfo(settings.timezone)):%H:%M}")
    else:
        yield fault(
            "time zone",
            f"{settings.timezone}: Python has {python[-1]} local where polars has {polars[-1]}",
            "bring tzdata and polars to their newest versions",
        )


def telling_instants(timezone: str, now: datetime) -> list[datetime]:
    """The hours (UTC) before and after each change of the zone's clocks within a year; now, where it has none."""
    zone = ZoneInfo(timezone)
    start = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [start + timedelta(hours=hour) for hour in range(366 * 24)]
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
    changes = [i for i in range(1, len(hours)) if offsets[i] != offsets[i - 1]]
    return [hours[j] for i in changes for j in (i - 1, i)] or [start]


def local_times(timezone: str, instants: list[datetime]) -> list[str]:
    return [instant.astimezone(ZoneInfo(timezone)).strftime(LOCAL) for instant in instants]


def _polars_local(timezone: str, instants: list[datetime]) -> list[str]:
    import polars as pl

    column = pl.Series(instants, dtype=pl.Datetime("us", "UTC"))
    return column.dt.convert_time_zone(timezone).dt.strftime(LOCAL).to_list()
