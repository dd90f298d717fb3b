"""Clones against cards that saw nothing but APDUs; images to bytes and back."""

from __future__ import annotations

import hashlib
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.app.bench_purchase import ISSUER
from jinka.card import (
    Card,
    CardImage,
    CardTemplate,
    ImageError,
    Personal,
    PowerCut,
    Psam,
    SamKey,
    personalised,
)
from jinka.card.cos import ATR
from jinka.codec import Algorithm
from jinka.kit import JinkaError, Usage
from jinka.profile import FileKind
from jinka.sectors.transit_shenzhen import PROFILE, PROFILE_SM4
from jinka.sim.randomness import SeededRandomness
from tests.card.rig import OK, Scripted, module

TEMPLATES = {Algorithm.TDES: CardTemplate(PROFILE), Algorithm.SM4: CardTemplate(PROFILE_SM4)}
KNOWN = {template.id: template for template in TEMPLATES.values()}
KEYS = tuple(bytes((i,)) * 16 for i in range(1, 7))
CARD_NO = bytes.fromhex("00005180000000012345")

people = st.builds(
    Personal,
    card_no=st.integers(0, 10**20 - 1).map(lambda n: bytes.fromhex(f"{n:020d}")),
    keys=st.lists(st.binary(min_size=16, max_size=16), min_size=6, max_size=6).map(tuple),
    holder_class=st.integers(1, 4),
    issuer=st.binary(min_size=8, max_size=8),
    tac_version=st.integers(1, 3),
    balance=st.integers(0, 2**32 - 1),
    online_counter=st.integers(0, 65535),
    offline_counter=st.integers(0, 65535),
    ride_record=st.one_of(st.just(b""), st.binary(min_size=48, max_size=48)),
)


@settings(max_examples=60)
@given(st.sampled_from(list(Algorithm)), people)
def test_a_clone_equals_a_card_personalised_by_apdus_alone(algorithm: Algorithm, person: Personal) -> None:
    template = TEMPLATES[algorithm]
    by_apdus = personalised(template.profile, person, SeededRandomness("1"))
    image = template.clone(person)
    assert Card.from_image(image, Scripted()).nvm.memory == by_apdus.nvm.memory
    again = CardImage.from_bytes(image.to_bytes(), KNOWN)
    assert Card.from_image(again, Scripted()).nvm.memory == by_apdus.nvm.memory


def _person() -> Personal:
    return Personal(card_no=CARD_NO, keys=KEYS, issuer=ISSUER, balance=5000)


def test_an_image_is_small_and_says_nothing_secret_in_a_repr() -> None:
    image = TEMPLATES[Algorithm.TDES].clone(_person())
    assert len(image.to_bytes()) < 300
    assert image.overlay.hex() not in repr(image)
    assert CARD_NO.hex() not in repr(_person())
    assert KEYS[0].hex() not in repr(_person())


def test_templates_of_one_profile_agree_and_of_two_differ() -> None:
    assert CardTemplate(PROFILE).id == TEMPLATES[Algorithm.TDES].id
    assert len(KNOWN) == 2


def test_an_image_keeps_the_journal_of_a_cut_transaction() -> None:
    card = Card.from_image(TEMPLATES[Algorithm.TDES].clone(_person()), Scripted())
    before = bytes(card.nvm.memory)
    card.nvm.cut_after(4)
    with pytest.raises(PowerCut):
        card.nvm.commit([(200, b"\x01"), (300, b"\x02")])
    again = CardImage.from_bytes(card.to_image().to_bytes(), KNOWN)
    assert again.journal
    revived = Card.from_image(again, Scripted())
    assert revived.nvm.memory[200] == 1
    assert revived.nvm.memory[300] == 2
    assert before != revived.nvm.memory


