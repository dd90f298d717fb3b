"""What a terminal knows when it prices a ride, and what it gets back.

The terminal (room `terminal`) reads these facts from the card and from itself; the engine (`tariff.engine`) turns
them into a charge. Amounts are fen, times are the card's local time without a zone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


class Mode(IntEnum):
    """The industry byte of the T-Union trip record (JT/T 978.2): 01 metro, 02 bus; the others are Jinka's numbers."""

    METRO = 1
    BUS = 2
    TAXI = 0x11
    FERRY = 0x12
    BIKE = 0x13
    PARKING = 0x14
    TOLL = 0x15
    SHOP = 0x16  # anything paid once, at once: a canteen, a machine, a counter
    GATE = 0x17  # a door, a museum, a park


class TapKind(IntEnum):
    """The type byte of the T-Union trip record: 03 in, 04 out, 06 a single ride paid on boarding."""

    ENTRY = 3
    EXIT = 4
    BOARD = 6


class HolderClass(IntEnum):
    """The first byte of file 0016 (card type), as Jinka's transit profile numbers the classes."""

    ORDINARY = 1
    HALF_FARE = 2  # pupils, and others with half fare
    FREE = 3  # seniors, disabled persons, service staff
    FULL_FARE = 4  # rides without any discount, such as the business carriage


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidRide:
    """The ride before this one, as far as a transfer discount asks: how, on which line, and when it was paid."""

    mode: Mode
    line: int
    at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RideState:
    """What the card's ride record (001A) says: the last tap, and the paid ride before it.

    After an ENTRY, ``before`` is the paid ride that came before the entry; after BOARD or EXIT the last tap is itself
    the last paid ride and ``before`` is not used for pricing.
    """

    kind: TapKind
    mode: Mode
    line: int  # 3 bytes
    station: int  # 4 bytes; 0 when unknown
    at: dt.datetime
    before: PaidRide | None = None

    @property
    def last_paid(self) -> PaidRide | None:
        """The last ride that was paid, seen from the next tap."""
        if self.kind is TapKind.ENTRY:
            return self.before
        return PaidRide(mode=self.mode, line=self.line, at=self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class RideFacts:
    """One tap to be priced. ``state`` is None for a card that never rode; an EXIT after an ENTRY uses its time."""

    mode: Mode
    kind: TapKind
    line: int
    station: int
    gross_fare: int
    holder: HolderClass
    state: RideState | None
    at: dt.datetime
    rest_day: bool = False  # by the terminal's calendar
    spent_today: int = 0  # by the card's own record, where it keeps one
    spent_month: int = 0


@dataclass(frozen=True, slots=True)
class Charge:
    """The amount to debit and the product of the tariff that explains it.

    ``gross`` is the fare before discounts where the pricer worked it out itself, such as a distance's or an hour's.
    """

    amount: int
    product: str
    gross: int | None = None


class Pricer(Protocol):
    """What a terminal needs of a tariff."""

    def price(self, facts: RideFacts) -> Charge:
        """Return the charge; raises `Usage` when no product of the tariff applies."""
        ...
