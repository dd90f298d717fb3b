"""The power goes at every write of every management command: old state or new, never between, and never a lost key.

Method: run an operation once and note the memory after each transaction; then run it again and again on the same card,
with the cut one write later each time. Whatever power-up finds must be one of the noted states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from jinka.card import Card, Nvm, PowerCut
from jinka.card.domains import CardLife
from jinka.card.files import ISSUER_AID
from jinka.card.globalplatform import SecurityDomain
from jinka.issuer.field_update import FieldUpdate
from jinka.profile import FileKind, FileSpec
from jinka.sim.randomness import SeededRandomness
from tests.card.domain_rig import (
    AUTHORITIES,
    ISSUER_KEYS,
    PROFILES,
    card_of_authorities,
    key_set,
    person,
    put_on,
    session,
)

OLD = PROFILES["transit"]
NEW = replace(
    OLD,
    version=2,
    files=(*OLD.files, FileSpec(fid=0x0A, kind=FileKind.BINARY, size=12, title_en="Quota", title_zh="限额")),
)
AID, KEYS = AUTHORITIES["transit"]


def _empty() -> Card:
    return card_of_authorities("transit")


def _loaded() -> Card:
    card = _empty()
    session(card, AID, KEYS).load(OLD)
    return card


def _installed() -> Card:
    card = _loaded()
    session(card, AID, KEYS).install(OLD, selectable=False)
    return card


def _selectable() -> Card:
    card = _installed()
    session(card, AID, KEYS).make_selectable(OLD.aid)
    return card


def _in_use() -> Card:
    card = _empty()
    put_on(card, "transit")
    return card


def _outgrown() -> Card:
    card = _in_use()
    session(card, AID, KEYS).load(NEW)
    return card


def _locked() -> Card:
    card = _in_use()
    session(card, AID, KEYS).lock(OLD.aid)
    return card


Operation = Callable[[FieldUpdate], None]
ISSUER = (ISSUER_AID, ISSUER_KEYS)
OWN = (AID, KEYS)
# name -> (instruction, the card before, whose session, what is done)
OPERATIONS: dict[str, tuple[int, Callable[[], Card], tuple[bytes, object], Operation]] = {
    "make a domain": (0xE6, _empty, ISSUER, lambda u: u.make_domain(b"DOMAIN", quota=900)),
    "make a domain with names": (
        0xE6,
        _empty,
        ISSUER,
        lambda u: u.make_domain(b"DOMAIN", quota=9, names=[b"OTHER"]),
    ),
    "grant": (0xE6, _empty, ISSUER, lambda u: u.grant(AID, [b"OTHER", b"NAMES"])),
    "remove a domain": (0xE4, _empty, ISSUER, lambda u: u.remove(AID)),
    "lock a domain with all": (0xF0, _in_use, ISSUER, lambda u: u.lock(AID, with_all=True)),
    "move the card": (0xF0, _empty, ISSUER, lambda u: u.move_card(CardLife.INITIALISED)),
    "replace keys": (0xD8, _empty, OWN, lambda u: u.put_keys(key_set("next", version=2), replaces=1)),
    "load": (0xE8, _empty, OWN, lambda u: u.load(OLD)),
    "install": (0xE6, _loaded, OWN, lambda u: u.install(OLD)),
    "make selectable": (0xE6, _installed, OWN, lambda u: u.make_selectable(OLD.aid)),
    "personalise": (0xE2, _selectable, OWN, lambda u: u.personalise(OLD, person("transit", OLD))),
    "extend": (0xE6, _outgrown, OWN, lambda u: u.install(NEW)),
    "unlock": (0xF0, _locked, OWN, lambda u: u.unlock(OLD.aid)),
    "remove": (0xE4, _in_use, OWN, lambda u: u.remove(OLD.aid + b"\x01", with_related=True)),
    "open a channel": (0x82, _empty, OWN, lambda u: u.open()),
}


def _start(memory: bytes, owner: tuple[bytes, object]) -> tuple[Card, FieldUpdate]:
    card = Card(Nvm(memory), SeededRandomness("card"))
    aid, keys = owner
    return card, session(card, aid, keys)


@pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn write"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_write(name: str, torn: bool) -> None:
    _, make, owner, run = OPERATIONS[name]
    before = bytes(make().nvm.memory)
    card, update = _start(before, owner)
    states = [bytes(card.nvm.memory)]
    _watch(card, states)
    run(update)
    assert len(states) > 1, "an operation that writes nothing does not belong here"
    card, update = _start(before, owner)
    card.nvm.cut_after(100_000)
    run(update)
    for write in range(card.nvm.writes):
        card, update = _start(before, owner)
        card.nvm.cut_after(write, torn=torn)
        with pytest.raises(PowerCut):
            run(update)
        card.nvm.cut_after(None)
        card.power_up()
        assert not card.nvm.journal
        assert bytes(card.nvm.memory) in states, f"write {write}"
        _ = card.directory


def test_every_command_that_writes_is_cut() -> None:
    """A new command of the domain's table has to be added above."""
    reading = {0x50, 0xCA, 0xF2}
    writing = {ins for _, ins in SecurityDomain.table} - reading
    assert writing == {ins for ins, *_ in OPERATIONS.values()}


def test_keys_are_never_half_there() -> None:
    """After a cut while keys are replaced, either the old or the new ones open the domain."""
    _, make, owner, run = OPERATIONS["replace keys"]
    before = bytes(make().nvm.memory)
    card, update = _start(before, owner)
    card.nvm.cut_after(1000)
    run(update)
    seen = set()
    for write in range(card.nvm.writes):
        card, update = _start(before, owner)
        card.nvm.cut_after(write, torn=True)
        with pytest.raises(PowerCut):
            run(update)
        card.nvm.cut_after(None)
        card.power_up()
        for version, keys in ((1, KEYS), (2, key_set("next", version=2))):
            try:
                session(card, AID, keys)
            except Exception:
                continue
            seen.add(version)
            break
        else:
            raise AssertionError(f"write {write}: no key opens the domain")
    assert seen == {1, 2}


def _watch(card: Card, states: list[bytes]) -> None:
    commit = type(card.nvm).commit

    class Watched(type(card.nvm)):
        __slots__ = ()

        def commit(self, entries: object) -> None:
            commit(self, entries)
            states.append(bytes(self.memory))

    card.nvm.__class__ = Watched
