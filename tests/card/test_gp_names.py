"""No authority gives another's name: applications, packages and folders keep to what the issuer declared.

Method: real cards, each refused attempt leaves every byte as it was; then what is right passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from jinka.card import Card, CardImage, ImageBase, Nvm
from jinka.card.files import blank_memory
from jinka.codec import Command, tlv
from jinka.issuer.field_update import DomainRefused, FieldUpdate, package_aid
from jinka.profile import ApplicationProfile, FolderSpec
from jinka.profile.package import encode
from jinka.sectors import bank, transit_shenzhen
from jinka.sim.randomness import SeededRandomness
from tests.card.domain_rig import (
    AUTHORITIES,
    NAMES,
    PROFILES,
    authority,
    card_of_authorities,
    factory_card,
    person,
    put_on,
    session,
)
from tests.card.test_gp_replay import VERSION_3, handed_over

FUEL, TRANSIT = PROFILES["fuel"], PROFILES["transit"]


@pytest.fixture(scope="module")
def memory() -> bytes:
    return bytes(card_of_authorities("transit", "fuel").nvm.memory)


def _card(memory: bytes) -> Card:
    return Card(Nvm(memory), SeededRandomness("names"))


def _refused(card: Card, attempt: Callable[[], None], sw: str = "6985") -> None:
    before = bytes(card.nvm.memory)
    with pytest.raises(DomainRefused, match=sw):
        attempt()
    assert card.nvm.memory == before


def _with_own_package(profile: ApplicationProfile, update: FieldUpdate) -> None:
    """Load a profile under a package name that is the authority's own, and install it."""
    own = package_aid(FUEL)
    fields = [own, AUTHORITIES["fuel"][0], b"", b"", b""]
    update._send("load", Command(0x80, 0xE6, 0x02, 0, _fields(fields), 256))
    raw = tlv(0xC4, encode(profile))
    blocks = [raw[at : at + 200] for at in range(0, len(raw), 200)]
    for number, block in enumerate(blocks):
        last = 0x80 if number == len(blocks) - 1 else 0
        update._send("load", Command(0x80, 0xE8, last, number, block, 256))


def _install(profile: ApplicationProfile, update: FieldUpdate) -> None:
    fields = [package_aid(FUEL), profile.aid, profile.aid, b"\x00", tlv(0xC9), b""]
    update._send("install", Command(0x80, 0xE6, 0x0C, 0, _fields(fields), 256))


def _fields(values: list[bytes]) -> bytes:
    return b"".join(bytes((len(value),)) + value for value in values)


@pytest.mark.parametrize(
    "aid",
    [
        TRANSIT.aid,
        TRANSIT.aid + b"\x01",
        transit_shenzhen.PROFILE.aid,
        AUTHORITIES["transit"][0],
        AUTHORITIES["transit"][0] + b"\x01",
        AUTHORITIES["fuel"][0],
        FUEL.aid[:-1],
        FUEL.aid[:-1] + b"\x99",
        bank.CONTACTLESS_ENVIRONMENT,
        b"1PAY.SYS.DDF01X",
        bytes.fromhex("A0000000030000"),
    ],
    ids=lambda aid: aid.hex(),
)
def test_anothers_name_is_refused_before_the_other_is_there(memory: bytes, aid: bytes) -> None:
    """An application that takes a card's selection before the true one comes."""
    card = _card(memory)
    update, evil = authority(card, "fuel"), replace(FUEL, aid=aid)
    _refused(card, lambda: update.load(evil))
    _with_own_package(evil, update)
    _refused(card, lambda: _install(evil, update))
    put_on(card, "transit")


def test_a_folder_inside_takes_no_name_of_another_either(memory: bytes) -> None:
    for name in (TRANSIT.aid, bank.CONTACTLESS_ENVIRONMENT, b"STRAY"):
        card = _card(memory)
        folder = FolderSpec(fid=0xDF01, name=name, title_en="", title_zh="")
        evil = replace(FUEL, folders=(folder,))
        update = authority(card, "fuel")
        update.load(evil)
        _refused(card, lambda update=update, evil=evil: update.install(evil))
        put_on(card, "transit")


