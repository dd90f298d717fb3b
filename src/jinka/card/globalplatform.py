"""The commands of a security domain: the secure channel, what it tells, states and keys.

GlobalPlatform Card Specification 2.3.1, 11 (commands), annex E (SCP02), Amendment D (SCP03). A domain without keys of
its own opens with those of the domain that made it. At least C-MAC is asked for. One sequence counter for the whole
card rises with each channel that opens, so no session comes twice, also where a domain is removed and made again. It
has 2 bytes for SCP02, which so ends after 65,535 channels of whichever domains, and 3 for SCP03. Logical channels,
delegated management and tokens are not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinka.card import globalplatform_content as content
from jinka.card.domain_keys import (
    KEY_TRIES,
    Option,
    StoredKeys,
    channel_opened,
    channels,
    key_sets,
    key_writing,
)
from jinka.card.domains import (
    CARD_MOVES,
    CPLC_SIZE,
    IDENTITY_FID,
    KDD_SIZE,
    CardLife,
    Kind,
    Life,
    Move,
    Record,
    Registry,
    moved,
    moved_with_domain,
)
from jinka.card.files import CARD_BLOCKED, CARD_LOCKED, CARD_STATE, CardError, File, free_offset
from jinka.card.globalplatform_session import (
    EXTERNAL_AUTHENTICATE,
    INITIALIZE_UPDATE,
    SecurityDomain,
    domain_of,
    objects,
    recognition,
)
from jinka.card.nvm import Entry
from jinka.codec import Command, StatusWord, tlv
from jinka.crypto import scp02, scp03
from jinka.crypto.scp import (
    CHALLENGE_SIZE,
    Channel,
    ChannelBroken,
    KeyFamily,
    KeySet,
    Level,
    check_value,
)
from jinka.crypto.scp02 import Scp02
from jinka.crypto.scp03 import Scp03
from jinka.kit import Usage

if TYPE_CHECKING:
    from jinka.card.cos import CardOs

__all__ = ["SecurityDomain"]

_CRYPTOGRAM_WRONG, _MORE_LEFT = 0x6300, 0x6310
_ANSWER_MAX = 200  # leaves room for R-MAC and R-ENCRYPTION
_TLV_ANSWER, _NEXT = 0x02, 0x01  # P2 of GET STATUS
_STATUS_KINDS = {
    0x80: (Kind.ISSUER,),
    0x40: (Kind.APPLICATION, Kind.DOMAIN),
    0x20: (Kind.PACKAGE,),
    0x10: (Kind.PACKAGE,),
}
_ONE, _WITH_ALL, _CARD = 0x40, 0x60, 0x80  # P1 of SET STATUS
_SEQUENCE_END = {KeyFamily.TDES: 0xFFFF, KeyFamily.AES: 0xFFFFFF}  # opens no channel any more
_MULTIPLE = 0x80  # P2 of PUT KEY: three keys from this identifier on


def initialize_update(card: CardOs, command: Command) -> bytes:
    """INITIALIZE UPDATE: P1 the key version, 0 for the first; data: the host's challenge (11.5 of annexes D and E)."""
    domain = card.applet
    assert isinstance(domain, SecurityDomain)
    domain.end()
    if command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    if len(command.data) != CHALLENGE_SIZE:
        raise CardError(StatusWord.WRONG_LENGTH)
    registry = domain.registry
    stored = _keys_of(registry, domain.folder, command.p1)
    if not stored.tries:
        raise CardError(StatusWord.AUTHENTICATION_BLOCKED)
    identity = registry.issuer.children[IDENTITY_FID].at + CPLC_SIZE
    head = bytes(card.nvm.memory[identity : identity + KDD_SIZE]) + bytes((stored.keys.version,))
    keys, pseudo, name = stored.keys, stored.option & 0x10, domain.folder.name
    sequence = channels(registry.memory, registry.directory)
    session: Scp02 | Scp03
    if keys.family is KeyFamily.TDES:
        if sequence >= _SEQUENCE_END[KeyFamily.TDES]:
            raise CardError(StatusWord.COUNTER_EXHAUSTED)
        counter2 = sequence.to_bytes(2, "big")
        is_random = stored.option is Option.SCP02_RANDOM
        card6 = card.randomness.token_bytes(6) if is_random else scp02.card_challenge(keys, counter2, name)
        session = Scp02(keys, counter2=counter2, host8=command.data, card6=card6)
        answer = head + bytes((scp02.ID,)) + counter2 + card6 + session.card_cryptogram
    else:
        if sequence >= _SEQUENCE_END[KeyFamily.AES]:
            raise CardError(StatusWord.COUNTER_EXHAUSTED)
        counter3 = sequence.to_bytes(3, "big")
        card8 = scp03.card_challenge(keys, counter3, name) if pseudo else card.randomness.token_bytes(8)
        session = Scp03(keys, host8=command.data, card8=card8)
        answer = head + bytes((scp03.ID, stored.option)) + card8 + session.card_cryptogram
        answer += counter3 if pseudo else b""
    domain.pending = session, stored, sequence
    return answer


