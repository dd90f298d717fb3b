"""Sectors: one declarative file each; sectors do not know one another.

`PROFILES` lists the card applications. Shenzhen transit has its tariff and the reader of the city's open data besides.
"""

from jinka.declaration import Sector
from jinka.profile import ApplicationProfile
from jinka.sectors import (
    bank,
    broadcasting,
    campus,
    food,
    fuel,
    housing_fund,
    identity,
    identity_card,
    parking,
    social_insurance,
    social_security,
    telecom,
    tourism,
    transit_shenzhen,
    travel_document,
    usim,
    utilities,
    vehicles,
)

PROFILES: tuple[ApplicationProfile, ...] = (
    transit_shenzhen.PROFILE,
    fuel.PROFILE,
    bank.PROFILE,
    social_security.PROFILE,
    identity_card.PROFILE,
    travel_document.PROFILE,
    usim.PROFILE,
)

SECTORS: tuple[Sector, ...] = (
    campus.SECTOR,
    parking.SECTOR,
    social_insurance.SECTOR,
    vehicles.SECTOR,
    food.SECTOR,
    housing_fund.SECTOR,
    utilities.SECTOR,
    telecom.SECTOR,
    broadcasting.SECTOR,
    identity.SECTOR,
    tourism.SECTOR,
)

__all__ = ["PROFILES", "SECTORS"]
