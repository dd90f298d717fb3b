"""Blocking: an application for a time or for good, and the whole card (FMCOS 2.0 user manual; class 84).

Each carries a MAC under the application's maintenance key over a fresh challenge. A blocked application answers 6A81 to
everything but SELECT, GET CHALLENGE and, unless it is blocked for good, APPLICATION UNBLOCK; a blocked card to
everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinka.card.access import open_message
from jinka.card.files import BLOCKED, BLOCKED_FOR_GOOD, CARD_BLOCKED, CARD_STATE, SEALED, STATE, CardError
from jinka.codec import Command, StatusWord

if TYPE_CHECKING:
    from jinka.card.cos import CardOs, Handler

WHILE_BLOCKED = frozenset({(0x00, 0xA4), (0x00, 0x84), (0x84, 0x18)})


def application_block(card: CardOs, command: Command) -> bytes:
    """APPLICATION BLOCK: P2 00 for a time, 01 for good."""
    if command.p1 or command.p2 > 1:
        raise CardError(StatusWord.P1P2_WRONG)
    _require_mac_alone(card, command)
    _set_state(card, BLOCKED_FOR_GOOD if command.p2 else BLOCKED)
    return b""


def application_unblock(card: CardOs, command: Command) -> bytes:
    """APPLICATION UNBLOCK; 9303 when it was blocked for good, 6985 when it is not blocked."""
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    state = card.nvm.memory[card.folder.header + STATE]
    if state == BLOCKED_FOR_GOOD:
        raise CardError(StatusWord.APPLICATION_LOCKED)
    if state != BLOCKED:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    _require_mac_alone(card, command)
    _set_state(card, SEALED)
    return b""


def card_block(card: CardOs, command: Command) -> bytes:
    """CARD BLOCK: the card answers 6A81 from now on."""
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    _require_mac_alone(card, command)
    card.nvm.commit([(CARD_STATE, bytes((CARD_BLOCKED,)))])
    return b""


def _require_mac_alone(card: CardOs, command: Command) -> None:
    if len(command.data) != 4:
        raise CardError(StatusWord.WRONG_LENGTH)
    open_message(card, command)


def _set_state(card: CardOs, state: int) -> None:
    card.nvm.commit([(card.folder.header + STATE, bytes((state,)))])


TABLE: dict[tuple[int, int], Handler] = {
    (0x84, 0x1E): application_block,
    (0x84, 0x18): application_unblock,
    (0x84, 0x16): card_block,
}
