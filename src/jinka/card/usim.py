"""The USIM on the card: AUTHENTICATE with Milenage, PINs, FCP (3GPP TS 31.102; ETSI TS 102 221; TS 33.102, annex C).

The sequence number is kept for each of 32 indices, so that vectors of several networks may overlap; a stale one is
answered with AUTS. The number is written before the answer leaves, so that a vector works once whatever happens to
the power. No SIM toolkit, no phone book, no files of the UICC outside of the ADF.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from jinka.card import file_access
from jinka.card.access import (
    find_key,
    key_bytes,
    require_right,
    restore_tries,
    spend_try,
    tries_left,
)
from jinka.card.applet import Applet
from jinka.card.files import KEY_HEAD, KEY_TRIES, KEY_X, CardError, File
from jinka.card.personalise import Personal
from jinka.codec import Command, StatusWord, tlv
from jinka.codec.imsi import encode_imsi
from jinka.crypto import milenage
from jinka.profile import ApplicationProfile, FileKind, KeyUse

if TYPE_CHECKING:
    from jinka.card.applet import Handler
    from jinka.card.cos import CardOs

SUBSCRIBER_FID = 0x6F01  # Jinka's own: K 16 | OPc 16 | highest SQN of each index, 32 times 6
SERVICES_FID, IMSI_FID = 0x6F38, 0x6F07
INDICES, SQN_SIZE = 32, 6
_K, _OPC, _SQN = 0, 16, 32
SUBSCRIBER_SIZE = _SQN + INDICES * SQN_SIZE
_AHEAD_MAX = 1 << 28  # how far a sequence number may jump (TS 33.102, C.3)

AUTHENTICATION_FALSE = 0x9862  # incorrect MAC
CONTEXT_UNSUPPORTED = 0x9864
_GSM, _UMTS = 0x80, 0x81
_GSM_ACCESS, _GSM_CONTEXT = 27, 38  # services in EF UST
_SUCCESS, _RESYNCHRONISE = 0xDB, 0xDC
_FCP, _NO_DATA = 0x04, 0x0C
_PIN_SIZE = 8
_DISABLED = 0x80  # in the state byte of the PIN's record
_PIN_REFERENCES = {0x01: 1, 0x81: 2}  # P2 -> index of the key

# Short identifiers (TS 31.102, 4.2); they are not the low bits of these files' identifiers.
SHORT_IDENTIFIERS = {
    0x02: 0x6F05,
    0x03: 0x6FAD,
    0x04: 0x6F38,
    0x06: 0x6F78,
    0x07: 0x6F07,
    0x08: 0x6F08,
    0x09: 0x6F09,
    0x0B: 0x6F7E,
    0x0C: 0x6F73,
    0x0D: 0x6F7B,
    0x12: 0x6F31,
}
_SHORT = {fid: sfi for sfi, fid in SHORT_IDENTIFIERS.items()}


class Usim(Applet):
    """Nothing to remember but the PIN, which is the security register's business."""

    __slots__ = ()

    def __init__(self, card: CardOs, folder: File) -> None:
        super().__init__(card, folder)
        key_file = folder.key_file
        at = key_file.keys.get((KeyUse.PIN, 1)) if key_file is not None else None
        if at is not None and card.nvm.memory[at + KEY_X] & _DISABLED:
            card.security = card.nvm.memory[at + KEY_X] & 0x0F

    def selected(self, file: File, p2: int) -> bytes | None:
        """The FCP template (TS 102 221, 11.1.1.3)."""
        if p2 == _NO_DATA:
            return b""
        return _template(self.card, file) if p2 == _FCP else None


def status(card: CardOs, command: Command) -> bytes:
    """STATUS: the FCP of the current folder; P2 0C asks for none."""
    if command.p1 > 2 or command.p2 not in (0x00, 0x01, _NO_DATA):
        raise CardError(StatusWord.P1P2_WRONG)
    if command.p2 == _NO_DATA:
        return b""
    return tlv(0x84, card.folder.name) if command.p2 else _template(card, card.folder)


def authenticate(card: CardOs, command: Command) -> bytes:
    """AUTHENTICATE: P2 81 the 3G context (RAND, AUTN), 80 the GSM context (RAND)."""
    if command.p1 or command.p2 not in (_GSM, _UMTS):
        raise CardError(StatusWord.P1P2_WRONG)
    folder = _folder(card)
    secret = folder.children.get(SUBSCRIBER_FID)
    if secret is None or secret.kind is not FileKind.SECRET or secret.size < SUBSCRIBER_SIZE:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    require_right(card, secret.read, card.folder)
    parts = _blocks(command.data)
    if [len(part) for part in parts] != ([16] if command.p2 == _GSM else [16, 16]):
        raise CardError(StatusWord.WRONG_LENGTH)
    memory, at = card.nvm.memory, secret.at
    k, opc = bytes(memory[at + _K : at + _OPC]), bytes(memory[at + _OPC : at + _SQN])
    if command.p2 == _GSM:
        if not _service(card, folder, _GSM_CONTEXT):
            raise CardError(CONTEXT_UNSUPPORTED)
        sres, kc = milenage.gsm_answer(milenage.f2345(k, opc, parts[0]))
        return _with_length(sres) + _with_length(kc)
    return _in_3g_context(card, secret, k, opc, *parts)


