"""What the records say of one code, on SQLite and PostgreSQL. Method: a captured chain, asked by name."""

from __future__ import annotations

from pathlib import Path

from jinka.node.system import SystemClock
from jinka.store import database_at
from jinka.store.trace_capture import prepare
from jinka.store.trace_checks import SqlChecks
from jinka.store.trace_store import TraceStore
from jinka.trace.lineage import Step
from tests.trace.chains import case, item, lot, made, packed, place, seen

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
