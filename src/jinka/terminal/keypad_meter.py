"""A meter that is fed by keypad: it takes a token once, and knows tokens by their time (IEC 62055-41, 6.3.5 and 7.3).

Its decoder key is its own, so another meter's token fails the check. Identifiers of the last tokens are kept: one that
is among them was used, one older than all of them (once the register is full) is too old. Credit of one commodity,
clearing, and a key change in two sections; no display codes and no power limit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from jinka.codec import sts as codec
from jinka.crypto import sts
from jinka.kit import Refused

KEPT = 50  # identifiers in the register
_TENTH = 100  # a token says tenths of a unit; the meter counts thousandths: watt-hours or litres


class TokenRefused(Refused):
    """The meter does not take it; ``reason`` is what its display shows."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, where="keypad meter", fix="ask the vendor")
        self.reason = reason


@dataclass(slots=True)
class KeypadMeter:
    """``commodity`` is the subclass of its credit: 0 electricity, 1 water, 2 gas. ``left`` in thousandths."""

    key: bytes
    commodity: int
    left: int = 0
    reading: int = 0
    tariff: int = 1
    _seen: list[int] = field(default_factory=list)
    _first: int | None = None  # the first section of a key change, which waits for the second

    def __repr__(self) -> str:
        return f"KeypadMeter(left={self.left})"

    def enter(self, digits: str) -> int:
        """What is credited; 0 for a token of management. Raises `TokenRefused` and changes nothing then."""
        try:
            token_class, enciphered = codec.read_digits(digits)
            body = codec.body_of(token_class, sts.decipher(self.key, enciphered))
        except Refused:
            raise TokenRefused("REJECT") from None
        said = codec.data_block(token_class, body)
        if token_class == codec.MANAGEMENT and said.subclass in (codec.KEY_FIRST, codec.KEY_SECOND):
            self._change_key(said.subclass, body)
            return 0
        if token_class == codec.CREDIT and said.subclass != self.commodity:
            raise TokenRefused("REJECT")
        if token_class not in (codec.CREDIT, codec.MANAGEMENT) or (
            token_class == codec.MANAGEMENT and said.subclass != codec.CLEAR_CREDIT
        ):
            raise TokenRefused("REJECT")
        self._take(said.tid)
        if token_class == codec.MANAGEMENT:
            self.left = 0
            return 0
        credited = codec.decode_amount(said.amount) * _TENTH
        self.left += credited
        return credited

    def draw(self, amount: int) -> int:
        """What flows before the meter closes."""
        flows = min(amount, self.left)
        self.left -= flows
        self.reading += flows
        return flows

    def _take(self, tid: int) -> None:
        if tid in self._seen:
            raise TokenRefused("USED")
        if len(self._seen) >= KEPT and tid < self._seen[0]:
            raise TokenRefused("OLD")
        self._seen = sorted((*self._seen, tid))[-KEPT:]

    def _change_key(self, subclass: int, body: int) -> None:
        if subclass == codec.KEY_FIRST:
            self._first = body
            return
        if self._first is None:
            raise TokenRefused("FIRST_SECTION")
        self.key, self.tariff, _ = codec.changed_key(self._first, body)
        self._first = None