def _in_3g_context(card: CardOs, secret: File, k: bytes, opc: bytes, rand: bytes, autn: bytes) -> bytes:
    answer = milenage.f2345(k, opc, rand)
    sqn = bytes(a ^ b for a, b in zip(autn[:SQN_SIZE], answer.ak, strict=True))
    mac_a, _ = milenage.f1(k, opc, rand, sqn, autn[6:8])
    if not hmac.compare_digest(mac_a, autn[8:]):
        raise CardError(AUTHENTICATION_FALSE)
    memory, start = card.nvm.memory, secret.at + _SQN
    known = [
        int.from_bytes(memory[start + SQN_SIZE * index : start + SQN_SIZE * (index + 1)], "big")
        for index in range(INDICES)
    ]
    value, highest = int.from_bytes(sqn, "big"), max(known)
    index = value % INDICES
    stale = value // INDICES <= known[index] // INDICES
    if stale or value // INDICES - highest // INDICES > _AHEAD_MAX:
        auts = milenage.make_auts(k, opc, rand, highest.to_bytes(SQN_SIZE, "big"))
        return bytes((_RESYNCHRONISE,)) + _with_length(auts)
    card.nvm.commit([(start + SQN_SIZE * index, sqn)])
    body = _with_length(answer.res) + _with_length(answer.ck) + _with_length(answer.ik)
    if _service(card, _folder(card), _GSM_ACCESS):
        body += _with_length(milenage.gsm_answer(answer)[1])
    return bytes((_SUCCESS,)) + body


def verify_pin(card: CardOs, command: Command) -> bytes:
    """VERIFY PIN; without data it tells the tries left (63Cx)."""
    at = _pin(card, command)
    if not command.data:
        raise CardError(StatusWord.PIN_WRONG | tries_left(card, at))
    if _is_disabled(card, at):
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    _present(card, at, command.data)
    card.security = card.nvm.memory[at + KEY_X] & 0x0F
    return b""


def change_pin(card: CardOs, command: Command) -> bytes:
    """CHANGE PIN: the old one and the new one, 8 bytes each."""
    at = _pin(card, command)
    if len(command.data) != 2 * _PIN_SIZE:
        raise CardError(StatusWord.WRONG_LENGTH)
    new = _new_pin(command.data[_PIN_SIZE:])
    _present(card, at, command.data[:_PIN_SIZE])
    card.nvm.commit([(at + KEY_HEAD, new)])
    return b""


def disable_pin(card: CardOs, command: Command) -> bytes:
    """DISABLE PIN: from the next selection on, nobody is asked for it."""
    return _switch(card, command, True)


def enable_pin(card: CardOs, command: Command) -> bytes:
    """ENABLE PIN."""
    return _switch(card, command, False)


def unblock_pin(card: CardOs, command: Command) -> bytes:
    """UNBLOCK PIN: the unblocking key and the new PIN; without data it tells the tries left."""
    at = _pin(card, command)
    unblock = find_key(card, KeyUse.PIN_UNBLOCK, _PIN_REFERENCES[command.p2])
    if not command.data:
        raise CardError(StatusWord.PIN_WRONG | tries_left(card, unblock))
    if len(command.data) != 2 * _PIN_SIZE:
        raise CardError(StatusWord.WRONG_LENGTH)
    new = _new_pin(command.data[_PIN_SIZE:])
    _present(card, unblock, command.data[:_PIN_SIZE])
    most = card.nvm.memory[at + KEY_TRIES] >> 4
    card.nvm.commit([(at + KEY_TRIES, bytes((most << 4 | most,)) + new)])
    return b""


def read_binary(card: CardOs, command: Command) -> bytes:
    """READ BINARY; short identifiers by the table of TS 31.102."""
    return file_access.read_binary(card, _resolved(card, command))


def update_binary(card: CardOs, command: Command) -> bytes:
    """UPDATE BINARY, likewise."""
    return file_access.update_binary(card, _resolved(card, command))


def _resolved(card: CardOs, command: Command) -> Command:
    """The command on the file that its short identifier names, which becomes current."""
    if not command.p1 & 0x80:
        return command
    file = card.folder.children.get(SHORT_IDENTIFIERS.get(command.p1 & 0x7F, 0))
    if file is None or file.kind is FileKind.KEY:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    card.file = file
    return Command(command.cla, command.ins, 0, command.p2, command.data, command.le)


def _switch(card: CardOs, command: Command, disabled: bool) -> bytes:
    at = _pin(card, command)
    if len(command.data) != _PIN_SIZE:
        raise CardError(StatusWord.WRONG_LENGTH)
    if _is_disabled(card, at) is disabled:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    _present(card, at, command.data)
    state = card.nvm.memory[at + KEY_X] & 0x0F
    card.nvm.commit([(at + KEY_X, bytes((state | (_DISABLED if disabled else 0),)))])
    card.security = state
    return b""


