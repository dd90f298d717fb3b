"""The gateway through the switch at a real issuer's host: what the merchant sees is what the issuer's ledger says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jinka.acquirer import Ask, Entry, Kind, NoAnswer, NotSent, Operation, card_of_code
from jinka.acquirer.iso import APPROVALS, NEEDED, answer_of, request_of, reversal_of
from jinka.codec.iso8583 import Message, dialect
from jinka.sim.randomness import SeededRandomness
from jinka.switch.messages import original_id, transaction_id
from jinka.switch.transactions import APPROVALS as SWITCH_APPROVALS
from jinka.terminal import PhoneWallet
from tests.acquirer.switched import ACQUIRER, FULL, MERCHANT, Shop, shop_at
from tests.acquirer.test_phone import AT
from tests.card.emv_rig import PAN as TOKEN
from tests.card.emv_rig import RID
from tests.issuer.engines import books_on
from tests.issuer.host_rig import OPENING
from tests.issuer.test_chip_host import Chip
from tests.switch.engines import ENGINES, journals_on


@pytest.fixture(params=ENGINES)
def places(request: pytest.FixtureRequest) -> Iterator[Callable[[], Path | str]]:
    """Where the gateway's books are, with the switch's journal and the issuer's books beside them."""
    fresh = request.getfixturevalue(f"fresh_{request.param}")
    shared = fresh()

    def place() -> Path | str:
        return fresh() if isinstance(shared, Path) else shared

    with journals_on(place), books_on(place):
        yield place


@pytest.fixture
def shop(places: Callable[[], Path | str]) -> Iterator[Shop]:
    with shop_at(places()) as made:
        yield made


def test_a_purchase_a_partial_refund_and_the_rest(shop: Shop) -> None:
    order = shop.order(3_000)
    assert shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())["state"] == "captured"
    assert shop.books() == (OPENING - 3_000, 3_000)
    assert shop.gateway.refund(MERCHANT, order, shop.keyed(), 1_000)["state"] == "refunded_partly"
    assert shop.gateway.refund(MERCHANT, order, shop.keyed())["state"] == "refunded"
    assert shop.books() == FULL


def test_held_captured_for_less_and_refunded(shop: Shop) -> None:
    order = shop.order(3_000, capture_later=True)
    shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
    assert shop.books() == (OPENING - 3_000, 0)
    assert shop.gateway.capture(MERCHANT, order, shop.keyed(), 2_000)["state"] == "captured"
    assert shop.books() == (OPENING - 2_000, 2_000)
    assert shop.gateway.refund(MERCHANT, order, shop.keyed())["state"] == "refunded"
    assert shop.books() == FULL


@pytest.mark.parametrize("later", [False, True])
def test_a_void(shop: Shop, later: bool) -> None:
    order = shop.order(3_000, capture_later=later)
    shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
    assert shop.gateway.void(MERCHANT, order, shop.keyed())["state"] == "voided"
    assert shop.books() == FULL


@pytest.mark.parametrize("value", ["", "other"])
def test_a_wrong_card_value_is_declined_and_so_is_none(shop: Shop, value: str) -> None:
    wrong = value and f"{(int(shop.card.card_value) + 1) % 1000:03d}"
    card = replace(shop.card, card_value=wrong)
    answer = shop.gateway.pay(MERCHANT, shop.order(3_000), card, shop.keyed())
    assert (answer["state"], answer["code"]) == ("created", "05")
    assert shop.books() == FULL


def test_what_must_not_be_kept_is_kept_nowhere(shop: Shop) -> None:
    shop.gateway.pay(MERCHANT, shop.order(3_000), shop.card, shop.keyed())
    [sent] = shop.issuer.seen
    assert sent.text(61) == f"9203{shop.card.card_value}"
    assert (sent.text(22), sent.text(25), sent.text(32)) == ("012", "59", ACQUIRER)
    records = [record for versions in shop.world.journal.values() for record in versions]
    assert records
    assert not [record for record in records if 61 in record.request.fields or 55 in record.request.fields]


def act_of(shop: Shop, kind: Kind, order: bytes) -> Callable[[], Any]:
    acts: dict[Kind, Callable[[], Any]] = {
        Kind.CAPTURE: lambda: shop.gateway.capture(MERCHANT, order, shop.keyed()),
        Kind.VOID: lambda: shop.gateway.void(MERCHANT, order, shop.keyed()),
        Kind.REFUND: lambda: shop.gateway.refund(MERCHANT, order, shop.keyed(), 500),
    }
    return acts.get(kind, lambda: shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed()))


