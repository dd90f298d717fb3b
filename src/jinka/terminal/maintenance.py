"""Writing a ride record outside of a purchase, for a service desk: UPDATE RECORD under secure messaging (04 DC).

The maintenance key stays with whoever computes the MAC; the terminal hands over the challenge and the message.
"""

from __future__ import annotations

from typing import Protocol

from jinka.terminal.link import ApduLink, ask, ask_exactly
from jinka.terminal.reading import select
from jinka.terminal.ride import RIDE_SIZE

_RIDE_FILE = 0x1A << 3


class MacProvider(Protocol):
    """Holder of the card's maintenance key."""

    def message_mac(self, card_no: bytes, rand4: bytes, message: bytes) -> bytes:
        """The 4-byte MAC of secure messaging over header and data, initial value ``rand4 | 00..``."""
        ...


def write_ride_state(
    card: ApduLink, mac_provider: MacProvider, *, aid: bytes, card_no: bytes, record_id: int, ride: bytes
) -> None:
    """Replace the ride record by the 48 bytes of `encode_ride`; raises `ChipRefused` and `CardRemoved`."""
    assert len(ride) == RIDE_SIZE
    select(card, aid)
    rand4 = ask_exactly(card, "get challenge", bytes.fromhex("0084000004"), 4)
    body = bytes((record_id, RIDE_SIZE)) + ride
    head = bytes((0x04, 0xDC, record_id, _RIDE_FILE, len(body) + 4))
    ask(card, "update record", head + body + mac_provider.message_mac(card_no, rand4, head + body))
