"""Sectors: one declarative file each; sectors do not know one another.

What stands here today is Shenzhen transit: its card profile, its tariff, and the reader of the city's open data.
"""

from jinka.sectors import shenzhen_taps, shenzhen_tariff, transit_shenzhen

__all__ = ["shenzhen_taps", "shenzhen_tariff", "transit_shenzhen"]
