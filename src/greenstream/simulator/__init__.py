"""A fleet of simulated meters: files as a head-end delivers them, faults included, and the truth about those.

>>> from datetime import date
>>> plan = SimulationPlan(meters=200, days=3, start=date(2024, 3, 15), faults=PRESETS["demo"])
"""

from greenstream.simulator.faults import PRESETS, scaled, without
from greenstream.simulator.plan import SimulationPlan
from greenstream.simulator.run import DeliveredFile, SimulationReport, simulate

__all__ = ["PRESETS", "DeliveredFile", "SimulationPlan", "SimulationReport", "scaled", "simulate", "without"]