def external_authenticate(card: CardOs, command: Command) -> bytes:
    """EXTERNAL AUTHENTICATE: the host proves itself; the try is spent before its cryptogram is looked at."""
    domain = card.applet
    assert isinstance(domain, SecurityDomain)
    pending = domain.pending
    domain.end()
    if pending is None:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    session, stored, sequence = pending
    card.nvm.commit([stored.with_tries(stored.tries - 1)])
    try:
        session.accept(command)
    except ChannelBroken:
        raise CardError(_CRYPTOGRAM_WRONG) from None
    if Level.C_MAC not in session.level:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    card.nvm.commit([stored.with_tries(KEY_TRIES), channel_opened(sequence)])
    domain.channel = session
    return b""


def get_data(card: CardOs, command: Command) -> bytes:
    """GET DATA: 0066 card recognition, 00E0 keys, 00C1 counter, 00CF, 9F7F, FF21 room; open to everybody."""
    domain = card.applet
    assert isinstance(domain, SecurityDomain)
    tag, memory = command.p1 << 8 | command.p2, card.nvm.memory
    registry = domain.registry
    identity = registry.issuer.children[IDENTITY_FID].at
    if tag == 0x0066:
        return tlv(0x66, recognition())
    if tag == 0x00E0:
        return tlv(0xE0, *(_key_information(stored) for stored in key_sets(memory, domain.folder)))
    if tag == 0x00C1:
        stored = _keys_of(registry, domain.folder, 0)
        end = _SEQUENCE_END[stored.keys.family]
        size = 3 if stored.keys.family is KeyFamily.AES else 2
        return tlv(0xC1, min(channels(memory, registry.directory), end).to_bytes(size, "big"))
    if tag == 0x00CF:
        return tlv(0xCF, bytes(memory[identity + CPLC_SIZE : identity + CPLC_SIZE + KDD_SIZE]))
    if tag == 0x9F7F:
        return tlv(0x9F7F, bytes(memory[identity : identity + CPLC_SIZE]))
    if tag == 0xFF21:
        used, quota = registry.room(domain.folder.header)
        room = card.nvm.capacity - free_offset(memory)
        left = min(room, quota - used) if quota else room
        count = sum(record.kind is Kind.APPLICATION for record in registry.owned(domain.folder.header))
        return tlv(0xFF21, tlv(0x81, bytes((count,))), tlv(0x82, left.to_bytes(4, "big")))
    raise CardError(StatusWord.REFERENCE_NOT_FOUND)