def _present(card: CardOs, at: int, value: bytes) -> None:
    """Compare a PIN or unblocking key; the try is spent before and given back after."""
    if len(value) != _PIN_SIZE:
        raise CardError(StatusWord.WRONG_LENGTH)
    spend_try(card, at)
    if not hmac.compare_digest(key_bytes(card, at).ljust(_PIN_SIZE, b"\xff"), value):
        left = tries_left(card, at)
        raise CardError(StatusWord.PIN_WRONG | left if left else StatusWord.AUTHENTICATION_BLOCKED)
    restore_tries(card, at)


def _pin(card: CardOs, command: Command) -> int:
    if command.p1 or command.p2 not in _PIN_REFERENCES:
        raise CardError(StatusWord.P1P2_WRONG)
    try:
        at = find_key(card, KeyUse.PIN, _PIN_REFERENCES[command.p2])
    except CardError:
        raise CardError(StatusWord.REFERENCE_NOT_FOUND) from None
    if card.nvm.memory[at] != KEY_HEAD + _PIN_SIZE:
        raise CardError(StatusWord.REFERENCE_NOT_FOUND)
    return at


def _is_disabled(card: CardOs, at: int) -> bool:
    return bool(card.nvm.memory[at + KEY_X] & _DISABLED)


def _new_pin(raw: bytes) -> bytes:
    """Four to eight digits, FF after them."""
    digits = raw.rstrip(b"\xff")
    if not (4 <= len(digits) <= _PIN_SIZE and digits.isdigit()):
        raise CardError(StatusWord.DATA_WRONG)
    return raw


def _service(card: CardOs, folder: File, number: int) -> bool:
    """Whether EF UST switches the service on; services count from 1."""
    file = folder.children.get(SERVICES_FID)
    at = (number - 1) // 8
    if file is None or at >= file.size:
        return False
    return bool(card.nvm.memory[file.at + at] >> (number - 1) % 8 & 1)


def _blocks(data: bytes) -> list[bytes]:
    """Values that follow each other with a length byte each; 6700 when the lengths do not fit."""
    found, at = [], 0
    while at < len(data):
        found.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    if at != len(data):
        raise CardError(StatusWord.WRONG_LENGTH)
    return found


def _with_length(value: bytes) -> bytes:
    return bytes((len(value),)) + value


def _template(card: CardOs, file: File) -> bytes:
    """``62 {82 descriptor, 83 identifier, 84 name, 8A life cycle, C6 PIN status or 80 size, 88 short identifier}``."""
    identifier = tlv(0x83, file.fid.to_bytes(2, "big"))
    if file.kind is FileKind.FOLDER:
        pins = tlv(0x90, bytes((0x80 if _asks_for_pin(card) else 0x00,))) + tlv(0x83, b"\x01")
        name = tlv(0x84, file.name) if file.name else b""
        return tlv(0x62, tlv(0x82, b"\x78\x21"), identifier, name, tlv(0x8A, b"\x05"), tlv(0xC6, pins))
    sfi = _SHORT.get(file.fid)
    short = tlv(0x88, bytes((sfi << 3,))) if sfi is not None else tlv(0x88, b"")
    if file.kind in (FileKind.FIXED, FileKind.CYCLIC):
        shape = 0x42 if file.kind is FileKind.FIXED else 0x46
        descriptor, size = bytes((shape, 0x21, 0x00, file.a2, file.a1)), file.a1 * file.a2
    else:
        descriptor, size = b"\x41\x21", file.size
    return tlv(
        0x62, tlv(0x82, descriptor), identifier, tlv(0x8A, b"\x05"), tlv(0x80, size.to_bytes(2, "big")), short
    )


def _asks_for_pin(card: CardOs) -> bool:
    key_file = _folder(card).key_file
    at = key_file.keys.get((KeyUse.PIN, 1)) if key_file is not None else None
    return at is not None and not _is_disabled(card, at)


def _folder(card: CardOs) -> File:
    assert card.applet is not None
    return card.applet.folder


def subscriber_data(
    profile: ApplicationProfile, *, imsi: str, k: bytes, opc: bytes, pin: bytes, unblock: bytes
) -> Personal:
    """Everything personal of one USIM; the other files begin with the profile's examples."""
    contents = {(spec.folder, spec.fid): spec.example for spec in profile.files if spec.example}
    contents[0, IMSI_FID] = encode_imsi(imsi)
    contents[0, SUBSCRIBER_FID] = k + opc
    secrets = {KeyUse.PIN: _new_pin(pin.ljust(_PIN_SIZE, b"\xff")), KeyUse.PIN_UNBLOCK: unblock}
    return Personal(
        card_no=bytes(10), keys=tuple(secrets[key.use] for key in profile.keys), contents=contents
    )


TABLE: dict[tuple[int, int], Handler] = {
    (0x00, 0x20): verify_pin,
    (0x00, 0x24): change_pin,
    (0x00, 0x26): disable_pin,
    (0x00, 0x28): enable_pin,
    (0x00, 0x2C): unblock_pin,
    (0x00, 0x88): authenticate,
    (0x00, 0xB0): read_binary,
    (0x00, 0xD6): update_binary,
    (0x80, 0xF2): status,
}
Usim.table = TABLE