def test_a_card_with_a_later_application_keeps_its_own_directory() -> None:
    card = Card.from_image(TEMPLATES[Algorithm.TDES].clone(_person()), Scripted())
    card.nvm.memory[16 + 9] = 0  # the root is open again, as if a second authority had been let in
    assert card.transmit(bytes.fromhex("80E0DF020D380100F0F095FFFF4142434445")) == OK
    again = Card.from_image(CardImage.from_bytes(card.to_image().to_bytes(), KNOWN), Scripted())
    assert again.transmit(bytes.fromhex("00A40400054142434445"))[-2:] == OK
    other = Card.from_image(TEMPLATES[Algorithm.TDES].clone(_person()), Scripted())
    assert other.transmit(bytes.fromhex("00A40400054142434445")) == bytes.fromhex("6A82")


HEAD = (
    "4a4349"
    "04"
)  # magic, version; then template id, flags, length, journal length: see the layout in the docstring

# What the first version of the format wrote: a card with a folder of its own and a transaction that a cut left.
VERSION_1 = (
    "4a43490194fe5c02d787c2650102d4000fa5ad2f786c00c8000101012c000102c3ff61000038010002d4000000000000"
    "000000000000383f00000e111100000000000e0000000101010101010101010101010101010118023ef0ef0200aa0202"
    "020202020202020202020202020218033ef0ef0300aa0303030303030303030303030303030318013ff0ef0100aa0404"
    "0404040404040404040404040404180034f0ef0100aa05050505050505050505050505050505180036f0ef0000aa0606"
    "0606060606060606060606060606a80015001ef0f0ffff00002e00000000440300000000000102010000518000000001"
    "2345201801010026f0ef001800002e000000000000138800000000000000000186a00a00000000000000000000000000"
    "000000000038df020005f0f09500000010050100004142434445"
)
VERSION_1_MEMORY = (
    "0ed1998722a7c87738a05d659f4817508fca8ea9dea79c8823384d1eb97a1a1a"  # SHA-256 after power-up
)


def test_an_image_of_version_1_is_read() -> None:
    image = CardImage.from_bytes(bytes.fromhex(VERSION_1), KNOWN)
    card = Card.from_image(image, Scripted())
    assert hashlib.sha256(bytes(card.nvm.memory)).hexdigest() == VERSION_1_MEMORY
    assert card.transmit(bytes.fromhex("00A40400054142434445"))[-2:] == OK
    again = card.to_image().to_bytes()
    assert again[3] == 4
    assert Card.from_image(CardImage.from_bytes(again, KNOWN), Scripted()).nvm.memory == card.nvm.memory


# What the second version wrote: the same card, and a file of 192 zeros that a cut left in the journal.
VERSION_2 = (
    "4a43490294fe5c02d787c2650103a4001fa5c7fb5b8c02d4000c28000100c0f0f0ffff0002bf02e080c40002000203a4"
    "c1ff610000380000010002d40000000000000000000000000101010101010101010101010101010118023ef0ef0200aa"
    "0202020202020202020202020202020218033ef0ef0300aa0303030303030303030303030303030318013ff0ef0100aa"
    "04040404040404040404040404040404180034f0ef0100aa05050505050505050505050505050505180036f0ef0000aa"
    "06060606060606060606060606060606a80015001ef0f0ffff00002e0000000044030000000000010201000051800000"
    "00012345201801010026f0ef001800002e000000000000138800000000000000000186a00a0000000000000000000000"
    "0000000000000038df020005f0f0950000001005010000414243444528000100c0f0f0ffff0002bf"
)
VERSION_2_MEMORY = "b978a9a9cd8dd03fa82815bb927f978905b1f6b4cf4ac0920343c45deb1da18b"


def test_an_image_of_version_2_is_read() -> None:
    image = CardImage.from_bytes(bytes.fromhex(VERSION_2), KNOWN)
    assert image.journal
    card = Card.from_image(image, Scripted())
    assert hashlib.sha256(bytes(card.nvm.memory)).hexdigest() == VERSION_2_MEMORY
    assert card.transmit(bytes.fromhex("00A40400054142434445"))[-2:] == OK
    assert card.transmit(bytes.fromhex("00B08100C0")) == bytes(192) + OK
    again = card.to_image().to_bytes()
    assert len(again) < len(VERSION_2) // 2
    assert Card.from_image(CardImage.from_bytes(again, KNOWN), Scripted()).nvm.memory == card.nvm.memory


