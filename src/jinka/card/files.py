"""The card's file system: headers in memory, the directory read from them, and records inside a file body.

Layout of the memory: a head of 16 bytes (format, card state, next free offset, channels opened), then each file as a
header of 16 bytes and its body. What was removed leaves a hole, a header of kind 00 and zeros, which new files fill.
The last byte of a folder's header is the kind of its application. File kinds: FMCOS 2.0 user manual; records: ISO/IEC
7816-4. Whether a command may touch a file is decided in `jinka.card.access`, not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jinka.card.nvm import Entry
from jinka.codec import StatusWord
from jinka.kit import JinkaError
from jinka.profile import FileKind

FORMAT = 1
HEAD = 16
CARD_STATE = 1  # offset of the card's state: 0 in use, else see below
_FREE = 2
CHANNELS = 4  # offset of the count of secure channels that domains ever opened, 3 bytes
FILE_HEAD = 16
COUNTING = (
    8  # offset in a folder's header: whether what is in it counts against the quota of the folder above
)
BY_ITSELF, WITH_ALL = 0, 1  # on cards of before, and right below the root; folders made since
STATE = 9  # offset in a folder's header, see the constants below
_APPLICATION = 15  # offset in a folder's header: the kind of its application, 0 for plain files and purses
MF = 0x3F00
UICC = 0x6F  # files 6Fxx have the short identifiers that 3GPP TS 31.102 lists, not their low bits

HOLE = 0x00  # the kind byte of released room
OPEN, SEALED, BLOCKED, BLOCKED_FOR_GOOD = 0, 1, 2, 3  # life of a folder
HIDDEN, WITHHELD = 4, 5  # installed but not selectable; locked by its security domain
CARD_BLOCKED, CARD_LOCKED = 1, 2  # the card's state: nothing answers; only the issuer domain answers
ISSUER_AID = bytes.fromhex("A000000151000000")  # the issuer domain (GlobalPlatform 2.3.1, H.1)

# The body of a purse file.
BALANCE, ONLINE, OFFLINE, OVERDRAFT, LIMIT, TRIES, PROOFS = 0, 4, 6, 8, 11, 15, 16
PROOF = 11  # type 1 | counter after the transaction 2 | MAC 4 | TAC 4; first of offline, then of online kind
PURSE_BODY = PROOFS + 2 * PROOF
# What follows in a purse with a grey lock (types 3, key use, flags: `jinka.profile.GreySpec`).
GREY_TYPES, GREY_KEY, GREY_FLAGS = PURSE_BODY, PURSE_BODY + 3, PURSE_BODY + 4
GREY_STATE, GREY_TRIES = PURSE_BODY + 5, PURSE_BODY + 6
GREY_PROOF = (
    PURSE_BODY + 7
)  # type 1 | ET 1 | balance 4 | counter 2 | terminal 6 | moment 7 | amount or MAC2 4 | MAC 4
GREY_PROOF_SIZE = 29
GREY_SERIAL = GREY_PROOF + GREY_PROOF_SIZE  # terminal serial 4 | algorithm 1 | session key 16
GREY_SESSION = GREY_SERIAL + 5
GREY_BODY = GREY_SESSION + 16
GREY_PARAMETERS = 5
NOT_GREY, GREY, TAC_UNREAD = 0x00, 0x01, 0x10
PURSE_TRIES = 10  # wrong MACs in a row until the purse locks (9303)

# A key record: length 1 | kid | type | use | change | x | y | tries (most, left) | key.
KEY_HEAD = 8
KEY_X, KEY_Y, KEY_TRIES = 5, 6, 7


class CardError(JinkaError):
    """A command ends with this status word, and seldom with data before it."""

    def __init__(self, sw: int, data: bytes = b"") -> None:
        super().__init__(f"SW {sw:04X}")
        self.sw = sw
        self.data = data


class File:
    """One file as its header describes it; ``at`` is the offset of its body. Shared by all cards of a template."""

    __slots__ = (
        "a1",
        "a2",
        "application",
        "at",
        "by_sfi",
        "children",
        "encrypted",
        "fid",
        "header",
        "host",
        "keys",
        "kind",
        "mac",
        "name",
        "parent",
        "read",
        "size",
        "write",
    )

    def __init__(self, memory: bytes | bytearray, header: int) -> None:
        head = memory[header : header + FILE_HEAD]
        self.header, self.at = header, header + FILE_HEAD
        self.mac, self.encrypted = bool(head[0] & 0x80), bool(head[0] & 0x40)
        self.kind = FileKind(head[0] & 0x3F)
        self.fid = head[1] << 8 | head[2]
        self.size = head[3] << 8 | head[4]
        self.read, self.write, self.a1, self.a2 = head[5:9]
        self.parent: File | None = None
        self.name = b""
        self.application = 0
        self.host: File | None = None  # the folder, itself or above, whose application answers here
        self.children: dict[int, File] = {}
        self.by_sfi: dict[int, File] = {}
        self.keys: dict[tuple[int, int], int] = {}  # (type, kid) -> offset of the key record
        if self.kind is FileKind.FOLDER:
            self.name = bytes(memory[self.at : self.at + head[12]])
            self.application = head[_APPLICATION]
            self.host = self if self.application else None
        elif self.kind is FileKind.KEY:
            self.keys = _keys(memory, self.at)

    @property
    def key_file(self) -> File | None:
        """The key file of a folder; a file 0000 of another kind is none."""
        file = self.children.get(0x0000)
        return file if file is not None and file.kind is FileKind.KEY else None


class Directory:
    """All files of a card, found by walking the headers."""

    __slots__ = ("by_name", "folders", "root")

    def __init__(self, memory: bytes | bytearray) -> None:
        self.folders: dict[int, File] = {}  # by offset of their header
        self.by_name: dict[bytes, File] = {}
        files = [File(memory, at) for at, _ in extents(memory) if memory[at]]
        for entry in files:
            if entry.kind is FileKind.FOLDER:
                self.folders[entry.header] = entry
                if entry.name:
                    self.by_name[entry.name] = entry
        for entry in files:  # a file may lie in a hole before its folder
            at = entry.header
            parent = self.folders.get(int.from_bytes(memory[at + 10 : at + 12], "big"))
            if parent is not None:
                entry.parent = parent
                parent.children[entry.fid] = entry
                if entry.kind is not FileKind.FOLDER and entry.fid >> 8 != UICC:
                    parent.by_sfi.setdefault(entry.fid & 0x1F, entry)
        for entry in self.folders.values():
            above = entry
            while above.host is None and above.parent is not None:
                above = above.parent
            entry.host = above.host
        self.root = self.folders[HEAD]

    def named(self, name: bytes) -> File | None:
        """The folder with this name, or the first that begins with it (ISO/IEC 7816-4, partial name)."""
        found = self.by_name.get(name)
        if found is None and len(name) >= 5:
            found = next((entry for full, entry in self.by_name.items() if full.startswith(name)), None)
        return found

    def next_named(self, name: bytes, after: File) -> File | None:
        """The folder that begins with this name and was made after ``after`` (next occurrence)."""
        if len(name) < 5:
            return None
        later = (entry for entry in self.by_name.values() if entry.header > after.header)
        return next((entry for entry in later if entry.name.startswith(name)), None)


def free_offset(memory: bytes | bytearray) -> int:
    """Where the next file would begin."""
    return memory[_FREE] << 8 | memory[_FREE + 1]


def blank_memory() -> bytes:
    """A card as it leaves the factory: the root folder (1PAY.SYS.DDF01), open, and nothing in it.

    Once left, the root lets files be created at security level 1 only, which takes a key written before that.
    """
    name = b"1PAY.SYS.DDF01"
    header = file_header(
        FileKind.FOLDER, MF, len(name), rights=(0x11, 0x11), extra=(0, 0), parent=0, name_length=len(name)
    )
    free = HEAD + len(header) + len(name)
    return bytes((FORMAT, 0)) + free.to_bytes(2, "big") + bytes(HEAD - 4) + header + name


def file_header(
    kind: int,
    fid: int,
    size: int,
    *,
    rights: tuple[int, int],
    extra: tuple[int, int],
    parent: int,
    name_length: int = 0,
    quota: int = 0,
    application: int = 0,
) -> bytes:
    """The 16 bytes before a file's body; ``quota`` of a folder in bytes, 0 for none."""
    return (
        bytes((kind,))
        + fid.to_bytes(2, "big")
        + size.to_bytes(2, "big")
        + bytes((*rights, *extra, OPEN))
        + parent.to_bytes(2, "big")
        + bytes((name_length,))
        + quota.to_bytes(2, "big")
        + bytes((application,))
    )


