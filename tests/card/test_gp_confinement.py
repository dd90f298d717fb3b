"""What an authority loads and fills stays inside its own application. Hostile packages and commands, one by one."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from jinka.card import Card, Nvm
from jinka.card.domains import subtree
from jinka.issuer.field_update import DomainRefused
from jinka.profile import FileKind, FileSpec, FolderSpec
from jinka.sim.randomness import SeededRandomness
from tests.card.domain_rig import AUTHORITIES, PROFILES, authority, card_of_authorities, put_on


@pytest.fixture(scope="module")
def memory() -> bytes:
    card = card_of_authorities("transit", "fuel")
    put_on(card, "transit")
    return bytes(card.nvm.memory)


def _card(memory: bytes) -> Card:
    return Card(Nvm(memory), SeededRandomness("gp"))


def test_a_package_cannot_leave_its_folder(memory: bytes) -> None:
    """A folder that pretends to be the root, or another's application, gets nothing made there."""
    victim = PROFILES["transit"].fid
    for fid in (0x3F00, victim, PROFILES["fuel"].fid):
        stray = FileSpec(fid=0x0009, kind=FileKind.BINARY, size=4, folder=fid, title_en="", title_zh="")
        folder = FolderSpec(fid=fid, name=PROFILES["fuel"].aid + b"STRAY", title_en="", title_zh="")
        profile = PROFILES["fuel"]
        evil = replace(profile, files=(*profile.files, stray), folders=(folder,))
        card = _card(memory)
        update = authority(card, "fuel")
        update.load(evil)
        before, outside = bytes(card.nvm.memory), set(card.directory.root.children)
        with contextlib.suppress(DomainRefused):
            update.install(evil)
        root = card.directory.root
        if bytes(card.nvm.memory) != before:  # it made a folder of that number inside its own
            assert fid == victim
            assert root.children[profile.fid].children[fid].parent is root.children[profile.fid]
        assert set(root.children) - outside <= {profile.fid}
        assert card.nvm.memory[root.header : root.at + root.size] == before[root.header : root.at + root.size]
        for file in subtree(root.children[victim]):
            assert (
                card.nvm.memory[file.header : file.at + file.size]
                == before[file.header : file.at + file.size]
            )


def test_filling_commands_cannot_leave_the_application(memory: bytes) -> None:
    card = _card(memory)
    update = authority(card, "transit")
    before = bytes(card.nvm.memory)
    aid = PROFILES["transit"].aid
    for way in ("00A40000023F00", "00A40300", "00A4040007" + AUTHORITIES["fuel"][0].hex()):
        with pytest.raises(DomainRefused, match="6A80"):
            update.write(aid, [bytes.fromhex(way), bytes.fromhex("00D6950001FF")])
    for command in ("80E0000A0728000CF0EFFFFF", "801E000004", "84160000", "80E6020000"):
        with pytest.raises(DomainRefused, match="6A80"):
            update.write(aid, [bytes.fromhex(command)])
    assert bytes(card.nvm.memory) == before
