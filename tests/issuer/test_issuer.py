"""The issuer's answers: a wrong MAC1 is refused, a purse is never filled beyond its limit, no number is made twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jinka.card import CardTemplate
from jinka.codec import Algorithm
from jinka.crypto import diversify, load_session, mac4
from jinka.crypto.block import message_mac4
from jinka.issuer import CardOrder, LoadHost, MaintenanceHost, make_cards
from jinka.keys import Purpose, SoftKeyService, card_factor, hold_ceremony, open_store
from jinka.kit import Refused
from jinka.sectors.transit_shenzhen import PROFILE, PROFILE_SM4
from jinka.sim.plan import card_number
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import HolderClass
from jinka.terminal import LoadRequest

CARD = card_number("7")


@pytest.fixture(scope="module")
def keys():
    ceremony = hold_ceremony(
        issuer="issuer.test",
        date="2026-01-01",
        custodians=("a", "b", "c"),
        randomness=SeededRandomness("issuer tests"),
        simulated=True,
    )
    return SoftKeyService.open(ceremony.sealed, list(ceremony.shares[:2]), region="440300")


def chip_key(keys, purpose, algorithm):
    import numpy as np

    factor = np.frombuffer(card_factor(CARD), np.uint8).reshape(1, 8)
    [key] = keys.chip_keys(purpose, algorithm=algorithm, version=1, factors8=factor)
    return key.tobytes()


def request(keys, algorithm, **changes):
    asked = LoadRequest(
        card_no=CARD,
        algorithm=algorithm,
        key_version=1,
        rand4=b"\x01\x02\x03\x04",
        online_counter=9,
        balance=1_000,
        amount=5_000,
        terminal_id=b"\x44\x90\x00\x00\x00\x00",
        local_date=b"\x20\x18\x09\x01",
        local_time=b"\x08\x00\x00",
        mac1=b"",
    )
    asked = replace(asked, **changes)
    session = load_session(algorithm, chip_key(keys, Purpose.LOAD, algorithm), asked.rand4, 9)
    return replace(asked, mac1=mac4(algorithm, session, asked.mac1_data)), session


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_load_is_authorised_with_the_macs_of_the_cards_own_key(keys, algorithm):
    asked, session = request(keys, algorithm)
    mac2 = LoadHost(keys, purse_limit=100_000).authorise(asked)
    assert mac2 == mac4(algorithm, session, asked.mac2_data)


@pytest.mark.parametrize(
    "change", [{"amount": 5_001}, {"balance": 0}, {"rand4": bytes(4)}, {"online_counter": 8}]
)
def test_a_request_that_the_card_did_not_make_is_refused(keys, change):
    asked, _ = request(keys, Algorithm.TDES)
    with pytest.raises(Refused, match="MAC1"):
        LoadHost(keys, purse_limit=100_000).authorise(replace(asked, **change))


def test_a_purse_is_not_filled_beyond_its_limit(keys):
    host = LoadHost(keys, purse_limit=100_000)
    host.authorise(request(keys, Algorithm.TDES, balance=95_000)[0])
    with pytest.raises(Refused, match="limit"):
        host.authorise(request(keys, Algorithm.TDES, balance=95_001)[0])


def test_no_number_is_made_twice(keys):
    order = CardOrder(card_no=CARD, holder=HolderClass.ORDINARY, balance=0)
    with pytest.raises(Refused, match="twice"):
        make_cards(
            [order, order],
            template=CardTemplate(PROFILE),
            algorithm=Algorithm.TDES,
            issuer=bytes(8),
            keys=keys,
        )


@pytest.mark.parametrize("profile", [PROFILE, PROFILE_SM4])
def test_made_cards_hold_their_own_keys(keys, profile):
    algorithm = profile.keys[0].algorithm
    [image] = make_cards(
        [CardOrder(card_no=CARD, holder=HolderClass.FREE, balance=77)],
        template=CardTemplate(profile),
        algorithm=algorithm,
        issuer=bytes(8),
        keys=keys,
    )
    for purpose in (Purpose.PURCHASE, Purpose.LOAD, Purpose.TAC, Purpose.MAINTENANCE):
        raw = chip_key(keys, purpose, algorithm)
        assert sum(raw[at : at + 8] in image.overlay for at in (0, 8)) >= 1, purpose


def test_a_service_that_is_not_simulated_gives_no_chip_keys():
    ceremony = hold_ceremony(
        issuer="issuer.test",
        date="2026-01-01",
        custodians=("a", "b", "c"),
        randomness=SeededRandomness("production"),
        simulated=False,
    )
    keys = SoftKeyService.open(ceremony.sealed, list(ceremony.shares[1:]), region="440300")
    factors = np.frombuffer(card_factor(CARD), np.uint8).reshape(1, 8)
    with pytest.raises(Refused, match="simulated"):
        keys.chip_keys(Purpose.MAINTENANCE, algorithm=Algorithm.TDES, version=1, factors8=factors)
    made = MaintenanceHost(keys, Algorithm.TDES).message_mac(CARD, bytes(4), b"\x04\xd6")
    store = open_store(ceremony.sealed, list(ceremony.shares[:2]))
    key = diversify(Algorithm.TDES, store.root(Purpose.MAINTENANCE, Algorithm.TDES, 1), CARD[2:])
    assert made == message_mac4(Algorithm.TDES, key, bytes(4), b"\x04\xd6"), (
        "a MAC is no key: it is made all the same"
    )
