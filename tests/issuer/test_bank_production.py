"""Bank cards in bulk: clones are the cards that APDUs make, keys leave their pool once, and they pay.

Goal: no shortcut of the production shows on a card. Method: memories compared byte for byte with cards that saw every
APDU; a clone makes a purchase; pools and orders that are wrong.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.card import Card, CardImage
from jinka.card.emv_issue import EmvHolder, contents
from jinka.card.emv_template import EmvTemplate, bank_card
from jinka.codec import Algorithm
from jinka.codec.emv_tags import Tag
from jinka.crypto.emv_oda import PrivateKey
from jinka.crypto.rsa_sign import draw_private_key
from jinka.issuer import IssuerKeys
from jinka.issuer.bank_production import KeyPool, make_bank_cards
from jinka.kit import Refused, Usage
from jinka.sectors import bank
from jinka.sim.randomness import SeededRandomness
from tests.card.emv_rig import (
    CA_KEY,
    ENTRY,
    HOLDER,
    ICC,
    ICC_1984,
    MASTER,
    SM2_CA_KEY,
    authority,
    card_keys,
    sm2_authority,
)
from tests.card.rig import Scripted
from tests.terminal.emv_rig import Nobody, Tap, issuer, reader, sale, terminal

TEMPLATES = {
    algorithm: EmvTemplate(bank.PROFILE.with_algorithm(algorithm), bank.ENVIRONMENT, [ENTRY])
    for algorithm in Algorithm
}
MASTERS = IssuerKeys(**MASTER)
HOLDERS = [replace(HOLDER, pan=f"62280001{number:08d}", name=f"HOLDER/{number}") for number in range(3)]


def _made(
    holders: list[EmvHolder],
    algorithm: Algorithm = Algorithm.TDES,
    pool: KeyPool | None = None,
    *,
    signed: bool = True,
) -> list[CardImage]:
    return make_bank_cards(
        holders,
        spec=bank.SPEC,
        template=TEMPLATES[algorithm],
        masters=MASTERS,
        algorithm=algorithm,
        authority=authority() if signed else None,
        pool=pool,
    )


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("key", [None, ICC, ICC_1984], ids=["no key", "1024", "1984"])
@pytest.mark.parametrize("signed", [False, True])
def test_a_clone_equals_a_card_made_by_apdus(
    algorithm: Algorithm, key: PrivateKey | None, signed: bool
) -> None:
    [image] = _made([HOLDER], algorithm, KeyPool([key]) if key else None, signed=signed)
    files = contents(bank.SPEC, HOLDER, authority() if signed else None, key)
    profile = bank.PROFILE.with_algorithm(algorithm)
    wanted = bank_card(profile, bank.ENVIRONMENT, [ENTRY], card_keys(algorithm), files)
    assert Card.from_image(image, Scripted()).nvm.memory == wanted.nvm.memory
    template = TEMPLATES[algorithm]
    again = CardImage.from_bytes(image.to_bytes(), {template.id: template})
    assert Card.from_image(again, Scripted()).nvm.memory == wanted.nvm.memory


def test_cards_of_one_order_pay_by_contact_and_without() -> None:
    pool = KeyPool(draw_private_key(1024) for _ in HOLDERS)
    for image in _made(HOLDERS, pool=pool):
        assert terminal().purchase(Tap(Card.from_image(image, Scripted())), sale(1000), issuer()).approved
        assert reader().tap(Tap(Card.from_image(image, Scripted())), sale(1234), Nobody()).approved
    assert len(pool) == 0


def test_each_card_has_an_sm2_key_of_its_own() -> None:
    images = make_bank_cards(
        HOLDERS,
        spec=bank.SPEC_SM2,
        template=TEMPLATES[Algorithm.SM4],
        masters=MASTERS,
        algorithm=Algorithm.SM4,
        authority=authority(),
        pool=KeyPool(draw_private_key(1024) for _ in HOLDERS),
        sm2=sm2_authority(),
    )
    certificates = set()
    for image in images:
        device = reader(ca_keys=(CA_KEY, SM2_CA_KEY))
        found = device.tap(Tap(Card.from_image(image, SeededRandomness("card"))), sale(1234), Nobody())
        assert found.approved
        certificates.add(found.data[Tag.ICC_CERTIFICATE][20:84])
        assert (
            reader().tap(Tap(Card.from_image(image, SeededRandomness("card"))), sale(1234), Nobody()).approved
        )
    assert len(certificates) == 3


def test_a_key_leaves_its_pool_once() -> None:
    pool = KeyPool([ICC, ICC_1984])
    assert (pool.take(), pool.take()) == (ICC, ICC_1984)
    with pytest.raises(Usage, match="no keys left"):
        pool.take()
    with pytest.raises(Refused, match="a key twice"):
        pool.add(ICC)
    assert str(ICC.p) not in repr(KeyPool([ICC]))


def test_an_order_that_cannot_be_filled_takes_no_keys() -> None:
    pool = KeyPool([ICC])
    with pytest.raises(Usage, match="1 keys for 3 cards"):
        _made(HOLDERS, pool=pool)
    with pytest.raises(Refused, match="ordered twice"):
        _made([HOLDER, HOLDER], pool=pool)
    assert len(pool) == 1
    assert _made([]) == []


def test_what_has_no_room_is_refused() -> None:
    template = TEMPLATES[Algorithm.TDES]
    keys = card_keys(Algorithm.TDES)
    for bad_keys, files in (
        ((keys[0][:8], *keys[1:]), {}),
        (keys, {(0, 0x0001): bytes(97)}),
        (keys, {(0, 0x0077): b""}),
        (keys, {(1, 0x0001): b""}),
    ):
        with pytest.raises(Usage):
            template.clone(bad_keys, files)
