"""Every card application's declaration. Goal: what a sector declares can be put on a card and says what it is."""

from __future__ import annotations

import pytest

from jinka.card import (
    Card,
    CardImage,
    CardTemplate,
    Personal,
    personalised,
    record_contents,
    subscriber_data,
)
from jinka.card.personalise import script
from jinka.profile import ApplicationProfile, FileKind, KeyUse
from jinka.sectors import PROFILES, identity_card, social_security, travel_document, usim
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


def _people() -> list[tuple[ApplicationProfile, Personal]]:
    from tests.card.test_identity import ISSUER_KEY, MAC_KEY
    from tests.card.test_social_security import VALUES, key_of
    from tests.terminal.test_inspection import DATA

    social = Personal(
        card_no=bytes(10),
        keys=tuple(key_of(key.folder, key.use, key.kid) for key in social_security.PROFILE.keys),
        contents=record_contents(social_security.RECORDS, VALUES),
    )
    identity = Personal(card_no=bytes(10), keys=(b"\x12\x34\x56", ISSUER_KEY, MAC_KEY))
    one = subscriber_data(
        usim.PROFILE, imsi="460001234567890", k=bytes(16), opc=bytes(16), pin=b"1234", unblock=b"12345678"
    )
    return [
        (social_security.PROFILE, social),
        (identity_card.PROFILE, identity),
        (usim.PROFILE, one),
        (travel_document.PROFILE, DATA),
    ]


@pytest.mark.parametrize("number", range(4))
def test_a_card_without_a_purse_has_an_image_too(number: int) -> None:
    """The image equals the card that saw the APDUs, from memory and from bytes, and its keys are found."""
    profile, person = _people()[number]
    template = CardTemplate(profile)
    image = template.clone(person)
    by_apdus = personalised(profile, person, SeededRandomness("1"))
    raw = image.to_bytes()
    for found in (image, CardImage.from_bytes(raw, {template.id: template})):
        card = Card.from_image(found, SeededRandomness("1"))
        assert card.nvm.memory == by_apdus.nvm.memory
        folder, other = card.directory.named(profile.aid), by_apdus.directory.named(profile.aid)
        assert folder is not None
        assert other is not None
        assert folder.key_file is not None
        assert other.key_file is not None
        assert folder.key_file.keys == other.key_file.keys
        assert Card.to_image(card).to_bytes() == raw
    assert len(raw) < len(by_apdus.nvm.memory)
