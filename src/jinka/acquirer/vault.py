"""Tokens of cards: a token outside, the sealed number inside, and a keyed hash to find it again.

PCI DSS 4.0, 3.5.1 (`jinka.crypto.number_vault`). A token belongs to one merchant; the same card at two merchants has
two tokens that do not show it. The card value is never kept (3.3.1.2).
"""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass, field

from jinka.crypto.number_vault import NumberVault
from jinka.kit import Refused, Usage, make_id
from jinka.registry.check_digits import luhn_digit

_PAN = re.compile(r"[0-9]{13,19}", re.ASCII)
_EXPIRY = re.compile(r"[0-9]{2}(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """A token as it is kept. ``reusable``: the payer agreed that the merchant may use it again."""

    id: bytes
    merchant: str
    lookup: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    masked: str
    reusable: bool = False
    active: bool = True


class Vault(NumberVault):
    """Makes and opens tokens."""

    __slots__ = ()

    def keep(self, merchant: str, pan: str, expiry4: str, *, reusable: bool = False) -> TokenRecord:
        """A card as a token; raises `Usage` for a number or a date that cannot be."""
        require_pan(pan)
        if not _EXPIRY.fullmatch(expiry4):
            raise Usage("not a year and a month", where="card.expiry", fix="YYMM")
        lookup = self.lookup(merchant, pan, expiry4)
        id_ = make_id("jinka.gateway.token", lookup)
        plain = json.dumps([pan, expiry4]).encode()
        return TokenRecord(
            id=id_, merchant=merchant, lookup=lookup, sealed=self.seal(plain, "token " + id_.hex()),
            masked=mask(pan), reusable=reusable,
        )  # fmt: skip

    def open(self, record: TokenRecord) -> tuple[str, str]:
        """The card number and its expiry (YYMM); raises `Refused` for a record that was tampered with."""
        pan, expiry4 = json.loads(self.unseal(record.sealed, "token " + record.id.hex()))
        if not hmac.compare_digest(self.lookup(record.merchant, pan, expiry4), record.lookup):
            raise Refused("not this merchant's token", where="token")
        return pan, expiry4

    def lookup(self, merchant: str, pan: str, expiry4: str) -> bytes:
        """HMAC-SHA256 by which the same card of a merchant is found again."""
        text = json.dumps([merchant, pan, expiry4]).encode()
        return self.digest(text)


def require_pan(pan: str) -> None:
    """Raise `Usage` unless it can be a card number; the message does not repeat it."""
    if not _PAN.fullmatch(pan) or luhn_digit(pan[:-1]) != pan[-1]:
        raise Usage("not a card number", where="card.number", fix="13 to 19 digits with their check digit")


def mask(pan: str) -> str:
    """First six and last four digits at most (PCI DSS 3.4.1)."""
    return f"{pan[:6]}******{pan[-4:]}"
