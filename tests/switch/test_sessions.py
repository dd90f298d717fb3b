"""Sessions and their keys; loops, stand-in, batches: each by its messages. Method: the core in a world of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.codec.iso8583 import Message
from jinka.kit import JinkaError, Usage
from jinka.registry.bins import parse_bins
from jinka.switch import CutOver, ExchangeKey, KeyExchange, LinkUp, Peer, Received, SignOn, SwitchConfig
from jinka.switch.config import StandIn
from jinka.switch.routing import Routes, trail_of, trail_text
from jinka.switch.states import (
    SAF_STEPS,
    SESSION_STEPS,
    TX_STEPS,
    SessionState,
    SessionStep,
    TxState,
    TxStep,
    take,
)
from tests.switch.ground import CODEC, MAC, OWN, PANS, World, config, key_desk, peer, request, reversal

EXCHANGE = KeyExchange(under="zone_master/AES/1@bank")
pytestmark = pytest.mark.usefixtures("engine")


def management(code: str, trace: int = 500, **more: object) -> Message:
    fields = {7: "1114221320", 11: f"{trace:06d}", 70: code} | {int(n[1:]): v for n, v in more.items()}
    return Message(mti="0800", fields=dict(sorted(fields.items())))


def code(world: World, message: Message) -> str:
    answer = world.pay(message)
    assert answer is not None
    return answer.text(39)


@pytest.mark.parametrize("table", [SESSION_STEPS, TX_STEPS, SAF_STEPS])
def test_every_state_of_a_table_can_be_reached(table: dict[tuple[object, object], object]) -> None:
    states = type(next(iter(table))[0])
    start = {"SessionState": "DOWN", "TxState": "RECEIVED", "SafState": "QUEUED"}[states.__name__]
    reached, before = {states[start]}, set[object]()
    while reached != before:
        before = set(reached)
        reached |= {to for (state, _), to in table.items() if state in reached}
    assert reached == set(states)


def test_a_step_that_no_table_has_is_an_error() -> None:
    with pytest.raises(JinkaError, match="no step approve from declined"):
        take(TX_STEPS, TxState.DECLINED, TxStep.APPROVE)
    with pytest.raises(JinkaError):
        take(SESSION_STEPS, SessionState.DOWN, SessionStep.SIGN_ON)


def test_who_has_not_signed_on_is_told_so() -> None:
    world = World(config(till={"sign_on": SignOn.PEER}))
    assert code(world, request(1)) == "77"
    assert code(world, management("001")) == "00"
    assert code(world, request(1)) == "00"
    assert code(world, management("301")) == "00"
    assert code(world, management("002")) == "00"
    assert code(world, request(2)) == "77"


def test_we_sign_on_where_we_are_to_and_a_silent_line_is_closed() -> None:
    world = World(config(bank={"sign_on": SignOn.WE, "echo_ms": 1_000}))
    assert code(world, request(1)) == "00"
    world.wait(10)
    assert world.closed == []  # the bank answers echoes
    world.bank_answers = False
    world.wait(10)
    assert [(c.peer, c.reason) for c in world.closed] == [("bank", "silent")]


def test_a_new_key_from_the_peer_and_the_former_one_for_a_while() -> None:
    desk = key_desk()
    world = World(config(till={"mac": MAC, "exchange": EXCHANGE, "sign_on": SignOn.PEER}), keys=desk)
    keys = desk._service

    def sealed(message: Message, key: str) -> bytes:
        raw = CODEC.encode(message.changed({128: bytes(8)}))[:-8]
        return raw + keys.generate_mac(raw, key=key, algorithm=MAC.algorithm)

    assert code(world, management("001")) == "00"
    keys.draw_key(name="zone_mac/TDES/9@bank", size=16)
    block = keys.wrap_key(key="zone_mac/TDES/9@bank", under=EXCHANGE.under)
    assert code(world, management("101", f48=block, f53="26" + "0" * 14)) == "00"
    new = "zone_mac/TDES/2@bank"
    assert world.pay(request(1), lambda m: sealed(m, "zone_mac/TDES/9@bank")) is not None
    assert world.sent[-1].text(39) == "00"
    raw = CODEC.encode(world.sent[-1])
    keys.verify_mac(raw[:-8], raw[-8:], key=new, algorithm=MAC.algorithm)
    world.pay(request(2), lambda m: sealed(m, MAC.key))
    assert world.sent[-1].text(39) == "00"  # sent before the exchange was known
    stale = sealed(request(3), MAC.key)
    world.wait(61)
    world.pay(request(3), lambda _: stale)
    assert world.sent[-1].text(39) == "A0"
    assert code(world, management("101", f48="garbage", f53="26" + "0" * 14)) == "96"


def test_a_new_key_from_us() -> None:
    bare = World(config(bank={"exchange": EXCHANGE}), keys=key_desk())
    with pytest.raises(Usage):
        bare.step(ExchangeKey(peer="bank"))  # no MAC is agreed with it
    desk = key_desk()
    world = World(config(bank={"mac": MAC, "exchange": EXCHANGE}), keys=desk)
    world.bank_answers = False
    world.step(ExchangeKey(peer="bank"))
    offer = CODEC.decode(world.to_bank[0])
    assert (offer.text(70), offer.text(53)[:2]) == ("101", "26")
    assert world.core.board.peers["bank"].mac == MAC  # until the bank says yes
    with pytest.raises(Usage, match="under way"):
        world.step(ExchangeKey(peer="bank"))
    world.bank_answers = True
    world.bank_works()
    rule = world.core.board.peers["bank"].mac
    assert rule is not None
    assert rule.key == "zone_mac/TDES/2@bank"
    keys = desk._service
    keys.unwrap_key(offer.text(48), under=EXCHANGE.under, name="zone_mac/TDES/3@bank")
    world.bank_answers = False
    world.pay(request(1))
    raw = world.to_bank[0]
    keys.verify_mac(raw[:-8], raw[-8:], key="zone_mac/TDES/3@bank", algorithm=MAC.algorithm)


def test_cut_over_is_said_to_all_and_goes_forward_only() -> None:
    world = World()
    world.bank_answers = False
    world.step(CutOver(business_date="2023-11-15"))
    [raw] = world.to_bank
    assert (CODEC.decode(raw).text(70), CODEC.decode(raw).text(15)) == ("201", "1115")
    with pytest.raises(JinkaError, match="does not follow"):
        world.step(CutOver(business_date="2023-11-15"))


def test_the_longest_prefix_wins_and_the_table_comes_last() -> None:
    bins, _ = parse_bins("bin,bank,type,length\n621700,CCB,DC,16\n622848,ABC,DC,16\n")
    routes = Routes({"62": "a", "6228": "b", "62284800": "c"}, bins, {"CCB": "d", "ABC": "e"})
    assert routes.find("6228480012345678") == "c"
    assert routes.find("6228490012345678") == "b"
    assert routes.find("62") == "a"
    assert routes.find("6") == ""
    table = Routes({}, bins, {"CCB": "d"})
    assert table.find("6217000012345678") == "d"
    assert table.find("6228480012345678") == ""  # a bank, and no peer for it


def test_loops_are_refused_by_each_of_three_signs() -> None:
    back = World(config(routes={"622848": "till"}))
    assert code(back, request(1)) == "92"
    trail = {"trail_field": 47}
    world = World(config(till=trail, bank=trail))
    assert code(world, request(1, f47=trail_text(("77",), OWN))) == "92"
    assert code(world, request(2, f47=trail_text(("1", "2", "3"), "4"))) == "92"
    assert code(world, request(3, f47=trail_text((), "77"))) == "00"
    [seen] = world.bank.seen
    assert trail_of(seen, peer("bank", **trail)) == ("77", OWN)
    rules = config()
    other: Peer = replace(peer("till"), name="other", institution="101")
    twice = World(replace(rules, peers={**rules.peers, "other": other}))
    twice.bank_answers = False
    twice.pay(request(1))
    twice.step(LinkUp(peer="other", line=99))
    twice.step(Received(peer="other", line=99, raw=CODEC.encode(request(1))))
    assert twice.core.board.counts["loops", "other"] == 1
    assert len(twice.to_bank) == 1


def test_stand_in_has_limits_and_lists_and_tells_the_bank() -> None:
    world = World()
    world.bank_down()
    assert code(world, request(1, fen=5_000)) == "00"
    assert code(world, request(2, fen=5_001, pan=PANS[1])) == "61"
    assert code(world, request(3, fen=3_001)) == "61"  # with the first above the card's limit
    assert code(world, request(4, pan=PANS[7])) == "91"
    assert code(world, request(5, code="010000")) == "91"  # cash is not declared
    assert code(world, request(6, f52=bytes(8), pan=PANS[2])) in ("91", "99")
    assert code(world, reversal(request(1, fen=5_000), 7)) == "00"
    assert code(world, request(8, fen=3_001)) == "00"  # given back
    world.restart()
    assert code(world, request(9, fen=5_000)) == "61"  # the limits survive
    world.bank_back()
    advices = [m.mti for m in world.bank.seen if m.mti[1] == "2"]
    assert advices == ["0221", "0221"]  # after a restart nobody knows whether they were sent before
    assert world.bank.balance(PANS[0]) == 100_000 - 3_001


def test_an_advice_that_the_bank_refuses_is_on_record() -> None:
    world = World(
        config(
            stand_in={
                "bank": StandIn(kinds=frozenset({"purchase"}), each_fen=10**9, card_fen=10**9, card_count=9)
            }
        )
    )
    world.bank_down()
    assert code(world, request(1, fen=100_001)) == "00"
    world.bank_back()
    [refused] = [v[-1] for v in world.journal.values() if v[-1].state == "refused"]
    assert (refused.code, refused.request.text(11)) == ("51", "000001")
    assert world.core.board.counts["advice_refused", "bank"] == 1


def test_totals_and_upload_of_a_batch() -> None:
    world = World()
    batch = {"f60": "00000007000"}
    world.pay(request(1, fen=700, **batch))
    world.pay(request(2, fen=300, **batch))
    world.pay(request(3, fen=50, code="200000", **batch))
    world.pay(request(4, fen=999, **batch))
    world.pay(reversal(request(4, fen=999, **batch), 5))

    def totals(debit: int, trace: int) -> Message:
        more = {"f74": f"{1:010d}", "f76": f"{2:010d}", "f86": f"{50:016d}", "f88": f"{debit:016d}"}
        return request(trace, mti="0500", code="920000", fen=0, **batch, **more)

    good = world.pay(totals(1_000, 10))
    assert good is not None
    assert (good.mti, good.text(39), good.text(66)) == ("0510", "00", "1")
    bad = world.pay(totals(1_001, 11))
    assert bad is not None
    assert (bad.text(39), bad.text(66)) == ("95", "2")
    assert code(world, request(1, mti="0320", fen=700, **batch)) == "00"
    assert code(world, request(2, mti="0320", fen=301, **batch)) == "00"
    assert code(world, request(77, mti="0320", **batch)) == "00"
    counts = world.core.board.counts
    assert [counts[f"upload_{what}", "till"] for what in ("same", "differs", "unknown")] == [1, 1, 1]


def test_a_flood_beyond_what_may_be_open_is_told_so() -> None:
    world = World(config(open_max=3))
    world.bank_answers = False
    for trace in range(1, 6):
        world.pay(request(trace))
    assert [m.text(39) for m in world.sent] == ["96", "96"]


def test_garbage_is_counted_and_closes_the_line() -> None:
    world = World()
    for raw in (b"", b"garbage", b"9999" + bytes(16)):
        world.step(Received(peer="till", line=world.till_line, raw=raw))
    assert {c.reason for c in world.closed} == {"garbage"}
    assert world.sent == []


UNREADABLE = {
    "letters for digits": lambda raw: raw.replace(b"2213201114", b"22132011x4", 1),
    "cut short": lambda raw: raw[:-1],
    "something behind it": lambda raw: raw + b"more",
}


@pytest.mark.parametrize("how", [*UNREADABLE, "of a type that is not carried"])
@pytest.mark.parametrize("sealed", [False, True])
def test_who_can_be_answered_is_told_at_once_that_it_cannot_be_read(how: str, sealed: bool) -> None:
    world = World(config(till={"mac": MAC} if sealed else {}), keys=key_desk())
    odd, code = CODEC.encode(request(7, f128=bytes(8))), "30"
    if how in UNREADABLE:
        odd = UNREADABLE[how](odd)
    else:
        odd, code = CODEC.encode(request(7, mti="0600")), "12"
    world.step(Received(peer="till", line=world.till_line, raw=odd))
    [answer] = world.sent
    assert (answer.mti, answer.text(39), answer.text(11)) == (odd[:2].decode() + "10", code, "000007")
    assert (128 in answer.fields) is sealed
    assert world.closed == []
    for _ in range(2):
        world.step(Received(peer="till", line=world.till_line, raw=odd))
    assert [c.reason for c in world.closed] == ["garbage"] * (how in UNREADABLE)
    assert world.bank.seen == []


@pytest.mark.parametrize("mti", ["0210", "0410", "0230", "0250", "0203"])
def test_an_answer_that_cannot_be_read_is_not_answered(mti: str) -> None:
    world = World()
    raw = CODEC.encode(request(7)).replace(b"0200", mti.encode(), 1)
    world.step(Received(peer="till", line=world.till_line, raw=raw[:-1]))
    assert world.sent == []


def test_a_configuration_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(Usage, match="no peer"):
        config(routes={"62": "nobody"})
    with pytest.raises(Usage, match="no prefix"):
        SwitchConfig(institution="1", peers={}, routes={"6a": "x"})
    with pytest.raises(Usage, match="no field 65"):
        peer("till", trail_field=65)
