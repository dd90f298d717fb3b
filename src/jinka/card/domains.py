"""Security domains: who owns what on the card, which keys open it, how much room it has, and what state it is in.

GlobalPlatform Card Specification 2.3.1: 5 (life-cycle models), 7 (security domains), 9 (content management). A domain
is a folder of kind DOMAIN; the issuer's has the registry as well, one record of 16 bytes for each application, domain
and package: header 2 | owner 2 | package 2 | kind | life | life before a lock | folder state before it | version |
privileges 3 | locked with its domain 1 | spare 1. Offsets are those of headers. The commands are in
`jinka.card.globalplatform`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum

from jinka.card.domain_keys import KEY_FILE_SIZE, KEYS_FID, Option, key_writing
from jinka.card.files import (
    FILE_HEAD,
    HIDDEN,
    ISSUER_AID,
    SEALED,
    STATE,
    WITHHELD,
    CardError,
    Directory,
    File,
    creation,
    file_header,
)
from jinka.codec import StatusWord
from jinka.crypto.scp import KeySet
from jinka.profile import NEVER, ApplicationKind, FileKind

REGISTRY_FID, IDENTITY_FID = 0x0001, 0x0003  # beside `KEYS_FID`
PACKAGE_FID = 0x4000  # and above: the packages of a domain
DOMAIN_PACKAGE, DOMAIN_MODULE = bytes.fromhex("A0000001515350"), bytes.fromhex("A000000151535041")
CPLC_SIZE, KDD_SIZE = 42, 10
_KEPT_RECORDS = 2
ISSUER_FID, DOMAIN_FIDS = 0x3E00, range(0x3E01, 0x3E20)
_RECORD, _WITH_DOMAIN = 16, 14


class Kind(IntEnum):
    """What a record of the registry stands for."""

    APPLICATION = 1
    DOMAIN = 2
    PACKAGE = 3
    ISSUER = 4


class Life(IntEnum):
    """Life-cycle states of packages, applications and domains (5.2, 5.3; table 11-3 to 11-5)."""

    LOADED = 0x01
    INSTALLED = 0x03
    SELECTABLE = 0x07
    PERSONALISED = 0x0F
    LOCKED = 0x83


class CardLife(IntEnum):
    """Life-cycle states of the card, kept in the issuer domain's record (5.1; table 11-6)."""

    READY = 0x01
    INITIALISED = 0x07
    SECURED = 0x0F
    LOCKED = 0x7F
    TERMINATED = 0xFF


class Move(Enum):
    """What may happen to an application or a domain."""

    MAKE_SELECTABLE = "INSTALL [for make selectable]"
    PERSONALISE = "the last STORE DATA; the first PUT KEY of a domain"
    LOCK = "SET STATUS to locked"
    UNLOCK = "SET STATUS back"


