"""What the records say of one code, on SQLite and PostgreSQL. Method: a captured chain, asked by name."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from jinka.codec.epcis import ErrorDeclaration
from jinka.node.system import SystemClock
from jinka.store import database_at
from jinka.store.trace_access import AccessBooks
from jinka.store.trace_capture import prepare
from jinka.store.trace_checks import SqlChecks
from jinka.store.trace_store import TraceStore
from jinka.trace.lineage import Step
from jinka.trace.read_events import EventMaker, ReadPlace
from jinka.trace.tag_chips import ChipMismatch, ChipSign
from tests.trace.chains import case, item, lot, made, packed, place, seen
from tests.trace.test_access import FARM, SPY

CHAIN = [
    made(1, [], [item(1), item(2)], lot="A", where=1),
    packed(2, case(1), item(1), where=1),
    seen(3, "shipping", 1, case(1), to=2),
    seen(4, "receiving", 2, case(1)),
]


def test_what_is_known_of_a_code(where: Path | str) -> None:
    with database_at(where) as database:
        TraceStore(database, SystemClock()).capture([prepare(event) for event in CHAIN])
        checks = SqlChecks(database)
        facts = checks.facts(item(1), 100)
        assert (facts.known, facts.born, facts.lots, facts.recalls) == (True, True, (lot("A"),), ())
        assert [sight.step for sight in facts.sights] == [Step.NONE, Step.NONE, Step.SHIPPING, Step.RECEIVING]
        assert checks.facts(item(1), 200).checks_us == (100, 200)
        assert checks.facts(item(2), 300).checks_us == (300,)
        strange = checks.facts(item(9), 400)
        assert (strange.known, strange.kind_is_recorded, strange.checks_us) == (False, True, ())
        assert not checks.facts(item(1, "099999"), 500).kind_is_recorded
        assert not checks.facts("urn:epc:id:gid:1.2.3", 600).kind_is_recorded
        assert checks.facts(place(2), 700).known


def test_two_who_ask_in_one_instant_count_once(where: Path | str) -> None:
    with database_at(where) as database:
        TraceStore(database, SystemClock()).capture([prepare(event) for event in CHAIN])
        checks = SqlChecks(database)
        barrier = threading.Barrier(2)

        def ask(at: int) -> None:
            barrier.wait()
            checks.facts(item(1), at)

        for at in range(1_000, 1_020):  # one key for both: neither is told of a broken rule of the database
            with ThreadPoolExecutor(2) as two:
                assert [each.result() for each in [two.submit(ask, at), two.submit(ask, at)]] == [None, None]
        assert checks.facts(item(1), 2_000, count=False).checks_us[-1] == 1_019


def test_nobody_takes_a_contradiction_away_by_using_its_id(where: Path | str) -> None:
    maker = EventMaker({"gate": ReadPlace(name="gate", read_point=place(3))}, offset_of=lambda _: "+08:00")
    old, new = bytes.fromhex("E280116020001111"), bytes.fromhex("E280116020002222")
    maker.mismatch(
        ChipMismatch(
            sign=ChipSign.EPC_ON_ANOTHER_CHIP, epc=item(1), tid=new, bound_epc=item(1), bound_tid=old,
            at_micros=9 * 3_600_000_000, place="gate",
        )
    )  # fmt: skip
    (event,) = maker.due(0)
    told = replace(event, event_id="urn:uuid:11111111-2222-4333-8444-555555555555")
    mine = replace(seen(7, "inspecting", 77, item(50)), event_id=told.event_id)
    wrong = replace(mine, error=ErrorDeclaration(declaration_time_us=99))
    with database_at(where) as database:
        for party in (FARM, SPY):
            AccessBooks(database).put(party)
        store = TraceStore(database, SystemClock())
        store.capture([prepare(seen(1, "commissioning", 1, item(1), add=True))], captured_by="farm")
        store.capture([prepare(told)], captured_by="farm", declares_own=True)
        for one in (mine, wrong):
            store.capture([prepare(one)], captured_by="spy", declares_own=True)
        checks = SqlChecks(database)
        assert len(checks.facts(item(1), 9, count=False).chips) == 1
        store.capture(
            [prepare(replace(told, error=ErrorDeclaration(declaration_time_us=99)))],
            captured_by="farm", declares_own=True,
        )  # fmt: skip
        assert checks.facts(item(1), 9, count=False).chips == ()
