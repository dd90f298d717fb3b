"""Approving in an issuer's place while it cannot be reached: declared kinds, amounts and lists, and nothing else.

Limits count what was approved here, for each card and business date; a reversal gives it back. The advice of each
approval goes into store-and-forward in the same journal entry, so that the issuer hears of it or someone looks.
"""

from __future__ import annotations

from jinka.codec.iso8583.message import Message
from jinka.kit import make_id
from jinka.switch.codes import APPROVED, EXPIRED, ISSUER_DOWN, NOT_ENOUGH
from jinka.switch.config import StandIn
from jinka.switch.kinds import Kind
from jinka.switch.record import account_of

NOTE = "stand-in"
_CARDS_MAX = 1 << 20


class StandInBook:
    """What was approved for each card today."""

    def __init__(self) -> None:
        self._date = ""
        self._sums: dict[tuple[str, str], tuple[int, int]] = {}

    def decide(self, issuer: str, rules: StandIn | None, kind: Kind, message: Message, date: str) -> str:
        """The response code: approved only if every rule allows it. Nothing is counted yet."""
        if rules is None or not kind.stand_in or kind.name not in rules.kinds:
            return ISSUER_DOWN
        pan, amount = account_of(message), message.text(4)
        if not amount.isdigit() or (52 in message.fields and not rules.with_pin) or pan in rules.blocked:
            return ISSUER_DOWN
        expiry = message.text(14) or message.text(35).upper().replace("D", "=").partition("=")[2][:4]
        if expiry and expiry < date[2:4] + date[5:7]:
            return EXPIRED
        spent, count = self._of(issuer, pan, date)
        if (
            int(amount) > rules.each_fen
            or spent + int(amount) > rules.card_fen
            or count + 1 > rules.card_count
            or (len(self._sums) >= _CARDS_MAX and not count)
        ):
            return NOT_ENOUGH
        return APPROVED

    def add(self, issuer: str, pan: str, date: str, amount_fen: int) -> None:
        """Count an approval."""
        spent, count = self._of(issuer, pan, date)
        if date == self._date:
            self._sums[issuer, pan] = spent + amount_fen, count + 1

    def take_back(self, issuer: str, pan: str, date: str, amount_fen: int) -> None:
        """Undo an approval of today."""
        spent, count = self._of(issuer, pan, date)
        if date == self._date and count:
            self._sums[issuer, pan] = max(0, spent - amount_fen), count - 1

    def _of(self, issuer: str, pan: str, date: str) -> tuple[int, int]:
        if date > self._date:
            self._date, self._sums = date, {}
        return self._sums.get((issuer, pan), (0, 0)) if date == self._date else (0, 0)


def approval_code(tx: bytes) -> str:
    """Field 38 of what was approved here: it can be told from the transaction alone."""
    return f"S{int.from_bytes(make_id('switch.approval', tx)[:4], 'big') % 100_000:05d}"
