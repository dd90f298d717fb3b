"""Rules on top of the schema. Goal: each rule of the table is broken once and found where it is, and nothing else.

Method: a good event, spoilt in one place at a time; the table itself is walked so that no rule lacks its case.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jinka.codec.epcis import (
    Action,
    ErrorDeclaration,
    Event,
    EventType,
    Extension,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Typed,
)
from jinka.codec.tags import canonical_id
from jinka.kit import Finding, Severity, Usage
from jinka.trace.choreography import Contradiction
from jinka.trace.rules import RULES, Judge, RuleBook
from tests.trace.test_choreography import CASE, ITEM, STEP, Memory, pack, thing

NOW = 1_700_000_000_000_000
LOT = "urn:epc:class:lgtin:4012345.012345.998877"
GOOD = Event(
    event_type=EventType.OBJECT, event_time_us=NOW - 1_000_000, zone_offset="+08:00", action=Action.ADD,
    biz_step=STEP + "commissioning", epcs=(ITEM,), quantities=(Quantity(epc_class=LOT, quantity=Decimal(12)),),
    disposition="https://ref.gs1.org/cbv/Disp-active",
)  # fmt: skip
JOIN = replace(
    GOOD, event_type=EventType.AGGREGATION, epcs=(), quantities=(), parent_id=CASE, child_epcs=(ITEM,)
)
MAKE = replace(
    GOOD, event_type=EventType.TRANSFORMATION, action=None, epcs=(), quantities=(), input_epcs=(ITEM,),
    output_epcs=(CASE,),
)  # fmt: skip


def amount(text: str | None, uom: str | None = None, epc_class: str = LOT) -> Event:
    number = None if text is None else Decimal(text)
    return replace(GOOD, quantities=(Quantity(epc_class=epc_class, quantity=number, uom=uom),))


def measured(**report: Any) -> Event:
    return replace(GOOD, sensors=(SensorElement(reports=(SensorReport(**report),)),))


def found(event: Event, book: RuleBook | None = None, **options: Any) -> list[Finding]:
    judge = Judge(book or RuleBook(), [event], key=canonical_id, now_micros=NOW, **options)
    return judge.findings(event)


ILMD = (Extension(namespace="http://x.example/", name="a", text="b"),)
LATE = SensorElement(metadata=SensorMetadata(start_time_us=2, end_time_us=1))
CASES = [
    ("UNKNOWN_WORD /bizStep", replace(GOOD, biz_step=STEP + "teleporting")),
    ("UNKNOWN_WORD /disposition", replace(GOOD, disposition="https://ref.gs1.org/cbv/BizStep-shipping")),
    ("UNKNOWN_WORD /persistentDisposition/unset/0", replace(GOOD, dispositions_unset=("https://ref.gs1.org/cbv/x",))),
    ("UNKNOWN_WORD /sourceList/0/type", replace(GOOD, sources=(Typed(id="a:b", type="https://ref.gs1.org/cbv/x"),))),
    ("ZONE /eventTimeZoneOffset", replace(GOOD, zone_offset="+15:00")),
    ("ZONE /eventTimeZoneOffset", replace(GOOD, zone_offset="+00:60")),
    ("ZONE /eventTimeZoneOffset", replace(GOOD, zone_offset="")),
    ("FALSE_COUNT /quantityList/0/quantity", amount("-1")),
    ("FALSE_COUNT /quantityList/0/quantity", amount("1.5")),
    ("FALSE_COUNT /quantityList/0/quantity", amount("NaN", "KGM")),
    ("FALSE_COUNT /quantityList/0/quantity", amount("Infinity")),
    ("FALSE_COUNT /quantityList/0/quantity", amount("-0.1", "KGM")),
    ("FALSE_COUNT /quantityList/0/uom", amount(None, "KGM")),
    ("NOTHING_NAMED /epcList", replace(GOOD, epcs=(), quantities=())),
    ("NOTHING_NAMED /inputEPCList", replace(MAKE, transformation_id="a:b", input_epcs=(), output_epcs=())),
    ("NO_PARENT /parentID", replace(JOIN, parent_id=None)),
    ("NO_CHILD /childEPCs", replace(JOIN, child_epcs=())),
    ("OWN_PARENT /childEPCs/0", replace(JOIN, child_epcs=("https://example.com/01/10614141073464/21/3",))),
    ("HALF_MADE /outputEPCList", replace(MAKE, output_epcs=())),
    ("HALF_MADE /inputEPCList", replace(MAKE, input_epcs=())),
    ("SET_AND_UNSET /persistentDisposition", replace(GOOD, dispositions_set=("a:b",), dispositions_unset=("a:b",))),
    (
        "OWN_CORRECTION /errorDeclaration/correctiveEventIDs",
        replace(GOOD, event_id="a:b", error=ErrorDeclaration(declaration_time_us=1, corrective_event_ids=("a:b",))),
    ),
    ("TIME_AHEAD /eventTime", replace(GOOD, event_time_us=NOW + 301_000_000)),
    ("LISTED_TWICE /epcList/1", replace(GOOD, epcs=(ITEM, "https://id.gs1.org/01/10614141073464/21/1"))),
    ("CLASS_AS_ITEM /epcList/0", replace(GOOD, epcs=(LOT,))),
    ("ITEM_AS_CLASS /quantityList/0/epcClass", amount("1", None, ITEM)),
    ("UNIT /quantityList/0/uom", amount("1", "kilo")),
    ("ILMD_NOT_BORN /ilmd", replace(GOOD, action=Action.OBSERVE, ilmd=ILMD)),
    ("SENSOR_TIME /sensorElementList/0/sensorMetadata/startTime", replace(GOOD, sensors=(LATE,))),
    ("SENSOR_RANGE /sensorElementList/0/sensorReport/0", measured(min_value=Decimal(2), max_value=Decimal(1))),
    ("SENSOR_RANGE /sensorElementList/0/sensorReport/0", measured(mean_value=Decimal(2), max_value=Decimal(1))),
    ("SENSOR_RANGE /sensorElementList/0/sensorReport/0", measured(perc_rank=Decimal(101))),
    ("SENSOR_RANGE /sensorElementList/0/sensorReport/0", measured(s_dev=Decimal(-1))),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "event"), CASES)
def test_a_rule_that_is_broken_is_named_with_its_place(wrong: str, event: Event) -> None:
    assert [f"{each.code} {each.where}" for each in found(event)] == [wrong]
    severity = found(event)[0].severity
    assert severity is RULES[wrong.split()[0]].severity


@pytest.mark.parametrize("event", [
    GOOD, JOIN, MAKE, replace(JOIN, parent_id=None, action=Action.OBSERVE),
    replace(JOIN, action=Action.DELETE, child_epcs=()),
    replace(MAKE, transformation_id="a:b", output_epcs=()), amount("0"), amount("1.5", "KGM"), amount(None),
    replace(GOOD, biz_step="https://example.com/steps/teleporting"), replace(GOOD, biz_step=None, disposition=None),
    replace(GOOD, epcs=(), quantities=(), sensors=(SensorElement(),)), replace(GOOD, zone_offset="-09:30"),
    replace(GOOD, ilmd=ILMD), amount("1E+30"),
])  # fmt: skip
def test_what_is_right_breaks_no_rule(event: Event) -> None:
    assert found(event) == []


def test_every_rule_has_a_case_and_two_languages() -> None:
    played = Path(__file__).with_name("test_choreography.py").read_text(encoding="utf-8")
    tested = {wrong.split()[0] for wrong, _ in CASES} | {"QUARANTINED", "EXPIRED"}
    assert {code for code in RULES if code not in tested and code not in played} == set()
    for rule in RULES.values():
        assert rule.english.isascii()
        assert not rule.chinese.isascii()
        assert rule.clause


def test_choreography_and_a_recall_speak_through_the_same_table() -> None:
    def gate(event: Event) -> Iterable[Contradiction]:
        return [Contradiction("QUARANTINED", "/epcList/0", "recall 7")] if event.biz_step else []

    ended = thing(NOW - 5_000_000, Action.DELETE, "destroying")
    codes = {each.code: each.severity for each in found(GOOD, states=Memory([ended]), gates=[gate])}
    # what began after its end is both: begun, and seen after its end
    assert codes == {
        "AFTER_END": Severity.WARNING,
        "BEFORE_BIRTH": Severity.WARNING,
        "QUARANTINED": Severity.ERROR,
    }


def test_an_operator_decides_what_a_rule_leads_to() -> None:
    late = replace(GOOD, event_time_us=NOW + 301_000_000)
    assert found(late, RuleBook.read({"TIME_AHEAD": "refuse"}))[0].severity is Severity.ERROR
    assert found(late, RuleBook.read({"TIME_AHEAD": "off"})) == []
    assert found(late, RuleBook(ahead_s=302)) == []
    with pytest.raises(Usage, match="no such rule"):
        RuleBook.read({"TIME_BEHIND": "off"})
    with pytest.raises(Usage, match="one of refuse, finding, off"):
        RuleBook.read({"TIME_AHEAD": "perhaps"})


def test_what_others_captured_is_not_told_where_it_must_not_be() -> None:
    known = Memory([pack(5, Action.ADD, CASE, ITEM)])
    again = pack(6, Action.ADD, "urn:epc:id:sscc:0614141.1234567890", ITEM)
    for terse in (False, True):
        (finding,) = found(again, RuleBook(terse=terse), states=known)
        assert finding.code == "PACKED_ELSEWHERE"
        assert (canonical_id(CASE) in finding.what) is not terse


def test_events_of_one_document_are_held_against_those_that_were_kept() -> None:
    born = [replace(GOOD, event_time_us=at) for at in (10, 20)]
    judge = Judge(RuleBook(), born, key=canonical_id, now_micros=NOW, states=Memory())
    assert judge.findings(born[0]) == []
    assert judge.findings(born[1]) == []  # the first was not kept
    judge.accept(born[0])
    assert [each.code for each in judge.findings(born[1])] == ["BORN_TWICE"]


def test_the_page_has_every_rule_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "trace.md").read_text(encoding="utf-8")
    for rule in RULES.values():
        leads_to = {Severity.ERROR: "refuse", Severity.WARNING: "finding", None: "off"}[rule.severity]
        assert f"| `{rule.code}` | {rule.english} | {rule.chinese} | {leads_to} | {rule.clause} |" in page