def get_status(card: CardOs, command: Command) -> bytes:
    """GET STATUS: what the domain owns, the issuer's everything; P2 02 as objects E3, 01 for the rest (11.4)."""
    domain = domain_of(card)
    kinds = _STATUS_KINDS.get(command.p1)
    if kinds is None or command.p2 & ~(_TLV_ANSWER | _NEXT):
        raise CardError(StatusWord.P1P2_WRONG)
    if command.p2 & _NEXT:
        if not domain.rest:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        return _first_of(domain)
    prefix = objects(command.data).get(0x4F)
    if prefix is None:
        raise CardError(StatusWord.DATA_WRONG)
    registry, here = domain.registry, domain.folder.header
    everything = here == registry.issuer.header
    found = [
        record
        for record in registry.records.values()
        if record.kind in kinds
        and (everything or here in (record.owner, record.header))
        and registry.name(record).startswith(prefix)
    ]
    if not found:
        raise CardError(StatusWord.REFERENCE_NOT_FOUND)
    as_objects, with_module = bool(command.p2 & _TLV_ANSWER), command.p1 == 0x10
    domain.rest = [_status(registry, record, as_objects, with_module) for record in found]
    return _first_of(domain)


def set_status(card: CardOs, command: Command) -> bytes:
    """SET STATUS: P1 40 one application or domain, 60 a domain with all it owns, 80 the card; P2 the state (11.10).

    A domain locks and unlocks what it owns; the issuer's also other domains (60 with their applications) and the card.
    """
    domain = domain_of(card)
    registry, here = domain.registry, domain.folder.header
    if command.p1 == _CARD:
        card.nvm.commit(_card_move(registry, here, command.p2))
        return b""
    if command.p1 not in (_ONE, _WITH_ALL):
        raise CardError(StatusWord.P1P2_WRONG)
    record = registry.named(command.data)
    if record is None or record.kind not in (Kind.APPLICATION, Kind.DOMAIN):
        raise CardError(StatusWord.REFERENCE_NOT_FOUND)
    if record.owner != here or record.header == here:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    move, memory = Move.LOCK if command.p2 & 0x80 else Move.UNLOCK, card.nvm.memory
    writes = moved(memory, record, move)
    if command.p1 == _WITH_ALL and record.kind is Kind.DOMAIN:
        for item in registry.owned(record.header):
            if item.kind is Kind.APPLICATION:
                writes += moved_with_domain(memory, item, move)
    card.nvm.commit(writes)
    return b""


def put_key(card: CardOs, command: Command) -> bytes:
    """PUT KEY: P1 the version to replace or 0, P2 81; data: new version, then ENC, MAC and DEK (11.8)."""
    domain = domain_of(card)
    data, channel = command.data, domain.channel
    assert channel is not None
    if command.p2 != _MULTIPLE | 1:
        raise CardError(StatusWord.P1P2_WRONG)
    if not data:
        raise CardError(StatusWord.WRONG_LENGTH)
    version, at, found = data[0], 1, []
    for _ in range(3):
        key, at = _read_key(channel, data, at)
        found.append(key)
    if at != len(data) or len({family for family, _ in found}) != 1:
        raise CardError(StatusWord.DATA_WRONG)
    family, (enc, mac, dek) = found[0][0], (key for _, key in found)
    try:
        keys = KeySet(version=version, family=family, enc=enc, mac=mac, dek=dek)
    except Usage:
        raise CardError(StatusWord.DATA_WRONG) from None
    memory, registry = card.nvm.memory, domain.registry
    writes: list[Entry] = [key_writing(memory, domain.folder, keys, replaces=command.p1)]
    record = registry.records[domain.folder.header]
    if record.kind is Kind.DOMAIN and record.life == Life.SELECTABLE:
        writes += moved(memory, record, Move.PERSONALISE)
    card.nvm.commit(writes)
    return bytes((version,)) + b"".join(keys.check_values)


def _keys_of(registry: Registry, domain: File, version: int) -> StoredKeys:
    """A key set of the domain, or of the one that made it while it has none; 6A88 when there is no such version."""
    found = key_sets(registry.memory, domain)
    if not found:
        owner = registry.records[domain.header].owner
        found = key_sets(registry.memory, registry.directory.folders[owner])
    for stored in found:
        if version in (0, stored.keys.version):
            return stored
    raise CardError(StatusWord.REFERENCE_NOT_FOUND)


