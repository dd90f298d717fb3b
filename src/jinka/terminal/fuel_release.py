"""The online release of a grey card: what a terminal asks of the card and of the issuer (JR/T 0025.9, CJ/T 304).

INITIALIZE FOR GREY UNLOCK and GREY UNLOCK, under the unload key that the issuer alone has. The host keeps what it
authorised under card and online counter, so that the card's MAC3 can come later, and from any terminal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from jinka.codec import Algorithm
from jinka.terminal.link import ApduLink, ask_exactly
from jinka.terminal.reading import card_algorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequest:
    """The card's answer to INITIALIZE FOR GREY UNLOCK; ``mac1`` binds ``mac1_data`` under the unload key."""

    card_no: bytes
    algorithm: Algorithm
    key_version: int
    rand4: bytes
    online_counter: int
    offline_counter: int
    balance: int
    type: int
    terminal_id: bytes
    moment: bytes
    mac1: bytes

    @property
    def factor8(self) -> bytes:
        """The factor of the card's keys."""
        return self.card_no[2:]

    @property
    def mac1_data(self) -> bytes:
        """balance 4 | offline counter 2 | type 1 | terminal 6."""
        seen = self.balance.to_bytes(4, "big") + self.offline_counter.to_bytes(2, "big")
        return seen + bytes((self.type,)) + self.terminal_id

    def mac2_data(self, amount: int) -> bytes:
        """amount 4 | type 1 | terminal 6 | date 4 | time 3."""
        return amount.to_bytes(4, "big") + bytes((self.type,)) + self.terminal_id + self.moment

    def mac3_data(self, amount: int) -> bytes:
        """new balance 4 | online counter before 2 | what MAC2 binds."""
        left = (self.balance - amount).to_bytes(4, "big")
        return left + self.online_counter.to_bytes(2, "big") + self.mac2_data(amount)


class ReleaseAuthority(Protocol):
    """The issuer's host: it knows from the pumps' claims what each grey card owes."""

    def release(self, request: ReleaseRequest) -> tuple[int, bytes]:
        """Check MAC1; return (amount, MAC2). Raises `Refused`."""
        ...

    def released(self, card_no: bytes, online_counter: int, mac3: bytes) -> None:
        """Check MAC3 of what was authorised for this card and counter, and take the claim as paid. Raises `Refused`."""
        ...


def ask_release(
    card: ApduLink,
    card_no: bytes,
    *,
    purse: int,
    key_index: int,
    txn_type: int,
    terminal_id: bytes,
    moment: bytes,
) -> ReleaseRequest:
    """INITIALIZE FOR GREY UNLOCK; raises `ChipRefused` for a card that is not grey."""
    step = "initialize for grey unlock"
    begin = bytes((0xE0, 0x7A, 0x09, purse, 7, key_index)) + terminal_id + b"\x12"
    opened = ask_exactly(card, step, begin, 18)
    return ReleaseRequest(
        card_no=card_no,
        algorithm=card_algorithm(opened[9], step),
        key_version=opened[8],
        rand4=opened[10:14],
        online_counter=int.from_bytes(opened[6:8], "big"),
        offline_counter=int.from_bytes(opened[4:6], "big"),
        balance=int.from_bytes(opened[:4], "big"),
        type=txn_type,
        terminal_id=terminal_id,
        moment=moment,
        mac1=opened[14:],
    )


def grey_unlock(card: ApduLink, request: ReleaseRequest, amount: int, mac2: bytes, *, is_7c: bool) -> bytes:
    """GREY UNLOCK; returns MAC3. After `CardRemoved` the lock proof tells whether it happened."""
    command = bytes((0xE0, 0x7C if is_7c else 0x7E, 0x09, 0x00, 0x0F))
    return ask_exactly(
        card, "grey unlock", command + amount.to_bytes(4, "big") + request.moment + mac2 + b"\x04", 4
    )
