"""Issuer scripts: PUT DATA, UPDATE RECORD, APPLICATION BLOCK and UNBLOCK, CARD BLOCK, PIN CHANGE/UNBLOCK.

EMV Book 3, 6.5 and 10.10; JR/T 0025.5 (secure messaging). Each command carries 4 bytes of MAC under the transaction's
session key, bound to its counter and first cryptogram, so no script outlives its transaction. The effect, the count of
scripts and the tries of the MAC key are written together. A blocked application takes scripts after an AAC.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from jinka.card import file_access
from jinka.card.access import find_key, key_bytes, restore_tries, spend_try
from jinka.card.emv_data import (
    ECASH_MOST,
    ELEMENTS,
    FLAGS,
    SCRIPTS,
    EmvBase,
    Flag,
    Kind,
    Stage,
    applet_of,
)
from jinka.card.files import CARD_STATE, KEY_HEAD, KEY_TRIES, CardError, find_record
from jinka.card.lifecycle import require_whole_card
from jinka.card.nvm import Entry
from jinka.codec import Command, StatusWord, parse
from jinka.codec.emv_tags import Form, Tag, form_of
from jinka.codec.tlv import TlvError
from jinka.crypto import emv
from jinka.kit import Refused
from jinka.profile import FileKind, KeyUse

if TYPE_CHECKING:
    from jinka.card.cos import CardOs, Handler

_MAC = 4
_SCRIPTS_MAX = 15
_BY_NUMBER = 4
_PIN_SIZE = 8
_RECORD_FILES = range(1, 11)
_UNBLOCK, _CHANGE_WITH_OLD, _CHANGE = 0x00, 0x01, 0x02


def put_data(card: CardOs, command: Command) -> bytes:
    """PUT DATA: a limit, or the electronic cash, which is never more than its limit."""
    applet, body = _opened(card, command)
    tag = command.p1 << 8 | command.p2
    element = ELEMENTS.get(tag)
    if element is None or not element[2]:
        raise CardError(StatusWord.REFERENCE_NOT_FOUND)
    at, size, _ = element
    if len(body) != size:
        raise CardError(StatusWord.WRONG_LENGTH)
    if size == 6 and form_of(tag) is Form.NUMERIC:
        if not body.hex().isdigit():
            raise CardError(StatusWord.DATA_WRONG)
        if tag == Tag.ECASH_BALANCE and int(body.hex()) > applet.money(ECASH_MOST):
            raise CardError(StatusWord.DATA_WRONG)
    _commit(applet, [applet.entry(at, body)])
    return b""


def update_record(card: CardOs, command: Command) -> bytes:
    """UPDATE RECORD: a record of the application, template 70 and all, by one of the same length."""
    applet, body = _opened(card, command)
    file = file_access.file_of_record(card, command.p2)
    if command.p2 & 0x07 != _BY_NUMBER:
        raise CardError(StatusWord.P1P2_WRONG)
    if file.kind is not FileKind.VARIABLE or file.fid not in _RECORD_FILES:
        raise CardError(StatusWord.SECURITY_NOT_SATISFIED)
    try:
        objects = list(parse(body))
    except TlvError:
        raise CardError(StatusWord.DATA_WRONG) from None
    if len(objects) != 1 or objects[0][0] != 0x70:
        raise CardError(StatusWord.DATA_WRONG)
    content = objects[0][1]
    at, length = find_record(card.nvm.memory, file, command.p1, by_number=True)
    if len(content) != length - 2:
        raise CardError(StatusWord.WRONG_LENGTH)
    _commit(applet, [(at + 2, content)])
    return b""


def application_block(card: CardOs, command: Command) -> bytes:
    """APPLICATION BLOCK: from the next transaction on nothing but AAC, and 6283 at selection."""
    applet = _bare(card, command)
    _commit(applet, [], applet.flags | Flag.BLOCKED)
    return b""


def application_unblock(card: CardOs, command: Command) -> bytes:
    """APPLICATION UNBLOCK; 6985 when it is not blocked."""
    applet = _bare(card, command)
    if not applet.flags & Flag.BLOCKED:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    _commit(applet, [], applet.flags & ~Flag.BLOCKED)
    return b""


def card_block(card: CardOs, command: Command) -> bytes:
    """CARD BLOCK: the whole card answers 6A81 from now on; 6982 beside applications of other authorities."""
    require_whole_card(card)
    applet = _bare(card, command)
    _commit(applet, [(CARD_STATE, b"\x01")])
    return b""


def pin_change(card: CardOs, command: Command) -> bytes:
    """PIN CHANGE/UNBLOCK: P2 00 gives the tries back, 01 and 02 set a new PIN (01: enciphered with the old one)."""
    if command.p1 or command.p2 not in (_UNBLOCK, _CHANGE_WITH_OLD, _CHANGE):
        raise CardError(StatusWord.P1P2_WRONG)
    applet, body = _opened(card, command)
    at = find_key(card, KeyUse.PIN, 0)
    most = card.nvm.memory[at + KEY_TRIES] >> 4
    writes: list[Entry] = [(at + KEY_TRIES, bytes((most << 4 | most,)))]
    if command.p2 == _UNBLOCK:
        if body:
            raise CardError(StatusWord.WRONG_LENGTH)
        _commit(applet, writes)
        return b""
    held = key_bytes(card, at)
    algorithm, session = applet.session(KeyUse.SCRIPT_CIPHER, applet.running.counter)
    old = held.hex().rstrip("f") if command.p2 == _CHANGE_WITH_OLD else None
    try:
        block = emv.script_decipher(algorithm, session, body)
        pin = emv.read_pin_change_block(applet.key(KeyUse.CRYPTOGRAM)[1], block, old)
    except Refused:
        raise CardError(StatusWord.SM_INCORRECT) from None
    if len(held) != _PIN_SIZE:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    _commit(applet, [*writes, (at + KEY_HEAD, bytes.fromhex(pin.ljust(2 * _PIN_SIZE, "f")))])
    return b""


def _bare(card: CardOs, command: Command) -> EmvBase:
    """A command with a MAC and nothing else."""
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    applet, body = _opened(card, command)
    if body:
        raise CardError(StatusWord.WRONG_LENGTH)
    return applet


def _opened(card: CardOs, command: Command) -> tuple[EmvBase, bytes]:
    """Check the MAC; the data before it. A wrong one is counted and remembered for the next transaction."""
    applet = applet_of(card)
    running = applet.running
    if running.first is not Kind.ARQC and not applet.flags & Flag.BLOCKED:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    if len(command.data) < _MAC:
        raise CardError(StatusWord.SM_MISSING)
    at = find_key(card, KeyUse.SCRIPT_MAC, 0)
    spend_try(card, at)
    body, given = command.data[:-_MAC], command.data[-_MAC:]
    head = bytes((command.cla, command.ins, command.p1, command.p2, len(command.data)))
    algorithm, session = applet.session(KeyUse.SCRIPT_MAC, running.counter)
    wanted = emv.script_mac(algorithm, session, head, running.bound, body)[:_MAC]
    if not hmac.compare_digest(wanted, given):
        card.nvm.commit([applet.entry(FLAGS, bytes((applet.flags | Flag.SCRIPT_FAILED,)))])
        raise CardError(StatusWord.SM_INCORRECT)
    restore_tries(card, at)
    if given in running.scripts:  # an older value would come back
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    running.scripts.add(given)
    return applet, body


def _commit(applet: EmvBase, writes: list[Entry], flags: Flag | None = None) -> None:
    """Write a script's effect with the count of those that came after the second GENERATE AC."""
    if flags is not None:
        writes = [*writes, applet.entry(FLAGS, bytes((flags,)))]
    if applet.running.stage is Stage.COMPLETED:
        count = min(applet.number(SCRIPTS) + 1, _SCRIPTS_MAX)
        writes = [*writes, applet.entry(SCRIPTS, bytes((count,)))]
    applet.card.nvm.commit(writes)


TABLE: dict[tuple[int, int], Handler] = {
    (0x04, 0xDA): put_data,
    (0x04, 0xDC): update_record,
    (0x84, 0x1E): application_block,
    (0x84, 0x18): application_unblock,
    (0x84, 0x16): card_block,
    (0x84, 0x24): pin_change,
}