def test_the_layout_of_an_image() -> None:
    """The bytes of an image, taken apart by hand: whoever changes the layout has to add a version."""
    image = TEMPLATES[Algorithm.TDES].clone(_person())
    raw = image.to_bytes()
    template, length = TEMPLATES[Algorithm.TDES], len(TEMPLATES[Algorithm.TDES].memory)
    assert raw[:4].hex() == HEAD
    assert raw[4:12] == template.id
    assert raw[12:17] == b"\x02" + length.to_bytes(2, "big") + b"\x00\x00"
    body, memory, place = zlib.decompress(raw[17:], -15), bytearray(template.memory), 0
    while body:
        skip, size, body = body[0], body[1], body[2:]  # one byte each, for none is above 7F here
        assert skip < 0x80
        assert size < 0x80
        place += skip
        memory[place : place + size], body = body[:size], body[size:]
        place += size
    assert memory == Card.from_image(image, Scripted()).nvm.memory


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda raw: b"XXX" + raw[3:], "not a card image"),
        (lambda raw: raw[:10], "not a card image"),
        (lambda raw: raw[:3] + b"\x09" + raw[4:], "image version 9; versions \\[1, 2, 3, 4\\]"),
        (lambda raw: raw[:4] + bytes(8) + raw[12:], "unknown template"),
        (lambda raw: raw[:-1], "do not inflate"),
        (lambda raw: raw + b"\x00", "do not inflate"),
        (lambda raw: raw[:17] + _deflated(bytes(1 << 20)), "do not inflate"),
        (lambda raw: raw[:17] + _deflated(b"\x00\x00"), "do not fit"),
        (lambda raw: raw[:17] + _deflated(b"\xff\xff\xff\x00"), "do not fit"),
        (lambda raw: raw[:17] + _deflated(b"\x00\x05\x01"), "do not fit"),
        (lambda raw: raw[:17] + _deflated(b"\x80"), "do not fit"),
        (lambda raw: raw[:17] + _deflated(b"\xff\x7f\x01\x01"), "do not fit"),
        (lambda raw: raw[:13] + b"\xff\xff" + raw[15:], "do not fit"),
        (lambda raw: bytes.fromhex(VERSION_2)[:-1], "do not fit the bitmap"),
        (lambda raw: bytes.fromhex(VERSION_2) + b"\x00", "do not fit the bitmap"),
        (lambda raw: raw[:12] + b"\x01" + raw[13:17] + b"\x10\x01\x01", "no card's memory"),
        (lambda raw: raw[:12] + b"\x01" + raw[13:17] + b"\x02\x02\x7f\xff", "no card's memory"),
        (lambda raw: raw[:12] + b"\x01" + raw[13:17] + b"\x02\x02\x00\x11", "do not fill"),
        (lambda raw: _with_journal(raw, b"\x80\x00\x00\x01\x00"), "no card's memory"),
        (lambda raw: raw[:13] + b"\x00\x10" + raw[15:], "do not fit"),
        (lambda raw: raw[:15] + b"\xff\xff" + raw[17:], "do not fit"),
    ],
)
def test_spoilt_images_are_refused_with_the_place(spoil, message) -> None:
    raw = TEMPLATES[Algorithm.TDES].clone(_person()).to_bytes()
    with pytest.raises(ImageError, match=message) as caught:
        CardImage.from_bytes(spoil(raw), KNOWN)
    assert caught.value.where.startswith(("offset", "memory"))


