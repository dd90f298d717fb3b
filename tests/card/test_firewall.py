"""No authority reaches another's files: every key of every authority, on every file and command of every other.

Method: walk the card's tree and its command tables, and build the attempts from them, so that a new file or command is
tried without anybody thinking of it. After each attempt: nothing but try counters has changed, no answer holds a byte
run of what the victim protects, and only commands that tell public things have answered 9000.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest

from jinka.card import Card, Nvm
from jinka.card.authenticate import authentication_answer
from jinka.card.cos import CARD_TABLE
from jinka.card.domain_keys import KEYS_FID, key_sets
from jinka.card.domains import (
    Registry,
    subtree,
)
from jinka.card.files import ISSUER_AID, KEY_TRIES, TRIES, File
from jinka.card.globalplatform import SecurityDomain
from jinka.codec import Algorithm
from jinka.crypto.block import message_mac4, tdes_encrypt
from jinka.crypto.scp import ChannelBroken, KeySet
from jinka.issuer.field_update import DomainRefused, FieldUpdate
from jinka.profile import FileKind, KeyUse
from jinka.sim.randomness import SeededRandomness
from tests.card.domain_rig import (
    AUTHORITIES,
    ISSUER_KEYS,
    PROFILES,
    card_of_authorities,
    person,
    put_on,
    session,
)

# Commands that may answer 9000 to anybody: they choose, draw, or tell what a free read right opens.
PUBLIC = {0xA4, 0x84, 0xB0, 0xB2, 0x5C, 0x50, 0xCA, 0xC0, 0x7A}
DEFAULT = bytes.fromhex("404142434445464748494A4B4C4D4E4F")


@pytest.fixture(scope="module")
def memory() -> bytes:
    """A card on which four authorities have an application each, personalised and used once by its owner."""
    card = card_of_authorities()
    for name in AUTHORITIES:
        put_on(card, name)
    return bytes(card.nvm.memory)


def _card(memory: bytes) -> Card:
    return Card(Nvm(memory), SeededRandomness("firewall"))


def _keys_of(name: str) -> list[bytes]:
    """All keys that an authority knows: its application's, its domain's (as far as they fit 3DES), and a default."""
    own = person(name, PROFILES[name]).keys if name in PROFILES else ()
    return [*own, *(key[:16] for key in _domain(name)[1].keys), DEFAULT]


def _domain(name: str) -> tuple[bytes, KeySet]:
    """An authority's domain and its keys; the issuer is one more authority."""
    return (ISSUER_AID, ISSUER_KEYS) if name == "issuer" else AUTHORITIES[name]


@dataclass(frozen=True, slots=True)
class Target:
    """Whose files are tried: the folder to select and the bytes that must not come out."""

    select: bytes
    folder: File
    secrets: tuple[bytes, ...]


def _target(card: Card, name: str) -> Iterator[Target]:
    """The application and the domain of an authority; the issuer's domain and the root."""
    registry = Registry(card.nvm.memory, card.directory)
    if name == "issuer":
        stored = key_sets(card.nvm.memory, registry.issuer)[0].keys
        yield Target(b"\x00\xa4\x04\x00\x08" + ISSUER_AID, registry.issuer, stored.keys)
        yield Target(bytes.fromhex("00A40000023F00"), card.directory.root, ())
        return
    aid, keys = AUTHORITIES[name]
    yield Target(bytes((0, 0xA4, 4, 0, len(aid))) + aid, card.directory.by_name[aid], keys.keys)
    profile = PROFILES[name]
    folder = card.directory.by_name[profile.aid]
    secrets = [*person(name, profile).keys, name.encode().ljust(8, b"\x00")]
    yield Target(
        bytes((0, 0xA4, 4, 0, len(profile.aid))) + profile.aid,
        folder,
        tuple(secret[:6] for secret in secrets),
    )


def _counters(card: Card) -> set[int]:
    """The cells that a wrong presentation may change."""
    cells: set[int] = set()
    for folder in card.directory.folders.values():
        for file in folder.children.values():
            if file.kind is FileKind.KEY:
                cells.update(at + KEY_TRIES for at in file.keys.values())
            elif file.kind is FileKind.PURSE:
                cells.add(file.at + TRIES)
        if folder.application == 5:
            keys = folder.children[KEYS_FID]
            cells.update(keys.at + 104 * slot + 3 for slot in range(3))
    return cells


def _addresses(file: File) -> list[tuple[int, int]]:
    """P1 and P2 as commands name a file, a record, a key or nothing."""
    sfi = file.fid & 0x1F
    return [
        (0, 0),
        (0x80 | sfi, 0),
        (1, sfi << 3 | 4),
        (0, sfi << 3 | 3),
        (1, 0),
        (0, 1),
        (1, 2),
        (0x3E, 1),
        (0x36, 0),
    ]


