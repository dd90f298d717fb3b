"""Terminals name an original by batch and trace number (field 61); centres by its data elements (field 90).

The switch knows both: it finds the original that a terminal names among what the same peer sent, in memory or in the
journal, and gives its data elements as they went to the issuer. One that is not found is passed on as it came.
ISO 8583:1987, field 90; field 61 of UnionPay's terminals is batch 6, trace number 6, date 4.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from jinka.codec.iso8583.message import Message
from jinka.kit import make_id
from jinka.switch.board import Board
from jinka.switch.config import Peer
from jinka.switch.memory import Memory
from jinka.switch.messages import original_elements
from jinka.switch.record import Record
from jinka.switch.transaction import Transaction

_ORIGINAL, _ELEMENTS = 61, 90
_NAMED = 12  # digits of batch and trace number


class Originals:
    """Looks where `Transactions` remembers."""

    def __init__(self, board: Board, memory: Memory) -> None:
        self._board, self._memory = board, memory

    def name(self, peer: Peer, message: Message, then: Callable[[Message], None]) -> None:
        """Give ``then`` the message, with field 90 where it can be told."""
        id_ = place_id(peer.name, message)
        if not id_ or _ELEMENTS in peer.codec.spec.fields:
            then(message)
            return
        known = self._memory.known.get(id_)
        if known is not None:
            then(_with(message, known))
        else:
            self._board.look_up(id_, partial(_found, message, then))


def place_id(peer: str, message: Message) -> bytes:
    """The transaction that a terminal names in field 61; empty when it names none."""
    place = message.text(_ORIGINAL)[:_NAMED]
    if len(place) != _NAMED or not (place.isascii() and place.isdigit()):
        return b""
    return make_id("switch.tx", peer, place[6:], place[:6], message.text(41))


def _found(message: Message, then: Callable[[Message], None], record: Record | None) -> None:
    then(message if record is None else _with(message, Transaction.of(record)))


def _with(message: Message, original: Transaction) -> Message:
    return message.changed({_ELEMENTS: original_elements(original.sent.mti, original.sent)})