def _deflated(body: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(body) + packer.flush()


def _with_journal(raw: bytes, entries: bytes) -> bytes:
    """The image with a transaction that a cut left, as its writer would have left it."""
    journal = b"\xa5" + zlib.crc32(entries).to_bytes(4, "big") + entries
    return raw[:15] + len(journal).to_bytes(2, "big") + journal + raw[17:]


@settings(max_examples=300)
@given(st.binary(max_size=200), st.sampled_from([None, 1, 2, 3, 4]), st.booleans(), st.booleans())
def test_any_bytes_are_an_image_or_an_error(
    raw: bytes, version: int | None, right_length: bool, deflated: bool
) -> None:
    template = TEMPLATES[Algorithm.TDES]
    head = b"" if version is None else b"JCI" + bytes((version,)) + template.id
    if version and right_length:
        raw = raw[:1] + len(template.memory).to_bytes(2, "big") + b"\x00\x00" + raw[1:]
        if deflated:
            raw = b"\x02" + raw[1:5] + _deflated(raw[5:])
    try:
        image = CardImage.from_bytes(head + raw, KNOWN)
    except ImageError:
        return
    assert CardImage.from_bytes(image.to_bytes(), KNOWN) == image
    Card.from_image(image, Scripted()).transmit(bytes.fromhex("00A4040008A000000632010105"))


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(12, 4000), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_spoilt_image_with_files_of_its_own_is_a_card_or_an_error(spoilt: list[tuple[int, int]]) -> None:
    raw = bytearray(bytes.fromhex(VERSION_2))
    for at, value in spoilt:
        raw[12 + at % (len(raw) - 12)] = value
    try:
        image = CardImage.from_bytes(bytes(raw), KNOWN)
    except ImageError:
        return
    card = Card.from_image(image, Scripted())
    for command in ("00A40400054142434445", "00B0810000", "80E0000207280008F0F0FFFF", "00A40000023F01"):
        assert len(card.transmit(bytes.fromhex(command))) >= 2


def test_personal_data_that_do_not_fit_are_refused() -> None:
    template = TEMPLATES[Algorithm.TDES]
    with pytest.raises(Usage, match="10 bytes"):
        template.clone(Personal(card_no=bytes(9), keys=KEYS))
    with pytest.raises(Usage, match="key has 16"):
        template.clone(Personal(card_no=CARD_NO, keys=(bytes(8), *KEYS[1:])))
    with pytest.raises(Usage, match="ride record has 48"):
        template.clone(Personal(card_no=CARD_NO, keys=KEYS, ride_record=bytes(47)))
    with pytest.raises(ValueError):
        template.clone(Personal(card_no=CARD_NO, keys=KEYS[1:]))


def test_personalisation_stops_at_the_first_refusal() -> None:
    card = personalised(PROFILE, _person(), Scripted())
    with pytest.raises(Usage, match="no template"):
        card.to_image()
    with pytest.raises(JinkaError, match=r"cn.shenzhen.transit, command 8.*SW 6A80"):
        personalised(PROFILE, Personal(card_no=CARD_NO, keys=(bytes(7), *KEYS[1:])), Scripted())


def test_a_module_survives_its_image() -> None:
    psam = module([SamKey(version=1, algorithm=Algorithm.TDES, level=2, key=bytes(16))])
    again = Psam.from_bytes(psam.to_bytes(), Scripted())
    assert again.nvm.memory == psam.nvm.memory
    assert again.power_up() == ATR
    with pytest.raises(ImageError, match="not a PSAM image"):
        Psam.from_bytes(b"JCI" + psam.to_bytes()[3:], Scripted())
    with pytest.raises(ImageError, match="image version 7"):
        Psam.from_bytes(b"JSI\x07" + psam.to_bytes()[4:], Scripted())
    raw = psam.to_bytes()
    for size in range(len(raw)):
        with pytest.raises(ImageError):
            Psam.from_bytes(raw[:size], Scripted())


def test_the_profile_declares_what_the_card_holds() -> None:
    directory = TEMPLATES[Algorithm.TDES].directory
    folder = directory.named(PROFILE.aid)
    assert folder is not None
    for spec in PROFILE.files:
        found = folder.children[spec.fid]
        assert found.kind is spec.kind
        assert found.mac is spec.mac_required
        if spec.kind is FileKind.BINARY:
            assert len(spec.example) == found.size
