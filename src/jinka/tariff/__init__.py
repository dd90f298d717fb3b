"""Fares as data: facts about one tap in, a charge and the product that explains it out.

A product is a rule (a share of the fare, marginal bands, an amount off), never a list of prices that occurred.
No cards and no I/O here. The facts are those of the T-Union trip record (JT/T 978.2).
"""

from jinka.tariff.body import tariff_from_body, tariff_to_body
from jinka.tariff.engine import (
    ENTRY_PRODUCT,
    Cap,
    Days,
    Period,
    Product,
    Tariff,
    Transfer,
    TransferRule,
    full_price,
)
from jinka.tariff.facts import Charge, HolderClass, Mode, PaidRide, Pricer, RideFacts, RideState, TapKind
from jinka.tariff.fares import LOST_EXIT_PRODUCT, SheetPricer
from jinka.tariff.rules import AmountOff, Bands, Rule, Share

__all__ = [
    "ENTRY_PRODUCT",
    "LOST_EXIT_PRODUCT",
    "AmountOff",
    "Bands",
    "Cap",
    "Charge",
    "Days",
    "HolderClass",
    "Mode",
    "PaidRide",
    "Period",
    "Pricer",
    "Product",
    "RideFacts",
    "RideState",
    "Rule",
    "Share",
    "SheetPricer",
    "TapKind",
    "Tariff",
    "Transfer",
    "TransferRule",
    "full_price",
    "tariff_from_body",
    "tariff_to_body",
]
