"""What an issuer is asked when a purse is loaded, and what a load's MACs bind (JR/T 0025.1, INITIALIZE FOR LOAD).

The terminal makes it of the card's answer; the issuer reads it, from the terminal or out of a message.
"""

from __future__ import annotations

from dataclasses import dataclass

from jinka.codec.record import Algorithm, TransactionType


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """The card's answer to INITIALIZE FOR LOAD with what it was asked. ``key_version`` is that of the load key."""

    card_no: bytes
    algorithm: Algorithm
    key_version: int
    rand4: bytes
    online_counter: int
    balance: int
    amount: int
    terminal_id: bytes
    local_date: bytes
    local_time: bytes
    mac1: bytes
    txn_type: int = TransactionType.EP_LOAD

    @property
    def factor8(self) -> bytes:
        """The factor of the card's keys."""
        return self.card_no[2:]

    @property
    def mac1_data(self) -> bytes:
        """balance 4 | amount 4 | type 1 | terminal 6: what the card's MAC1 binds."""
        return self.balance.to_bytes(4, "big") + self._head

    @property
    def mac2_data(self) -> bytes:
        """amount 4 | type 1 | terminal 6 | date 4 | time 3: what the issuer's MAC2 binds."""
        return self._head + self.local_date + self.local_time

    @property
    def _head(self) -> bytes:
        return self.amount.to_bytes(4, "big") + bytes((self.txn_type,)) + self.terminal_id