def extents(memory: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """(offset of the header, bytes with the header) of each file and hole, in order of the memory."""
    at, free = HEAD, free_offset(memory)
    while at < free:
        size = FILE_HEAD + (memory[at + 3] << 8 | memory[at + 4])
        yield at, size
        at += size


def creation(memory: bytes | bytearray, header: bytes, body: bytes, capacity: int) -> list[Entry]:
    """The writes that add a file: in the first hole that it fits, else at the end; 6A84 when there is no room."""
    size = len(header) + len(body)
    for at, room in extents(memory):
        if memory[at] == HOLE and (room == size or room >= size + FILE_HEAD):
            rest = [(at + size, hole(room - size))] if room > size else []
            return [(at, header + body), *rest]
    at = free_offset(memory)
    if at + size > capacity:
        raise CardError(StatusWord.NO_SPACE)
    return [(at, header + body), (_FREE, (at + size).to_bytes(2, "big"))]


def hole(room: int) -> bytes:
    """The header of a hole of ``room`` bytes, itself included."""
    return bytes((HOLE, 0, 0)) + (room - FILE_HEAD).to_bytes(2, "big") + bytes(FILE_HEAD - 5)


def release(memory: bytearray, headers: Iterable[int]) -> None:
    """Wipe files, join neighbouring holes, and give back what lies at the end."""
    removed = set(headers)
    at_hole: int | None = None
    for at, size in list(extents(memory)):
        if at in removed:
            memory[at : at + size] = hole(size) + bytes(size - FILE_HEAD)
        if memory[at] != HOLE:
            at_hole = None
            continue
        if at_hole is None:
            at_hole = at
        else:
            room = at + size - at_hole
            memory[at : at + FILE_HEAD] = bytes(FILE_HEAD)
            memory[at_hole : at_hole + FILE_HEAD] = hole(room)
    if at_hole is not None:
        end = free_offset(memory)
        memory[at_hole:end] = bytes(end - at_hole)
        memory[_FREE : _FREE + 2] = at_hole.to_bytes(2, "big")


def body_size(kind: FileKind, size: int, records: int, length: int) -> int:
    """Bytes that a file's body takes: its content and its own pointers."""
    if kind is FileKind.FIXED:
        return 1 + records * length
    if kind is FileKind.CYCLIC:
        return 2 + records * length
    if kind in (FileKind.VARIABLE, FileKind.KEY):
        return 2 + size
    return PURSE_BODY if kind is FileKind.PURSE else size


def find_record(memory: bytearray, file: File, p1: int, by_number: bool) -> tuple[int, int]:
    """(offset, length) of a record, by number (1 is the first, in a cyclic file the newest) or by its id byte."""
    if file.kind is FileKind.CYCLIC:
        head, count, length = memory[file.at], memory[file.at + 1], file.a2
        number = p1 if by_number else 1
        if not 1 <= number <= count:
            raise CardError(StatusWord.RECORD_NOT_FOUND)
        return file.at + 2 + (head - number) % file.a1 * length, length
    if file.kind is FileKind.FIXED:
        number = p1 if by_number else 1
        if not 1 <= number <= memory[file.at]:
            raise CardError(StatusWord.RECORD_NOT_FOUND)
        return file.at + 1 + (number - 1) * file.a2, file.a2
    if file.kind is not FileKind.VARIABLE:
        raise CardError(StatusWord.FILE_TYPE_WRONG)
    at = file.at + 2
    end = at + (memory[file.at] << 8 | memory[file.at + 1])
    number = 0
    while at + 2 <= end:
        number += 1
        length = 2 + memory[at + 1]
        if (number if by_number else memory[at]) == p1:
            return at, length
        at += length
    raise CardError(StatusWord.RECORD_NOT_FOUND)


def appending(memory: bytearray, file: File, raw: bytes) -> list[Entry]:
    """The writes that add a record; a cyclic file overwrites its oldest."""
    if file.kind is FileKind.CYCLIC:
        if len(raw) != file.a2:
            raise CardError(StatusWord.WRONG_LENGTH)
        head, count = memory[file.at], memory[file.at + 1]
        pointers = bytes(((head + 1) % file.a1, min(count + 1, file.a1)))
        return [(file.at + 2 + head * file.a2, raw), (file.at, pointers)]
    if file.kind is FileKind.FIXED:
        count = memory[file.at]
        if len(raw) != file.a2:
            raise CardError(StatusWord.WRONG_LENGTH)
        if count == file.a1:
            raise CardError(StatusWord.NO_SPACE)
        return [(file.at + 1 + count * file.a2, raw), (file.at, bytes((count + 1,)))]
    if file.kind is not FileKind.VARIABLE:
        raise CardError(StatusWord.FILE_TYPE_WRONG)
    if len(raw) < 2 or len(raw) != 2 + raw[1]:
        raise CardError(StatusWord.DATA_WRONG)
    return _extension(memory, file, raw)


def key_writing(memory: bytearray, file: File, kid: int, type_: int, raw: bytes) -> list[Entry]:
    """The writes that add a key record, or replace the one of the same type and index; ``raw`` follows the type."""
    record = bytes((len(raw) - 5 + KEY_HEAD, kid, type_)) + raw
    present = file.keys.get((type_, kid))
    if present is None:
        return _extension(memory, file, record)
    if memory[present] != len(record):
        raise CardError(StatusWord.DATA_WRONG)
    return [(present, record)]


def _extension(memory: bytearray, file: File, raw: bytes) -> list[Entry]:
    """Add bytes to a body that begins with the count of bytes in use."""
    used = memory[file.at] << 8 | memory[file.at + 1]
    if 2 + used + len(raw) > file.size:
        raise CardError(StatusWord.NO_SPACE)
    return [(file.at + 2 + used, raw), (file.at, (used + len(raw)).to_bytes(2, "big"))]


def _keys(memory: bytes | bytearray, at: int) -> dict[tuple[int, int], int]:
    end = at + 2 + (memory[at] << 8 | memory[at + 1])
    at += 2
    found = {}
    while at < end and memory[at] >= KEY_HEAD:  # a shorter record is none: stop rather than turn in a circle
        found[(memory[at + 2], memory[at + 1])] = at
        at += memory[at]
    return found
