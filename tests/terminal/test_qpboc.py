"""Contactless purchases: electronic cash is debited once, and the reader believes nothing that is not signed.

Goal: what the card loses is what the reader may claim. Method: the real card behind a link that changes answers or is
pulled at every write; the log settles what a torn tap left open.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.card import Card, PowerCut
from jinka.codec import Algorithm
from jinka.codec.emv_tags import Tag
from jinka.issuer.emv import EmvIssuer, Question
from jinka.terminal import EmvStatus, Torn, Tvr
from jinka.terminal.link import CardRemoved
from tests.card.emv_rig import ICC_1984, data, issued, select
from tests.terminal.emv_rig import Nobody, Tap, issuer, reader, sale, with_application


def _cash(card: Card) -> int:
    select(card)
    return int(data(card, Tag.ECASH_BALANCE).hex())


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_tap_pays_from_electronic_cash(algorithm: Algorithm) -> None:
    card = issued(algorithm=algorithm)
    link = Tap(card)
    found = reader().tap(link, sale(1234), Nobody())
    assert found.status is EmvStatus.APPROVED_OFFLINE, found
    assert _cash(card) == 50_000 - 1234
    assert sum(command[1] == 0xA8 for command in link.commands) == 1


def test_taps_until_the_cash_is_gone_then_online_with_a_load() -> None:
    card = issued()

    def load(host: EmvIssuer, question: Question) -> list[bytes]:
        return [host.load(question, 90_000)]

    paid = 0
    for number in range(4):
        found = reader(str(number)).tap(Tap(card), sale(15_000), issuer(scripts=load))
        assert found.approved
        paid += found.status is EmvStatus.APPROVED_OFFLINE
    assert paid == 3
    assert _cash(card) == 90_000


@pytest.mark.parametrize(
    ("fen", "device", "status", "step"),
    [
        (100_001, {}, EmvStatus.REFUSED, "contactless limit"),
        (60_001, {}, EmvStatus.APPROVED_ONLINE, ""),
        (50_001, {"online": False}, EmvStatus.DECLINED_OFFLINE, ""),
        (1000, {"online": False}, EmvStatus.APPROVED_OFFLINE, ""),
        (1000, {"exceptions": frozenset({"6228000100001117"})}, EmvStatus.DECLINED_OFFLINE, "exception file"),
        (1000, {"ca_keys": ()}, EmvStatus.DECLINED_OFFLINE, "CA key"),
    ],
)
def test_how_a_tap_ends(fen: int, device: dict[str, object], status: EmvStatus, step: str) -> None:
    found = reader(**device).tap(Tap(issued()), sale(fen), issuer())
    assert found.status is status, found
    assert found.step == step


def test_a_pin_above_the_limit() -> None:
    device = with_application(contactless_cvm_fen=500)
    assert reader(**device).tap(Tap(issued()), sale(1000), Nobody()).tvr == Tvr.ONLINE_PIN
    none = sale(1000, "")
    left: list[str] = []
    found = reader(**device).tap(
        Tap(issued()), replace(none, pin=lambda: left.pop() if left else None), Nobody()
    )
    assert found.status is EmvStatus.DECLINED_OFFLINE
    assert found.step == "holder"


def test_an_issuer_that_declines() -> None:
    card = issued()
    assert reader().tap(Tap(card), sale(70_000), issuer(b"51")).status is EmvStatus.DECLINED_ONLINE
    assert reader().tap(Tap(card), sale(70_000), Nobody()).step == "no answer"
    assert _cash(card) == 50_000


def test_a_replayed_answer_is_not_believed() -> None:
    card, kept = issued(), []

    def replay(command: bytes, answer: bytes) -> bytes:
        if command[1] == 0xA8:
            kept.append(answer)
            return kept[0]
        return answer

    assert reader("1").tap(Tap(card, change=replay), sale(1000), Nobody()).approved
    second = reader("2").tap(Tap(card, change=replay), sale(1000), Nobody())
    assert second.status is EmvStatus.DECLINED_OFFLINE
    assert second.tvr & Tvr.DDA_FAILED


@settings(max_examples=80)
@given(place=st.integers(0, 240), value=st.integers(0, 255), ins=st.sampled_from([0xA4, 0xA8, 0xB2]))
def test_one_wrong_byte_is_no_other_payment(place: int, value: int, ins: int) -> None:
    def change(command: bytes, answer: bytes) -> bytes:
        at = place % len(answer)
        return answer[:at] + bytes((value,)) + answer[at + 1 :] if command[1] == ins else answer

    found = reader().tap(Tap(issued(), change=change), sale(1234), Nobody())
    if found.approved:
        assert found.data[Tag.AMOUNT].hex() == "000000001234"
        assert found.data[Tag.PAN].hex() == "6228000100001117"


class Cut(Tap):
    """Takes the power away inside one command, after some writes; None: after all of them, before the answer."""

    write: int | None = 0
    at: bytes = b"\x80\xa8"

    def transmit(self, command: bytes) -> bytes:
        if not command.startswith(self.at):
            return super().transmit(command)
        self.card.nvm.cut_after(self.write)
        with contextlib.suppress(PowerCut):
            super().transmit(command)
        self.card.nvm.cut_after(None)
        raise CardRemoved("pulled inside the command", where="reader")


OPTIONS, FIRST, LAST = b"\x80\xa8", bytes.fromhex("00B2010C"), bytes.fromhex("00B20154")


@pytest.mark.parametrize("at", [OPTIONS, FIRST, LAST], ids=["options", "first record", "last record"])
@pytest.mark.parametrize("form", [4, 12], ids=["paid with the last record", "paid with the options"])
@pytest.mark.parametrize("write", [*range(14), None])
def test_a_torn_tap_is_settled_by_the_log(write: int | None, form: int, at: bytes) -> None:
    card = issued(form=form)
    link = Cut(card)
    link.write, link.at = write, at
    terminal = reader()
    torn = terminal.tap(link, sale(1234), Nobody())
    if form == 12 and at == LAST:  # there is no such record
        assert torn.approved
        return
    assert torn.status is EmvStatus.REMOVED
    assert torn.step == ("get processing options" if at == OPTIONS else "read record")
    card.power_up()
    told = terminal.resolve(Tap(card), torn)
    assert told is (Torn.PAID if _cash(card) == 50_000 - 1234 else Torn.NOT_PAID)
    paying = (OPTIONS, FIRST) if form == 12 else (LAST,)
    assert write is not None or (told is Torn.PAID) is (at in paying)
    assert write != 0 or at == FIRST or told is Torn.NOT_PAID


def test_records_kept_from_an_earlier_tap_pay_for_nothing() -> None:
    """The holder shows the reader old records, so that the card never gives its last one."""
    card, kept = issued(), {}

    def keep(command: bytes, answer: bytes) -> bytes:
        if command[1] == 0xB2:
            kept[command] = answer
        return answer

    assert reader("1").tap(Tap(card, change=keep), sale(1234), Nobody()).approved

    class Shown(Tap):
        def transmit(self, command: bytes) -> bytes:
            return kept[command] if command in kept else super().transmit(command)

    again = reader("2").tap(Shown(card), sale(1234), Nobody())
    assert again.status is EmvStatus.DECLINED_OFFLINE
    assert again.tvr & Tvr.DDA_FAILED
    assert _cash(card) == 50_000 - 1234


@pytest.mark.parametrize("at", [OPTIONS, LAST], ids=["not paid", "paid"])
@pytest.mark.parametrize(("after", "known"), [(0, True), (3, True), (9, True), (10, False)])
def test_a_torn_tap_is_found_behind_other_purchases(after: int, known: bool, at: bytes) -> None:
    card = issued()
    link = Cut(card)
    link.write, link.at = None, at
    terminal = reader("torn")
    torn = terminal.tap(link, sale(1234), Nobody())
    card.power_up()
    for number in range(after):
        assert reader(str(number)).tap(Tap(card), sale(1234), Nobody()).approved
    wanted = Torn.PAID if at == LAST else Torn.NOT_PAID
    assert terminal.resolve(Tap(card), torn) is (wanted if known else Torn.UNKNOWN)


def test_a_full_log_of_older_purchases_says_not_paid() -> None:
    card = issued()
    for number in range(11):
        assert reader(str(number)).tap(Tap(card), sale(100), Nobody()).approved
    link = Cut(card)
    link.at = LAST
    torn = reader("torn").tap(link, sale(1234), Nobody())
    card.power_up()
    assert reader().resolve(Tap(card), torn) is Torn.NOT_PAID


def test_a_long_key_is_read_from_its_record() -> None:
    card = issued(key=ICC_1984)
    assert reader().tap(Tap(card), sale(1234), Nobody()).status is EmvStatus.APPROVED_OFFLINE
    assert _cash(card) == 50_000 - 1234


def test_another_purchase_in_the_log_is_another_purchase() -> None:
    card = issued()
    first = reader("1").tap(Tap(card), sale(1234), Nobody())
    link = Cut(card)
    torn = reader("2").tap(link, sale(1234), Nobody())
    card.power_up()
    assert first.approved
    assert reader().resolve(Tap(card), torn) is Torn.NOT_PAID


@settings(max_examples=60)
@given(answers=st.lists(st.binary(max_size=80), min_size=1, max_size=20))
def test_garbage_ends_in_an_outcome(answers: list[bytes]) -> None:
    class Garbage:
        count = 0

        def transmit(self, command: bytes) -> bytes:
            self.count += 1
            assert self.count < 500
            return answers[self.count % len(answers)] + b"\x90\x00"

    found = reader().tap(Garbage(), sale(1), issuer())
    assert not found.approved
    assert reader().resolve(Garbage(), found) in Torn
