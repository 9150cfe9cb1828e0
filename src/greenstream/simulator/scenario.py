"""All that is decided before the first file is made."""

from collections.abc import Sequence
from dataclasses import dataclass

from greenstream.simulator.fleet import Fleet, fleet_of
from greenstream.simulator.histories import Windows, windows_of
from greenstream.simulator.plan import SimulationPlan
from greenstream.simulator.timeline import Day, days_of


@dataclass(frozen=True, kw_only=True)
class Scenario:
    plan: SimulationPlan
    days: Sequence[Day]
    fleet: Fleet
    windows: Windows


def scenario_of(plan: SimulationPlan) -> Scenario:
    days, fleet = days_of(plan), fleet_of(plan)
    return Scenario(plan=plan, days=days, fleet=fleet, windows=windows_of(plan, fleet, days))
