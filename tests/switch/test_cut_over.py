"""A business date ends: who is told, what counts to which day, and whether both sides have the same sums.

Method: the core in a world of memory and over both engines; stragglers on either side of the cut, wrong sums, banks
that do not answer.
"""

from __future__ import annotations

from typing import Any

import pytest

from jinka.codec.iso8583 import Message
from jinka.kit import JinkaError, Usage
from jinka.switch import CutOver, Received, Reconcile, peer_totals
from tests.switch.ground import CODEC, DATE, World, config, request, reversal
from tests.switch.two_banks import TwoBanks, transfer

NEXT = "2023-11-15"
pytestmark = pytest.mark.usefixtures("engine")


def code(world: World, message: Message) -> str:
    answer = world.pay(message)
    assert answer is not None
    return answer.text(39)


def seen(world: World, kind: str) -> list[Message]:
    return [m for m in map(CODEC.decode, world.to_bank) if m.mti == kind]


def sums(debits: int, debit_fen: int, credits: int = 0, credit_fen: int = 0) -> dict[str, str]:
    return {
        "f74": f"{credits:010d}", "f76": f"{debits:010d}", "f86": f"{credit_fen:016d}", "f88": f"{debit_fen:016d}"
    }  # fmt: skip


def totals(trace: int, **fields: Any) -> Message:
    return request(trace, mti="0500", code="920000", f4=None, f2=None, f41=None, **fields)


def test_it_is_begun_and_ended_and_goes_forward_only() -> None:
    world = World(config(bank={"timeout_ms": 600_000}))
    world.bank_answers = False
    world.step(CutOver(business_date=NEXT))
    assert [(m.text(70), m.text(15)) for m in seen(world, "0800")] == [("201", "1115")]
    world.wait(61)
    assert [m.text(70) for m in seen(world, "0800")] == ["201", "202"]
    with pytest.raises(JinkaError, match="does not follow"):
        world.step(CutOver(business_date=NEXT))
    assert sum(v[-1].entity.value == "day" for v in world.journal.values()) == 1


def test_each_transaction_keeps_the_day_on_which_it_came() -> None:
    world = World()
    world.bank_answers = False
    world.pay(request(1))
    world.step(CutOver(business_date=NEXT))
    world.bank_answers = True
    world.bank_works()  # the straggler's answer comes after the cut
    world.pay(request(2))
    assert [(m.text(11), m.text(15), m.text(39)) for m in world.sent if m.mti == "0210"] == [
        ("000001", "1114", "00"),
        ("000002", "1115", "00"),
    ]
    assert [m.text(15) for m in world.bank.seen] == ["1114", "1115"]
    assert code(world, reversal(request(1), 3)) == "00"
    assert world.bank.seen[-1].text(15) == "1114"  # a reversal belongs to its original's day


def test_what_was_approved_in_the_banks_place_counts_to_its_day() -> None:
    world = World()
    world.bank_down()
    assert code(world, request(1)) == "00"
    world.step(CutOver(business_date=NEXT))
    world.bank_back()
    [advice] = world.bank.seen
    assert (advice.mti, advice.text(15)) == ("0220", "1114")


def test_sums_of_an_acquirer_are_compared() -> None:
    world = World()
    world.pay(request(1, fen=700))
    world.pay(request(2, fen=300))
    world.pay(request(3, fen=50, code="200000"))
    world.pay(request(4, fen=999))
    assert code(world, reversal(request(4, fen=999), 5)) == "00"
    world.step(CutOver(business_date=NEXT))
    world.pay(request(6, fen=11))
    right = world.pay(totals(10, f15="1114", **sums(2, 1_000, 1, 50)))
    assert right is not None
    assert (right.mti, right.text(39), right.text(66)) == ("0510", "00", "1")
    wrong = world.pay(totals(11, f15="1114", **sums(2, 1_001, 1, 50)))
    assert wrong is not None
    assert (wrong.text(39), wrong.text(66), wrong.text(88)) == (
        "95",
        "2",
        f"{1_000:016d}",
    )  # ours, to look for it
    assert code(world, totals(12, **sums(1, 11))) == "00"  # the day that is open
    assert code(world, totals(13, f15="1316", **sums(0, 0))) == "30"
    states = [v[-1].state for v in world.journal.values() if v[-1].entity.value == "totals"]
    assert sorted(states) == ["differ", "equal", "equal"]


@pytest.mark.parametrize("settlement", ["1", "2"])
def test_our_sums_go_to_the_bank_when_the_day_is_over(settlement: str) -> None:
    world = World(config(bank={"reconcile": True, "timeout_ms": 5_000}))
    world.pay(request(1, fen=700))
    world.pay(request(2, fen=50, code="210000"))
    world.bank_answers = False
    world.step(CutOver(business_date=NEXT))
    world.wait(61)
    [sent] = seen(world, "0500")
    assert (sent.text(15), sent.text(88), sent.text(86)) == ("1114", f"{700:016d}", f"{50:016d}")
    answer = Message(mti="0510", fields={n: sent.fields[n] for n in (7, 11, 32)} | {39: "00", 66: settlement})
    _from_bank(world, answer)
    [record] = [v[-1] for v in world.journal.values() if v[-1].entity.value == "totals"]
    assert record.state == ("equal" if settlement == "1" else "differ")
    assert record.note == "sums 1 1 50 700"
    _from_bank(world, answer)
    assert world.core.board.counts["unmatched", "bank"] == 1


def _from_bank(world: World, message: Message) -> None:
    ordered = Message(mti=message.mti, fields=dict(sorted(message.fields.items())))
    world.step(Received(peer="bank", line=world.bank_line, raw=CODEC.encode(ordered)))


def test_sums_that_nobody_answers_are_on_record() -> None:
    world = World(config(bank={"timeout_ms": 5_000}))
    world.bank_answers = False
    world.step(Reconcile(peer="bank", business_date=DATE))
    world.wait(60)
    assert len(seen(world, "0500")) == 3
    [record] = [v[-1] for v in world.journal.values() if v[-1].entity.value == "totals"]
    assert record.state == "unanswered"
    with pytest.raises(Usage, match="no peer"):
        world.step(Reconcile(peer="nobody", business_date=DATE))


def test_the_nets_of_all_peers_add_up_to_nothing() -> None:
    world = TwoBanks()
    world.pay(request(1, fen=700))
    world.pay(request(2, fen=50, code="200000"))
    world.pay(transfer(3, fen=1_000))
    world.pay(transfer(4, fen=9, receiver="6217000000099999"))  # refused, and given back
    world.settle()
    found = peer_totals(world.journal.counted(DATE))
    assert {name: one.net_fen for name, one in found.items()} == {"till": 650, "bank": -1_650, "other": 1_000}
    assert found["other"].issued.credit_fen == 1_000
