"""The debit and credit applet: selection, processing options, records, data, PIN, authentication of the card.

EMV Books 1 and 3, JR/T 0025.5. Cryptograms are in `card.emv_ac`, scripts in `card.emv_script`, the contactless purchase
in `card.emv_qpboc`. A payment environment is this applet with nothing but an FCI.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from jinka.card import emv_ac, emv_cash, emv_qpboc, emv_script, file_access
from jinka.card.access import find_key, key_bytes, restore_tries, spend_try, tries_left
from jinka.card.emv_data import (
    ATC,
    COUNTER_MAX,
    ELEMENTS,
    OPTIONS_FILE,
    SCRIPTS,
    STATE_FILE,
    Cvr,
    EmvBase,
    Flag,
    Form,
    Option,
    Running,
    Stage,
    applet_of,
    read_objects,
)
from jinka.card.files import CardError, File, find_record
from jinka.codec import Command, StatusWord, tlv
from jinka.codec.dol import split_dol
from jinka.codec.emv_tags import Tag
from jinka.codec.tlv import TlvError
from jinka.crypto import emv
from jinka.kit import Refused, Usage
from jinka.profile import FileKind, KeyUse

if TYPE_CHECKING:
    from jinka.card.cos import CardOs, Handler

_BY_NUMBER = 4
_PIN_PLAIN, _PIN_ENCIPHERED = 0x80, 0x88
_ENCIPHERED_HEAD = 0x7F
_S, _I, _O, _C = Stage.SELECTED, Stage.INITIATED, Stage.ONLINE, Stage.COMPLETED

# Which stage of a transaction allows which command; what is not listed is allowed at every stage.
STAGES: dict[tuple[int, int], frozenset[Stage]] = {
    (0x80, 0xA8): frozenset({_S}),
    (0x00, 0x20): frozenset({_I}),
    (0x00, 0x88): frozenset({_I}),
    (0x80, 0xAE): frozenset({_I, _O}),
    (0x00, 0x82): frozenset({_O}),
    **{name: frozenset({_O, _C}) for name in emv_script.TABLE},
}


class EmvApplet(EmvBase):
    """One debit or credit application."""

    __slots__ = ()

    def __init__(self, card: CardOs, folder: File) -> None:
        super().__init__(card, folder)
        file = folder.children.get(OPTIONS_FILE)
        raw = bytes(card.nvm.memory[file.at : file.at + file.size]) if file is not None else b""
        self.options = read_objects(raw)
        self.state = folder.children.get(STATE_FILE)
        self.running = Running()

    def selected(self, file: File, p2: int) -> bytes | None:  # noqa: ARG002 the base's form
        """The FCI with the options' template; a blocked application gives it with 6283."""
        if file is not self.folder:
            return None
        template = self.options.get(Option.FCI)
        if template is None:
            return None
        fci = tlv(0x6F, tlv(Tag.DF_NAME, file.name), tlv(0xA5, template))
        if self.state is not None and self.flags & Flag.BLOCKED:
            raise CardError(StatusWord.FILE_INVALIDATED, fci)
        return fci

    def receive(self, command: Command) -> Command:
        """Refuse what the stage of the transaction does not allow."""
        allowed = STAGES.get((command.cla, command.ins))
        if allowed is not None and self.state is not None and self.running.stage not in allowed:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        return command

    table: ClassVar[Mapping[tuple[int, int], Handler]]


def get_processing_options(card: CardOs, command: Command) -> bytes:
    """GET PROCESSING OPTIONS: counts the transaction; a reader that asks for it gets the whole of a qPBOC purchase."""
    applet = applet_of(card)
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    data = command.data
    if len(data) < 2 or data[0] != 0x83 or data[1] != len(data) - 2:
        raise CardError(StatusWord.DATA_WRONG)
    try:
        values = split_dol(_pdol(applet), data[2:])
    except TlvError:
        raise CardError(StatusWord.DATA_WRONG) from None
    counter = applet.number(ATC, 2)
    if counter == COUNTER_MAX:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    running = applet.running = Running(Stage.INITIATED, counter + 1, values, asked=data[2:])
    running.cvr = Cvr(min(applet.number(SCRIPTS), 15) << 4)  # scripts carried out after the last one online
    running.sm2 = values.get(Tag.SM_SUPPORT) == b"\x01" and Option.AFL_SM in applet.options
    counted = applet.entry(ATC, running.counter.to_bytes(2, "big"))
    try:
        if emv_qpboc.is_contactless(values):
            return emv_qpboc.purchase(applet, counted)
    except CardError:
        applet.running = Running()
        raise
    card.nvm.commit([counted])
    place = emv_cash.cash_place(applet)
    running.cash_fen = emv_cash.amount_of(applet) if place else 0
    if applet.form & Form.OPTIONS_TAGGED:
        return tlv(0x77, tlv(Tag.AIP, applet.aip), tlv(Tag.AFL, applet.locator + place))
    return tlv(0x80, applet.aip, applet.locator + place)


def _pdol(applet: EmvBase) -> bytes:
    return read_objects(applet.options.get(Option.FCI, b"")).get(Tag.PDOL, b"")


