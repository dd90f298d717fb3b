"""Card production in bulk: keys derived for all cards at once, images cloned from a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jinka.card import CardImage, CardTemplate, Personal
from jinka.codec import Algorithm
from jinka.keys import card_factor
from jinka.keys.hierarchy import chip_key_name, chip_keys_of
from jinka.keys.port import ChipKeys
from jinka.kit import Refused
from jinka.profile import ApplicationProfile
from jinka.tariff import HolderClass


@dataclass(frozen=True, slots=True, kw_only=True)
class CardOrder:
    """One card to be made. ``ride`` is the ride record that it is to carry, empty for a new card; the dates are BCD."""

    card_no: bytes
    holder: HolderClass
    balance: int
    ride: bytes = b""
    start: bytes = b"\x20\x18\x01\x01"
    expiry: bytes = b"\x20\x40\x12\x31"


def make_cards(
    orders: Sequence[CardOrder],
    *,
    template: CardTemplate,
    algorithm: Algorithm,
    issuer: bytes,
    keys: ChipKeys,
) -> list[CardImage]:
    """Return an image for each order; raises `Refused` when one number is ordered twice."""
    numbers = [order.card_no for order in orders]
    if len(set(numbers)) != len(numbers):
        raise Refused("a card number is ordered twice", where="card order", fix="order each number once")
    if not orders:
        return []
    return [
        template.clone(personal)
        for personal in personal_data(
            orders, profile=template.profile, algorithm=algorithm, issuer=issuer, keys=keys
        )
    ]


def personal_data(
    orders: Sequence[CardOrder],
    *,
    profile: ApplicationProfile,
    algorithm: Algorithm,
    issuer: bytes,
    keys: ChipKeys,
) -> list[Personal]:
    """What makes each card its own, with keys derived for all cards at once."""
    factors = np.frombuffer(b"".join(card_factor(order.card_no) for order in orders), np.uint8).reshape(-1, 8)
    columns = [
        chip_keys_of(keys, chip_key_name(profile, spec, algorithm), factors)
        if not spec.initial  # the same for all, and in the profile
        else np.zeros((len(orders), 0), np.uint8)
        for spec in profile.keys
    ]
    return [
        Personal(
            card_no=order.card_no,
            keys=tuple(column[row].tobytes() for column in columns),
            holder_class=order.holder,
            issuer=issuer,
            start=order.start,
            expiry=order.expiry,
            balance=order.balance,
            ride_record=order.ride,
        )
        for row, order in enumerate(orders)
    ]
