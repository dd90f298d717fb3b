"""A folder's quota holds for everything below it, however deep and whatever the folders below declare for themselves.

Method: native commands on a blank card, as the holder of a folder's rights would send them; hostile packages; and a
card that was made when a folder below counted for itself alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from jinka.app.card_files import known_templates
from jinka.card import Card, CardImage, CardTemplate, Nvm
from jinka.card.domains import subtree
from jinka.card.files import FILE_HEAD, blank_memory
from jinka.issuer.field_update import DomainRefused
from jinka.profile import FileKind, FileSpec, FolderSpec
from jinka.sectors import social_security
from jinka.sectors.transit_shenzhen import PROFILE
from jinka.sim.randomness import SeededRandomness
from tests.card.domain_rig import PROFILES, authority, card_of_authorities, put_on
from tests.card.rig import Scripted, send


def _folder(fid: str, quota: int, name: str) -> str:
    body = "38" + quota.to_bytes(2, "big").hex() + "F0F0FFFFFF" + name.encode().hex()
    return f"80E0{fid}{len(body) // 2:02X}{body}"


def _file(fid: int, size: int) -> str:
    return f"80E0{fid:04X}0728{size:04X}F0F0FFFF"


def _native(quota: int) -> Card:
    card = Card(Nvm(blank_memory()), SeededRandomness("quota"))
    assert send(card, _folder("3F01", quota, "OUTER")) == "9000"
    assert send(card, "00A40400054F55544552").endswith("9000")
    return card


@pytest.mark.parametrize("inner", [0, 0xFFFF, 5000, 300])
def test_a_folder_below_does_not_escape(inner: int) -> None:
    card = _native(400)
    assert send(card, _folder("DF01", inner, "INNER")) == "9000"
    assert send(card, "00A4000002DF01").endswith("9000")
    assert send(card, _file(1, 200)) == "9000"
    before = bytes(card.nvm.memory)
    assert send(card, _file(2, 200)) == "6A84"
    assert card.nvm.memory == before
    room = 400 - (FILE_HEAD + 5) - (FILE_HEAD + 200)
    if inner != 300:
        assert send(card, _file(2, room - FILE_HEAD + 1)) == "6A84"
        assert send(card, _file(2, room - FILE_HEAD)) == "9000"
        assert send(card, _file(3, 1)) == "6A84"
    else:
        assert (
            send(card, _file(2, 68)) == "9000"
        )  # 16 more with its header: the inner folder's own 300 are full
        assert send(card, _file(3, 1)) == "6A84"


def test_nor_does_one_deeper_nor_beside() -> None:
    card = _native(600)
    for depth in range(1, 5):
        assert send(card, _folder(f"DF{depth:02X}", 0xFFFF, f"INNER{depth}")) == "9000"
        assert send(card, f"00A4000002DF{depth:02X}").endswith("9000")
    made = 0
    while send(card, _file(made + 1, 50)) == "9000":
        made += 1
    assert made == (600 - 4 * (FILE_HEAD + 6)) // (FILE_HEAD + 50)
    assert send(card, "00A40400054F55544552").endswith("9000")
    assert send(card, _file(0x1E, 50)) == "6A84"
    outer = card.directory.by_name[b"OUTER"]
    assert sum(FILE_HEAD + file.size for file in subtree(outer) if file is not outer) <= 600


def test_erasing_a_folder_gives_its_room_back_and_no_more() -> None:
    card = _native(300)
    assert send(card, _folder("DF01", 0, "INNER")) == "9000"
    for _ in range(3):
        assert send(card, "00A4000002DF01").endswith("9000")
        assert send(card, _file(1, 220)) == "9000"
        assert send(card, _file(2, 220)) == "6A84"
        assert send(card, "800E0000") == "9000"
        assert send(card, "00A40400054F55544552").endswith("9000")


def _nested(fid: int, parent: int, name: bytes) -> FolderSpec:
    return FolderSpec(fid=fid, parent=parent, name=name, title_en="", title_zh="")


def test_a_package_with_folders_in_a_circle_or_of_impossible_size_is_refused() -> None:
    card = card_of_authorities("fuel")
    own, update = PROFILES["fuel"], authority(card, "fuel")
    a, b = own.aid + b"A", own.aid + b"B"
    circle = (_nested(0xDF01, 0xDF02, a), _nested(0xDF02, 0xDF01, b))
    both = (*circle, _nested(0xDF01, 0, a), _nested(0xDF01, 0, a))
    words = {"title_en": "", "title_zh": ""}
    huge = tuple(
        FileSpec(fid=n, kind=FileKind.BINARY, size=0x7000, folder=0xDF01, **words) for n in range(1, 6)
    )
    for number, evil in enumerate(
        (
            replace(own, folders=circle),
            replace(own, folders=both),
            replace(own, folders=(_nested(0xDF01, 0, a),), files=(*own.files, *huge)),
        ),
        1,
    ):
        profile = replace(evil, version=number)
        update.load(profile)
        before = bytes(card.nvm.memory)
        with pytest.raises(DomainRefused, match="6A8"):
            update.install(profile)
        assert card.nvm.memory == before
        update.remove(own.aid + bytes((number,)))
    put_on(card, "fuel")


# Of format version 3: a social security card whose four folders counted for themselves. Keys of equal bytes.
OLD_TEMPLATE = "ff976ed78b431308"
OLD_CARD = (
    "4a434903ff976ed78b43130803145c00005dc8c11140301005d0dd105942fc632a31a30647e3aa20a5a8450d2a302325"
    "70feeff876b7c6b0a86ad6b9bc2a9b23d9fdef64ab4896a9bc22674dae044f0c0d3104724418434b0c1db93d2231f4c4"
    "3090a74622869118d807"
)
OLD_MEMORY = "0502066e86f20da398593a6708df22e1c91dff7ed841ae39a2985901f2e17b54"


def test_cards_made_before_are_read_and_keep_their_rule() -> None:
    template = CardTemplate(social_security.PROFILE)
    earlier = template.earlier()
    assert earlier is not None
    assert earlier.id.hex() == OLD_TEMPLATE != template.id.hex()
    image = CardImage.from_bytes(bytes.fromhex(OLD_CARD), {earlier.id: earlier, template.id: template})
    assert hashlib.sha256(bytes(image.memory())).hexdigest() == OLD_MEMORY
    card = Card.from_image(image, Scripted())
    for folder in social_security.FOLDERS:
        assert send(card, f"00A40400{len(folder.name):02X}{folder.name.hex()}").endswith("9000")


def test_applications_without_folders_have_the_templates_that_they_had() -> None:
    template = CardTemplate(PROFILE)
    assert template.earlier() is None
    assert template.id.hex() == "94fe5c02d787c265"  # as in the images of versions 1 and 2


def test_a_card_file_of_before_finds_its_template() -> None:
    assert any(template.id.hex() == OLD_TEMPLATE for template in known_templates())