# (state, move) -> state after it; None is the state before the lock. What is not here is refused with 6985.
LIFE_MOVES: dict[tuple[Life, Move], Life | None] = {
    (Life.INSTALLED, Move.MAKE_SELECTABLE): Life.SELECTABLE,
    (Life.SELECTABLE, Move.PERSONALISE): Life.PERSONALISED,
    (Life.PERSONALISED, Move.PERSONALISE): Life.PERSONALISED,
    (Life.INSTALLED, Move.LOCK): Life.LOCKED,
    (Life.SELECTABLE, Move.LOCK): Life.LOCKED,
    (Life.PERSONALISED, Move.LOCK): Life.LOCKED,
    (Life.LOCKED, Move.UNLOCK): None,
}
CARD_MOVES: frozenset[tuple[CardLife, CardLife]] = frozenset(
    {
        (CardLife.READY, CardLife.INITIALISED),
        (CardLife.INITIALISED, CardLife.SECURED),
        (CardLife.SECURED, CardLife.LOCKED),
        (CardLife.LOCKED, CardLife.SECURED),
        *((life, CardLife.TERMINATED) for life in CardLife if life is not CardLife.TERMINATED),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of the registry; ``at`` is its place in the memory."""

    at: int
    header: int
    owner: int
    package: int
    kind: Kind
    life: int
    life_before: int = 0
    state_before: int = 0
    version: int = 0
    privileges: bytes = bytes(3)
    with_domain: int = 0  # 1 for an application that was locked because its domain was

    def raw(self) -> bytes:
        """The 16 bytes."""
        offsets = b"".join(offset.to_bytes(2, "big") for offset in (self.header, self.owner, self.package))
        states = bytes((self.kind, self.life, self.life_before, self.state_before, self.version))
        return offsets + states + self.privileges + bytes((self.with_domain, 0))


class Registry:
    """The registry of one card as its memory holds it at this moment."""

    __slots__ = ("directory", "issuer", "memory", "records")

    def __init__(self, memory: bytes | bytearray, directory: Directory) -> None:
        issuer = directory.by_name.get(ISSUER_AID)
        if issuer is None or issuer.application != ApplicationKind.DOMAIN:
            raise CardError(StatusWord.REFERENCE_NOT_FOUND)
        self.memory, self.directory, self.issuer = memory, directory, issuer
        self.records = {record.header: record for record in self._read()}

    def _read(self) -> Iterator[Record]:
        for at in self._places():
            raw = self.memory[at : at + _RECORD]
            if raw[6]:
                numbers = [raw[place] << 8 | raw[place + 1] for place in (0, 2, 4)]
                yield Record(
                    at=at,
                    header=numbers[0],
                    owner=numbers[1],
                    package=numbers[2],
                    kind=Kind(raw[6]),
                    life=raw[7],
                    life_before=raw[8],
                    state_before=raw[9],
                    version=raw[10],
                    privileges=bytes(raw[11:14]),
                    with_domain=raw[14],
                )

    def _places(self) -> range:
        file = self.issuer.children[REGISTRY_FID]
        return range(file.at, file.at + file.size, _RECORD)

    def free_place(self, owner: int) -> int:
        """Where a domain's next record goes; 6A84 when none is free but those kept for the other authorities.

        Each has room for an application and its package, however much another installs. The issuer is not bound.
        """
        free = [at for at in self._places() if not self.memory[at + 6]]
        kept = 0
        if owner != self.issuer.header and len(self.owned(owner)) >= _KEPT_RECORDS:
            domains = [record.header for record in self.records.values() if record.kind is Kind.DOMAIN]
            kept = sum(max(0, _KEPT_RECORDS - len(self.owned(domain))) for domain in domains)
        if len(free) <= kept:
            raise CardError(StatusWord.NO_SPACE)
        return free[0]

    def name(self, record: Record) -> bytes:
        """The AID of what a record stands for."""
        if record.kind is not Kind.PACKAGE:
            return self.directory.folders[record.header].name
        at = record.header + FILE_HEAD
        return bytes(self.memory[at + 1 : at + 1 + self.memory[at]])

    def package(self, record: Record) -> bytes:
        """The bytes of a package, after its AID."""
        at = record.header + FILE_HEAD
        size = self.memory[record.header + 3] << 8 | self.memory[record.header + 4]
        return bytes(self.memory[at + 1 + self.memory[at] : at + size])

    def named(self, aid: bytes) -> Record | None:
        """The record with this AID."""
        return next((record for record in self.records.values() if self.name(record) == aid), None)

    def owned(self, owner: int) -> list[Record]:
        """What belongs to a domain, in order of the registry."""
        return [
            record for record in self.records.values() if record.owner == owner and record.header != owner
        ]

    def room(self, owner: int) -> tuple[int, int]:
        """(bytes used by what a domain owns, its quota); quota 0 means that only the memory limits it."""
        used = 0
        for record in self.owned(owner):
            if record.kind is Kind.PACKAGE:
                used += FILE_HEAD + (self.memory[record.header + 3] << 8 | self.memory[record.header + 4])
            else:
                used += sum(FILE_HEAD + file.size for file in subtree(self.directory.folders[record.header]))
        return used, self.memory[owner + 13] << 8 | self.memory[owner + 14]


def subtree(folder: File) -> Iterator[File]:
    """A folder and everything below it."""
    yield folder
    for child in folder.children.values():
        if child.kind is FileKind.FOLDER:
            yield from subtree(child)
        else:
            yield child


def moved(memory: bytes | bytearray, record: Record, move: Move) -> list[tuple[int, bytes]]:
    """The writes that carry a move out on a record and its folder; 6985 when the table does not have it."""
    try:
        after = LIFE_MOVES[(Life(record.life), move)]
    except (KeyError, ValueError):
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED) from None
    state_at = record.header + STATE
    if move is Move.LOCK:
        before = bytes((Life.LOCKED, record.life, memory[state_at]))
        return [(record.at + 7, before), (state_at, bytes((WITHHELD,)))]
    if after is None:
        return [
            (record.at + 7, bytes((record.life_before, 0, 0))),
            (record.at + _WITH_DOMAIN, b"\x00"),
            (state_at, bytes((record.state_before,))),
        ]
    writes = [(record.at + 7, bytes((after,)))]
    if memory[state_at] == HIDDEN:
        writes.append((state_at, bytes((SEALED,))))
    return writes


def moved_with_domain(memory: bytes | bytearray, record: Record, move: Move) -> list[tuple[int, bytes]]:
    """The writes that lock or unlock an application because its domain is; its authority's own lock stays."""
    if (record.life == Life.LOCKED) is (move is Move.LOCK) or (
        move is Move.UNLOCK and not record.with_domain
    ):
        return []
    flag = bytes((move is Move.LOCK,))
    return [*moved(memory, record, move), (record.at + _WITH_DOMAIN, flag)]


def domain_folder(
    memory: bytearray, *, fid: int, aid: bytes, quota: int, state: int, capacity: int = 0x8000
) -> int:
    """Add a domain's folder with its key file to a memory that is being staged; returns its header."""
    root = Directory(memory).root
    header = file_header(
        FileKind.FOLDER,
        fid,
        len(aid),
        rights=(NEVER, NEVER),
        extra=(0, 0),
        parent=root.header,
        name_length=len(aid),
        quota=quota,
        application=ApplicationKind.DOMAIN,
    )
    at = place(memory, header, aid, capacity)
    place(memory, hidden_file(KEYS_FID, KEY_FILE_SIZE, at), bytes(KEY_FILE_SIZE), capacity)
    memory[at + STATE] = state
    return at


def hidden_file(fid: int, size: int, parent: int) -> bytes:
    """The header of a file that no command gives out."""
    return file_header(FileKind.SECRET, fid, size, rights=(NEVER, NEVER), extra=(0, 0), parent=parent)


def place(memory: bytearray, header: bytes, body: bytes, capacity: int = 0x8000) -> int:
    """Add a file to a memory that is being staged; returns the offset of its header."""
    writes = creation(memory, header, body, capacity)
    for at, raw in writes:
        memory[at : at + len(raw)] = raw
    return writes[0][0]


def with_issuer_domain(
    blank: bytes,
    keys: KeySet,
    *,
    kdd10: bytes = bytes(KDD_SIZE),
    cplc: bytes = bytes(CPLC_SIZE),
    records: int = 24,
    option: Option | None = None,
) -> bytes:
    """The memory of a card that leaves the factory with an issuer domain and its initial keys.

    The root is sealed: from now on applications come through domains only. ``records`` is the registry's size.
    """
    if len(kdd10) != KDD_SIZE or len(cplc) != CPLC_SIZE:
        raise CardError(StatusWord.WRONG_LENGTH)
    memory = bytearray(blank)
    issuer = domain_folder(memory, fid=ISSUER_FID, aid=ISSUER_AID, quota=0, state=SEALED)
    first = Record(at=0, header=issuer, owner=issuer, package=0, kind=Kind.ISSUER, life=CardLife.READY)
    body = first.raw().ljust(records * _RECORD, b"\x00")
    place(memory, hidden_file(REGISTRY_FID, len(body), issuer), body)
    place(memory, hidden_file(IDENTITY_FID, CPLC_SIZE + KDD_SIZE, issuer), cplc + kdd10)
    directory = Directory(memory)
    at, raw = key_writing(memory, directory.folders[issuer], keys, replaces=0, option=option)
    memory[at : at + len(raw)] = raw
    memory[directory.root.header + STATE] = SEALED
    return bytes(memory)
