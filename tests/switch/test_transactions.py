"""One transaction at a time: answered once, reversed where nobody knows, never charged twice.

Method: the core in a world of its own (`tests.switch.ground`) with a bank that keeps a real ledger and a journal in
memory, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import pytest

from jinka.codec.iso8583 import Message
from jinka.kit import Usage
from jinka.switch import Entity, LinkDown, Received, StandIn, peer_totals
from jinka.switch.kinds import CASH_ADVICE, OFFLINE, PRE_AUTH_ADVICE, kind_of
from tests.switch.ground import CODEC, DATE, PANS, World, config, request, reversal

pytestmark = pytest.mark.usefixtures("engine")


def code(world: World, message: object) -> str:
    answer = world.pay(message)
    assert answer is not None
    return answer.text(39)


def test_a_purchase_is_kept_before_it_is_passed_on_and_before_it_is_answered() -> None:
    world = World()
    world.hold = True
    assert world.pay(request(1)) is None
    assert world.bank.seen == []  # not on the disk, so not on its way
    world.write(world.held.pop())
    assert len(world.bank.seen) == 1
    assert world.sent == []  # the bank said yes; the yes is not on the disk
    world.release()
    assert [m.text(39) for m in world.sent] == ["00"]
    assert world.sent[0].mti == "0210"
    assert world.bank.balance(PANS[0]) == 99_000


def test_what_the_bank_gets_says_who_sent_it() -> None:
    world = World()
    world.pay(request(1, f32=None))
    [seen] = world.bank.seen
    assert (seen.text(32), seen.text(33)) == ("101", "88001")
    assert len(seen.text(37)) == 12


def test_a_decline_passes_through() -> None:
    world = World()
    assert code(world, request(1, fen=100_001)) == "51"
    assert world.states() == {"declined": 1}


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (request(1, pan="4000000000000002"), "15"),
        (request(1, code="990000"), "12"),
        (request(1, f41=None), "30"),
    ],
)
def test_what_cannot_be_carried_has_its_code(message: object, wanted: str) -> None:
    world = World()
    assert code(world, message) == wanted
    assert world.bank.seen == []


def test_a_repeat_gets_the_first_answer_and_charges_once() -> None:
    world = World()
    first = world.pay(request(1))
    again = world.pay(request(1, mti="0201"))
    assert first is not None
    assert again is not None
    assert (again.text(39), again.text(38)) == ("00", first.text(38))
    assert world.bank.balance(PANS[0]) == 99_000


def test_a_repeat_after_a_restart_gets_the_first_answer() -> None:
    world = World()
    world.pay(request(1))
    world.restart()
    assert code(world, request(1)) == "00"
    assert world.bank.balance(PANS[0]) == 99_000


def test_a_repeat_that_memory_has_forgotten_is_found_in_the_journal() -> None:
    world = World(config(closed_kept=1))
    for trace in range(1, 5):
        world.pay(request(trace))
    assert len(world.core.transactions.memory.known) == 1
    assert code(world, request(1)) == "00"
    assert world.bank.balance(PANS[0]) == 96_000


def test_the_same_numbers_with_another_amount_are_no_repeat() -> None:
    world = World()
    world.pay(request(1))
    assert code(world, request(1, fen=2_000)) == "94"
    assert world.bank.balance(PANS[0]) == 99_000


def test_a_repeat_in_flight_waits_for_the_one_answer() -> None:
    world = World()
    world.bank_answers = False
    assert world.pay(request(1)) is None
    assert world.pay(request(1)) is None
    world.bank_works()
    assert [m.text(39) for m in world.sent] == ["00"]


def test_no_answer_in_time_is_declined_and_reversed_with_the_original_data() -> None:
    world = World()
    world.bank_answers = False
    world.pay(request(1))
    lost, world.to_bank = world.to_bank, []
    world.wait(15)
    assert [m.text(39) for m in world.sent] == ["68"]
    assert world.states() == {"reversing": 1}
    [raw] = world.to_bank
    sent = CODEC.decode(raw)
    assert sent.mti == "0420"
    assert sent.text(90) == "0200" + "000001" + "1114221320" + "00000000101" + "00000088001"
    world.bank_answers = True
    world.bank_works()
    assert world.states() == {"reversed": 1}
    world.to_bank = lost
    world.bank_works()  # the original comes after its reversal, and is refused there
    assert world.bank.balance(PANS[0]) == 100_000
    assert world.core.board.counts["late", "bank"] == 1


def test_an_answer_that_comes_too_late_is_matched_and_undone() -> None:
    world = World()
    world.bank_answers = False
    world.pay(request(1))
    late, world.to_bank = world.to_bank, []
    answer = world.bank.handle(CODEC.decode(late[0]))
    assert answer is not None
    assert world.bank.balance(PANS[0]) == 99_000
    world.wait(15)
    world.step(Received(peer="bank", line=world.bank_line, raw=CODEC.encode(answer)))
    assert [m.text(39) for m in world.sent] == ["68"]
    assert world.core.board.counts["late", "bank"] == 1
    world.bank_answers = True
    world.bank_works()
    assert world.bank.balance(PANS[0]) == 100_000
    assert world.states() == {"reversed": 1}


def test_a_balance_that_gets_no_answer_needs_no_reversal() -> None:
    world = World()
    world.bank_answers = False
    world.pay(request(1, code="310000"))
    world.wait(15)
    assert [m.text(39) for m in world.sent] == ["68"]
    assert len(world.to_bank) == 1
    assert world.states() == {"declined": 1}


def test_a_reversal_of_an_approved_purchase() -> None:
    world = World()
    original = request(1)
    world.pay(original)
    assert code(world, reversal(original, 2)) == "00"
    assert world.bank.balance(PANS[0]) == 100_000
    assert code(world, reversal(original, 3)) == "00"
    assert world.states() == {"reversed": 1}
    assert code(world, original) == "00"  # a repeat still gets the first answer, and charges nothing
    assert world.bank.balance(PANS[0]) == 100_000


def test_a_reversal_in_flight_wins_over_the_answer() -> None:
    world = World()
    world.bank_answers = False
    original = request(1)
    world.pay(original)
    assert code(world, reversal(original, 2)) == "00"
    world.bank_answers = True
    world.bank_works()
    assert [m.mti for m in world.sent] == ["0410"]
    assert world.bank.balance(PANS[0]) == 100_000
    assert world.states() == {"reversed": 1}


def test_a_reversal_before_its_original_keeps_it_out() -> None:
    world = World()
    original = request(1)
    assert code(world, reversal(original, 2)) == "25"
    assert code(world, original) == "94"
    assert world.bank.seen == []


def test_a_reversal_of_another_amount_is_refused() -> None:
    world = World()
    world.pay(request(1))
    assert code(world, reversal(request(1, fen=5), 2)) == "64"
    assert world.bank.balance(PANS[0]) == 99_000


def test_a_reversal_after_a_restart_finds_its_original() -> None:
    world = World()
    world.pay(request(1))
    world.restart()
    assert code(world, reversal(request(1), 2)) == "00"
    assert world.bank.balance(PANS[0]) == 100_000


def test_what_was_in_flight_at_a_kill_is_reversed() -> None:
    world = World()
    world.bank_answers = False
    world.pay(request(1))
    world.bank.handle(CODEC.decode(world.to_bank.pop()))  # the bank took the money; its answer is lost
    world.bank_answers = True
    world.restart()
    world.wait(1)
    assert world.bank.balance(PANS[0]) == 100_000
    assert world.states() == {"reversed": 1}
    assert code(world, request(1)) == "68"


def test_reversals_are_sent_until_they_are_answered() -> None:
    world = World()
    world.bank_answers = False
    world.pay(request(1))
    world.wait(15)
    world.to_bank.clear()
    world.wait(600)
    repeats = [CODEC.decode(raw).mti for raw in world.to_bank]
    assert set(repeats) == {"0421"}
    assert 5 < len(repeats) < 30
    world.restart()
    world.bank_answers = True
    world.wait(120)
    assert world.states() == {"reversed": 1}


def refuse_reversals(world: World, answer: str = "12") -> None:
    real = world.bank.handle

    def handle(message: Message) -> Message | None:
        given = real(message)
        return given.changed({39: answer}) if given is not None and message.mti[1] == "4" else given

    world.bank.handle = handle  # type: ignore[method-assign]


def test_a_reversal_that_the_bank_refuses_ends_and_holds_no_place() -> None:
    world = World(config(open_max=3))
    refuse_reversals(world)
    for number in range(1, 5):
        assert code(world, request(number)) == "00"
        assert code(world, reversal(request(number), 500 + number)) == "00"
    assert (world.states(), world.core.transactions.memory.open) == ({"refused": 4}, 0)
    for _ in range(2):
        world.restart()
        assert world.core.transactions.memory.open == 0
        assert world.core.forwarding.refused("bank") == 4  # still seen after a start
        assert world.to_bank == []
    assert code(world, request(99)) == "00"
    assert code(world, reversal(request(1), 600)) == "00"  # asked again: it is on record, and nothing is sent
    assert code(world, request(1)) == "00"  # a repeat gets the first answer
    assert world.states() == {"refused": 4, "approved": 1}
    assert len([m for m in world.bank.seen if m.mti[1] == "4"]) == 4


def test_a_late_answer_to_what_was_refused_is_kept() -> None:
    world = World()
    refuse_reversals(world)
    world.bank_answers = False
    world.pay(request(1))
    late, world.to_bank = world.to_bank, []
    answer = world.bank.handle(CODEC.decode(late[0]))
    assert answer is not None
    world.bank_answers = True
    world.wait(15)
    assert world.states() == {"refused": 1}
    world.step(Received(peer="bank", line=world.bank_line, raw=CODEC.encode(answer)))
    [tx] = [v[-1] for v in world.journal.values() if v[-1].entity.value == "transaction"]
    assert (tx.state, tx.note) == ("refused", "late 00")


def test_what_an_earlier_version_left_reversing_ends_at_the_start() -> None:
    world = World(config(open_max=1))
    refuse_reversals(world)
    world.pay(request(1))
    world.hold = True
    world.pay(reversal(request(1), 2))
    world.write(world.held.pop())  # the reversal is on the disk and is sent, and what came back
    [last] = world.held
    [item] = [e for e in last.entries if e.record.entity.value == "forward"]
    world.journal.write([item])  # was kept without the transaction
    world.hold = False
    world.restart()
    assert (world.states(), world.core.transactions.memory.open) == ({"refused": 1}, 0)
    assert code(world, request(2)) == "00"


def test_advices_are_facts() -> None:
    world = World()
    world.bank_down()
    assert code(world, request(1, mti="0220")) == "00"
    assert code(world, request(2, mti="0220", code="200000", fen=300)) == "00"
    assert world.bank.seen == []
    world.bank_back()
    assert world.bank.balance(PANS[0]) == 99_300
    assert code(world, reversal(request(1, mti="0220"), 3)) == "12"


def test_an_advice_of_an_authorisation_is_a_hold_and_no_sale() -> None:
    world = World()
    world.bank_down()
    advices = [
        request(1, mti="0120"), request(2, mti="0120", code="030000", f25="06"), request(3, mti="0220", code="010000")
    ]  # fmt: skip
    assert [code(world, advice) for advice in advices] == ["00"] * 3
    assert code(world, request(4, mti="0120", code="200000")) == "12", (
        "there is no refund of an authorisation"
    )
    kinds = [v[-1].kind for v in world.journal.values() if v[-1].entity is Entity.TRANSACTION]
    assert kinds[:3] == ["pre_auth_advice", "pre_auth_advice", "cash_advice"]
    totals = peer_totals(world.journal.counted(DATE))["till"]
    assert (totals.acquired.debits, totals.acquired.debit_fen) == (1, 1_000), "the cash alone"


def test_what_was_stood_in_for_is_advised_as_what_it_was() -> None:
    rules = StandIn(
        kinds=frozenset({"purchase", "cash", "pre_auth"}), each_fen=5_000, card_fen=50_000, card_count=9
    )
    world = World(config(stand_in={"bank": rules}))
    world.bank_down()
    asked = [
        request(1), request(2, code="010000"), request(3, mti="0100", code="030000", f25="06"), request(4, mti="0100")
    ]  # fmt: skip
    assert [code(world, message) for message in asked] == ["00"] * 4
    stored = [v[-1].request for v in world.journal.values() if v[-1].entity is Entity.FORWARD]
    assert [(m.mti, m.text(3)) for m in stored] == [
        ("0220", "000000"), ("0220", "010000"), ("0120", "030000"), ("0120", "000000")
    ]  # fmt: skip
    heard = [kind_of(message) for message in stored]
    assert heard == [OFFLINE, CASH_ADVICE, PRE_AUTH_ADVICE, PRE_AUTH_ADVICE], "what a switch behind us hears"


@pytest.mark.parametrize("kinds", [{"refund"}, {"purchase", "nonsense"}, set("cash")])
def test_stand_in_is_for_kinds_that_it_has(kinds: set[str]) -> None:
    with pytest.raises(Usage, match="never stood in for"):
        StandIn(kinds=frozenset(kinds), each_fen=1, card_fen=1, card_count=1)


def test_a_line_that_went_before_the_request_left_is_a_decline() -> None:
    world = World(config(stand_in={}))
    world.hold = True
    world.pay(request(1))
    world.step(LinkDown(peer="bank", line=world.bank_line))
    world.release()
    assert [m.text(39) for m in world.sent] == ["91"]
    assert world.states() == {"declined": 1}


def test_a_peer_speaks_for_itself_and_for_those_that_it_is_known_to_work_for() -> None:
    world = World(config(till={"acquirers": frozenset({"102"})}))
    codes = [
        answer_of(world.pay(request(n, f32=who))) for n, who in enumerate(("101", "00000000102", "303"), 1)
    ]
    assert codes == ["00", "00", "03"]
    assert len(world.bank.seen) == 2
    assert answer_of(world.pay(request(4, f32=None))) == "00"
    switch = World(config(till={"trail_field": 47}))
    assert answer_of(switch.pay(request(1, f32="303"))) == "00"


def answer_of(message: Message | None) -> str:
    assert message is not None
    return message.text(39)
