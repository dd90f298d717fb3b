"""CREATE FILE, WRITE KEY, ERASE DF: how a blank card becomes an application (native commands; FMCOS 2.0 user manual).

A new folder is open to everything until it is first left; then its rights hold. Jinka's additions to the native
forms: a purse file may carry its limit (4 bytes) and the parameters of a grey lock (5 bytes), and the state byte of
an authentication key carries the algorithm label in its upper half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinka.card.access import decipher, find_key, key_algorithm, key_bytes, open_message, require_right
from jinka.card.files import (
    BY_ITSELF,
    FILE_HEAD,
    GREY_BODY,
    GREY_PARAMETERS,
    LIMIT,
    OPEN,
    PURSE_BODY,
    PURSE_TRIES,
    STATE,
    TRIES,
    UICC,
    WITH_ALL,
    CardError,
    File,
    body_size,
    creation,
    file_header,
    key_writing,
    release,
)
from jinka.card.nvm import differences
from jinka.codec import Command, StatusWord
from jinka.kit import Usage
from jinka.profile import ApplicationKind, FileKind, KeyUse, algorithm_of

if TYPE_CHECKING:
    from jinka.card.cos import CardOs, Handler

_TRIES_DEFAULT = 0xAA  # ten, for keys whose form has no place for a counter
_PURSE_FORMS = (7, 11, 11 + GREY_PARAMETERS)
# The form of a key's data: version and algorithm, or (below) algorithm and tries, or state and tries.
_VERSIONED = frozenset(
    {
        KeyUse.CRYPTOGRAM,
        KeyUse.SCRIPT_MAC,
        KeyUse.SCRIPT_CIPHER,
        KeyUse.ENCRYPT,
        KeyUse.DECRYPT,
        KeyUse.MAC,
        KeyUse.TAC,
        KeyUse.GREY_LOCK,
        KeyUse.OVERDRAFT,
        KeyUse.UNLOAD,
        KeyUse.PURCHASE,
        KeyUse.LOAD,
    }
)
_COUNTED = frozenset({KeyUse.MAINTENANCE, KeyUse.PIN_UNBLOCK, KeyUse.PIN_RELOAD})
_KEY_SIZES = (8, 16)
_PIN_SIZES = range(2, 9)


def create_file(card: CardOs, command: Command) -> bytes:
    """CREATE FILE: P1 P2 the identifier; the data begins with the type byte."""
    fid, data = command.p1 << 8 | command.p2, command.data
    if len(data) < 7:
        raise CardError(StatusWord.WRONG_LENGTH)
    try:
        kind = FileKind(data[0] & 0x3F)
    except ValueError:
        raise CardError(StatusWord.DATA_WRONG) from None
    folder = card.folder
    require_right(card, folder.read, folder)
    taken = {child.fid & 0x1F for child in folder.by_sfi.values()}
    collides = kind is not FileKind.FOLDER and fid >> 8 != UICC and fid & 0x1F in taken
    if fid in folder.children or fid == folder.fid or collides:
        raise CardError(StatusWord.DATA_WRONG)
    if kind is FileKind.FOLDER:
        header, body = _folder(card, fid, data)
    else:
        header, body = _element(card, fid, kind, data)
    memory = card.nvm.memory
    _check_quota(card, len(header) + len(body))
    card.nvm.commit(creation(memory, header, body, card.nvm.capacity))
    card.forget_directory()
    return b""


def _folder(card: CardOs, fid: int, data: bytes) -> tuple[bytes, bytes]:
    """38 | size 2 | create right | erase right | file of application data | 7F or FF | FF or kind | name.

    The kind of application in place of the last FF is Jinka's addition.
    """
    name = data[8:]
    application = 0 if len(data) < 8 or data[7] == 0xFF else data[7]
    if application and (application not in card.applets or application == ApplicationKind.DOMAIN):
        raise CardError(StatusWord.DATA_WRONG)
    if not 5 <= len(name) <= 16 or card.directory.named(name) is not None:
        raise CardError(StatusWord.DATA_WRONG)
    header = file_header(
        FileKind.FOLDER,
        fid,
        len(name),
        rights=(data[3], data[4]),
        extra=(data[5], BY_ITSELF if card.folder.parent is None else WITH_ALL),
        parent=card.folder.header,
        name_length=len(name),
        quota=int.from_bytes(data[1:3], "big"),
        application=application,
    )
    return header, name


def _element(card: CardOs, fid: int, kind: FileKind, data: bytes) -> tuple[bytes, bytes]:
    """Type | size 2, or count and length | right | right | two bytes by type | limit 4, grey lock 5 (purse only)."""
    size = int.from_bytes(data[1:3], "big")
    if len(data) not in (_PURSE_FORMS if kind is FileKind.PURSE else (7,)):
        raise CardError(StatusWord.WRONG_LENGTH)
    if kind in (FileKind.FIXED, FileKind.CYCLIC):
        if not data[1] or not data[2]:
            raise CardError(StatusWord.DATA_WRONG)
        length, rights, extra = body_size(kind, 0, data[1], data[2]), (data[3], data[4]), (data[1], data[2])
    elif kind is FileKind.KEY:
        length, rights, extra = body_size(kind, size, 0, 0), (data[3], data[4]), (data[3], 0)
    else:
        length, rights, extra = body_size(kind, size, 0, 0), (data[3], data[4]), (data[5], data[6])
    if not length or FILE_HEAD + length > card.nvm.capacity:
        raise CardError(StatusWord.NO_SPACE)
    body = bytearray(length)
    if kind is FileKind.PURSE:
        body[LIMIT : LIMIT + 4] = data[7:11] or b"\xff\xff\xff\xff"
        body[TRIES] = PURSE_TRIES
        body += data[11:].ljust(GREY_BODY - PURSE_BODY, b"\x00") if data[11:] else b""
        length = len(body)
    header = file_header(data[0], fid, length, rights=rights, extra=extra, parent=card.folder.header)
    return header, bytes(body)


def _check_quota(card: CardOs, size: int) -> None:
    """6A84 when the declared size of the folder, or of one above, is used up (FFFF and 0000 declare none).

    The folders above stand in for what is below them, but for folders made when each counted by itself.
    """
    folder: File | None = card.folder
    while folder is not None:
        at = folder.header
        quota = int.from_bytes(card.nvm.memory[at + 13 : at + 15], "big")
        if quota not in (0, 0xFFFF) and _used(folder) + size > quota:
            raise CardError(StatusWord.NO_SPACE)
        folder = folder.parent if folder.a2 == WITH_ALL else None


def _used(folder: File) -> int:
    below = (
        child for child in folder.children.values() if child.kind is FileKind.FOLDER and child.a2 == WITH_ALL
    )
    return sum(FILE_HEAD + child.size for child in folder.children.values()) + sum(map(_used, below))


def erase_folder(card: CardOs, command: Command) -> bytes:
    """ERASE DF: wipe everything below the current folder, which is open again afterwards, as on the day it was made.

    Its erase right is asked for. What is left are joined holes, all in one transaction.
    """
    if command.p1 or command.p2 or command.data:
        raise CardError(StatusWord.P1P2_WRONG)
    folder = card.folder
    require_right(card, folder.write, folder)
    below = _below(folder)
    if any(file.kind is FileKind.FOLDER and file.application for file in (folder, *below)):
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)  # such applications go the way they came
    memory = bytearray(card.nvm.memory)
    release(memory, (file.header for file in below))
    memory[folder.header + STATE] = OPEN
    card.nvm.commit(differences(card.nvm.memory, memory))
    card.forget_directory()
    card.enter(card.folder)
    return b""


def _below(folder: File) -> list[File]:
    found = []
    for child in folder.children.values():
        found += [child, *(_below(child) if child.kind is FileKind.FOLDER else [])]
    return found


def write_key(card: CardOs, command: Command) -> bytes:
    """WRITE KEY: P1 01 adds (the data begins with the type), P1 = type replaces; class 84 is enciphered with MAC."""
    key_file = card.folder.key_file
    if key_file is None:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    data = command.data
    if command.cla == 0x84:
        data = open_message(card, command)
        at = find_key(card, KeyUse.MAINTENANCE, 0)
        data = decipher(key_algorithm(card, at), key_bytes(card, at), data)
    kid = command.p2
    if command.p1 == 0x01:
        require_right(card, key_file.write, card.folder)
        entry = _key_record(data)
        if (data[0], kid) in key_file.keys:
            raise CardError(StatusWord.DATA_WRONG)
    else:
        present = find_key(card, command.p1, kid)
        require_right(card, card.nvm.memory[present + 4], card.folder)
        entry = _key_record(bytes((command.p1,)) + data)
        data = bytes((command.p1,)) + data
    card.nvm.commit(key_writing(card.nvm.memory, key_file, kid, data[0], entry))
    card.forget_directory()
    return b""


def _key_record(data: bytes) -> bytes:
    """Use, change, version or state, algorithm, tries and key, from the form that the type asks for."""
    if len(data) < 6:
        raise CardError(StatusWord.WRONG_LENGTH)
    type_, use, change, x, y, key = *data[:5], data[5:]
    sizes = _PIN_SIZES if type_ == KeyUse.PIN else _KEY_SIZES
    try:
        known = KeyUse(type_)
        if known in _VERSIONED:
            label, tries = y, _TRIES_DEFAULT
        elif known in _COUNTED:
            label, tries = 0 if x == 0xFF else x, y
        else:
            label, tries, x = x >> 4, y, x & 0x0F
        algorithm_of(label)
    except (ValueError, Usage):
        raise CardError(StatusWord.DATA_WRONG) from None
    if len(key) not in sizes or (label == 0x04 and type_ != KeyUse.PIN and len(key) != 16):
        raise CardError(StatusWord.DATA_WRONG)
    return bytes((use, change, x, label, tries)) + key


TABLE: dict[tuple[int, int], Handler] = {
    (0x80, 0xE0): create_file,
    (0x80, 0xD4): write_key,
    (0x84, 0xD4): write_key,
    (0x80, 0x0E): erase_folder,
}