def agreed(shop: Shop, order: bytes) -> Any:
    """The merchant's order, which the issuer's ledger must bear out once the switch has told all it owes."""
    shop.world.wait(300)
    found = shop.gateway.read(MERCHANT, order)
    taken = found["captured_minor"] - found["refunded_minor"]
    held = found["authorised_minor"] if found["state"] == "authorised" else 0
    assert shop.books() == (OPENING - taken - held, taken)
    return found


@pytest.mark.parametrize("lost", ["before", "after", "late"])
@pytest.mark.parametrize("kind", list(Kind))
def test_an_answer_is_lost_and_the_books_agree(shop: Shop, kind: Kind, lost: str) -> None:
    order = shop.order(3_000, capture_later=kind in (Kind.AUTHORISE, Kind.CAPTURE))
    payment = kind in (Kind.AUTHORISE, Kind.PURCHASE)
    if not payment:
        shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
    shop.wire.lost = lost
    assert act_of(shop, kind, order)()["state"] == "unknown"
    shop.world.wait(31)
    assert shop.gateway.settle() == 1
    found = agreed(shop, order)
    if payment and lost != "late":  # in doubt it is taken back, and the payer may try again
        assert (found["state"], found["code"]) == ("created", "98")
        assert shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())["state"] in (
            "captured",
            "authorised",
        )
        agreed(shop, order)
    else:
        assert found["state"] not in ("unknown", "pending", "created")


@pytest.mark.parametrize("kind", list(Kind))
def test_the_issuer_falls_silent_and_the_books_agree(shop: Shop, kind: Kind) -> None:
    """The switch times out and reverses; the gateway is told so."""
    order = shop.order(3_000, capture_later=kind in (Kind.AUTHORISE, Kind.CAPTURE))
    if kind not in (Kind.AUTHORISE, Kind.PURCHASE):
        shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
    before = shop.gateway.read(MERCHANT, order)["state"]
    shop.issuer.deaf = True
    answer = act_of(shop, kind, order)()
    shop.issuer.deaf = False
    if kind is Kind.REFUND:  # the switch has promised to bring it
        assert answer["state"] == "refunded_partly"
    else:
        assert (answer["state"], answer["code"]) == (before, "68")
    agreed(shop, order)


@pytest.mark.parametrize("lost", ["", "before", "after", "late"])
@pytest.mark.parametrize("kind", list(Kind))
def test_the_merchants_terminal_changes_under_way(shop: Shop, kind: Kind, lost: str) -> None:
    """What follows a payment names the payment's terminal and institution, or the switch and issuer know none."""
    order = shop.order(3_000, capture_later=kind in (Kind.AUTHORISE, Kind.CAPTURE))
    if payment := kind in (Kind.AUTHORISE, Kind.PURCHASE):
        shop.wire.lost = lost
        act_of(shop, kind, order)()
        shop.move()
    else:
        act_of(shop, Kind.PURCHASE, order)()
        moved, shop.wire.lost = shop.move(), lost
        verb = {
            Kind.CAPTURE: shop.gateway.capture,
            Kind.VOID: shop.gateway.void,
            Kind.REFUND: shop.gateway.refund,
        }
        verb[kind](moved, order, shop.keyed())
    shop.world.wait(31)
    assert shop.restarted("102").settle() == bool(lost)
    ended = {
        Kind.AUTHORISE: "authorised",
        Kind.PURCHASE: "captured",
        Kind.CAPTURE: "captured",
        Kind.VOID: "voided",
    }
    given_up = payment and lost in ("before", "after")
    assert agreed(shop, order)["state"] == ("created" if given_up else ended.get(kind, "refunded"))
    assert {(sent.text(41), sent.text(32)) for sent in shop.wire.asked} == {(MERCHANT.terminal, ACQUIRER)}
    if given_up:  # what is new has the new terminal, and is one payment
        shop.gateway.pay(shop.move(), order, shop.card, shop.keyed())
        assert shop.wire.asked[-1].text(41) == "00000099"
        assert agreed(shop, order)["state"] == ended[kind]


