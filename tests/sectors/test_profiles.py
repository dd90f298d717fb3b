"""Every card application's declaration. Goal: what a sector declares can be put on a card and says what it is."""

from __future__ import annotations

import pytest

from jinka.card import Personal, personalised
from jinka.card.personalise import script
from jinka.profile import ApplicationProfile, FileKind, KeyUse
from jinka.sectors import PROFILES
from jinka.sim.randomness import SeededRandomness


def _blank(profile: ApplicationProfile) -> Personal:
    keys = tuple(bytes(8) if key.use is KeyUse.PIN else bytes(16) for key in profile.keys)
    return Personal(card_no=bytes(10), keys=keys)


def test_names_and_applications_are_unique() -> None:
    assert len({profile.name for profile in PROFILES}) == len(PROFILES)
    assert len({profile.aid for profile in PROFILES}) == len(PROFILES)
    assert len({profile.fid for profile in PROFILES}) == len(PROFILES), "side by side on one card"


@pytest.mark.parametrize("profile", PROFILES, ids=[profile.name for profile in PROFILES])
def test_a_declaration_says_what_it_is(profile: ApplicationProfile) -> None:
    assert profile.title_en
    assert profile.title_zh
    assert profile.authority
    assert profile.standards
    for spec in profile.files:
        assert spec.title_en
        assert any("\u4e00" <= character <= "\u9fff" for character in spec.title_zh), spec.title_zh
        if spec.kind is FileKind.BINARY:
            assert len(spec.example) <= spec.size
        if spec.kind is FileKind.FIXED:
            assert len(spec.example) % spec.record_length == 0


@pytest.mark.parametrize("profile", PROFILES, ids=[profile.name for profile in PROFILES])
def test_a_declaration_makes_a_card(profile: ApplicationProfile) -> None:
    card = personalised(profile, _blank(profile), SeededRandomness("profiles"))
    folder = card.directory.named(profile.aid)
    assert folder is not None
    assert folder.application == profile.application
    below = {fid for fid in folder.children if folder.children[fid].kind is FileKind.FOLDER}
    assert below == {spec.fid for spec in profile.folders if not spec.parent}
    for spec in profile.files:
        place = folder.children[spec.folder] if spec.folder else folder
        found = place.children[spec.fid]
        assert (found.kind, found.read, found.mac) == (spec.kind, spec.read_right, spec.mac_required) or (
            spec.kind is FileKind.KEY
        )
    assert len(script(profile, _blank(profile))) > len(profile.files)
