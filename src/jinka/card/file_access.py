"""SELECT, READ, UPDATE, GET RESPONSE (ISO/IEC 7816-4; forms of the FMCOS 2.0 user manual).

Writing to a file that asks for a MAC needs class 04, except while its folder is still open (before issue).
Reading with class 04 carries a MAC too, and the answer has one under the same challenge; a file that asks for
encryption answers in cipher, and in no other way. Both are Jinka's own: no readable source gives them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jinka.card.access import open_message, require_right, seal_answer
from jinka.card.files import (
    HIDDEN,
    MF,
    OPEN,
    STATE,
    CardError,
    File,
    appending,
    find_record,
)
from jinka.codec import Command, StatusWord, tlv
from jinka.profile import FileKind

if TYPE_CHECKING:
    from jinka.card.cos import CardOs, Handler

_SFI_FLAG = 0x80
_SECURE_MAX = 240  # data of a secure answer, so that padding and MAC still fit
_BY_NAME, _NEXT = 0x04, 0x02  # P1; P2 for the next occurrence
_SELECT_NARROW = frozenset({0x01, 0x02, 0x03, 0x08, 0x09})
_SELECT_ANSWERS = frozenset(
    {0x00, 0x04, 0x0C}
)  # FCI, FCP (as FCI unless an applet has its own), nothing asked
_BY_NUMBER, _BY_ID, _PREVIOUS = 4, 0, 3
_PURSE_START = 11  # balance 4 | online counter 2 | offline counter 2 | overdraft limit 3, set before issue
_BEFORE_ISSUE = (FileKind.PURSE, FileKind.SECRET)  # what UPDATE BINARY fills while their folder is open
_APPLICATION_VERSION = b"\x02"
_DIRECTORY_SFI = 0x01
_RECORD_FILES = (FileKind.FIXED, FileKind.VARIABLE, FileKind.CYCLIC)


def select(card: CardOs, command: Command) -> bytes:
    """SELECT by identifier, path or name; answers the FCI of a folder. P2 02 asks for the next name that fits."""
    p1, p2, data = command.p1, command.p2, command.data
    if p2 not in _SELECT_ANSWERS and not (p1 == _BY_NAME and p2 == _NEXT):
        raise CardError(StatusWord.P1P2_WRONG)
    if p1 == _BY_NAME:
        directory = card.directory
        found = directory.next_named(data, card.folder) if p2 == _NEXT else directory.named(data)
    elif p1 == 0x00:
        found = _by_fid(card, data)
    elif p1 in _SELECT_NARROW:
        found = _narrowly(card, p1, data)
    else:
        raise CardError(StatusWord.P1P2_WRONG)
    if found is None:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    folder = found if found.kind is FileKind.FOLDER else found.parent
    assert folder is not None, "a file lies in a folder"
    if card.nvm.memory[folder.header + STATE] == HIDDEN:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    if found is folder or folder is not card.folder:
        card.leave(folder)
        card.enter(folder)
        if card.blocked:
            raise CardError(StatusWord.FUNCTION_UNSUPPORTED)
    if found is not folder:
        card.file = found
    own = card.applet.selected(found, p2) if card.applet is not None else None
    if own is not None:
        return own
    return _fci(card, folder) if found is folder else b""


def _by_fid(card: CardOs, data: bytes) -> File | None:
    if len(data) not in (0, 2):
        raise CardError(StatusWord.WRONG_LENGTH)
    fid = int.from_bytes(data, "big") if data else MF
    if fid == MF:
        return card.directory.root
    here = card.folder
    if fid in here.children:
        return here.children[fid]
    if fid == here.fid:
        return here
    beside = here.parent.children.get(fid) if here.parent is not None else None
    return beside if beside is None or beside.kind is FileKind.FOLDER else None


def _narrowly(card: CardOs, p1: int, data: bytes) -> File | None:
    """P1 01 a folder in this one, 02 a file in this one, 03 the folder above, 08 a path from the root, 09 from here."""
    here = card.folder
    if p1 == 0x03:
        if data:
            raise CardError(StatusWord.WRONG_LENGTH)
        return here.parent
    if not data or len(data) % 2 or (p1 in (0x01, 0x02) and len(data) != 2):
        raise CardError(StatusWord.WRONG_LENGTH)
    found: File | None = card.directory.root if p1 == 0x08 else here
    for at in range(0, len(data), 2):
        found = found.children.get(data[at] << 8 | data[at + 1]) if found is not None else None
    if found is not None and p1 in (0x01, 0x02) and (found.kind is FileKind.FOLDER) != (p1 == 0x01):
        return None
    return found


def _fci(card: CardOs, folder: File) -> bytes:
    """``6F {84 name, A5 {9F08 version, 9F0C public application data}}``."""
    listing = folder.by_sfi.get(_DIRECTORY_SFI) if folder.parent is None else None
    if (
        listing is not None and listing.kind is FileKind.VARIABLE
    ):  # EMV Book 1, 11.3.4: the payment environment
        return tlv(0x6F, tlv(0x84, folder.name), tlv(0xA5, tlv(0x88, bytes((_DIRECTORY_SFI,)))))
    public = folder.by_sfi.get(0x15)
    if public is None or public.kind is not FileKind.BINARY:
        return tlv(0x6F, tlv(0x84, folder.name))
    body = bytes(card.nvm.memory[public.at : public.at + public.size])
    return tlv(0x6F, tlv(0x84, folder.name), tlv(0xA5, tlv(0x9F08, _APPLICATION_VERSION), tlv(0x9F0C, body)))


def read_binary(card: CardOs, command: Command) -> bytes:
    """READ BINARY; an Le beyond the end answers 6Cxx with what is left."""
    file, offset = _binary_file(card, command)
    if file.kind is not FileKind.BINARY:
        raise CardError(StatusWord.FILE_TYPE_WRONG)
    require_right(card, file.read, card.folder)
    return _answer(card, file, bytes(card.nvm.memory[file.at + offset : file.at + file.size]), command)


def update_binary(card: CardOs, command: Command) -> bytes:
    """UPDATE BINARY; in an open folder also a secret, and the opening balance and counters of a purse."""
    file, offset = _binary_file(card, command)
    data = _writable(card, file, command)
    is_open = card.nvm.memory[card.folder.header + STATE] == OPEN
    if file.kind is not FileKind.BINARY and not (is_open and file.kind in _BEFORE_ISSUE):
        raise CardError(StatusWord.FILE_TYPE_WRONG)
    limit = _PURSE_START if file.kind is FileKind.PURSE else file.size
    if not data or offset + len(data) > limit:
        raise CardError(StatusWord.WRONG_LENGTH)
    card.nvm.commit([(file.at + offset, data)])
    return b""


def read_record(card: CardOs, command: Command) -> bytes:
    """READ RECORD by number or by id; number 1 of a cyclic file is the newest."""
    file, mode = _record_file(card, command)
    if mode not in (_BY_NUMBER, _BY_ID):
        raise CardError(StatusWord.P1P2_WRONG)
    require_right(card, file.read, card.folder)
    at, length = find_record(card.nvm.memory, file, command.p1, mode == _BY_NUMBER)
    return _answer(card, file, bytes(card.nvm.memory[at : at + length]), command)


def get_response(card: CardOs, command: Command) -> bytes:
    """GET RESPONSE: what the last answer left (61xx); 6Cxx when more is asked for, 6985 when nothing is left."""
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    if not card.rest:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    if command.le is not None and len(card.rest) < command.le < 256:
        raise CardError(StatusWord.LE_WRONG | len(card.rest))
    return card.rest


def update_record(card: CardOs, command: Command) -> bytes:
    """UPDATE RECORD; in a cyclic file "previous" (P1 00, mode 3) adds the newest and drops the oldest."""
    file, mode = _record_file(card, command)
    data = _writable(card, file, command)
    if file.kind is FileKind.CYCLIC:
        if command.p1 != 0 or mode != _PREVIOUS:
            raise CardError(StatusWord.P1P2_WRONG)
        card.nvm.commit(appending(card.nvm.memory, file, data))
        return b""
    card.nvm.commit([record_change(card, file, command.p1, mode, data)])
    return b""


def append_record(card: CardOs, command: Command) -> bytes:
    """APPEND RECORD."""
    file, _ = _record_file(card, command)
    if command.p1 != 0:
        raise CardError(StatusWord.P1P2_WRONG)
    card.nvm.commit(appending(card.nvm.memory, file, _writable(card, file, command)))
    return b""


def record_change(card: CardOs, file: File, p1: int, mode: int, data: bytes) -> tuple[int, bytes]:
    """The write that replaces a record in place; the new one must have the length of the old."""
    if mode not in (_BY_NUMBER, _BY_ID):
        raise CardError(StatusWord.P1P2_WRONG)
    at, length = find_record(card.nvm.memory, file, p1, mode == _BY_NUMBER)
    if len(data) != length:
        raise CardError(StatusWord.WRONG_LENGTH)
    if file.kind is FileKind.VARIABLE and data[:2] != card.nvm.memory[at : at + 2]:
        raise CardError(StatusWord.DATA_WRONG)
    return at, data


def file_of_record(card: CardOs, p2: int) -> File:
    """The record file that P2 names (its SFI in the upper five bits; 0 means the current file)."""
    sfi = p2 >> 3
    file = card.folder.by_sfi.get(sfi) if sfi else card.file
    if file is None:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    if file.kind not in _RECORD_FILES:
        raise CardError(StatusWord.FILE_TYPE_WRONG)
    return file


def _record_file(card: CardOs, command: Command) -> tuple[File, int]:
    file = file_of_record(card, command.p2)
    card.file = file
    return file, command.p2 & 0x07


def _binary_file(card: CardOs, command: Command) -> tuple[File, int]:
    if command.p1 & _SFI_FLAG:
        if command.p1 & 0x60:
            raise CardError(StatusWord.P1P2_WRONG)
        file, offset = card.folder.by_sfi.get(command.p1 & 0x1F), command.p2
    else:
        file, offset = card.file, command.p1 << 8 | command.p2
    if file is None:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    if offset >= file.size:
        raise CardError(StatusWord.OFFSET_WRONG)
    card.file = file
    return file, offset


def _writable(card: CardOs, file: File, command: Command) -> bytes:
    """The plain data of a write that is allowed: right, MAC, encryption."""
    require_right(card, file.write, card.folder)
    if command.cla == 0x04:
        return open_message(card, command, encrypted=file.encrypted)
    if (file.mac or file.encrypted) and card.nvm.memory[card.folder.header + STATE] != OPEN:
        raise CardError(StatusWord.SM_MISSING)
    return command.data


def _answer(card: CardOs, file: File, data: bytes, command: Command) -> bytes:
    """What a READ answers: in clear, or under the command's challenge with class 04; 6281 from worn cells.

    A file that asks for encryption never answers in clear once its folder is sealed (6987).
    """
    if command.cla != 0x04:
        if file.encrypted and card.nvm.memory[card.folder.header + STATE] != OPEN:
            raise CardError(StatusWord.SM_MISSING)
        answer = _cut(data, command)
        if card.nvm.is_worn(file.at, file.size):
            raise CardError(StatusWord.CORRUPTED, answer)
        return answer
    rand4 = (card.challenge or b"")[:4]
    if open_message(card, command):
        raise CardError(StatusWord.WRONG_LENGTH)
    return seal_answer(
        card, rand4, _cut(data, replace(command, data=b""))[:_SECURE_MAX], encrypted=file.encrypted
    )


def _cut(data: bytes, command: Command) -> bytes:
    if command.data:
        raise CardError(StatusWord.WRONG_LENGTH)
    wanted = command.le
    if wanted is None or wanted == 256:
        return data[:256]
    if wanted > len(data):
        raise CardError(StatusWord.LE_WRONG | min(len(data), 255))
    return data[:wanted]


TABLE: dict[tuple[int, int], Handler] = {
    (0x00, 0xA4): select,
    (0x00, 0xB0): read_binary,
    (0x00, 0xB2): read_record,
    (0x04, 0xB0): read_binary,
    (0x04, 0xB2): read_record,
    (0x00, 0xC0): get_response,
    (0x00, 0xD0): update_binary,
    (0x00, 0xD6): update_binary,
    (0x04, 0xD0): update_binary,
    (0x04, 0xD6): update_binary,
    (0x00, 0xDC): update_record,
    (0x04, 0xDC): update_record,
    (0x00, 0xE2): append_record,
    (0x04, 0xE2): append_record,
}
