"""Steps of phones: a USIM and a network authenticate each other, and a purse pays what a table says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass

from jinka.declaration.steps import Number, Step


@dataclass(frozen=True, slots=True)
class Attach(Step):
    """A phone with this SIM is switched on; card and network prove themselves (3GPP TS 33.102, 6.3).

    The SIM of a name is made when it is first used: ``application`` names its profile. ``false_network`` does not know
    the subscriber's key. ``restored`` first takes the home network's numbers back to an old copy, so that the card has
    to make it go on behind its own. ``refused`` is NETWORK_FALSE, CARD_FALSE, OUT_OF_STEP or REFUSED.
    """

    sim: str
    application: str
    _: KW_ONLY
    pin: str = "1234"
    false_network: bool = False
    restored: bool = False
    resynchronises: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class PayBySheet(Step):
    """A device fills a sheet, and takes its result from a purse. ``refused`` is a status of the terminal."""

    card: str
    device: str
    sheet: str
    facts: Mapping[str, Number]
    pays: int | None = None
    _: KW_ONLY
    refused: str = ""
