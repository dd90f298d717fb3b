"""The bank's counter: unload and overdraft limit, with real cards, hosts and keys; pulled at every write; lied to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from jinka.codec import Algorithm
from jinka.codec.clearing import ClearingRecord
from jinka.codec.record import RecordState
from jinka.kit import Refused, Usage
from jinka.terminal import ApduLink, CardRemoved, ChipRefused, Unresolved
from tests.card.rig import Pull, Reader
from tests.terminal.passbook_rig import AT, CARD_NO, PIN, Bank


def filled(algorithm: Algorithm = Algorithm.TDES, amount: int = 10_000) -> Bank:
    bank = Bank(algorithm)
    record = bank.till.load(bank.card, amount, AT, bank.loads, pin=PIN)
    assert (record.txn_type, record.balance, record.state) == (0x01, amount, RecordState.CONFIRMED)
    return bank


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_cash_comes_out_once_the_issuer_has_seen_mac3(algorithm: Algorithm) -> None:
    bank = filled(algorithm)
    record = bank.desk.unload(bank.card, 4_000, AT, bank.unloads, pin=PIN)
    assert (record.txn_type, record.amount, record.balance, record.counter) == (0x03, 4_000, 6_000, 1)
    assert record.state is RecordState.CONFIRMED
    assert bank.unloads.concluded == {(CARD_NO, 1): record}
    assert not bank.unloads.waiting
    assert bank.says() == (6_000, 0)
    bank.unloads.conclude(record)
    with pytest.raises(Refused, match="another answer"):
        bank.unloads.conclude(record.confirmed(bytes(4)))
    assert len(bank.unloads.concluded) == 1


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_limit_moves_what_can_be_spent_and_no_money(algorithm: Algorithm) -> None:
    bank = filled(algorithm)
    record = bank.desk.change_limit(bank.card, 3_000, AT, bank.limits, pin=PIN)
    assert (record.txn_type, record.amount, record.balance) == (0x07, 3_000, 13_000)
    assert bank.says() == (13_000, 3_000)
    assert bank.limits.concluded == {(CARD_NO, 1): record}
    with pytest.raises(ChipRefused, match="SW 9401"):
        bank.desk.unload(bank.card, 10_001, AT, bank.unloads, pin=PIN)
    assert bank.desk.unload(bank.card, 10_000, AT, bank.unloads, pin=PIN).balance == 3_000
    assert bank.desk.change_limit(bank.card, 0, AT, bank.limits, pin=PIN).balance == 0
    assert bank.says() == (0, 0)


def test_refusals_before_anything_moves() -> None:
    bank = filled()
    for amount in (0, -1, 2**32):
        with pytest.raises(Usage):
            bank.desk.unload(bank.card, amount, AT, bank.unloads, pin=PIN)
    for limit in (-1, 2**24):
        with pytest.raises(Usage):
            bank.desk.change_limit(bank.card, limit, AT, bank.limits, pin=PIN)
    with pytest.raises(Refused, match="more credit than this card may have"):
        bank.desk.change_limit(bank.card, 50_001, AT, bank.limits, pin=PIN)
    with pytest.raises(ChipRefused, match="SW 9401"):
        bank.desk.unload(bank.card, 10_001, AT, bank.unloads, pin=PIN)
    bank.card.power_up()
    with pytest.raises(ChipRefused, match="SW 6982"):
        bank.desk.unload(bank.card, 1, AT, bank.unloads)
    with pytest.raises(ChipRefused, match="SW 63C2"):
        bank.desk.unload(bank.card, 1, AT, bank.unloads, pin=b"\x12\x34\x56")
    assert bank.says() == (10_000, 0)
    assert not bank.unloads.concluded


def test_a_used_limit_cannot_be_taken_away() -> None:
    bank = filled(amount=1)
    bank.desk.unload(bank.card, 1, AT, bank.unloads, pin=PIN)
    bank.desk.change_limit(bank.card, 500, AT, bank.limits, pin=PIN)
    liar = Tampered(bank.card, 0x50, lambda answer: bytes((0, 0, 0, 100)) + answer[4:])  # 400 of 500 are used
    with pytest.raises(Refused, match="more of the old limit"):
        bank.desk.change_limit(liar, 399, AT, bank.limits, pin=PIN)
    with pytest.raises(Refused, match="MAC is wrong"):
        bank.desk.change_limit(liar, 400, AT, bank.limits, pin=PIN)
    assert bank.says() == (500, 500)


class Tampered:
    """A card whose answers to one instruction are changed on the way."""

    def __init__(self, card: ApduLink, instruction: int, change: Callable[[bytes], bytes]) -> None:
        self.card, self.instruction, self.change = card, instruction, change

    def transmit(self, command: bytes) -> bytes:
        answer = self.card.transmit(command)
        return self.change(answer) if command[1] == self.instruction else answer


@pytest.mark.parametrize("place", range(16))
def test_no_byte_of_the_cards_first_answer_can_be_changed(place: int) -> None:
    bank = filled()

    def change(answer: bytes) -> bytes:
        return answer[:place] + bytes((answer[place] ^ 2,)) + answer[place + 1 :]

    with pytest.raises(Refused):
        bank.desk.unload(Tampered(bank.card, 0x50, change), 100, AT, bank.unloads, pin=PIN)
    assert bank.says() == (10_000, 0)
    assert not bank.unloads.waiting


def test_a_false_mac3_and_a_false_tac_are_not_concluded() -> None:
    bank = filled()
    for instruction, ask in (
        (0x54, lambda card: bank.desk.unload(card, 100, AT, bank.unloads, pin=PIN)),
        (0x58, lambda card: bank.desk.change_limit(card, 100, AT, bank.limits, pin=PIN)),
    ):
        liar = Tampered(bank.card, instruction, lambda answer: bytes(4) + answer[-2:])
        with pytest.raises(Refused, match="is wrong"):
            ask(liar)
    assert not bank.unloads.concluded
    assert not bank.limits.concluded
    assert bank.says() == (10_000, 100), "the card did both, and the issuer's waiting list shows which"
    assert len(bank.unloads.waiting) == len(bank.limits.waiting) == 1


def test_another_amount_or_place_than_authorised_is_not_concluded() -> None:
    bank = filled()
    reader = Reader(bank.card)
    reader.pull(Pull(4, None))
    torn = bank.desk.unload(reader, 700, AT, bank.unloads, pin=PIN)
    reader.insert()
    found = bank.desk.resolve_unload(reader, torn, NoHost(), pin=PIN)
    assert isinstance(found, ClearingRecord)
    for changed in (
        {"amount": 701},
        {"balance": found.balance + 1},
        {"terminal_id": bytes(6)},
        {"local_time": bytes(3)},
        {"card_no": bytes(10)},
        {"counter": 9},
        {"tac": bytes(4)},
        {"tac": None},
    ):
        with pytest.raises(Refused):
            bank.unloads.conclude(replace(found, **changed))
    bank.unloads.conclude(found)


class NoHost:
    def authorise(self, request: object) -> bytes:
        raise AssertionError("not asked")

    def conclude(self, record: ClearingRecord) -> None:
        return


@pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn write"])
@pytest.mark.parametrize("command", range(5))
@pytest.mark.parametrize("limit", [False, True], ids=["unload", "limit"])
def test_pulled_anywhere_card_and_issuer_agree_in_the_end(limit: bool, command: int, torn: bool) -> None:
    for write in (-1, 0, 1, 2, 3, 4, 6, 9, None):
        bank = filled()
        host = bank.limits if limit else bank.unloads
        reader = Reader(bank.card)
        reader.pull(Pull(command, write, torn=torn))
        act = bank.desk.change_limit if limit else bank.desk.unload
        try:
            record: ClearingRecord | None = act(reader, 2_500, AT, host, pin=PIN)
        except CardRemoved:
            record = None
        reader.insert()
        if record is not None and record.state is RecordState.UNCONFIRMED:
            assert not host.concluded
            found = (
                bank.desk.resolve_limit(reader, record, bank.limits, pin=PIN)
                if limit
                else bank.desk.resolve_unload(reader, record, bank.unloads, pin=PIN)
            )
            assert isinstance(found, ClearingRecord) or found is Unresolved.NOT_DEBITED
        moved = (12_500, 2_500) if limit else (7_500, 0)
        assert bank.says() == (moved if host.concluded else (10_000, 0)), (command, write)


def test_an_unload_that_never_happened_is_void_and_its_counter_serves_again() -> None:
    bank = filled()
    reader = Reader(bank.card)
    reader.pull(Pull(4, -1))
    record = bank.desk.unload(reader, 700, AT, bank.unloads, pin=PIN)
    assert record.state is RecordState.UNCONFIRMED
    reader.insert()
    assert bank.desk.resolve_unload(reader, record, bank.unloads, pin=PIN) is Unresolved.NOT_DEBITED
    again = bank.desk.unload(reader, 800, AT, bank.unloads, pin=PIN)
    assert again.counter == record.counter
    assert bank.desk.resolve_unload(reader, record, bank.unloads, pin=PIN) is Unresolved.NOT_DEBITED
    assert bank.says() == (9_200, 0)


def test_a_counter_that_was_concluded_is_not_authorised_again() -> None:
    bank = filled()
    asked = []

    class Listening:
        def authorise(self, request: object) -> bytes:
            asked.append(request)
            return bank.unloads.authorise(request)

        def conclude(self, record: ClearingRecord) -> None:
            bank.unloads.conclude(record)

    bank.desk.unload(bank.card, 100, AT, Listening(), pin=PIN)
    with pytest.raises(Refused, match="was used"):
        bank.unloads.authorise(asked[0])
    with pytest.raises(Refused, match="more than the card holds"):
        bank.unloads.authorise(replace(asked[0], amount=10_001))
    with pytest.raises(Refused, match="MAC is wrong"):
        bank.unloads.authorise(replace(asked[0], online_counter=5))


def test_a_torn_purse_load_is_not_taken_for_void_because_the_passbook_used_the_same_counter() -> None:
    bank = Bank()
    reader = Reader(bank.card)
    reader.pull(Pull(3, None))
    torn = bank.purse_till.load(reader, 300, AT, bank.loads)
    assert torn.state is RecordState.UNCONFIRMED
    reader.insert()
    assert bank.till.load(reader, 900, AT, bank.loads, pin=PIN).counter == torn.counter
    found = bank.purse_till.resolve(reader, torn)
    assert isinstance(found, ClearingRecord)
    assert (found.amount, found.txn_type) == (300, 0x02)
