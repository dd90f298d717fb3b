"""The gateway at a real issuer's host: what the merchant sees is what the issuer's ledger says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jinka.acquirer import (
    Answer,
    Ask,
    CardFacts,
    Draft,
    Entry,
    Gateway,
    Keyed,
    Kind,
    Merchant,
    NoAnswer,
    Vault,
)
from jinka.app.gateway_issuer import HostPayments
from jinka.sim.randomness import SeededRandomness
from jinka.store import GatewayBooks, database_at
from tests.acquirer.rig import PAN, VAULT_KEY, Now
from tests.issuer.host_rig import ACQUIRER, EXPIRY, OPENING, START, Bank

MERCHANT = Merchant(
    id="teahouse", name="TEA HOUSE", local_name="茶馆", category="5812", city="SHENZHEN", terminal="00000001",
    key_hash=hashlib.sha256(b"k").digest(),
)  # fmt: skip


class Lossy:
    """Loses answers on the way."""

    def __init__(self, inner: HostPayments) -> None:
        self._inner, self.lost = inner, ""
        self.status = inner.status

    def __getattr__(self, verb: str) -> Callable[[Ask], Answer]:
        def ask(question: Ask) -> Answer:
            lost, self.lost = self.lost, ""
            if lost == "before":
                raise NoAnswer("lost", where="test")
            answer: Answer = getattr(self._inner, verb)(question)
            if lost == "after":
                raise NoAnswer("lost", where="test")
            return answer

        return ask


@dataclass
class Shop:
    bank: Bank
    link: Lossy
    gateway: Gateway
    clock: Now
    card: CardFacts
    count: int = 0

    def keyed(self) -> Keyed:
        self.count += 1
        return Keyed(key=f"k{self.count}", what={})

    def order(self, amount: int, **more: Any) -> bytes:
        made = self.gateway.create(MERCHANT, Draft(reference="", amount_minor=amount, **more), self.keyed())
        return bytes.fromhex(made["id"])


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    bank, clock = Bank(), Now()
    clock.micros = START
    bank.host.add_card(bank.card(PAN, "A"))
    card = CardFacts(pan=PAN, expiry4=EXPIRY, entry=Entry.TYPED, card_value=bank.value("000", PAN).value)
    link = Lossy(HostPayments(bank.host, bank.books, acquirer=ACQUIRER))
    with database_at(tmp_path / "g.db") as engine:
        books = GatewayBooks(engine)
        with books.desk() as desk:
            desk.put_merchant(MERCHANT)
        vault = Vault(VAULT_KEY, SeededRandomness("v"))
        gateway = Gateway(books, link, vault, clock, SeededRandomness("g"))  # type: ignore[arg-type]
        yield Shop(bank=bank, link=link, gateway=gateway, clock=clock, card=card)


def test_a_purchase_a_partial_refund_and_the_rest(shop: Shop) -> None:
    order = shop.order(3_000)
    assert shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())["state"] == "captured"
    assert shop.bank.available() == OPENING - 3_000
    assert shop.gateway.refund(MERCHANT, order, shop.keyed(), 1_000)["state"] == "refunded_partly"
    assert shop.gateway.refund(MERCHANT, order, shop.keyed())["state"] == "refunded"
    assert (shop.bank.available(), shop.bank.owed()) == (OPENING, 0)


def test_held_captured_for_less_and_refunded(shop: Shop) -> None:
    order = shop.order(3_000, capture_later=True)
    shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
    assert (shop.bank.available(), shop.bank.owed()) == (OPENING - 3_000, 0)
    assert shop.gateway.capture(MERCHANT, order, shop.keyed(), 2_000)["state"] == "captured"
    assert (shop.bank.available(), shop.bank.owed()) == (OPENING - 2_000, 2_000)
    assert shop.gateway.refund(MERCHANT, order, shop.keyed())["state"] == "refunded"
    assert (shop.bank.available(), shop.bank.owed()) == (OPENING, 0)


@pytest.mark.parametrize("later", [False, True])
def test_a_void(shop: Shop, later: bool) -> None:
    order = shop.order(3_000, capture_later=later)
    shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
    assert shop.gateway.void(MERCHANT, order, shop.keyed())["state"] == "voided"
    assert (shop.bank.available(), shop.bank.owed()) == (OPENING, 0)


def test_a_wrong_card_value_is_declined(shop: Shop) -> None:
    from dataclasses import replace

    wrong = replace(shop.card, card_value=f"{(int(shop.card.card_value) + 1) % 1000:03d}")
    answer = shop.gateway.pay(MERCHANT, shop.order(3_000), wrong, shop.keyed())
    assert answer["state"] == "created"
    assert answer["code"] not in ("", "00")
    assert shop.bank.available() == OPENING


@pytest.mark.parametrize("lost", ["before", "after"])
@pytest.mark.parametrize("kind", list(Kind))
def test_an_answer_is_lost_and_the_books_agree(shop: Shop, kind: Kind, lost: str) -> None:
    order = shop.order(3_000, capture_later=kind in (Kind.AUTHORISE, Kind.CAPTURE))
    acts = {
        Kind.CAPTURE: lambda: shop.gateway.capture(MERCHANT, order, shop.keyed()),
        Kind.VOID: lambda: shop.gateway.void(MERCHANT, order, shop.keyed()),
        Kind.REFUND: lambda: shop.gateway.refund(MERCHANT, order, shop.keyed(), 500),
    }
    if kind in acts:
        shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
    shop.link.lost = lost
    act = acts.get(kind, lambda: shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed()))
    assert act()["state"] == "unknown"
    shop.clock.pass_s(31)
    assert shop.gateway.settle() == 1
    found = shop.gateway.read(MERCHANT, order)
    if kind in (Kind.AUTHORISE, Kind.PURCHASE) and lost == "before":
        assert found["state"] == "created"
        late = shop.bank.host.recover()
        assert late == []
    else:
        assert found["state"] not in ("unknown", "pending", "created")
    taken = found["captured_minor"] - found["refunded_minor"]
    held = found["authorised_minor"] if found["state"] == "authorised" else 0
    assert (shop.bank.available(), shop.bank.owed()) == (OPENING - taken - held, taken)
