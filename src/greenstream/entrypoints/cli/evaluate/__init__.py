"""`evaluate`: how well the rules find faults that are known."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from greenstream.entrypoints.cli.console import Console, ExitCode, Json, command, stop
from greenstream.entrypoints.cli.simulate import Faults, Meters, Seed, last_days, planned, rates_of

if TYPE_CHECKING:
    from greenstream.settings import PlaceSettings
    from greenstream.simulator import SimulationPlan

METERS_PER_GATEWAY = 2_000  # few, large files: it is the rules that are evaluated

Days = Annotated[int, typer.Option(help="How many days; the last one is yesterday.")]

EXAMPLE = """\
greenstream evaluate
greenstream evaluate --faults default --seed 7 --json | jq .rules
GREENSTREAM_STUCK_MAX_VARIANCE=0.001 greenstream evaluate --meters 500 --faults stuck,dead"""


def register(app: typer.Typer) -> None:
    command(app, "evaluate", example=EXAMPLE)(evaluate)


def evaluate(
    console: Console,
    meters: Meters = 2_000,
    days: Days = 14,
    seed: Seed = 1,
    faults: Faults = "demo",
    json: Json = False,
) -> None:
    """Measure how well the rules find faults that are known, with the thresholds that are set.

    Simulates a fleet, runs its files through the pipeline and compares the findings with what was injected. A
    finding is explained, and a fault found, where both have the same line of a file, or share a slot of a meter, and
    the rule is one for that kind of fault. Precision is the share of findings that are explained. Recall is the share
    found of the faults that are findable: long, large or late enough for the rule's own threshold. Delay counts the
    slots from the first one of a fault to the one at which the rule first held.

    It has a folder and a database of its own, which are gone afterwards.
    """
    from greenstream.entrypoints.cli.evaluate.home import passing_place
    from greenstream.entrypoints.cli.evaluate.report import evaluation_of, tell
    from greenstream.entrypoints.cli.simulated_run import run_through, scores_of
    from greenstream.settings import load_settings

    began = time.perf_counter()
    settings = load_settings()
    plan = _plan(settings, meters=meters, days=days, seed=seed, faults=faults)
    with passing_place(settings, console.say) as place:
        run = run_through(console, plan, place)
        scores = scores_of(run, place)
    seconds = round(time.perf_counter() - began, 1)
    if json:
        console.emit(evaluation_of(plan, run.report.rows, scores, seconds))
    else:
        console.write(
            f"{meters:,} meters for {days} days from {plan.start} ({plan.timezone}), seed {seed}: "
            f"{run.report.rows:,} rows, in {seconds} s"
        )
        tell(console, scores, plan.interval_minutes)
    if run.troubles:
        console.warn(f"{run.troubles} files did not come in, which none of these should")
        stop(ExitCode.TROUBLE)


def _plan(settings: "PlaceSettings", *, meters: int, days: int, seed: int, faults: str) -> "SimulationPlan":
    from greenstream.wiring import utc_now

    return planned(
        meters=meters,
        days=days,
        start=last_days(days, settings.timezone, utc_now()),
        seed=seed,
        timezone=settings.timezone,
        interval_minutes=settings.site.limits.interval_minutes,
        layout="gateway-day",
        meters_per_gateway=METERS_PER_GATEWAY,
        faults=rates_of(faults),
    )
