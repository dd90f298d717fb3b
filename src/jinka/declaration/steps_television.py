"""Channels of a sector, and the steps of conditional access: a card is paired, entitled, and gives control words."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from jinka.declaration.steps import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel, or a title on demand. ``slot`` is the card's key for it; titles share one and are good for a day."""

    code: str
    title_en: str
    title_zh: str
    slot: int
    on_demand: bool = False


@dataclass(frozen=True, slots=True)
class Pair(Step):
    """The installer binds a card to a receiver (a device of the sector): no other will get a control word from it."""

    card: str
    device: str


@dataclass(frozen=True, slots=True)
class Entitle(Step):
    """The head-end renews a card's keys for this month, as far as the subscription's plan and payments allow.

    Where the subscription is not open, the refusal is the reason, and the card's keys are spoilt.
    """

    card: str
    device: str
    name: str
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class BuyTitle(Step):
    """A title on demand goes onto the bill, and its key of today onto the card; ``owner`` is paid."""

    card: str
    device: str
    name: str
    channel: str
    owner: str
    amount: int
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Watch(Step):
    """A scrambled packet of the channel comes in: the card gives its control word, and the picture is clear.

    ``refused`` is NOT_PAIRED or NO_ENTITLEMENT.
    """

    card: str
    device: str
    channel: str
    _: KW_ONLY
    refused: str = ""
