"""Meters of a sector, and the steps at them: cards that are inserted, tokens that are keyed in, readings from afar.

Quantities are watt-hours or litres. The meters of a journey stand there from its first step and keep their state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum

from jinka.declaration.steps import Number, Step


class MeterKind(Enum):
    """How a meter is fed."""

    CARD = "by card"
    KEYPAD = "by keypad token"
    REMOTE = "read from afar"


class Commodity(Enum):
    """What flows; the value is the subclass of a keypad token's credit (IEC 62055-41, 6.2.1)."""

    ELECTRICITY = 0
    WATER = 1
    GAS = 2
    HEAT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """One meter of the sector. ``application`` is that of its cards; ``emergency`` what it lends; ``most_a_day`` what
    can flow through it in a day.
    """

    name: str
    title_en: str
    title_zh: str
    kind: MeterKind
    commodity: Commodity
    number: int
    application: str = ""
    emergency: int = 0
    most_a_day: int = 0


@dataclass(frozen=True, slots=True)
class InsertCard(Step):
    """A card goes into a meter: ``credits`` is what the meter adds, 0 where the order was credited before.

    ``copy`` inserts a copy of the card instead: all that can be read from it, on a chip without its keys.
    """

    card: str
    meter: str
    credits: int = 0
    _: KW_ONLY
    copy: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Consume(Step):
    """Somebody uses so much; ``flows`` is what flows before the meter closes, all of it when None."""

    meter: str
    amount: int
    flows: int | None = None


@dataclass(frozen=True, slots=True)
class CallEmergency(Step):
    """The household asks the meter for its emergency credit."""

    meter: str
    lends: int = 0
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class MeterShows(Step):
    """What the meter's display says; ``remembers``: the words left, reading, owed and bought (since it was put up)."""

    meter: str
    left: int
    reading: int
    owed: int = 0
    _: KW_ONLY
    remembers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplaceMeter(Step):
    """A fitter takes the old meter out and puts the new one in: reading, rest and debt move over."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class SellToken(Step):
    """The vendor makes a token of 20 digits for a keypad meter, ``amount`` in tenths of a unit, kept as ``name``.

    The amount is what a payment remembered (``=name``), and uses that payment up: the next is refused as USED_TWICE.
    """

    name: str
    meter: str
    amount: Number
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class ChangeMeterKey(Step):
    """The vendor makes a key change of two tokens (for another tariff index), and both are keyed in."""

    meter: str
    tariff: int


@dataclass(frozen=True, slots=True)
class KeyIn(Step):
    """Somebody keys a token in; ``wrong`` changes its last digit. ``refused`` is what the display says."""

    token: str
    meter: str
    credits: int = 0
    _: KW_ONLY
    wrong: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class ReadRemotely(Step):
    """A meter's report comes in and is checked; ``remembers``: the words used (since the last one) and
    before (the last reading).

    ``forged`` is a reading that somebody else sends in the meter's name; ``again`` sends the last report once more.
    """

    meter: str
    used: int = 0
    _: KW_ONLY
    remembers: Mapping[str, str] = field(default_factory=dict)
    forged: int | None = None
    again: bool = False
    refused: str = ""
