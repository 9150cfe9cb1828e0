"""`demo`: a small fleet, simulated and run through the real pipeline."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greenstream.entrypoints.cli.console import Console, ExitCode, Json, command, stop
from greenstream.entrypoints.cli.demo import home as homes
from greenstream.entrypoints.cli.simulate import last_days, planned, rates_of

if TYPE_CHECKING:
    from greenstream.settings import PlaceSettings
    from greenstream.simulator import SimulationPlan

SEED = 1
METERS = 200
DAYS = 3

Meters = Annotated[int | None, typer.Option(show_default=str(METERS), help="How many meters.")]
Days = Annotated[int | None, typer.Option(show_default=str(DAYS), help="How many days; the last one is yesterday.")]
Home = Annotated[Path, typer.Option(help="The demo's own folder, apart from your data.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Start over: drop what an earlier demo left in its folder.")]


def register(app: typer.Typer) -> None:
    command(app, "demo", example="greenstream demo\ngreenstream demo --meters 1000 --days 7 --home big-demo")(demo)


def demo(
    console: Console,
    meters: Meters = None,
    days: Days = None,
    home: Home = homes.DEFAULT,
    fresh: Fresh = False,
    json: Json = False,
) -> None:
    """Simulate a small fleet with faults, run its files through, and show what came of it.

    It has a folder and a database of its own and leaves that database running, so that you can look around.
    Run again, it delivers the same files: all of them are duplicates then, and nothing is counted twice.
    """
    from greenstream.domain.reports.demo import DemoReport
    from greenstream.entrypoints.cli.demo.facts import facts_of
    from greenstream.entrypoints.cli.demo.page import Page
    from greenstream.entrypoints.cli.simulated_run import run_through
    from greenstream.settings import load_settings
    from greenstream.wiring import Place

    began = time.perf_counter()
    settings = load_settings()
    before = homes.remembered(home)
    plan = _plan(settings, {} if fresh else before, meters, days)
    if fresh:
        homes.clear(home, console.say)
    homes.remember(home, plan)
    here = settings.model_copy(update={"home": home, "database_url": None, "reader_url": None, "storage": None})
    place = Place(here, console.say)
    facts = facts_of(run_through(console, plan, place), place)
    seconds, exports = time.perf_counter() - began, homes.exports(home, settings)
    if json:
        console.emit(DemoReport(**vars(facts), seconds=round(seconds, 1), home=str(home), exports=exports))
    else:
        Page.on_stdout().show(facts, seconds, exports)
    if not_in := facts.arrived.not_in:
        console.warn(f"{not_in} files did not come in: see greenstream status")
        stop(ExitCode.TROUBLE)


def _plan(settings: "PlaceSettings", before: homes.Choices, meters: int | None, days: int | None) -> "SimulationPlan":
    """As asked for, else as it was before, else the defaults; the start stays, or the files would be others."""
    from greenstream.wiring import utc_now

    days = before.get("days", DAYS) if days is None else days
    return planned(
        meters=before.get("meters", METERS) if meters is None else meters,
        days=days,
        start=homes.start_of(before) or last_days(days, settings.timezone, utc_now()),
        seed=SEED,
        timezone=settings.timezone,
        interval_minutes=settings.site.limits.interval_minutes,
        layout="gateway-day",
        faults=rates_of("demo"),
    )
