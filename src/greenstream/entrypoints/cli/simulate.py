"""`greenstream simulate`: files of a simulated fleet, with the truth about their faults."""

import functools
import inspect
import shlex
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from greenstream.entrypoints.cli.console import Console, Json, UsageError, command
from greenstream.entrypoints.cli.progress import Progress

if TYPE_CHECKING:
    from greenstream.domain.reports.fleet import SimulatedFleet
    from greenstream.simulator import SimulationPlan, SimulationReport

REGIONS = 10
SIMULATED = "simulated"  # the folder of simulated files in a home of their own

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder to make; the files go to its folder `files`.")]
Meters = Annotated[int, typer.Option(help="How many meters.")]
Days = Annotated[int, typer.Option(help="How many days, of the time zone.")]
Start = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        show_default="so that the last day is yesterday",
        help="The first day.",
    ),
]
Seed = Annotated[int, typer.Option(help="Another seed gives another fleet; the same one the same files.")]
Layout = Annotated[
    str, typer.Option(help="snapshot (a file a region and slot) or gateway-day (a file a gateway and day).")
]
Timezone = Annotated[
    str | None, typer.Option(show_default="GREENSTREAM_TIMEZONE", help="Time zone of the days and timestamps.")
]
Faults = Annotated[str, typer.Option(help="default, none, demo (more of each), or kinds: wrong_unit,gap,…")]
Compression = Annotated[str, typer.Option(help="none, gz or zst.")]
Force = Annotated[bool, typer.Option("--force", help="Write into a folder that isn't empty; replaces an earlier run.")]


EXAMPLE = """\
greenstream simulate fleet --meters 2000 --days 2 --layout gateway-day
greenstream ingest fleet/files"""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The options of `simulate`."""

    out: Out
    meters: Meters = 50_000
    days: Days = 1
    start: Start = None
    seed: Seed = 1
    layout: Layout = "snapshot"
    timezone: Timezone = None
    faults: Faults = "default"
    compression: Compression = "none"
    force: Force = False
    json: Json = False


def register(app: typer.Typer) -> None:
    command(app, "simulate", example=EXAMPLE)(_with_options(simulate))


def simulate(console: Console, choices: Choices) -> None:
    """Simulate a fleet: write the files its head-end would deliver, and the truth about their faults."""
    plan = _plan_of(choices)
    _make_room(choices.out, force=choices.force)
    facts = _facts(plan, simulated(console, plan, choices.out), choices)
    if choices.json:
        console.emit(facts)
    else:
        _tell(console, plan, facts)


def _with_options(run: Callable[[Console, Choices], None]) -> Callable[..., None]:
    """The command as typer is to see it: each of the choices a parameter of its own."""

    @functools.wraps(run)
    def command_of_options(console: Console, **options: Any) -> None:
        run(console, Choices(**options))

    own = next(iter(inspect.signature(run).parameters.values()))
    options = inspect.signature(Choices).parameters.values()
    command_of_options.__dict__["__signature__"] = inspect.Signature([own, *options])
    return command_of_options


def _plan_of(choices: Choices) -> "SimulationPlan":
    from greenstream.settings import load_settings
    from greenstream.wiring import utc_now

    settings = load_settings()
    zone = choices.timezone or settings.timezone
    return planned(
        meters=choices.meters,
        days=choices.days,
        start=choices.start.date() if choices.start else last_days(choices.days, zone, utc_now()),
        seed=choices.seed,
        timezone=zone,
        interval_minutes=settings.site.limits.interval_minutes,
        layout=choices.layout,
        compression=choices.compression,
        faults=rates_of(choices.faults),
    )


def planned(**choices: Any) -> "SimulationPlan":
    """A plan of these choices; raises UsageError where one can't be used."""
    from greenstream.domain.errors import SettingsError
    from greenstream.simulator import SimulationPlan

    try:
        return SimulationPlan(regions=max(min(REGIONS, choices["meters"]), 1), **choices)
    except SettingsError as error:
        raise UsageError(str(error)) from error


