"""The cards of a small network: numbers of no bank, PINs, card values, and chips that their issuer's host knows.

A card has a stripe and a chip (JR/T 0025, EMV) under keys that come down from the issuer's masters, and a PIN whose
reference the key service makes. It proves nothing to a terminal without a network: that takes an authority
(`jinka issue`). Simulated: values that only a holder should know are told to whoever has the folder.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinka.app.card_files import bank_template, write_sealed
from jinka.card.emv_issue import EmvHolder
from jinka.codec import Algorithm
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.pin_block import PinFormat, PinZone, encipher_pin
from jinka.issuer.bank_production import make_bank_cards
from jinka.keys import KeyName, SoftKeyService
from jinka.keys.catalogue import KeyRecord
from jinka.keys.provider import KeyKind
from jinka.node.system import SystemRandomness
from jinka.registry.check_digits import luhn_digit
from jinka.sectors import bank

PREFIX = "6299"  # no bank's
PVK, CVK = "pin_verify/TDES/1", "card_verify/TDES/1"
OPENING_FEN = 1_000_000
_SEQUENCE = 1
_FIRST, _YEARS = dt.date(2018, 1, 1), 4  # of validity
_PRINTED, _STRIPE = (
    "000",
    "201",
)  # service codes: of the value on the card's back, and of a stripe beside a chip
_DESK = "zone_pin/TDES/1@desk"  # PINs of this set-up travel under it, and it is forgotten at its end


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCard:
    """One card, with what only its holder should know."""

    pan: str
    expiry: dt.date
    account: str
    pin: str = field(repr=False)
    card_value: str = field(repr=False)
    stripe_value: str = field(repr=False)
    reference: str = field(repr=False)

    @property
    def expiry4(self) -> str:
        """YYMM."""
        return f"{self.expiry:%y%m}"

    @property
    def track2(self) -> str:
        """What a stripe reader reads (ISO/IEC 7813)."""
        return f"{self.pan}={self.expiry4}{_STRIPE}{'0' * 5}{self.stripe_value}"

    def __repr__(self) -> str:
        return f"NewCard({self.pan[:6]}******{self.pan[-4:]})"


def new_card(keys: SoftKeyService, number: int, date: dt.date) -> NewCard:
    """The card with that number: its PIN is drawn, its references are the key service's."""
    randomness = SystemRandomness()
    body = f"{PREFIX}{number:011d}"
    pan, expiry = body + luhn_digit(body), _end(date)
    pin = f"{int.from_bytes(randomness.token_bytes(8), 'big') % 1_000_000:06d}"
    values = {
        service: keys.make_card_value(key=CVK, pan=pan, date4=f"{expiry:%y%m}", service3=service)
        for service in (_PRINTED, _STRIPE)
    }
    return NewCard(
        pan=pan,
        expiry=expiry,
        account=f"A{number + 1}",
        pin=pin,
        card_value=values[_PRINTED],
        stripe_value=values[_STRIPE],
        reference=_reference(keys, pan, pin),
    )


def write_chips(cards: Sequence[NewCard], folder: Path, keys: SoftKeyService) -> None:
    """The chips as sealed images, as `jinka pos --card` takes them; each with keys under the service's masters."""
    holders = [
        EmvHolder(pan=card.pan, sequence=_SEQUENCE, effective=_FIRST, expiry=card.expiry, pin=card.pin)
        for card in cards
    ]
    images = make_bank_cards(holders, spec=bank.SPEC, template=bank_template(Algorithm.TDES), masters=keys)
    for number, image in enumerate(images, 1):
        write_sealed(folder / chip(number), image.to_bytes(), f"jinka.serve/1|card {number}", keys)


def issuer_rows(cards: Sequence[NewCard]) -> str:
    """The cards as `jinka issuer cards` takes them."""
    head = "pan,account,expiry4,chip,sequence,pin_reference,opening_fen"
    rows = [f"{c.pan},{c.account},{c.expiry4},1,{_SEQUENCE:02d},{c.reference},{OPENING_FEN}" for c in cards]
    return "\n".join([head, *rows]) + "\n"


def holder_rows(cards: Sequence[NewCard]) -> str:
    """What the holders' letters would say."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(["number", "expiry_yymm", "card_value", "pin", "account", "balance_fen", "track2", "chip"])
    for number, card in enumerate(cards, 1):
        lines.writerow(
            [card.pan, card.expiry4, card.card_value, card.pin, card.account, OPENING_FEN, card.track2, chip(number)]
        )  # fmt: skip
    return out.getvalue()


def chip(number: int) -> str:
    """Where in the folder the chip of the n-th card lies."""
    return f"cards/{number}.jcs"


def _reference(keys: SoftKeyService, pan: str, pin: str) -> str:
    randomness, desk = SystemRandomness(), KeyName.parse(_DESK)
    value = randomness.token_bytes(16)
    keys.holding.working.keys.add(
        KeyRecord(name=desk, check=""), keys.holding.provider.load(KeyKind.TDES, value)
    )
    try:
        zone = PinZone(key=BlockKey(cipher=BlockCipher.TDES, value=value), format=PinFormat.ISO_0)
        block = encipher_pin(zone, pin, pan, randomness)
        return keys.make_pvv(block, zone=_DESK, zone_format=PinFormat.ISO_0, pan=pan, key=PVK, index=1)
    finally:
        keys.holding.working.keys.drop(desk)


def _end(date: dt.date) -> dt.date:
    """The last day of the month in which cards of that day expire."""
    first = dt.date(date.year + _YEARS, date.month, 1)
    return (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
