"""Card content: LOAD, INSTALL, STORE DATA, DELETE (GlobalPlatform Card Specification 2.3.1, 9 and 11).

A load file is a declared profile (`jinka.profile.package`), not code. Each command works on a shadow of the memory and
reaches the card in one transaction, or not at all. Jinka's own choices:
STORE DATA carries native commands in data groupings 8F01; a version above the installed one adds the files it has more;
what an authority may name is `jinka.card.grants`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinka.card import globalplatform_staging as staging
from jinka.card import grants
from jinka.card.domains import (
    DOMAIN_FIDS,
    DOMAIN_MODULE,
    DOMAIN_PACKAGE,
    PACKAGE_FID,
    Kind,
    Life,
    Move,
    Record,
    Registry,
    domain_folder,
    hidden_file,
    moved,
    place,
    subtree,
)
from jinka.card.files import (
    HIDDEN,
    SEALED,
    CardError,
    File,
    release,
)
from jinka.card.globalplatform_session import Load, SecurityDomain, domain_of, objects
from jinka.codec import Command, StatusWord
from jinka.codec.apdu import COMMAND_MAX
from jinka.crypto.scp import ChannelBroken, Level, unpad80
from jinka.profile.package import SIZE_MAX, decode

if TYPE_CHECKING:
    from jinka.card.applet import Handler
    from jinka.card.cos import CardOs

_FOR_LOAD, _FOR_INSTALL, _MAKE_SELECTABLE, _PERSONALISATION, _REGISTRY = 0x02, 0x04, 0x08, 0x20, 0x40
_LAST, _ENCIPHERED, _GROUPINGS = 0x80, 0x60, 0x08  # P1 of LOAD and STORE DATA
_COMMAND_GROUPING = b"\x8f\x01"
_GROUPING_MAX = 5 + COMMAND_MAX
_WITH_RELATED = 0x80  # P2 of DELETE
_QUOTA = 0xC7  # system parameter: memory for the domain's content, 2 bytes (table 11-49)


def install(card: CardOs, command: Command) -> bytes:
    """INSTALL: P1 02 [for load], 04 [for install], 08 [for make selectable], 0C both, 20 [for personalization].

    P1 40 [for registry update]: the issuer declares which names a domain may give from now on.
    """
    domain = domain_of(card)
    if command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    fields = _fields(command.data)
    if command.p1 == _FOR_LOAD:
        _for_load(domain, fields)
    elif command.p1 in (_FOR_INSTALL, _FOR_INSTALL | _MAKE_SELECTABLE):
        _for_install(card, domain, fields, selectable=bool(command.p1 & _MAKE_SELECTABLE))
    elif command.p1 == _MAKE_SELECTABLE:
        record = _own(domain, _field(fields, 2, 6), Kind.APPLICATION, Kind.DOMAIN)
        card.nvm.commit(moved(card.nvm.memory, record, Move.MAKE_SELECTABLE))
    elif command.p1 == _PERSONALISATION:
        record = _own(domain, _field(fields, 2, 6), Kind.APPLICATION)
        if record.life not in (Life.SELECTABLE, Life.PERSONALISED):
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        domain.target, domain.cursor, domain.partial = record.header, (record.header, 0), b""
        domain.blocks = 0
    elif command.p1 == _REGISTRY:
        _grant(card, domain, fields)
    else:
        raise CardError(StatusWord.P1P2_WRONG)
    return b"\x00"


def load(card: CardOs, command: Command) -> bytes:
    """LOAD: P1 80 the last block, P2 its number; the blocks together are ``C4 {package}``."""
    domain = domain_of(card)
    under_way = domain.load
    if under_way is None:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    if command.p1 & ~_LAST or command.p2 != under_way.blocks & 0xFF:
        domain.load = None
        raise CardError(StatusWord.P1P2_WRONG)
    under_way.blocks += 1
    under_way.body += command.data
    if len(under_way.body) > SIZE_MAX + 8:
        domain.load = None
        raise CardError(StatusWord.NO_SPACE)
    if not command.p1 & _LAST:
        return b"\x00"
    domain.load = None
    raw = objects(under_way.body).get(0xC4)
    if raw is None:
        raise CardError(StatusWord.DATA_WRONG)
    profile = staging.package(raw)
    shadow = card.shadow()
    memory = shadow.nvm.memory
    taken = {child.fid for child in domain.folder.children.values()}
    fid = next(fid for fid in range(PACKAGE_FID, 0x8000) if fid not in taken)
    body = bytes((len(under_way.aid),)) + under_way.aid + raw
    here = domain.folder.header
    header = place(memory, hidden_file(fid, len(body), here), body, card.nvm.capacity)
    staging.record(
        shadow,
        header=header,
        owner=here,
        package=0,
        kind=Kind.PACKAGE,
        life=Life.LOADED,
        version=profile.version,
    )
    staging.commit(card, shadow, here)
    return b"\x00"


def store_data(card: CardOs, command: Command) -> bytes:
    """STORE DATA: P1 08 groupings, 60 enciphered under the DEK, 80 the last; P2 the block's number, from 00.

    The target is what INSTALL named; a block out of order (6A86) ends its personalisation.
    Data that are not enciphered are taken only in a channel that enciphers. The last block makes the application
    personalised; after that its purses and logs are out of reach.
    """
    domain = domain_of(card)
    channel = domain.channel
    assert channel is not None
    record = domain.registry.records.get(domain.target)
    if record is None:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    if command.p1 & ~(_LAST | _ENCIPHERED | _GROUPINGS) or not command.p1 & _GROUPINGS:
        raise CardError(StatusWord.P1P2_WRONG)
    if command.p2 != domain.blocks & 0xFF:
        domain.target = 0
        raise CardError(StatusWord.P1P2_WRONG)
    data, enciphered = command.data, command.p1 & _ENCIPHERED
    if enciphered not in (0, _ENCIPHERED):
        raise CardError(StatusWord.P1P2_WRONG)
    try:
        data = unpad80(channel.unwrap_key(data)) if enciphered else data
    except ChannelBroken:
        raise CardError(StatusWord.DATA_WRONG) from None
    if not enciphered and Level.C_ENC not in channel.level:
        raise CardError(StatusWord.SECURITY_NOT_SATISFIED)
    commands, partial = _groupings(domain.partial + data)
    if partial and (command.p1 & _LAST or len(partial) > _GROUPING_MAX):
        raise CardError(StatusWord.DATA_WRONG)
    shadow = card.shadow()
    cursor = staging.fill(shadow, record, commands, domain.cursor)
    if command.p1 & _LAST:
        staging.require_keys(shadow, domain.registry, record)
        shadow.nvm.commit(moved(shadow.nvm.memory, record, Move.PERSONALISE))
        domain.target = 0
    staging.commit(card, shadow, record.owner)
    domain.cursor, domain.partial, domain.blocks = cursor, partial, domain.blocks + 1
    return b""


def delete(card: CardOs, command: Command) -> bytes:
    """DELETE: data ``4F AID``; P2 80 takes a package with its applications. A domain goes only when it is empty."""
    domain = domain_of(card)
    if command.p1 or command.p2 & ~_WITH_RELATED:
        raise CardError(StatusWord.P1P2_WRONG)
    aid = objects(command.data).get(0x4F)
    if aid is None:
        raise CardError(StatusWord.DATA_WRONG)
    registry = domain.registry
    record = _own(domain, aid, Kind.APPLICATION, Kind.DOMAIN, Kind.PACKAGE)
    related = [item for item in registry.records.values() if item.package == record.header]
    if record.kind is Kind.DOMAIN and registry.owned(record.header):
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    if record.kind is Kind.PACKAGE and related and not command.p2 & _WITH_RELATED:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    doomed = [record, *(related if record.kind is Kind.PACKAGE else [])]
    headers: list[int] = []
    for item in doomed:
        if item.kind is Kind.PACKAGE:
            headers.append(item.header)
        else:
            headers += [file.header for file in subtree(registry.directory.folders[item.header])]
    shadow = card.shadow()
    for item in doomed:
        shadow.nvm.memory[item.at : item.at + 16] = bytes(16)
    release(shadow.nvm.memory, headers)
    domain.target = 0
    staging.commit(card, shadow, domain.folder.header)
    return b"\x00"


def module_of(registry: Registry, record: Record) -> bytes:
    """The AID of the application in a package."""
    return decode(registry.package(record)).aid


def _for_load(domain: SecurityDomain, fields: list[bytes]) -> None:
    """Load file AID | domain AID | hash | parameters | token; hash and token must be empty."""
    if len(fields) != 5 or fields[2] or fields[4] or not 5 <= len(fields[0]) <= 16:
        raise CardError(StatusWord.DATA_WRONG)
    if fields[1] not in (b"", domain.folder.name) or domain.registry.named(fields[0]) is not None:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    grants.require_granted(domain.registry, domain.folder, [fields[0]])
    domain.load = Load(fields[0])


def _for_install(card: CardOs, domain: SecurityDomain, fields: list[bytes], *, selectable: bool) -> None:
    """Load file AID | module AID | application AID | privileges | parameters | token (empty).

    Privileges are the issuer's to give; what an authority installs has none.
    """
    if len(fields) != 6 or fields[5] or len(fields[3]) not in (1, 3):
        raise CardError(StatusWord.DATA_WRONG)
    package, module, aid, privileges, parameters = fields[:5]
    privileges = privileges.ljust(3, b"\x00")
    if any(privileges) and domain.folder.header != domain.registry.issuer.header:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    life = Life.SELECTABLE if selectable else Life.INSTALLED
    shadow = card.shadow()
    if package == DOMAIN_PACKAGE:
        if module != DOMAIN_MODULE:
            raise CardError(StatusWord.REFERENCE_NOT_FOUND)
        _new_domain(domain, shadow, aid, privileges, parameters, life)
        staging.commit(card, shadow, domain.folder.header)
        return
    source = _own(domain, package, Kind.PACKAGE)
    profile = staging.package(domain.registry.package(source))
    if module != profile.aid or aid != profile.aid:
        raise CardError(StatusWord.REFERENCE_NOT_FOUND)
    had = domain.registry.directory.by_name
    wanted = [aid, *(spec.name for spec in profile.folders if not _is_below(had.get(spec.name), aid))]
    grants.require_granted(domain.registry, domain.folder, wanted)
    present = domain.registry.named(aid)
    if present is not None:
        staging.upgrade(domain, shadow, present, source, profile)
    else:
        staging.new_application(domain, shadow, source, profile, privileges, life)
    staging.commit(card, shadow, domain.folder.header)


def _new_domain(
    domain: SecurityDomain, shadow: CardOs, aid: bytes, privileges: bytes, parameters: bytes, life: Life
) -> None:
    """Only the issuer makes domains; quota and prefixes come in the parameters ``EF {C7 bytes 2, DF21 ..}``."""
    registry = domain.registry
    here = domain.folder.header
    if here != registry.issuer.header or not 5 <= len(aid) <= 16 or registry.directory.named(aid) is not None:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    system = objects(objects(parameters).get(0xEF, b""))
    quota = system.get(_QUOTA, bytes(2))
    if len(quota) != 2:
        raise CardError(StatusWord.DATA_WRONG)
    taken = registry.directory.root.children
    fid = next((fid for fid in DOMAIN_FIDS if fid not in taken), None)
    if fid is None:
        raise CardError(StatusWord.NO_SPACE)
    state = SEALED if life is Life.SELECTABLE else HIDDEN
    header = domain_folder(
        shadow.nvm.memory,
        fid=fid,
        aid=aid,
        quota=int.from_bytes(quota, "big"),
        state=state,
        capacity=shadow.nvm.capacity,
    )
    staging.record(
        shadow, header=header, owner=here, package=0, kind=Kind.DOMAIN, life=life, privileges=privileges
    )
    made = shadow.directory.folders[header]
    grants.declare(shadow.nvm.memory, made, system.get(grants.NAMES, b""), shadow.nvm.capacity)


def _grant(card: CardOs, domain: SecurityDomain, fields: list[bytes]) -> None:
    """Empty | empty | domain AID | privileges (empty) | parameters ``EF {DF21 ..}`` | token (empty); issuer only."""
    if len(fields) != 6 or fields[0] or fields[1] or fields[3] or fields[5]:
        raise CardError(StatusWord.DATA_WRONG)
    if domain.folder.header != domain.registry.issuer.header:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    record = _own(domain, fields[2], Kind.DOMAIN)
    declaration = objects(objects(fields[4]).get(0xEF, b"")).get(grants.NAMES)
    if declaration is None:
        raise CardError(StatusWord.DATA_WRONG)
    shadow = card.shadow()
    folder = shadow.directory.folders[record.header]
    grants.declare(shadow.nvm.memory, folder, declaration, shadow.nvm.capacity)
    staging.commit(card, shadow, domain.folder.header)


def _is_below(folder: File | None, aid: bytes) -> bool:
    """Whether a folder lies in the application of this AID."""
    while folder is not None and folder.name != aid:
        folder = folder.parent
    return folder is not None


def _own(domain: SecurityDomain, aid: bytes, *kinds: Kind) -> Record:
    """What the domain owns under this AID; 6A88 for everything else, be it there or not."""
    record, here = domain.registry.named(aid), domain.folder.header
    if record is None or record.kind not in kinds or record.owner != here or record.header == here:
        raise CardError(StatusWord.REFERENCE_NOT_FOUND)
    return record


def _fields(data: bytes) -> list[bytes]:
    """Length 1 | value, until the end."""
    found, at = [], 0
    while at < len(data):
        end = at + 1 + data[at]
        if end > len(data):
            raise CardError(StatusWord.DATA_WRONG)
        found.append(data[at + 1 : end])
        at = end
    return found


def _field(fields: list[bytes], index: int, count: int) -> bytes:
    if len(fields) != count:
        raise CardError(StatusWord.DATA_WRONG)
    return fields[index]


def _groupings(data: bytes) -> tuple[list[bytes], bytes]:
    """The native commands in groupings ``8F01 | length 1, or FF and length 2 | command``, and what is left over."""
    found: list[bytes] = []
    at = 0
    while at < len(data):
        head = data[at : at + 5]
        if head[:2] != _COMMAND_GROUPING[: len(head)]:
            raise CardError(StatusWord.DATA_WRONG)
        is_long = head[2:3] == b"\xff"
        start = at + (5 if is_long else 3)
        size = int.from_bytes(head[3:5] if is_long else head[2:3], "big")
        if len(data) < start or len(data) < start + size:
            return found, data[at:]
        found.append(data[start : start + size])
        at = start + size
    return found, b""


TABLE: dict[tuple[int, int], Handler] = {
    (0x80, 0xE6): install,
    (0x80, 0xE8): load,
    (0x80, 0xE2): store_data,
    (0x80, 0xE4): delete,
}