def last_days(days: int, timezone: str, now: datetime) -> date:
    """The first of so many whole local days of which yesterday is the last; today, where the zone is unknown."""
    try:
        today = now.astimezone(ZoneInfo(timezone)).date()
        return today - timedelta(days=max(days, 0))
    except (OSError, ValueError, KeyError, OverflowError):
        return now.date()


def rates_of(faults: str) -> dict[str, float]:
    """The rates of a preset, or of kinds separated by commas; unknown kinds are for the plan to refuse."""
    from greenstream.simulator import PRESETS

    if faults in PRESETS:
        return dict(PRESETS[faults])
    kinds = [kind.strip() for kind in faults.split(",") if kind.strip() not in ("", "none")]
    return {kind: PRESETS["default"].get(kind, 0.0) for kind in kinds}


def simulated(console: Console, plan: "SimulationPlan", out: Path) -> "SimulationReport":
    """Run the simulator under a progress bar. Raises StorageRefused."""
    from greenstream.simulator import simulate

    with ExitStack() as stack:
        bar: list[Progress] = []

        def advance(_: int, total: int) -> None:
            if not bar:
                bar.append(stack.enter_context(console.progress("simulating", total, unit="files")))
            bar[0].advance()

        return simulate(plan, out, progress=advance)


def _make_room(out: Path, *, force: bool) -> None:
    """See that the folder is empty; with force, take an earlier run's files away."""
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not force:
        raise UsageError(f"{out} isn't empty: name another folder, or add --force")
    if (out / "truth.csv").is_file() and (out / "files").is_dir():
        shutil.rmtree(out / "files")


def _facts(plan: "SimulationPlan", report: "SimulationReport", choices: Choices) -> "SimulatedFleet":
    from greenstream.domain.reports.fleet import SimulatedFleet

    out = choices.out
    files = {file.path: file for file in report.files}.values()  # a repeat under its own name is no further file
    return SimulatedFleet(
        folder=str(out / "files"),
        files=len(files),
        rows=sum(file.rows for file in files),
        size_bytes=sum(file.size_bytes for file in files),
        meters=plan.meters,
        first_day=plan.start,
        last_day=plan.start + timedelta(days=plan.days - 1),
        timezone=plan.timezone,
        seed=plan.seed,
        faults=dict(sorted(report.faults.items())),
        truth=str(out / "truth.csv"),
        manifest=str(out / "manifest.csv"),
        again=_again(plan, choices),
    )


def _again(plan: "SimulationPlan", choices: Choices) -> str:
    """The command that makes the same files on any day."""
    options = {
        "meters": plan.meters,
        "days": plan.days,
        "start": plan.start,
        "seed": plan.seed,
        "layout": plan.layout,
        "timezone": plan.timezone,
        "faults": choices.faults,
        "compression": plan.compression,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return shlex.join(["greenstream", "simulate", str(choices.out), *words])


def _tell(console: Console, plan: "SimulationPlan", facts: "SimulatedFleet") -> None:
    size = f"{facts.size_bytes / 1e6:,.1f} MB"
    days = facts.first_day if plan.days == 1 else f"{facts.first_day} to {facts.last_day}"
    lines = {
        "fleet": f"{plan.meters:,} meters, {days} ({plan.timezone}), seed {plan.seed}",
        "files": f"{facts.files:,} in {facts.folder}, {facts.rows:,} rows, {size}",
        "truth": f"{facts.truth}: every fault that was put in",
        "arrival": f"{facts.manifest}: when each file is delivered",
    }
    for name, text in lines.items():
        console.write(f"{name:8}{text}")
    if facts.faults:
        console.write("")
        console.table(("fault", "times", "what it is"), [(n, c, _summary(n)) for n, c in facts.faults.items()])
    console.say(f"\nNext:       greenstream ingest {shlex.quote(facts.folder)}")
    console.say(f"Once more:  {facts.again}")


def _summary(kind: str) -> str:
    from greenstream.simulator.faults import KINDS

    return KINDS[kind].summary
