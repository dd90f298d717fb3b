"""Cards with security domains for tests: an issuer, authorities with keys of their own, small applications."""

from __future__ import annotations

from jinka.card import Card, Nvm, Personal
from jinka.card.domains import with_issuer_domain
from jinka.card.files import ISSUER_AID, blank_memory
from jinka.codec import Algorithm
from jinka.crypto.scp import KeyFamily, KeySet
from jinka.issuer.field_update import FieldUpdate
from jinka.kit import Unit
from jinka.profile import (
    FREE,
    NEVER,
    ApplicationProfile,
    FileKind,
    FileSpec,
    KeySpec,
    KeyUse,
    PurseSpec,
)
from jinka.sectors import bank, fuel, social_security, transit_shenzhen
from jinka.sim.randomness import SeededRandomness

# What each may name: the applications of these tests, and those of its sector.
NAMES = {
    "transit": (bytes.fromhex("D1560002010001"), transit_shenzhen.PROFILE.aid),
    "fuel": (bytes.fromhex("D1560002010002"), fuel.PROFILE.aid),
    "social": (
        bytes.fromhex("D1560002010003"),
        social_security.AID,
        *(folder.name for folder in social_security.FOLDERS),
    ),
    "bank": (bytes.fromhex("D1560002010004"), bank.AID_DEBIT, bank.CONTACTLESS_ENVIRONMENT),
}


def key_set(label: str, *, family: KeyFamily = KeyFamily.AES, size: int = 16, version: int = 1) -> KeySet:
    source = SeededRandomness(f"keys of {label}")
    enc, mac, dek = (source.token_bytes(size) for _ in range(3))
    return KeySet(version=version, family=family, enc=enc, mac=mac, dek=dek)


ISSUER_KEYS = key_set("the issuer")
# Four authorities, one with the older protocol.
AUTHORITIES = {
    "transit": (bytes.fromhex("D1560001010001"), key_set("transit")),
    "fuel": (bytes.fromhex("D1560001010002"), key_set("fuel", family=KeyFamily.TDES)),
    "social": (bytes.fromhex("D1560001010003"), key_set("social", size=32)),
    "bank": (bytes.fromhex("D1560001010004"), key_set("bank", size=24)),
}


def factory_card(keys: KeySet = ISSUER_KEYS, *, label: str = "card") -> Card:
    """A card as its maker delivers it: an issuer domain and nothing else."""
    memory = with_issuer_domain(blank_memory(), keys, kdd10=bytes(range(10)))
    return Card(Nvm(memory), SeededRandomness(label))


def session(card: Card, aid: bytes = ISSUER_AID, keys: KeySet = ISSUER_KEYS) -> FieldUpdate:
    """An open session with a domain."""
    update = FieldUpdate(card, domain=aid, keys=keys, randomness=SeededRandomness("host"))
    update.open()
    return update


def add_authority(card: Card, name: str, *, quota: int = 6000) -> None:
    """The issuer makes a domain and hands it over: its first keys go in under the issuer's, then those are no use."""
    aid, keys = AUTHORITIES[name]
    session(card).make_domain(aid, quota=quota, names=NAMES[name])
    update = FieldUpdate(card, domain=aid, keys=ISSUER_KEYS, randomness=SeededRandomness("hand-over"))
    update.open()
    update.put_keys(keys)


def authority(card: Card, name: str) -> FieldUpdate:
    """An open session of an authority with its own domain."""
    aid, keys = AUTHORITIES[name]
    return session(card, aid, keys)


def card_of_authorities(*names: str) -> Card:
    card = factory_card()
    for name in names or AUTHORITIES:
        add_authority(card, name)
    return card


def small_profile(name: str, number: int, *, version: int = 1) -> ApplicationProfile:
    """A purse with a secret file, a record file and keys, as an authority of its own would declare it."""
    tdes = Algorithm.TDES
    keys = (
        KeySpec(use=KeyUse.PURCHASE, kid=1, version=1, algorithm=tdes),
        KeySpec(use=KeyUse.LOAD, kid=1, version=1, algorithm=tdes),
        KeySpec(use=KeyUse.TAC, kid=0, version=1, algorithm=tdes),
        KeySpec(use=KeyUse.MAINTENANCE, kid=0, version=1, algorithm=tdes),
        KeySpec(use=KeyUse.EXTERNAL_AUTHENTICATE, kid=0, version=1, algorithm=tdes, state_after=1),
    )
    words = {"title_en": name, "title_zh": name}
    files = (
        FileSpec(fid=0x0000, kind=FileKind.KEY, size=len(keys) * 24, read_right=NEVER, **words),
        FileSpec(fid=0x0015, kind=FileKind.BINARY, size=30, write_right=FREE, mac_required=True, **words),
        FileSpec(fid=0x0016, kind=FileKind.BINARY, size=24, read_right=0x11, write_right=0x11, **words),
        FileSpec(fid=0x0002, kind=FileKind.PURSE, **words),
        FileSpec(fid=0x0018, kind=FileKind.CYCLIC, records=4, record_length=23, **words),
        FileSpec(fid=0x0007, kind=FileKind.VARIABLE, size=40, read_right=0x11, write_right=0x11, **words),
    )
    return ApplicationProfile(
        name=f"test.{name}",
        version=version,
        aid=bytes.fromhex("D15600020100") + bytes((number,)),
        fid=0x3F10 + number,
        title_en=name,
        title_zh=name,
        authority=name,
        standards=(),
        files=files,
        keys=keys,
        purse=PurseSpec(fid=0x0002, unit=Unit.FEN, limit=100_000, tac_kid=0, log_sfi=0x18),
    )


PROFILES = {name: small_profile(name, number) for number, name in enumerate(AUTHORITIES, 1)}


def person(name: str, profile: ApplicationProfile, *, balance: int = 5000) -> Personal:
    """One holder's data: keys that no other authority has, and bytes that can be recognised."""
    source = SeededRandomness(f"application keys of {name}")
    return Personal(
        card_no=bytes.fromhex("00005180000000012345"),
        keys=tuple(source.token_bytes(16) for _ in profile.keys),
        balance=balance,
        contents={(0, 0x0007): b"\x01\x08" + name.encode().ljust(8, b"\x00")},
    )


def put_on(card: Card, name: str, profile: ApplicationProfile | None = None) -> None:
    """Load, install and personalise an authority's application."""
    update = authority(card, name)
    wanted = profile or PROFILES[name]
    update.load(wanted)
    update.install(wanted)
    update.personalise(wanted, person(name, wanted))