def _read_key(channel: Channel, data: bytes, at: int) -> tuple[tuple[KeyFamily, bytes], int]:
    """One key of PUT KEY: type 1 | length 1 | (key's length 1) | under the DEK | 3 | check value 3 (table 11-68)."""
    head = data[at : at + 2]
    if len(head) != 2 or at + 2 + head[1] + 4 > len(data) or data[at + 2 + head[1]] != 3:
        raise CardError(StatusWord.DATA_WRONG)
    body, given = data[at + 2 : at + 2 + head[1]], data[at + 3 + head[1] : at + 6 + head[1]]
    try:
        family = KeyFamily(head[0])
        block = 16 if family is KeyFamily.AES else 8
        size = body[0] if len(body) % block == 1 else len(body)
        key = channel.unwrap_key(body[1:] if len(body) % block == 1 else body)[:size]
    except (ValueError, ChannelBroken):
        raise CardError(StatusWord.DATA_WRONG) from None
    if len(key) not in ((16, 24, 32) if family is KeyFamily.AES else (16,)):
        raise CardError(StatusWord.DATA_WRONG)
    if check_value(family, key) != given:
        raise CardError(StatusWord.DATA_WRONG)
    return (family, key), at + 6 + head[1]


def _card_move(registry: Registry, here: int, wanted: int) -> list[Entry]:
    record = registry.records[registry.issuer.header]
    if here != registry.issuer.header:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    try:
        move = CardLife(record.life), CardLife(wanted)
    except ValueError:
        raise CardError(StatusWord.DATA_WRONG) from None
    if move not in CARD_MOVES:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    states = {CardLife.LOCKED: CARD_LOCKED, CardLife.TERMINATED: CARD_BLOCKED}
    return [(record.at + 7, bytes((wanted,))), (CARD_STATE, bytes((states.get(move[1], 0),)))]


def _first_of(domain: SecurityDomain) -> bytes:
    """As many answers as fit; 6310 when some are left."""
    answer = b""
    while domain.rest and len(answer) + len(domain.rest[0]) <= _ANSWER_MAX:
        answer += domain.rest.pop(0)
    if domain.rest:
        raise CardError(_MORE_LEFT, answer)
    return answer


def _status(registry: Registry, record: Record, as_objects: bool, with_module: bool) -> bytes:
    name = registry.name(record)
    if not as_objects:
        privileges = record.privileges[:1] if record.kind is not Kind.PACKAGE else b"\x00"
        return bytes((len(name),)) + name + bytes((record.life,)) + privileges
    parts = [tlv(0x4F, name), tlv(0x9F70, bytes((record.life,)))]
    if record.kind is not Kind.PACKAGE:
        parts.append(tlv(0xC5, record.privileges))
    else:
        parts.append(tlv(0xCE, bytes((record.version,))))
    if record.package:
        parts.append(tlv(0xC4, registry.name(registry.records[record.package])))
    if with_module:
        parts.append(tlv(0x84, content.module_of(registry, record)))
    parts.append(tlv(0xCC, registry.directory.folders[record.owner].name))
    return tlv(0xE3, *parts)


def _key_information(stored: StoredKeys) -> bytes:
    """``C0 {identifier, version, type, length}`` of the three keys (table 11-30)."""
    keys = stored.keys
    heads = (bytes((kid, keys.version, keys.family.value, len(keys.enc))) for kid in (1, 2, 3))
    return b"".join(tlv(0xC0, head) for head in heads)


SecurityDomain.table = {
    (0x80, INITIALIZE_UPDATE): initialize_update,
    (0x84, EXTERNAL_AUTHENTICATE): external_authenticate,
    (0x80, 0xCA): get_data,
    (0x00, 0xCA): get_data,
    (0x80, 0xF2): get_status,
    (0x80, 0xF0): set_status,
    (0x80, 0xD8): put_key,
    **content.TABLE,
}
