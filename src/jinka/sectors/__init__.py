"""Sectors: one declarative file each; sectors do not know one another.

`PROFILES` lists the card applications. Shenzhen transit has its tariff and the reader of the city's open data besides.
"""

from jinka.declaration import Sector
from jinka.profile import ApplicationProfile
from jinka.sectors import (
    bank,
    broadcasting,
    campus,
    citizen,
    drugs,
    enterprise,
    eport,
    fire,
    food,
    fuel,
    fuel_sector,
    hazardous,
    housing_fund,
    identity,
    identity_card,
    logistics,
    medical,
    parking,
    social_insurance,
    social_security,
    tax,
    telecom,
    tourism,
    transit,
    transit_beijing,
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
    fuel_sector.SECTOR,
    transit.SECTOR,
    transit_beijing.SECTOR,
    social_insurance.SECTOR,
    utilities.SECTOR,
    telecom.SECTOR,
    broadcasting.SECTOR,
    food.SECTOR,
    vehicles.SECTOR,
    housing_fund.SECTOR,
    identity.SECTOR,
    tourism.SECTOR,
    medical.SECTOR,
    fire.SECTOR,
    eport.SECTOR,
    enterprise.SECTOR,
    drugs.SECTOR,
    citizen.SECTOR,
    hazardous.SECTOR,
    tax.SECTOR,
    bank.SECTOR,
    logistics.SECTOR,
)

__all__ = ["PROFILES", "SECTORS"]