@pytest.mark.parametrize("again", [False, True])
def test_an_answer_that_is_read_after_a_reversal_was_sent_has_no_say(shop: Shop, again: bool) -> None:
    order = shop.order(3_000)
    shop.wire.lost = "late"
    shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
    late, shop.wire.kept = shop.wire.kept, {}  # still on its way
    shop.wire.lost = "after"
    shop.world.wait(31)
    assert shop.gateway.settle() == 0  # the switch took the payment back, and its word was lost
    assert shop.books() == FULL
    shop.wire.kept = late
    assert (shop.restarted() if again else shop.gateway).settle() == 1
    found = agreed(shop, order)
    assert (found["state"], found["code"], found["captured_minor"]) == ("created", "98", 0)


@pytest.mark.parametrize("lost", ["", "before", "after"])
def test_an_answer_to_who_still_waits_has_no_say_once_a_reversal_was_sent(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    order, real = shop.order(3_000), shop.wire.ask

    def slow(message: Message) -> Message:
        monkeypatch.setattr(shop.wire, "ask", real)
        answer = real(message)
        shop.world.wait(31)
        shop.wire.lost = lost
        assert shop.restarted().settle() == (not lost)
        return answer

    monkeypatch.setattr(shop.wire, "ask", slow)
    answer = shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
    assert answer["state"] == ("unknown" if lost else "created")
    assert shop.gateway.settle() == bool(lost)
    assert agreed(shop, order)["state"] == "created"


def test_what_is_answered_while_it_is_settled_is_not_reversed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, real, held = shop.order(3_000), shop.wire.ask, list[Message]()

    def slow(message: Message) -> Message:
        held.append(real(message))
        raise NoAnswer("slow", where="test")

    def settled_meanwhile(message: Message) -> None:
        with shop.kept.desk() as desk:
            [begun] = desk.operations(order)
        shop.gateway._finish(begun, answer_of(held[0]))

    with monkeypatch.context() as patch:
        patch.setattr(shop.wire, "ask", slow)
        shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
    monkeypatch.setattr(shop.wire, "late", settled_meanwhile)
    assert shop.restarted().settle() == 0
    assert [sent.mti for sent in shop.wire.asked] == ["0200"]
    assert agreed(shop, order)["state"] == "captured"


@pytest.mark.parametrize("kind", [Kind.CAPTURE, Kind.VOID])
def test_what_was_not_looked_at_is_reversed_until_that_is_answered(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    order = shop.order(3_000, capture_later=True)
    shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
    shop.wire.lost = "late"
    act_of(shop, kind, order)()
    late, shop.wire.kept, real = shop.wire.kept, {}, shop.wire.ask

    def busy(message: Message) -> Message:
        if message.mti[1] != "4":
            return message.changed({39: "96"}, "0210")
        shop.wire.lost = "after"
        return real(message)

    with monkeypatch.context() as patch:
        patch.setattr(shop.wire, "ask", busy)
        shop.world.wait(31)
        assert shop.gateway.settle() == 0
    shop.wire.kept = late
    assert shop.restarted().settle() == 1
    assert agreed(shop, order)["state"] == "authorised"


def test_a_payment_that_comes_after_its_reversal_is_refused(shop: Shop) -> None:
    order = shop.order(3_000)
    shop.wire.lost = "before"
    shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
    [late] = shop.wire.asked
    shop.world.wait(31)
    shop.gateway.settle()
    answer = shop.world.pay(late)
    assert answer is not None
    assert answer.text(39) == "94"
    shop.world.wait(300)
    assert shop.books() == FULL


def test_without_a_line_a_payment_is_declined_and_a_repeat_stays_in_doubt(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shop.order(3_000)

    def down(_: Message) -> Message:
        raise NotSent("no line", where="test")

    with monkeypatch.context() as patch:
        patch.setattr(shop.wire, "ask", down)
        answer = shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
        assert (answer["state"], answer["code"]) == ("created", "91")
    shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
    shop.wire.lost = "after"
    assert shop.gateway.void(MERCHANT, order, shop.keyed())["state"] == "unknown"
    with monkeypatch.context() as patch:
        patch.setattr(shop.wire, "ask", down)
        shop.world.wait(31)
        assert shop.gateway.settle() == 0
    assert shop.gateway.read(MERCHANT, order)["state"] == "unknown"
    assert shop.gateway.settle() == 1
    assert agreed(shop, order)["state"] == "voided"


@pytest.mark.parametrize(("kind", "state"), [(Kind.VOID, "captured"), (Kind.REFUND, "refunded_partly")])
def test_a_repeat_that_the_switch_did_not_look_at_proves_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, kind: Kind, state: str
) -> None:
    order = shop.order(3_000)
    shop.gateway.pay(MERCHANT, order, shop.card, shop.keyed())
    shop.wire.lost = "after"
    assert act_of(shop, kind, order)()["state"] == "unknown"
    real = shop.wire.ask

    def busy(message: Message) -> Message:
        return real(message) if message.mti[1] == "4" else message.changed({39: "96"}, "0210")

    with monkeypatch.context() as patch:
        patch.setattr(shop.wire, "ask", busy)
        shop.world.wait(31)
        assert shop.gateway.settle() == (kind is Kind.VOID)  # a void is taken back; a refund cannot be
    shop.gateway.settle()
    assert agreed(shop, order)["state"] == state


def operation(kind: Kind, number: int = 1) -> Operation:
    return Operation(
        order=bytes(16), number=number, kind=kind, amount_minor=1_250, at_micros=1_700_000_000_000_000,
        token=bytes(16), serial=1_000_041,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["iso1987-ascii", "iso1987-binary", "iso1987-bcd", "unionpay-interbank"])
@pytest.mark.parametrize("kind", list(Kind))
def test_a_message_and_its_reversal_name_one_transaction(shop: Shop, kind: Kind, name: str) -> None:
    original = None if kind in (Kind.PURCHASE, Kind.AUTHORISE) else operation(Kind.PURCHASE, 2)
    card = replace(shop.card, entry=Entry.CODE, chip=b"\x9f\x26\x01\x00")
    ask = Ask(operation=operation(kind), merchant=MERCHANT, currency="CNY", card=card, original=original)
    codec = dialect(name)
    assert codec.spec.fields.keys() >= NEEDED
    sent = codec.decode(codec.encode(request_of(ask, ACQUIRER)))
    again = codec.decode(codec.encode(request_of(replace(ask, again=True), ACQUIRER)))
    assert (again.mti, again.fields) == (sent.mti[:3] + "1", sent.fields)
    back = codec.decode(codec.encode(reversal_of(ask, ACQUIRER)))
    assert original_id("gw", back) == transaction_id("gw", sent)
    assert not back.fields.keys() & {55, 61}
    assert (sent.text(11), sent.text(37), sent.text(43)[:9]) == ("000041", "000001000041", "TEA HOUSE")


def test_gateway_and_switch_count_the_same_codes_as_approvals() -> None:
    assert APPROVALS == SWITCH_APPROVALS


@pytest.mark.parametrize("how", ["right", "forged", "other amount"])
def test_a_phone_card_pays_through_the_switch_and_its_issuer_checks_the_chip(
    tmp_path: Path, how: str
) -> None:
    """The card operating system in a phone signs the order that it scanned; every hop carries the proof unchanged."""
    chip = Chip()
    with shop_at(tmp_path / "g.db", chip.bank, prefix=TOKEN[:6]) as shop:
        code = PhoneWallet(RID, SeededRandomness("phone")).present(chip.card, 1_250, AT)
        card = card_of_code(code)
        if how == "forged":
            at = card.chip.index(b"\x9f\x26") + 3
            changed = card.chip[:at] + bytes((card.chip[at] ^ 1,)) + card.chip[at + 1 :]
            card = replace(card, chip=changed)
        elif how == "other amount":
            card = replace(card, signed_minor=None)
        order = shop.order(1_300 if how == "other amount" else 1_250)
        answer = shop.gateway.pay(MERCHANT, order, card, shop.keyed())
        expected = {
            "right": ("captured", "00"),
            "forged": ("created", "05"),
            "other amount": ("created", "30"),
        }
        assert (answer["state"], answer["code"]) == expected[how]
        taken = 1_250 if how == "right" else 0
        assert (chip.bank.available("C"), chip.bank.owed(owner=ACQUIRER)) == (OPENING - taken, taken)
        if how == "right":
            again = shop.gateway.pay(MERCHANT, shop.order(1_250), card, shop.keyed())
            assert (again["state"], again["code"]) == ("created", "05")  # its counter pays once
            refund = shop.gateway.refund(MERCHANT, order, shop.keyed())
            assert refund["state"] == "refunded"
            assert chip.bank.available("C") == OPENING
