"""Steps of fuel cards: locked at the pump, filled, released there or later; a fleet's master card and its sub-cards.

JR/T 0025.9. A pump is a device of kind PUMP; several pumps of one ``station`` know one another's claims at once, other
stations' after a while (`jinka.terminal.FuelDevice.elsewhere_after`).
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from jinka.declaration.steps import Number, Step


@dataclass(frozen=True, slots=True)
class Lock(Step):
    """The purse is locked before the nozzle opens. ``torn``: the card is pulled before it answers, and nothing flows.

    ``pays`` is what an own claim of this pump takes instead, when the card comes back. ``refused`` is a status of the
    pump: GREY (locked elsewhere), BLOCKED, REFUSED (a grade that the card does not buy).
    """

    card: str
    device: str
    pays: int | None = None
    _: KW_ONLY
    refused: str = ""
    torn: bool = False


@dataclass(frozen=True, slots=True)
class Fill(Step):
    """The nozzle is back: what was filled becomes a claim. ``refused`` REFUSED: more than the card may pay."""

    card: str
    device: str
    amount: Number
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Unlock(Step):
    """The card pays a pump's claim and is free again, at that pump or, by ``pump``, at another.

    ``torn`` pulls it away before the pump hears that it paid.
    """

    card: str
    device: str
    pays: Number
    _: KW_ONLY
    pump: str = ""
    refused: str = ""
    torn: bool = False


@dataclass(frozen=True, slots=True)
class UnlockOnline(Step):
    """The issuer releases a grey card at an office, for the claim of ``pump``; ``told`` when that claim has arrived."""

    card: str
    device: str
    pump: str
    pays: int = 0
    _: KW_ONLY
    told: bool = True
    refused: str = ""


@dataclass(frozen=True, slots=True)
class FundMaster(Step):
    """A fleet pays money onto its master card's passbook, which opens with the PIN."""

    master: str
    device: str
    amount: int
    _: KW_ONLY
    pin: str


@dataclass(frozen=True, slots=True)
class Distribute(Step):
    """Money goes from a master card's passbook onto a sub-card's purse, with the master's PIN."""

    master: str
    sub: str
    device: str
    amount: int
    _: KW_ONLY
    pin: str
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Restrict(Step):
    """A fleet says what a sub-card may buy (file 001C): grades, a bit each, and the most for one refuelling."""

    card: str
    device: str
    grades: int
    most: int
