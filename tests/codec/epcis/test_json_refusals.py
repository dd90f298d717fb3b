"""Goal: bad JSON is refused with the place of its fault, in bounded time, and nothing is dropped or guessed.

Method: one good event, spoiled in one place at a time; documents that attack the parser; each refusal's pointer and
reason are compared.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from jinka.codec.epcis import Document, Kind, event_text, read_json, write_json
from jinka.codec.epcis.scalars import Limits
from jinka.kit import Refused

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
EVENT = {
    "type": "ObjectEvent",
    "eventTime": "2026-01-02T03:04:05.678+08:00",
    "eventTimeZoneOffset": "+08:00",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.2017", "https://id.gs1.org/01/10614141073464/21/2018"],
    "action": "ADD",
    "bizStep": "commissioning",
    "disposition": "active",
    "readPoint": {"id": "urn:epc:id:sgln:0614141.07346.1234"},
    "quantityList": [
        {"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 200.5, "uom": "KGM"}
    ],
    "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epc:id:gdti:0614141.00001.1618034"}],
    "sourceList": [{"type": "location", "source": "urn:epc:id:sgln:4012345.00225.0"}],
    "persistentDisposition": {"set": ["conformant"]},
    "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 26.0, "uom": "CEL"}]}],
    "ilmd": {"ex:lot": "7"},
    "errorDeclaration": {"declarationTime": "2026-01-02T03:04:05Z", "reason": "incorrect_data"},
    "ex:note": {"ex:a": [1, 2.50, True, "x", {"plain": "y"}]},
}


def document(event: Any, *, context: Any = ({"ex": "https://ns.example.com/epcis/"},), **head: Any) -> bytes:
    found = {"@context": [CONTEXT, *context], "type": "EPCISDocument", "schemaVersion": "2.0"}
    found |= {"creationDate": "2026-01-02T03:04:05Z", "epcisBody": {"eventList": [event]}, **head}
    return json.dumps(found).encode()


def refused(data: bytes, **options: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        read_json(data, **options)
    return caught.value


def test_a_good_event_is_read() -> None:
    (event,) = read_json(document(EVENT)).events
    assert event.biz_step == "https://ref.gs1.org/cbv/BizStep-commissioning"
    assert str(event.quantities[0].quantity) == "200.5"
    note = event.extensions[0]
    assert [(one.text, one.kind) for one in note.children][:3] == [
        ("1", Kind.NUMBER),
        ("2.5", Kind.NUMBER),  # as json.dumps wrote it
        ("true", Kind.BOOLEAN),
    ]
    assert note.children[4].children[0].namespace == ""


SPOILED: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "ObservedEvent"}, "/type", "no type of event"),
    ({"type": ["ObjectEvent"]}, "/type", "no type of event"),
    ({"eventTime": "2026-01-02T03:04:05.678"}, "/eventTime", "no time with a zone"),
    ({"eventTime": "2026-02-30T03:04:05Z"}, "/eventTime", "no day of the calendar"),
    ({"eventTime": "20260102T030405Z"}, "/eventTime", "no time with a zone"),
    ({"eventTime": "2026-01-02T24:00:00Z"}, "/eventTime", "no time with a zone"),
    ({"eventTime": "2026-01-02T03:04:05+14:30"}, "/eventTime", "no time with a zone"),
    ({"eventTime": "２026-01-02T03:04:05Z"}, "/eventTime", "no time with a zone"),
    ({"eventTime": 1767294245}, "/eventTime", "is not text"),
    ({"eventTime": None}, "/eventTime", "is not text"),
    ({"eventTimeZoneOffset": "Z"}, "/eventTimeZoneOffset", "no zone offset"),
    ({"eventTimeZoneOffset": "+08:60"}, "/eventTimeZoneOffset", "no zone offset"),
    ({"epcList": "urn:epc:id:sgtin:0614141.107346.2017"}, "/epcList", "no array"),
    ({"epcList": ["urn:x:1", "no uri"]}, "/epcList/1", "no URI"),
    ({"epcList": ["urn:x:1 "]}, "/epcList/0", "no URI"),
    ({"epcList": ["urn:x:é"]}, "/epcList/0", "no URI"),
    ({"epcList": ["urn:x:" + "1" * 5000]}, "/epcList/0", "no URI"),
    ({"epcList": [7]}, "/epcList/0", "a URI is text"),
    ({"action": "CHANGE"}, "/action", "no action"),
    ({"action": "OBSERVE"}, "/ilmd", "belong to ADD"),
    ({"bizStep": "comissioning"}, "/bizStep", "no business step"),
    ({"bizStep": "active"}, "/bizStep", "no business step"),
    ({"bizStep": "urn:epcglobal:cbv:disp:active"}, "/bizStep", "no business step"),
    *(
        ({"epcList": [text]}, "/epcList/0", "no URI")
        for text in (
            "urn:x:[1]",
            "urn:x:%zz",
            "urn:x:1%2",
            "urn:x:#a#b",
            "urn:",
            "urn:#a",
            "http://h:port/",
            "http:/h/",
            "https://",
            "https://user:word@h/",
            "urn:x:1\n",
            "http://h:1/\n",
        )
    ),
    ({"disposition": {"id": "active"}}, "/disposition", "is not text"),
    ({"readPoint": "urn:epc:id:sgln:0614141.07346.1234"}, "/readPoint", "no object"),
    ({"readPoint": {}}, "/readPoint/id", "is missing"),
    ({"quantityList": [{"epcClass": "urn:x:1", "quantity": 0}]}, "/quantityList/0/quantity", "no quantity"),
    ({"quantityList": [{"epcClass": "urn:x:1", "quantity": -3}]}, "/quantityList/0/quantity", "no quantity"),
    ({"quantityList": [{"epcClass": "urn:x:1", "quantity": 1.5}]}, "/quantityList/0/quantity", "no count"),
    ({"quantityList": [{"epcClass": "urn:x:1", "quantity": "3"}]}, "/quantityList/0/quantity", "no number"),
    ({"quantityList": [{"epcClass": "urn:x:1", "uom": "KGM"}]}, "/quantityList/0/uom", "without a quantity"),
    (
        {"quantityList": [{"epcClass": "urn:x:1", "quantity": 1, "uom": "kg"}]},
        "/quantityList/0/uom",
        "no unit",
    ),
    ({"quantityList": [{"quantity": 1}]}, "/quantityList/0/epcClass", "a URI is text"),
    ({"quantityList": [{"epcClass": "urn:x:1", "q": 1}]}, "/quantityList/0/q", "unknown here"),
    (
        {"bizTransactionList": [{"type": "order", "bizTransaction": "urn:x:1"}]},
        "/bizTransactionList/0/type",
        "no ",
    ),
    ({"sourceList": [{"source": "urn:x:1"}]}, "/sourceList/0/type", "is missing"),
    ({"persistentDisposition": {}}, "/persistentDisposition", "says nothing"),
    ({"persistentDisposition": {"set": []}}, "/persistentDisposition/set", "is empty"),
    ({"persistentDisposition": {"set": ["shiny"]}}, "/persistentDisposition/set/0", "no disposition"),
    ({"sensorElementList": [{}]}, "/sensorElementList/0/sensorReport", "no array"),
    ({"sensorElementList": [{"sensorReport": []}]}, "/sensorElementList/0/sensorReport", "is empty"),
    (
        {"sensorElementList": [{"sensorReport": [{"type": "Heat"}]}]},
        "/sensorElementList/0/sensorReport/0/type",
        "no measurement type",
    ),
    (
        {"sensorElementList": [{"sensorReport": [{"value": 1}]}]},
        "/sensorElementList/0/sensorReport/0/type",
        "is missing",
    ),
    (
        {"sensorElementList": [{"sensorReport": [{"type": "Mass", "booleanValue": 1}]}]},
        "/sensorElementList/0/sensorReport/0/booleanValue",
        "neither true nor false",
    ),
    (
        {"sensorElementList": [{"sensorReport": [{"type": "Mass", "hexBinaryValue": "abc"}]}]},
        "/sensorElementList/0/sensorReport/0/hexBinaryValue",
        "not hexadecimal",
    ),
    ({"ilmd": ["x"]}, "/ilmd", "no object"),
    ({"ilmd": {"lot": "7"}}, "/ilmd/lot", "is unknown"),
    ({"errorDeclaration": {"reason": "incorrect_data"}}, "/errorDeclaration/declarationTime", "is missing"),
    ({"errorDeclaration": {"declarationTime": "yesterday"}}, "/errorDeclaration/declarationTime", "no time"),
    ({"parentID": "urn:x:1"}, "/parentID", "no field of a ObjectEvent"),
    ({"note": "x"}, "/note", "is unknown"),
    ({"own:note": "x"}, "/own:note", "not declared"),
    ({"ex:note": {"@value": "x"}}, "/ex:note/@value", "keyword"),
    ({"ex:note": {"a b": "x"}}, "/ex:note/a b", "no name"),
    ({"ex:a~/1": "x"}, "/ex:a~0~11", "no name"),
    ({"ex:note": "x" * 70_000}, "/ex:note", "characters"),
]


@pytest.mark.parametrize(("change", "where", "what"), SPOILED, ids=lambda value: str(value)[:40])
def test_one_spoiled_field_is_named(change: dict[str, Any], where: str, what: str) -> None:
    event = {**EVENT, **change}
    fault = refused(document(event))
    assert fault.where == f"/epcisBody/eventList/0{where}"
    assert what in fault.what
    faults: list[tuple[int, Refused]] = []
    assert read_json(document(event), faults=faults).events == ()
    assert [(at, one.where) for at, one in faults] == [(0, fault.where)]


@pytest.mark.parametrize("field", ["type", "eventTime", "eventTimeZoneOffset", "action"])
def test_what_must_be_there_is_missed(field: str) -> None:
    event = {name: value for name, value in EVENT.items() if name != field}
    assert refused(document(event)).where == f"/epcisBody/eventList/0/{field}"


GROUP = {"eventTime": "2026-01-02T03:04:05Z", "eventTimeZoneOffset": "+00:00", "action": "ADD"}
STRUCTURE = [
    ({"type": "AggregationEvent", "childEPCs": ["urn:x:1"]}, "/parentID"),
    ({"type": "AggregationEvent", "parentID": "urn:x:1"}, "/childEPCs"),
    ({"type": "AssociationEvent", "action": "OBSERVE", "childEPCs": ["urn:x:1"]}, "/parentID"),
    ({"type": "TransactionEvent", "epcList": ["urn:x:1"]}, "/bizTransactionList"),
    ({"type": "TransformationEvent", "inputEPCList": ["urn:x:1"]}, "/action"),
    ({"type": "TransformationEvent", "action": None, "inputEPCList": ["urn:x:1"]}, "/action"),
]


@pytest.mark.parametrize(("event", "where"), STRUCTURE)
def test_each_type_has_what_it_needs(event: dict[str, Any], where: str) -> None:
    assert refused(document({**GROUP, **event})).where == f"/epcisBody/eventList/0{where}"


def test_a_transformation_has_both_sides_or_an_id() -> None:
    base = {name: GROUP[name] for name in ("eventTime", "eventTimeZoneOffset")} | {
        "type": "TransformationEvent"
    }
    one = {**base, "inputEPCList": ["urn:x:1"]}
    assert refused(document(one)).where.endswith("/outputEPCList")
    assert (
        read_json(document({**one, "transformationID": "urn:x:t"})).events[0].transformation_id == "urn:x:t"
    )
    assert refused(document({**base, "transformationID": "urn:x:t"})).where.endswith("/inputEPCList")


@pytest.mark.parametrize(
    ("context", "where", "what"),
    [
        ([{"bizStep": "https://evil.example/step"}], "/@context/1", "protected"),
        ([{"epcList": {"@id": "epcis:bizStep"}}], "/@context/1", "protected"),
        ([{"urn": "https://evil.example/"}], "/@context/1", "no prefix"),
        ([{"https": "https://evil.example/"}], "/@context/1", "no prefix"),
        ([{"ex": "not a uri"}], "/@context/1", "no URI"),
        ([{"ex": 7}], "/@context/1", "stands for a URI"),
        ([{"@import": "https://evil.example/c.jsonld"}], "/@context/1", "not read here"),
        ([{"term": {"@id": "https://e.example/t", "@context": {}}}], "/@context/1", "not read here"),
        ([7], "/@context/1", "address or an object"),
        ([{f"p{at}": "https://e.example/" for at in range(300)}], "/@context", "more than"),
    ],
)
def test_a_context_cannot_change_what_words_mean(context: list[Any], where: str, what: str) -> None:
    fault = refused(document(EVENT, context=context))
    assert fault.where == where
    assert what in fault.what


def test_a_strangers_context_is_not_fetched_and_what_needs_it_says_so() -> None:
    theirs = "https://vendor.example/context.jsonld"
    plain = {name: value for name, value in EVENT.items() if not name.startswith("ex:") and name != "ilmd"}
    assert read_json(document(plain, context=[theirs])).events
    fault = refused(document({**plain, "theirs:field": "x"}, context=[theirs]))
    assert theirs in fault.what
    assert "not fetched" in fault.what


def test_names_of_extensions_come_from_prefix_term_or_address() -> None:
    context = [
        {"ex": "https://ns.example.com/epcis/", "own": "https://own.example/#size", "deep": "ex:deep/"}
    ]
    event = {**EVENT, "ex:note": "a", "own": "b", "https://far.example/x/kind": "c", "deep:er": "d"}
    found = read_json(document(event, context=context)).events[0].extensions
    assert [(one.namespace, one.name, one.text) for one in found] == [
        ("https://ns.example.com/epcis/", "note", "a"),
        ("https://own.example/#", "size", "b"),
        ("https://far.example/x/", "kind", "c"),
        ("https://ns.example.com/epcis/deep/", "er", "d"),
    ]
    assert refused(
        document({**event, "https://ns.example.com/epcis/note": "again"}, context=context)
    ).what.startswith("stands twice")


HOSTILE = [
    (b"", "not JSON", "line 1 column 1"),
    (b"\xff\xfe{}", "not UTF-8", "byte 0"),
    (b"[" * 100_000, "nested too deep", ""),
    (b'{"a":' * 100_000, "nested too deep", ""),
    (b'{"type":"ObjectEvent","x":NaN}', "no number", ""),
    (b'{"type":"ObjectEvent","x":-Infinity}', "no number", ""),
    (b'{"type":"ObjectEvent","b":{"c/d":[0,{"e":1,"e":1}]}}', "stands twice", "/b/c~1d/1/e"),
    (b'{"type":"ObjectEvent","type":"ObjectEvent"}', "stands twice", "/type"),
    (b'[{"type":"ObjectEvent","type":"ObjectEvent"},', "not JSON", "line 1 column 46"),
    (b'{"type":"\\u0000"}', "character that XML cannot hold", ""),
    (b'{"type":"\\ud800"}', "character that XML cannot hold", ""),
    (b'{"type":"\\udc00\\ud800"}', "character that XML cannot hold", ""),
    ('{"type":"\uffff"}'.encode(), "character that XML cannot hold", ""),
    (b"7", "no EPCIS document", ""),
    (b'"EPCISDocument"', "no EPCIS document", ""),
    (b'{"type":"EPCISDocument"}', "is missing", "/epcisBody"),
    (b'{"type":"EPCISDocument","epcisBody":{"eventList":{}}}', "no array of events", "/epcisBody/eventList"),
    (b'{"type":"EPCISDocument","epcisBody":{"events":[]}}', "not read here", "/epcisBody/events"),
    (b'{"type":"EPCISDocument","schemaVersion":"3.0","epcisBody":{}}', "version 3.0", "/schemaVersion"),
    (b'{"type":"EPCISDocument","schemaVersion":"2.x","epcisBody":{}}', "version 2.x", "/schemaVersion"),
    (b'{"type":"EPCISDocument","id":"7","epcisBody":{}}', "no URI", "/id"),
    (b'{"type":"EPCISDocument","creationDate":"now","epcisBody":{}}', "no time", "/creationDate"),
    (b'{"type":"EPCISQueryDocument","epcisBody":{}}', "no object", "/epcisBody/queryResults"),
    (b'[{"type":"ObjectEvent"},7]', "is missing", "/0/eventTime"),
]


@pytest.mark.parametrize(("data", "what", "where"), HOSTILE, ids=lambda value: repr(value)[:30])
def test_an_attack_on_the_parser_is_refused(data: bytes, what: str, where: str) -> None:
    fault = refused(data)
    assert what in fault.what
    assert fault.where == where


def test_limits_hold_before_the_work_begins() -> None:
    assert "bytes" in refused(document(EVENT), limits=Limits(document_bytes=100)).what
    assert "2 events" in refused(b"[{},{}]", limits=Limits(events=1)).what
    assert "values" in refused(b'[{"a":[1,2,3]}]', limits=Limits(values=4)).what
    deep: Any = "x"
    for _ in range(40):
        deep = {"ex:a": deep}
    fault = refused(document({**EVENT, "ex:note": deep}))
    assert "nested too deep" in fault.what
    assert fault.where.startswith("/epcisBody/eventList/0/ex:note/ex:a/ex:a")
    lists: Any = "x"
    for _ in range(40):
        lists = [lists]
    assert "nested too deep" in refused(document({**EVENT, "ex:note": lists})).what
    number = document(EVENT).replace(b"200.5", b"1" * 5000)
    assert "no number" in refused(number).what


def test_surrogate_pairs_and_escapes_are_text() -> None:
    data = document({**EVENT, "ex:note": "smile"}).replace(b'"smile"', b'"\\ud83d\\ude00 \\\\ud800 \\u00e9"')
    assert read_json(data).events[0].extensions[0].text == "😀 \\ud800 é"


def test_numbers_keep_every_digit() -> None:
    exact = b"1234567890123456789.000000000000001"
    data = document(EVENT).replace(b"200.5", exact)
    (event,) = read_json(data).events
    assert exact.decode() in event_text(event)


def test_a_good_event_beside_bad_ones_is_kept_when_asked() -> None:
    bad = {**EVENT, "eventTime": "x"}
    data = json.dumps({**json.loads(document(EVENT)), "epcisBody": {"eventList": [bad, EVENT, 7]}}).encode()
    faults: list[tuple[int, Refused]] = []
    found = read_json(data, faults=faults)
    assert len(found.events) == 1
    assert [at for at, _ in faults] == [0, 2]
    assert faults[1][1].where == "/epcisBody/eventList/2"


def test_an_identifier_that_looks_like_a_prefix_keeps_its_meaning() -> None:
    event = {**EVENT, "epcList": ["example:1"], "ex:note": "x"}
    (found,) = read_json(document(event)).events
    clash = Document(events=(found,), prefixes=(("example", "https://ns.example.com/epcis/"),))
    written = write_json(clash)
    assert b'"example":' not in written
    assert read_json(written).events == (found,)
