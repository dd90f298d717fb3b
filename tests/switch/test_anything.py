"""Whatever a peer sends, the core goes on: no message raises, and what is kept in memory stays bounded.

Method: Hypothesis draws messages of every class, in any order, from both peers, and bytes that are none.
"""

from __future__ import annotations

import datetime as dt

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jinka.codec.iso8583 import Message
from jinka.kit import Usage
from jinka.switch import CutOver, ExchangeKey, KeyExchange, Received, Reconcile, SignOn
from tests.switch.ground import CODEC, MAC, PANS, World, config, key_desk

DIGITS = st.text("0123456789", min_size=1)
FIELDS = {
    2: st.sampled_from([*PANS[:2], "4000000000000002", "1"]),
    3: st.sampled_from(["000000", "200000", "310000", "400000", "470000", "990000"]),
    4: st.sampled_from(["000000000000", "000000000700", "999999999999"]),
    7: st.sampled_from(["1114221320", "0000000000"]),
    15: st.sampled_from(["1114", "1313", "9999"]),
    11: st.sampled_from(["000001", "000002", "000003"]),
    25: st.sampled_from(["00", "06"]),
    32: st.sampled_from(["101", "0"]),
    38: st.just("B12345"),
    39: st.sampled_from(["00", "51", "25", "96", "A0"]),
    41: st.sampled_from(["T0000001", "T0000002"]),
    48: st.sampled_from(["garbage", "0" * 30, "000000000700001000000000000000"]),
    53: st.sampled_from(["26" + "0" * 14, "16" + "0" * 14, "0" * 16]),
    60: st.sampled_from(["0", "00000007202", "00000007001"]),
    70: st.sampled_from(["001", "002", "101", "201", "301", "999"]),
    74: st.just("0" * 10),
    76: st.just("0" * 10),
    86: st.just("0" * 16),
    88: st.just("0" * 16),
    95: st.sampled_from(["0" * 42, "000000000300" + "0" * 12 + "C00000000" * 2, "x" * 42]),
    103: st.sampled_from([PANS[1], "6217000000000001", "4000000000000002"]),
    90: st.sampled_from(["0200" + "000001" + "1114221320" + "0" * 22, "9" * 42]),
    52: st.just(bytes(8)),
    128: st.just(bytes(8)),
}
MTIS = st.sampled_from(
    [f"{v}{c}{f}{o}" for v in "01" for c in "12345689" for f in "01234" for o in "01"]
)  # fmt: skip
MESSAGES = st.builds(
    lambda mti, fields: Message(mti=mti, fields=dict(sorted(fields.items()))),
    MTIS,
    st.fixed_dictionaries({}, optional=FIELDS),
).map(CODEC.encode)
EXCHANGE = KeyExchange(under="zone_master/AES/1@bank")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["till", "bank", "offer", "wait", "cut", "sums"]),
            MESSAGES | st.binary(max_size=60),
        ),
        max_size=40,
    ),
    st.booleans(),
)
def test_no_message_stops_the_core(sent: list[tuple[str, bytes]], with_mac: bool) -> None:
    mac = {"mac": MAC} if with_mac else {}
    rules = config(
        till={"sign_on": SignOn.PEER, "exchange": EXCHANGE, "garbage_max": 1000} | mac,
        bank={"sign_on": SignOn.WE, "exchange": EXCHANGE, "mac": MAC, "echo_ms": 2_000, "garbage_max": 1000},
        closed_kept=2,
    )
    world = World(rules, keys=key_desk())
    for who, raw in sent:
        if who == "wait":
            world.wait(3)
        elif who == "cut":
            day = dt.date.fromisoformat(world.core.board.business_date) + dt.timedelta(days=1)
            world.step(CutOver(business_date=day.isoformat()))
        elif who == "sums":
            world.step(Reconcile(peer="bank", business_date=world.core.board.business_date))
        elif who == "offer":
            try:
                world.step(ExchangeKey(peer="bank"))
            except Usage:
                continue  # one is under way, or there is no line
        else:
            line = world.till_line if who == "till" else world.bank_line
            world.step(Received(peer=who, line=line, raw=raw))
    memory = world.core.transactions.memory
    assert memory.open >= 0
    assert len(memory.known) <= 2 + memory.open + sum(not tx.ended for tx in memory.known.values())
