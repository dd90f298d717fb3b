"""Blocking: an application for a time or for good, and the whole card (FMCOS 2.0 user manual; class 84).

Each carries a MAC under the application's maintenance key over a fresh challenge. A blocked application answers 6A81 to
everything but SELECT, GET CHALLENGE and, unless it is blocked for good, APPLICATION UNBLOCK; a blocked card to
everything. On a card with security domains only the issuer's own applications block the whole card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinka.card.access import open_message
from jinka.card.domains import Registry
from jinka.card.files import (
    BLOCKED,
    BLOCKED_FOR_GOOD,
    CARD_BLOCKED,
    CARD_STATE,
    ISSUER_AID,
    SEALED,
    STATE,
    CardError,
)
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
    """CARD BLOCK: the card answers 6A81 from now on; 6982 from an application of another authority."""
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    require_whole_card(card)
    _require_mac_alone(card, command)
    card.nvm.commit([(CARD_STATE, bytes((CARD_BLOCKED,)))])
    return b""


def require_whole_card(card: CardOs) -> None:
    """6982 where the card has an issuer domain and the current application is not the issuer's."""
    directory = card.directory
    if ISSUER_AID not in directory.by_name:
        return
    registry, folder = Registry(card.nvm.memory, directory), card.folder
    while folder.parent is not None and folder.header not in registry.records:
        folder = folder.parent
    record = registry.records.get(folder.header)
    if record is None or record.owner != registry.issuer.header:
        raise CardError(StatusWord.SECURITY_NOT_SATISFIED)


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
