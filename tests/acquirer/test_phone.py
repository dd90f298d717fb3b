"""A phone card pays: the card operating system signs, a code carries it, the issuer checks it, the ledger moves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from jinka.acquirer import card_of_code, order_code, scanned_order
from jinka.codec.emv_qr import Application, ConsumerCode, consumer_code, parse_consumer_code
from jinka.codec.emv_tags import Tag, amount
from jinka.kit import JinkaError, Refused
from jinka.sim.randomness import SeededRandomness
from jinka.terminal import PhoneWallet
from tests.acquirer.rig import MERCHANT, Rig, rig
from tests.card.emv_rig import PAN as TOKEN
from tests.card.emv_rig import RID, TODAY, issued
from tests.terminal.emv_rig import issuer

AT = dt.datetime.combine(TODAY, dt.time(9))


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path / "g.db") as made:
        made.network.chip = issuer()
        made.network.give(TOKEN, 5000)
        yield made


def scan(at: Rig, order: bytes) -> int:
    """What a phone reads from the merchant's code."""
    with at.books.desk() as desk:
        found = desk.order(order)
        assert found is not None
        key, fen, currency = scanned_order(order_code(found, MERCHANT))
    assert (key, currency) == (found.page_key, "CNY")
    return fen


def test_a_phone_scans_signs_and_pays_once(at: Rig) -> None:
    card, wallet = issued(), PhoneWallet(RID, SeededRandomness("phone"))
    order = at.order(1250)
    code = wallet.present(card, scan(at, order), AT)
    paid = at.gateway.pay(MERCHANT, order, card_of_code(code), at.keyed())
    assert (paid["state"], paid["card"]) == ("captured", "622800******1117")
    assert at.network.taken(TOKEN) == 1250
    again = at.gateway.pay(MERCHANT, at.order(1250), card_of_code(code), at.keyed())
    assert (again["state"], again["code"]) == ("created", "05")
    fresh = wallet.present(card, 1250, AT)
    assert fresh != code
    assert at.gateway.pay(MERCHANT, at.order(1250), card_of_code(fresh), at.keyed())["state"] == "captured"
    assert at.network.taken(TOKEN) == 2500


@pytest.mark.parametrize(
    "tag", [Tag.AMOUNT, Tag.CRYPTOGRAM, Tag.COUNTER, Tag.DATE, Tag.UNPREDICTABLE, Tag.AIP]
)
def test_a_code_that_was_changed_pays_nothing(at: Rig, tag: Tag) -> None:
    code = PhoneWallet(RID, SeededRandomness("phone")).present(issued(), 1250, AT)
    found = parse_consumer_code(code).applications[0]
    value = amount(1) if tag is Tag.AMOUNT else bytes((found.own[tag][0] ^ 1,)) + found.own[tag][1:]
    forged = Application(aid=found.aid, values=found.values, own={**found.own, tag: value})
    text = consumer_code(ConsumerCode(applications=(forged,)))
    order = at.order(1 if tag is Tag.AMOUNT else 1250)
    answer = at.gateway.pay(MERCHANT, order, card_of_code(text), at.keyed())
    assert (answer["state"], answer["code"], at.network.taken(TOKEN)) == ("created", "05", 0)


@pytest.mark.parametrize("tag", [Tag.CRYPTOGRAM, Tag.COUNTER, Tag.ISSUER_DATA, Tag.DATE])
def test_a_code_without_its_proof_is_refused_before_anybody_is_asked(at: Rig, tag: Tag) -> None:
    code = PhoneWallet(RID, SeededRandomness("phone")).present(issued(), 1250, AT)
    found = parse_consumer_code(code).applications[0]
    less = Application(
        aid=found.aid, values=found.values, own={k: v for k, v in found.own.items() if k != tag}
    )
    with pytest.raises(Refused):
        card_of_code(consumer_code(ConsumerCode(applications=(less,))))
    assert at.network.asked == []


def test_a_code_for_another_amount_is_refused(at: Rig) -> None:
    code = PhoneWallet(RID, SeededRandomness("phone")).present(issued(), 1, AT)
    with pytest.raises(Refused):
        at.gateway.pay(MERCHANT, at.order(1250), card_of_code(code), at.keyed())
    assert at.network.asked == []


def test_what_is_no_order_of_this_scheme(at: Rig) -> None:
    sample = "00020101021126160012cn.elsewhere5204531153031565802CN5904Shop6008Shenzhen"
    from jinka.codec.emv_qr import crc

    body = sample + "6304"
    with pytest.raises(JinkaError):
        scanned_order(body + crc(body))
