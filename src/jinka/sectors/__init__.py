"""Sectors: one declarative file each; sectors do not know one another.

What stands here today is Shenzhen transit: its card profile, its tariff, and the reader of the city's open data.
"""

__all__: list[str] = []