def read_record(card: CardOs, command: Command) -> bytes:
    """READ RECORD: records of the application come in template 70; others, such as the log, as they are."""
    made = emv_qpboc.last_record(applet_of(card), command)
    if made is not None:
        return made
    file = file_access.file_of_record(card, command.p2)
    if file.kind is not FileKind.VARIABLE:
        return file_access.read_record(card, command)
    if command.p2 & 0x07 != _BY_NUMBER:
        raise CardError(StatusWord.P1P2_WRONG)
    if command.data:
        raise CardError(StatusWord.WRONG_LENGTH)
    at, length = find_record(card.nvm.memory, file, command.p1, by_number=True)
    answer = tlv(0x70, bytes(card.nvm.memory[at + 2 : at + length]))
    if command.le not in (None, 256) and command.le != len(answer):
        raise CardError(StatusWord.LE_WRONG | min(len(answer), 255))
    emv_qpboc.pay_with(applet_of(card), file, command.p1)
    return answer


def get_data(card: CardOs, command: Command) -> bytes:
    """GET DATA: counters, limits, electronic cash, tries of the PIN, format of the log."""
    applet = applet_of(card)
    tag = command.p1 << 8 | command.p2
    if command.data:
        raise CardError(StatusWord.WRONG_LENGTH)
    if tag == Tag.PIN_TRIES:
        return tlv(tag, bytes((tries_left(card, find_key(card, KeyUse.PIN, 0)),)))
    if tag == Tag.LOG_FORMAT and tag in applet.options:
        return tlv(tag, applet.options[tag])
    element = ELEMENTS.get(tag)
    if element is None:
        raise CardError(StatusWord.REFERENCE_NOT_FOUND)
    return tlv(tag, applet.read(element[0], element[1]))


def verify(card: CardOs, command: Command) -> bytes:
    """VERIFY offline: P2 80 the PIN block as it is, 88 under the card's RSA key with the last challenge."""
    applet = applet_of(card)
    if command.p1 or command.p2 not in (_PIN_PLAIN, _PIN_ENCIPHERED):
        raise CardError(StatusWord.P1P2_WRONG)
    block = command.data if command.p2 == _PIN_PLAIN else _opened_pin(applet, command.data)
    if len(block) != 8:
        raise CardError(StatusWord.WRONG_LENGTH)
    at = find_key(card, KeyUse.PIN, 0)
    applet.running.cvr |= Cvr.PIN_DONE
    if tries_left(card, at) == 0:
        applet.running.cvr |= Cvr.PIN_FAILED
    spend_try(card, at)
    try:
        pin = emv.read_pin_block(block)
    except Refused:
        pin = ""
    held = key_bytes(card, at).hex().rstrip("f")
    if not held.isdigit() or not hmac.compare_digest(held.encode(), pin.encode()):  # F alone is no PIN
        applet.running.cvr |= Cvr.PIN_FAILED
        left = tries_left(card, at)
        raise CardError(StatusWord.PIN_WRONG | left)
    applet.running.cvr &= ~Cvr.PIN_FAILED
    restore_tries(card, at)
    return b""


def _opened_pin(applet: EmvBase, data: bytes) -> bytes:
    """The block inside an enciphered PIN: 7F | block 8 | the card's challenge 8 | filling (EMV Book 2, 7.2)."""
    challenge = applet.card.challenge
    key = applet.rsa_key()
    if challenge is None or len(challenge) != 8:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    if len(data) != key.public.size or int.from_bytes(data, "big") >= key.public.modulus:
        raise CardError(StatusWord.WRONG_LENGTH)
    try:
        plain = key.sign(data)
    except Usage:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED) from None
    if plain[0] != _ENCIPHERED_HEAD or not hmac.compare_digest(plain[9:17], challenge):
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    return plain[1:9]


def internal_authenticate(card: CardOs, command: Command) -> bytes:
    """INTERNAL AUTHENTICATE: the card signs what the dynamic data list gathered (dynamic data authentication)."""
    applet = applet_of(card)
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    if not 4 <= len(command.data) <= 252:
        raise CardError(StatusWord.WRONG_LENGTH)
    number = card.randomness.token_bytes(8)
    signed = applet.sign_dynamic(b"\x08" + number, command.data)
    applet.running.cvr |= Cvr.DYNAMIC_DONE
    applet.running.values[Tag.DYNAMIC_NUMBER] = number
    if applet.form & Form.OPTIONS_TAGGED:
        return tlv(0x77, tlv(Tag.DYNAMIC_SIGNATURE, signed))
    return tlv(0x80, signed)


def not_here(card: CardOs, command: Command) -> bytes:  # noqa: ARG001 a handler's form
    """A command of the purse world (change of PIN without an issuer) that this application does not know."""
    raise CardError(StatusWord.INS_UNSUPPORTED)


EmvApplet.table = {
    (0x80, 0xA8): get_processing_options,
    (0x00, 0xB2): read_record,
    (0x80, 0xCA): get_data,
    (0x00, 0x20): verify,
    (0x00, 0x88): internal_authenticate,
    (0x80, 0x5E): not_here,
    **emv_ac.TABLE,
    **emv_script.TABLE,
}
