"""The steps of journeys: what somebody does, and what must come of it. Inert; `jinka.app.sector_run` plays them.

Times are the place's local time, ``08:30`` of the journey's date, or ``+2 08:30`` two days later; a step without one
happens a minute after the last. Amounts are minor units of the purse or account. A step that names ``refused`` must
be refused for that reason, and nothing may have moved. ``=name`` in an amount, a value or a fact is what an earlier
step remembered under that name; ``=days since 2026-03-24`` and ``=minutes since 2026-04-03`` ask the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from jinka.tariff import TapKind

Number = int | str


@dataclass(frozen=True, slots=True)
class Step:
    """What all steps have."""

    _: KW_ONLY
    at: str = ""


@dataclass(frozen=True, slots=True)
class Tell(Step):
    """A sentence between steps, for the reader."""

    en: str
    zh: str


# Purses


@dataclass(frozen=True, slots=True)
class Load(Step):
    """Money goes onto a card at a load counter, by the issuer's leave (JR/T 0025.1, load)."""

    card: str
    device: str
    amount: Number
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Tap(Step):
    """A card is held to a purse terminal: boarded or paid at once, in, or out (JR/T 0025.1, composite purchase).

    ``gross`` is what the till asks where the device has no fare of its own; ``pays`` is what must be debited.
    ``refused`` is a status of the terminal: BLOCKED, REFUSED, NEEDS_LOAD. ``torn`` pulls the card away before the
    terminal hears that it was debited; the next tap there settles it. ``remembers`` keeps what was ``paid`` and the
    ``balance`` under names; one that is refused or torn leaves nothing there.
    """

    card: str
    device: str
    pays: Number | None = None
    _: KW_ONLY
    kind: TapKind = TapKind.BOARD
    gross: Number = 0
    line: int = 0
    stop: int = 0
    refused: str = ""
    torn: bool = False
    remembers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Holds(Step):
    """What the card itself says that it holds; ``remembers`` keeps it under a name."""

    card: str
    amount: int
    _: KW_ONLY
    application: str = ""
    remembers: str = ""


@dataclass(frozen=True, slots=True)
class List(Step):
    """A card goes onto the list that all devices obey from now on, or off it."""

    card: str
    _: KW_ONLY
    blocked: bool = True


@dataclass(frozen=True, slots=True)
class MoveBalance(Step):
    """What an old card holds goes onto a new one: unloaded at a counter, loaded at it. Both applications may differ."""

    old: str
    new: str
    device: str
    amount: int
    _: KW_ONLY
    new_device: str = ""


# Applications on a card


@dataclass(frozen=True, slots=True)
class Block(Step):
    """An authority locks its own application on a card, or lets it live again; the others notice nothing."""

    card: str
    application: str
    _: KW_ONLY
    blocked: bool = True


@dataclass(frozen=True, slots=True)
class Replace(Step):
    """A new card for a lost one, which is listed: each authority puts its own application onto it from its own files.

    ``applications`` are those that come now, all when empty. A purse's balance is what the issuer's books say, once
    ``claim_days`` have passed since the loss and all that was heard of is cleared. Refused is NOT_LISTED, CLAIM_PERIOD
    or NOT_CLEARED.
    """

    lost: str
    new: str
    _: KW_ONLY
    applications: tuple[str, ...] = ()
    claim_days: int = 7
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Issue(Step):
    """A card of the journey is issued now, and not before it begins: entered in the register, then personalised.

    ``maker`` and ``made`` (chip, chip_version, os, os_version) are the blank's where it is not the usual one,
    ``fee`` is what the holder is asked for, which goes to ``paid_to``. Refused are the codes of all that is missing:
    NOT_GRANTED, OTHER_SCOPE, FEE.
    """

    card: str
    _: KW_ONLY
    maker: str = ""
    made: Mapping[str, str] = field(default_factory=dict)
    fee: int = 0
    paid_to: str = ""
    refused: str = ""


# Records and rights


@dataclass(frozen=True, slots=True)
class Write(Step):
    """An authority writes records of its application on a card, under its own key.

    Refused is REFUSED by the card or host, or NOT_ITS_OWN where the application is none of the device's.
    """

    card: str
    device: str
    values: Mapping[str, str]
    _: KW_ONLY
    pin: str = ""
    application: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Reads(Step):
    """A device reads records from the card; each must be what is said here, and ``refused`` names those it may not
    read: by the card (``reason`` READ), or since the application is none of the device's (NOT_ITS_OWN).
    """

    card: str
    device: str
    values: Mapping[str, str] = field(default_factory=dict)
    _: KW_ONLY
    pin: str = ""
    application: str = ""
    refused: tuple[str, ...] = ()
    reason: str = "READ"
    remembers: Mapping[str, str] = field(default_factory=dict)  # name -> record


@dataclass(frozen=True, slots=True)
class Admit(Step):
    """A device judges a right by the card's records and the facts that it knows; its use is written back.

    ``remembers`` keeps under names what was found: the records that were judged, ``card`` (its number), ``admitted``.
    One that is refused is forgotten under these names.

    ``torn`` pulls the card away when it has written and before the device hears of it: nobody is admitted. Shown there
    again within a minute, that use is finished and costs nothing more.
    """

    card: str
    device: str
    entitlement: str
    _: KW_ONLY
    facts: Mapping[str, str] = field(default_factory=dict)
    pin: str = ""
    refused: str = ""
    remembers: Mapping[str, str] = field(default_factory=dict)
    torn: bool = False


# Tables and money


@dataclass(frozen=True, slots=True)
class Assess(Step):
    """A sheet is filled; lines that name a payer and a payee move money between accounts, if ``posts``.

    The sheet may be of a sector that this one composes: ``tax:monthly``.

    ``remembers`` keeps lines and facts under names, to be facts of later steps (write them as ``=name``).

    ``spends`` are names that earlier steps must have remembered, and that are used up when it is done: a visit, a sale
    or a payment settles once. What is not there is refused as NOT_SHOWN, what was used already as USED_TWICE; and one
    that is refused leaves nothing behind under the names that it would remember.
    """

    sheet: str
    facts: Mapping[str, Number]
    gives: Mapping[str, int]
    _: KW_ONLY
    posts: bool = True
    refused: str = ""
    remembers: Mapping[str, str] = field(default_factory=dict)
    spends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move(Step):
    """Money moves from one account to another."""

    payer: str
    payee: str
    amount: Number
    why_en: str
    why_zh: str
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Stands(Step):
    """What an account stands at: what it holds; what somebody outside has paid in counts below zero.

    ``remembers`` keeps it under a name.
    """

    account: str
    amount: int
    _: KW_ONLY
    remembers: str = ""


@dataclass(frozen=True, slots=True)
class Clear(Step):
    """The day's records are cleared, posted and settled (`jinka.clearing.day`). Positions add up to zero.

    ``earns`` is what each party earned of charges and subsidies, before fees; ``pays`` what each paid in: load agents
    what was loaded, others the discounts that they bear. Who is not named has earned or paid in nothing. Charges are
    paid by the issuer's float, and fees follow from the sector's rates. ``rejected`` maps reasons to counts.
    """

    earns: Mapping[str, int] = field(default_factory=dict)
    pays: Mapping[str, int] = field(default_factory=dict)
    _: KW_ONLY
    rejected: Mapping[str, int] = field(default_factory=dict)
