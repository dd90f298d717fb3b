"""What was taken back of a sale, or done with a hold: so that nothing is taken back of it a second time.

By field 90 (ISO 8583:1987) of the voids, refunds and completions that this worker remembers (`jinka.switch.memory`): of
what another worker approved, or what was forgotten, the issuer alone can tell. A completion that was voided leaves its
hold as it was.
"""

from __future__ import annotations

from jinka.codec.iso8583.message import Message
from jinka.switch import codes
from jinka.switch.kinds import (
    BILL,
    COMPLETION,
    COMPLETION_ADVICE,
    COMPLETION_VOID,
    OFFLINE,
    PRE_AUTH_VOID,
    PURCHASE,
    REFUND,
    VOID,
)
from jinka.switch.record import account_of
from jinka.switch.states import TxState
from jinka.switch.transaction import Transaction

_TAKERS = frozenset({VOID, PRE_AUTH_VOID, COMPLETION_VOID, REFUND, COMPLETION, COMPLETION_ADVICE})
_REFUNDED = frozenset({PURCHASE, COMPLETION, COMPLETION_ADVICE, OFFLINE, BILL})
_UNDONE = frozenset({TxState.DECLINED, TxState.REVERSING, TxState.REVERSED})

Name = tuple[str, str, str, str]


class Taken:
    """By the data elements of the original, as they went to the issuer."""

    def __init__(self) -> None:
        self._of: dict[Name, dict[bytes, Transaction]] = {}

    def note(self, tx: Transaction) -> None:
        """It is approved."""
        name = _original(tx)
        if name is not None:
            self._of.setdefault(name, {})[tx.id] = tx

    def drop(self, tx: Transaction) -> None:
        """It was taken back itself, or is forgotten."""
        name = _original(tx)
        takers = self._of.get(name) if name is not None else None
        if name is not None and takers is not None:
            takers.pop(tx.id, None)
            if not takers:
                del self._of[name]

    def fen(self, original: Transaction) -> int:
        """How much of it was voided, refunded or completed."""
        takers = self._of.get(_name(original), {})
        return sum(taker.amount_fen for taker in takers.values() if not self.fen(taker))

    def refusal(self, refund: Message, original: Transaction) -> str:
        """The code when a refund cannot be of that sale."""
        other = account_of(original.sent) != account_of(refund)
        if original.kind not in _REFUNDED or original.state in _UNDONE or other:
            return codes.INVALID_TRANSACTION
        asked = int(refund.text(4)) if refund.text(4).isdigit() else 0
        if self.fen(original) + asked > original.amount_fen:
            return codes.ORIGINAL_AMOUNT_WRONG
        return ""


def _name(tx: Transaction) -> Name:
    return tx.source, tx.sent.text(11), tx.sent.text(7).zfill(10), tx.sent.text(41)


def _original(tx: Transaction) -> Name | None:
    data = tx.sent.text(90)
    if len(data) != 42 or tx.kind not in _TAKERS:
        return None
    return tx.source, data[4:10], data[10:20], tx.sent.text(41)
