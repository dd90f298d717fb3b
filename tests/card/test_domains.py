"""Domains, quotas and life-cycles over real channels: every step by APDU, from the factory to the last removal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.card.domains import CARD_MOVES, LIFE_MOVES, CardLife, Kind, Life, Move, Registry
from jinka.card.files import ISSUER_AID, blank_memory, extents, free_offset
from jinka.card.template import personalised
from jinka.crypto.scp import ChannelBroken, KeyFamily
from jinka.issuer.field_update import DomainRefused, FieldUpdate
from jinka.profile import FileKind, FileSpec
from jinka.sectors.transit_shenzhen import PROFILE
from jinka.sim.randomness import SeededRandomness
from tests.card.domain_rig import (
    AUTHORITIES,
    ISSUER_KEYS,
    PROFILES,
    add_authority,
    authority,
    card_of_authorities,
    factory_card,
    key_set,
    person,
    put_on,
    session,
)
from tests.card.rig import Scripted, send


def test_the_issuer_makes_a_domain_and_hands_it_over() -> None:
    card = factory_card()
    add_authority(card, "transit")
    aid, _ = AUTHORITIES["transit"]
    [line] = session(card).content()
    assert (line.aid, line.life, line.owner) == (aid, Life.PERSONALISED, ISSUER_AID)
    authority(card, "transit")
    issuer_on_it = FieldUpdate(card, domain=aid, keys=ISSUER_KEYS, randomness=SeededRandomness("1"))
    with pytest.raises((ChannelBroken, DomainRefused)):
        issuer_on_it.open()


@pytest.mark.parametrize("name", AUTHORITIES)
def test_an_application_is_loaded_installed_personalised_and_used(name: str) -> None:
    card = card_of_authorities(name)
    put_on(card, name)
    profile = PROFILES[name]
    found = authority(card, name).content()
    assert [(line.aid, line.life) for line in found] == [
        (profile.aid, Life.PERSONALISED),
        (profile.aid + b"\x01", Life.LOADED),
    ]
    assert send(card, "00A4040007" + profile.aid.hex()).endswith("9000")
    assert send(card, "805C000204") == "000013889000"
    assert send(card, "00B201C417") == "6A83", "the log is empty"


def test_an_installed_application_equals_one_made_by_native_commands() -> None:
    """The package says all that the native script says: headers and bodies are the same bytes."""
    card = card_of_authorities("transit")
    who = person("transit", PROFILE)
    who = replace(who, contents={})
    update = authority(card, "transit")
    update.load(PROFILE)
    update.install(PROFILE)
    update.personalise(PROFILE, who)
    native = personalised(PROFILE, who, Scripted())
    for folder in (card.directory.named(PROFILE.aid), native.directory.named(PROFILE.aid)):
        assert folder is not None
    ours, theirs = card.directory.by_name[PROFILE.aid], native.directory.by_name[PROFILE.aid]
    assert set(ours.children) == set(theirs.children)
    for fid, file in ours.children.items():
        other = theirs.children[fid]
        mine, its = (
            bytes(c.nvm.memory[f.header : f.header + 10] + c.nvm.memory[f.header + 12 : f.at + f.size])
            for c, f in ((card, file), (native, other))
        )
        assert mine == its, f"{fid:04X}"


def test_an_application_is_hidden_until_it_is_made_selectable() -> None:
    card = card_of_authorities("transit")
    update, profile = authority(card, "transit"), PROFILES["transit"]
    update.load(profile)
    update.install(profile, selectable=False)
    assert send(card, "00A4040007" + profile.aid.hex()) == "6A82"
    update = authority(card, "transit")
    update.make_selectable(profile.aid)
    with pytest.raises(DomainRefused, match="6985"):
        update.make_selectable(profile.aid)
    assert send(card, "00A4040007" + profile.aid.hex()).endswith("9000")
    assert send(card, f"80D401001536F0EF0033{'00' * 16}") == "6982", "never open to commands from outside"


def test_a_missing_key_keeps_an_application_from_being_personalised() -> None:
    card = card_of_authorities("transit")
    update, profile = authority(card, "transit"), PROFILES["transit"]
    update.load(profile)
    update.install(profile)
    with pytest.raises(DomainRefused, match="6985"):
        update.write(profile.aid, [bytes.fromhex("00D6950001FF")])


def test_money_is_not_made_by_an_update() -> None:
    card = card_of_authorities("transit")
    put_on(card, "transit")
    before = bytes(card.nvm.memory)
    update, profile = authority(card, "transit"), PROFILES["transit"]
    opened = bytes(card.nvm.memory)
    with pytest.raises(DomainRefused, match="6985"):
        update.write(profile.aid, [bytes.fromhex("00D6820008 0000FFFF 00000000")])
    with pytest.raises(DomainRefused, match="6985"):
        update.write(profile.aid, [bytes.fromhex("00E200C417") + bytes(23)])
    assert bytes(card.nvm.memory) == opened
    assert sum(a != b for a, b in zip(before, opened, strict=True)) <= 2, "the counter of the channel alone"
    update.write(profile.aid, [bytes.fromhex("00D6950001FF")])
    assert send(card, "00A4040007" + profile.aid.hex()).endswith("9000")
    assert send(card, "00B0950001") == "FF9000"


def test_a_later_version_adds_files_and_keeps_the_money() -> None:
    card = card_of_authorities("fuel")
    put_on(card, "fuel")
    old = PROFILES["fuel"]
    extra = FileSpec(fid=0x000A, kind=FileKind.BINARY, size=12, title_en="Quota", title_zh="限额")
    new = replace(old, version=2, files=(*old.files, extra))
    update = authority(card, "fuel")
    with pytest.raises(DomainRefused, match="6A88"):
        update.install(new)
    update.load(new)
    update.install(new)
    with pytest.raises(DomainRefused, match="6985"):
        update.install(new)
    update.write(new.aid, [bytes.fromhex("00D68A000401020304")])
    update.remove(old.aid + b"\x01")
    [line, _] = update.content()
    assert line.package == old.aid + b"\x02"
    assert send(card, "00A4040007" + new.aid.hex()).endswith("9000")
    assert send(card, "805C000204") == "000013889000"
    assert send(card, "00B08A0004") == "010203049000"
    changed = replace(new, version=3, files=(replace(extra, size=13), *old.files))
    update = authority(card, "fuel")
    update.load(changed)
    with pytest.raises(DomainRefused, match="6A80"):
        update.install(changed)


def test_removal_gives_the_room_back_and_wipes_it() -> None:
    card = card_of_authorities("transit", "fuel")
    clean = free_offset(card.nvm.memory)
    quotas = []
    for _ in range(3):
        put_on(card, "transit")
        put_on(card, "fuel")
        quotas.append(_used(card, "transit"))
        secret = person("transit", PROFILES["transit"]).keys[0]
        assert secret in bytes(card.nvm.memory)
        authority(card, "transit").remove(PROFILES["transit"].aid + b"\x01", with_related=True)
        assert secret not in bytes(card.nvm.memory)
        assert _used(card, "transit") == 0
        assert send(card, "00A4040007" + PROFILES["transit"].aid.hex()) == "6A82"
        update = authority(card, "fuel")
        with pytest.raises(DomainRefused, match="6985"):
            update.remove(PROFILES["fuel"].aid + b"\x01")
        update.remove(PROFILES["fuel"].aid)
        update.remove(PROFILES["fuel"].aid + b"\x01")
    assert len(set(quotas)) == 1
    assert free_offset(card.nvm.memory) == clean
    assert all(card.nvm.memory[at] for at, _ in extents(card.nvm.memory)), "no hole is left"


def _used(card: object, name: str) -> int:
    registry = Registry(card.nvm.memory, card.directory)
    record = registry.named(AUTHORITIES[name][0])
    assert record is not None
    return registry.room(record.header)[0]


def test_a_quota_is_a_limit() -> None:
    card = factory_card()
    add_authority(card, "transit", quota=500)
    update, profile = authority(card, "transit"), PROFILES["transit"]
    update.load(profile)
    before = bytes(card.nvm.memory)
    with pytest.raises(DomainRefused, match="6A84"):
        update.install(profile)
    assert bytes(card.nvm.memory) == before


def test_a_locked_application_is_out_of_use_until_its_authority_returns_it() -> None:
    card = card_of_authorities("transit", "fuel")
    put_on(card, "transit")
    aid = PROFILES["transit"].aid
    with pytest.raises(DomainRefused, match="6985"):
        authority(card, "fuel").lock(aid)
    with pytest.raises(DomainRefused, match="6985"):
        session(card).lock(aid)
    authority(card, "transit").lock(aid)
    assert send(card, "00A4040007" + aid.hex()) == "6A81"
    assert send(card, "805C000204") == "6A81"
    update = authority(card, "transit")
    with pytest.raises(DomainRefused, match="6985"):
        update.lock(aid)
    update.unlock(aid)
    assert send(card, "00A4040007" + aid.hex()).endswith("9000")


def test_the_issuer_locks_a_domain_with_all_it_owns() -> None:
    card = card_of_authorities("transit", "fuel")
    put_on(card, "transit")
    put_on(card, "fuel")
    session(card).lock(AUTHORITIES["transit"][0], with_all=True)
    assert send(card, "00A4040007" + AUTHORITIES["transit"][0].hex()) == "6A81"
    assert send(card, "00A4040007" + PROFILES["transit"].aid.hex()) == "6A81"
    assert send(card, "00A4040007" + PROFILES["fuel"].aid.hex()).endswith("9000")
    session(card).unlock(AUTHORITIES["transit"][0], with_all=True)
    assert send(card, "00A4040007" + PROFILES["transit"].aid.hex()).endswith("9000")
    authority(card, "transit")


def test_a_domain_goes_only_when_it_is_empty() -> None:
    card = card_of_authorities("transit")
    put_on(card, "transit")
    aid = AUTHORITIES["transit"][0]
    with pytest.raises(DomainRefused, match="6985"):
        session(card).remove(aid)
    authority(card, "transit").remove(PROFILES["transit"].aid + b"\x01", with_related=True)
    session(card).remove(aid)
    assert send(card, "00A4040007" + aid.hex()) == "6A82"
    assert AUTHORITIES["transit"][1].enc not in bytes(card.nvm.memory)


def test_a_locked_card_answers_its_issuer_alone() -> None:
    card = card_of_authorities("transit")
    put_on(card, "transit")
    update = session(card)
    with pytest.raises(DomainRefused, match="6985"):
        update.move_card(CardLife.LOCKED)
    for life in (CardLife.INITIALISED, CardLife.SECURED, CardLife.LOCKED):
        update.move_card(life)
    card.power_up()
    for aid in (PROFILES["transit"].aid, AUTHORITIES["transit"][0]):
        assert send(card, "00A4040007" + aid.hex()) == "6A81"
    assert send(card, "00A40000023F00") == "6A81"
    with pytest.raises(DomainRefused, match="6985"):
        session(card).move_card(CardLife.INITIALISED)
    session(card).move_card(CardLife.SECURED)
    assert send(card, "00A4040007" + PROFILES["transit"].aid.hex()).endswith("9000")
    session(card).move_card(CardLife.TERMINATED)
    assert send(card, "00A4040008" + ISSUER_AID.hex()) == "6A81"


def test_keys_are_rotated_and_the_old_ones_are_worth_nothing() -> None:
    card = card_of_authorities("bank")
    aid, old = AUTHORITIES["bank"]
    new = key_set("bank, second", size=24, version=2)
    update = authority(card, "bank")
    update.put_keys(new, replaces=1)
    session(card, aid, new)
    with pytest.raises(DomainRefused, match="6A88"):
        session(card, aid, old)
    third = key_set("bank, third", family=KeyFamily.TDES, version=3)
    session(card, aid, new).put_keys(third)
    session(card, aid, third)
    session(card, aid, new)


def test_the_tables_name_every_state_and_nothing_leaves_the_end() -> None:
    assert {state for state, _ in LIFE_MOVES} == {
        Life.INSTALLED,
        Life.SELECTABLE,
        Life.PERSONALISED,
        Life.LOCKED,
    }
    assert {move for _, move in LIFE_MOVES} == set(Move)
    assert not any(before is CardLife.TERMINATED for before, _ in CARD_MOVES)
    assert {after for _, after in CARD_MOVES} == set(CardLife) - {CardLife.READY}
    assert len(Kind) == 4
    assert blank_memory()[0] == 1