def _bodies(key: bytes, challenge: bytes) -> list[bytes]:
    """Data of the shapes that commands take: short, a block proven by the key, a record, a key, an amount."""
    proof = authentication_answer(Algorithm.TDES, key, challenge)
    return [
        b"",
        proof,
        bytes(4),
        bytes.fromhex("36F0EF0033") + key,
        b"\x01\x00\x00\x00\x01" + bytes(6),
        bytes(15),
        tdes_encrypt(key, bytes((21,)) + bytes.fromhex("36F0EF0033") + key + b"\x80" + bytes(5)),
    ]


def _attempts(file: File, key: bytes, turn: int) -> Iterator[bytes]:
    """Every command, with each address of the file's and one of another kind; ``turn`` chooses the data."""
    addresses, bodies = _addresses(file), _bodies(key, bytes(8))
    for number, (cla, ins) in enumerate(sorted(set(CARD_TABLE) | set(SecurityDomain.table))):
        at = turn + number
        shapes = [(addresses[1 + place], bodies[(at + place) % len(bodies)]) for place in range(3)]
        shapes.append((addresses[at % len(addresses)], bodies[at // len(addresses) % len(bodies)]))
        for (p1, p2), body in shapes:
            if cla & 0x04:
                yield bytes((cla, ins, p1, p2, len(body) + 4)) + body + bytes(4)
            elif body:
                yield bytes((cla, ins, p1, p2, len(body))) + body
            else:
                yield bytes((cla, ins, p1, p2, 0))


EVERYBODY = (*AUTHORITIES, "issuer")
PAIRS = [(attacker, victim) for attacker in EVERYBODY for victim in EVERYBODY if attacker != victim]


@pytest.mark.parametrize(("attacker", "victim"), PAIRS)
def test_every_key_on_every_file_and_command(memory: bytes, attacker: str, victim: str) -> None:
    card = _card(memory)
    counters = _counters(card)
    number = 0
    for target in _target(card, victim):
        files = [file for file in subtree(target.folder) if file.parent is not None] or [target.folder]
        if target.folder is card.directory.root:
            files = [target.folder]
        for file, key in product(files, _keys_of(attacker)):
            number += 1
            for attempt in _attempts(file, key, turn=number):
                _try(card, memory, target, file, key, attempt, counters)
    assert number > 20


def _try(
    card: Card, memory: bytes, target: Target, file: File, key: bytes, attempt: bytes, counters: set[int]
) -> None:
    assert card.transmit(target.select)[-2:] in (b"\x90\x00", b"\x6a\x82")
    if file.kind is not FileKind.FOLDER:
        card.transmit(b"\x00\xa4\x00\x00\x02" + file.fid.to_bytes(2, "big"))
    if attempt[0] & 0x04 or attempt[1] == 0x82:
        challenge = card.transmit(bytes.fromhex("0084000008"))[:8]
        attempt = _with_challenge(attempt, key, challenge)
    answer = card.transmit(attempt)
    told = f"{file.fid:04X}: {attempt.hex()} -> {answer.hex()}"
    assert answer[-2:] != b"\x90\x00" or attempt[1] in PUBLIC, told
    assert not any(secret in answer for secret in target.secrets), told
    if card.nvm.memory != memory:
        changed = {at for at, (a, b) in enumerate(zip(card.nvm.memory, memory, strict=True)) if a != b}
        assert changed <= counters, told
        card.nvm.memory[:] = memory  # or the victim's keys would be locked, and hide the next answer


def _with_challenge(attempt: bytes, key: bytes, challenge: bytes) -> bytes:
    if attempt[0] & 0x04:
        return attempt[:-4] + message_mac4(Algorithm.TDES, key, challenge[:4], attempt[:-4])
    if len(attempt) == 13:
        return attempt[:5] + authentication_answer(Algorithm.TDES, key, challenge)
    return attempt


@pytest.mark.parametrize(("attacker", "victim"), PAIRS)
def test_no_domain_key_opens_another_domain(memory: bytes, attacker: str, victim: str) -> None:
    card = _card(memory)
    aid = _domain(victim)[0]
    update = FieldUpdate(card, domain=aid, keys=_domain(attacker)[1], randomness=SeededRandomness("x"))
    with pytest.raises((ChannelBroken, DomainRefused)):
        update.open()
    assert bytes(card.nvm.memory) == memory
    # an attacker who goes on in spite of the wrong card cryptogram
    card.transmit(bytes((0, 0xA4, 4, 0, len(aid))) + aid)
    assert card.transmit(bytes.fromhex("8050000008") + bytes(8))[-2:] == b"\x90\x00"
    assert card.transmit(bytes.fromhex("8482030010") + bytes(16)) == b"\x63\x00"
    assert card.transmit(bytes.fromhex("80E4000009 4F07") + PROFILES["transit"].aid) == b"\x69\x82"
    changed = {at for at, (a, b) in enumerate(zip(card.nvm.memory, memory, strict=True)) if a != b}
    assert len(changed) == 1, "one try less, and nothing else"


@pytest.mark.parametrize(("attacker", "victim"), PAIRS)
def test_an_open_domain_manages_only_its_own(memory: bytes, attacker: str, victim: str) -> None:
    if victim == "issuer":
        _nobody_but_the_issuer(memory, attacker)
        return
    card = _card(memory)
    update = session(card, *_domain(attacker))
    opened = bytes(card.nvm.memory)
    theirs = PROFILES[victim]
    attempts = [
        lambda: update.lock(theirs.aid),
        lambda: update.unlock(theirs.aid),
        lambda: update.remove(theirs.aid),
        lambda: update.remove(theirs.aid + b"\x01", with_related=True),
        lambda: update.remove(AUTHORITIES[victim][0]),
        lambda: update.install(theirs),
        lambda: update.make_selectable(theirs.aid),
        lambda: update.write(theirs.aid, [bytes.fromhex("00D6950001FF")]),
        lambda: update.personalise(theirs, person(attacker, theirs)),
    ]
    if attacker != "issuer":  # who may lock a whole domain, and see that an application is there
        attempts.append(lambda: update.lock(AUTHORITIES[victim][0], with_all=True))
        assert theirs.aid not in {line.aid for line in update.content()}
    opened = bytes(card.nvm.memory)
    for attempt in attempts:
        with pytest.raises(DomainRefused):
            attempt()
        assert bytes(card.nvm.memory) == opened


def _nobody_but_the_issuer(memory: bytes, attacker: str) -> None:
    card = _card(memory)
    update = session(card, *AUTHORITIES[attacker])
    opened = bytes(card.nvm.memory)
    for attempt in (
        lambda: update.make_domain(b"MY OWN", quota=0),
        lambda: update.move_card(0x0F),
        lambda: update.lock(AUTHORITIES[attacker][0]),
        lambda: update.remove(AUTHORITIES[attacker][0]),
        lambda: update.lock(ISSUER_AID),
    ):
        with pytest.raises(DomainRefused):
            attempt()
        assert bytes(card.nvm.memory) == opened


@pytest.mark.parametrize(("attacker", "victim"), [pair for pair in PAIRS if "issuer" not in pair])
def test_a_security_status_does_not_travel(memory: bytes, attacker: str, victim: str) -> None:
    """Authenticated in one application, then off to the other: its protected files stay closed, by every way there."""
    card = _card(memory)
    mine, theirs = PROFILES[attacker], PROFILES[victim]
    key = person(attacker, mine).keys[4]
    assert mine.keys[4].use is KeyUse.EXTERNAL_AUTHENTICATE
    ways = [
        bytes((0, 0xA4, 4, 0, len(theirs.aid))) + theirs.aid,
        b"\x00\xa4\x00\x00\x02" + theirs.fid.to_bytes(2, "big"),
        b"\x00\xa4\x08\x00\x02" + theirs.fid.to_bytes(2, "big"),
        b"\x00\xa4\x08\x00\x04" + theirs.fid.to_bytes(2, "big") + b"\x00\x16",
    ]
    for way in ways:
        card.transmit(bytes((0, 0xA4, 4, 0, len(mine.aid))) + mine.aid)
        challenge = card.transmit(bytes.fromhex("0084000008"))[:8]
        proof = authentication_answer(Algorithm.TDES, key, challenge)
        assert card.transmit(bytes.fromhex("0082000008") + proof) == b"\x90\x00"
        assert card.transmit(bytes.fromhex("00B0960000"))[-2:] == b"\x90\x00", "open to its own"
        assert card.transmit(way)[-2:] == b"\x90\x00"
        assert card.transmit(bytes.fromhex("00B0960000")) == b"\x69\x82"
        assert card.transmit(bytes.fromhex("00B2013C00")) == b"\x69\x82"
        assert card.transmit(bytes.fromhex("00D6960001AA")) == b"\x69\x82"
    assert bytes(card.nvm.memory) == memory


def test_the_matrix_would_notice_a_hole(memory: bytes) -> None:
    """With the victim's own keys the same attempts do succeed: the matrix can fail."""
    card = _card(memory)
    counters = _counters(card)
    _, target = _target(card, "fuel")
    pairs = product(list(subtree(target.folder))[1:], _keys_of("fuel"))
    with pytest.raises(AssertionError):
        for turn, (file, key) in enumerate(pairs):
            for attempt in _attempts(file, key, turn):
                _try(card, memory, target, file, key, attempt, counters)
    assert ISSUER_KEYS.enc in memory
