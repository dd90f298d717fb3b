"""The simulator: planned days, replayed from real taps or generated from a seed, and the faults put into them.

Everything here is drawn from a seed; nothing here decides whether a record is paid.
"""

from jinka.sim.plan import LANES, CityPlan, PlannedCard, PlannedDevice, PlannedTap, Torn

__all__ = ["LANES", "CityPlan", "PlannedCard", "PlannedDevice", "PlannedTap", "Torn"]