def test_a_later_version_brings_no_name_of_another(memory: bytes) -> None:
    card = _card(memory)
    put_on(card, "fuel")
    stray = FolderSpec(fid=0xDF01, name=TRANSIT.aid, title_en="", title_zh="")
    update, later = authority(card, "fuel"), replace(FUEL, version=2, folders=(stray,))
    update.load(later)
    _refused(card, lambda: update.install(later))
    own = replace(stray, name=FUEL.aid + b"\x01\x01")
    third = replace(FUEL, version=3, folders=(own,))
    update.load(third)
    update.install(third)
    assert own.name in card.directory.by_name
    fourth = replace(third, version=4)
    update.load(fourth)
    update.install(fourth)


def test_a_domain_without_a_declaration_has_its_own_names_alone() -> None:
    card = factory_card()
    aid, keys = AUTHORITIES["fuel"]
    session(card).make_domain(aid, quota=6000)
    handed_over(card, aid, keys)
    update = authority(card, "fuel")
    _refused(card, lambda: update.load(FUEL))
    own = replace(FUEL, aid=aid + b"\x01")
    update.load(own)
    update.install(own)
    update.personalise(own, person("fuel", own))


def test_the_issuer_grants_and_withdraws_and_nobody_else(memory: bytes) -> None:
    card = _card(memory)
    aid, _ = AUTHORITIES["fuel"]
    other = replace(FUEL, aid=bytes.fromhex("D15600099901"), fid=0x3F30)
    for name in ("fuel", "transit"):
        update = authority(card, name)
        _refused(card, lambda update=update: update.grant(aid, [other.aid[:5]]))
        _refused(card, lambda update=update: update.make_domain(b"MY OWN", quota=0, names=[b"ALL OF"]))
    put_on(card, "fuel")
    session(card).grant(aid, [other.aid[:5]])
    put_on(card, "fuel", other)
    update = authority(card, "fuel")
    _refused(card, lambda: update.load(replace(FUEL, aid=FUEL.aid[:-1] + b"\x77")))
    later = replace(FUEL, version=2)  # what is there already stays its authority's
    update.load(later)
    update.install(later)


def _refused_once_opened(card: Card, attempt: Callable[[], None]) -> None:
    with pytest.raises(DomainRefused, match="6985"):
        attempt()


@pytest.mark.parametrize(
    "raw", ["00", "04D1560001", "11" + "41" * 17, "05D156", "05D156000201FF", "05D15600020104", "05"]
)
def test_a_spoilt_declaration_makes_nothing(memory: bytes, raw: str) -> None:
    card = _card(memory)
    update, spoilt = session(card), tlv(0xEF, tlv(0xDF21, bytes.fromhex(raw)))
    fresh = [
        bytes.fromhex("A0000001515350"), bytes.fromhex("A000000151535041"), b"DOMAIN", b"\x80", spoilt, b""
    ]  # fmt: skip
    _refused(
        card, lambda: update._send("make", Command(0x80, 0xE6, 0x0C, 0, _fields(fresh), 256)) and None, "6A80"
    )
    there = [b"", b"", AUTHORITIES["fuel"][0], b"", spoilt, b""]
    _refused(
        card,
        lambda: update._send("grant", Command(0x80, 0xE6, 0x40, 0, _fields(there), 256)) and None,
        "6A80",
    )


def test_a_domain_of_the_same_name_inherits_nothing(memory: bytes) -> None:
    card = _card(memory)
    aid, keys = AUTHORITIES["fuel"]
    used = len(card.nvm.memory)
    session(card).remove(aid)
    session(card).make_domain(aid, quota=6000)
    handed_over(card, aid, keys)
    assert len(card.nvm.memory) <= used
    _refused_once_opened(card, lambda: authority(card, "fuel").load(FUEL))


def test_the_issuer_is_not_bound(memory: bytes) -> None:
    card = _card(memory)
    update = session(card)
    update.load(FUEL)
    update.install(FUEL)


def test_a_card_of_before_is_told_by_its_issuer() -> None:
    base = ImageBase("blank", 1, blank_memory())
    image = CardImage.from_bytes(bytes.fromhex(VERSION_3), {base.id: base})
    card = Card.from_image(image, SeededRandomness("older"))
    _refused_once_opened(card, lambda: authority(card, "transit").load(TRANSIT))
    session(card).grant(AUTHORITIES["transit"][0], NAMES["transit"])
    authority(card, "transit").load(TRANSIT)
