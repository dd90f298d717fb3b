"""Goal: XML of 2.0 and 1.2 says what the JSON of the same event says; bad XML is refused with its place, and bounded.

Method: one event in every form; documents that attack the parser; one good event, spoiled in one place at a time.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.codec.epcis import (
    Action,
    Document,
    EventType,
    Extension,
    Kind,
    SensorElement,
    SensorReport,
    event_hash,
    read_json,
    read_xml,
    write_json,
    write_xml,
)
from jinka.codec.epcis.scalars import Limits
from jinka.kit import Refused

COMMON = """<eventTime>2026-01-02T03:04:05.678+08:00</eventTime>{record}
<eventTimeZoneOffset>+08:00</eventTimeZoneOffset>"""
ERROR = """<errorDeclaration><declarationTime>2026-01-03T00:00:00Z</declarationTime>
<reason>urn:epcglobal:cbv:er:incorrect_data</reason>
<correctiveEventIDs><correctiveEventID>urn:uuid:2</correctiveEventID></correctiveEventIDs></errorDeclaration>"""
QUANTITIES = """<quantityList><quantityElement><epcClass>urn:epc:class:lgtin:4012345.012345.A</epcClass>
<quantity>2.50</quantity><uom>KGM</uom></quantityElement></quantityList>"""
PARTIES = """<sourceList><source type="urn:epcglobal:cbv:sdt:location">urn:epc:id:sgln:4012345.00225.0</source>
</sourceList><destinationList><destination type="urn:epcglobal:cbv:sdt:location">urn:epc:id:sgln:4012345.00226.0
</destination></destinationList>"""
BODY = """<epcList><epc>urn:epc:id:sgtin:0614141.107346.2017</epc></epcList><action>ADD</action>
<bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep><disposition>urn:epcglobal:cbv:disp:active</disposition>
<readPoint><id>urn:epc:id:sgln:0614141.07346.1234</id></readPoint>"""
ILMD = '<ilmd><ex:lot unit="x">7</ex:lot></ilmd>'
OWN = "<ex:note><plain>y</plain></ex:note>"
PERSISTENT = "<persistentDisposition><set>urn:epcglobal:cbv:disp:conformant</set></persistentDisposition>"
NEW = (
    f"<ObjectEvent>{COMMON.format(record='')}<eventID>urn:uuid:1</eventID>{ERROR}{BODY}{QUANTITIES}{PARTIES}"
    f"{PERSISTENT}{ILMD}{OWN}</ObjectEvent>"
)
OLD = (  # the same as 1.2 nests it; its extension of an extension held what 2.0 had in preparation
    f"<ObjectEvent>{COMMON.format(record='')}<baseExtension><eventID>urn:uuid:1</eventID><extension>{ERROR}</extension>"
    f"</baseExtension>{BODY}<extension>{QUANTITIES}{PARTIES}{ILMD}<extension>{PERSISTENT}</extension></extension>"
    f"{OWN}</ObjectEvent>"
)
AS_JSON = b"""{"@context":["https://ref.gs1.org/standards/epcis/epcis-context.jsonld",{"ex":"https://ns.example.com/e/"}],
"type":"ObjectEvent","eventID":"urn:uuid:1","eventTime":"2026-01-01T19:04:05.678Z","eventTimeZoneOffset":"+08:00",
"errorDeclaration":{"declarationTime":"2026-01-03T00:00:00Z","reason":"incorrect_data",
"correctiveEventIDs":["urn:uuid:2"]},"epcList":["urn:epc:id:sgtin:0614141.107346.2017"],"action":"ADD",
"bizStep":"commissioning","disposition":"active","readPoint":{"id":"urn:epc:id:sgln:0614141.07346.1234"},
"quantityList":[{"epcClass":"urn:epc:class:lgtin:4012345.012345.A","quantity":2.5,"uom":"KGM"}],
"sourceList":[{"type":"location","source":"urn:epc:id:sgln:4012345.00225.0"}],
"destinationList":[{"type":"location","destination":"urn:epc:id:sgln:4012345.00226.0"}],
"persistentDisposition":{"set":["conformant"]},"ilmd":{"ex:lot":{"#text":"7","unit":"x"}},"ex:note":{"plain":"y"}}"""


def document(events: str, *, version: str = "2", head: str = "", prolog: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{prolog}<epcis:EPCISDocument '
        f'xmlns:epcis="urn:epcglobal:epcis:xsd:{version}" xmlns:ex="https://ns.example.com/e/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'schemaVersion="{version}.0" creationDate="2026-01-02T03:04:05Z">{head}'
        f"<EPCISBody><EventList>{events}</EventList></EPCISBody></epcis:EPCISDocument>"
    ).encode()


def refused(data: bytes, **options: Limits) -> Refused:
    with pytest.raises(Refused) as caught:
        read_xml(data, **options)
    return caught.value


def test_one_event_is_one_in_every_form() -> None:
    (as_json,) = read_json(AS_JSON).events
    assert read_xml(document(NEW)).events == (as_json,)
    assert read_xml(document(OLD, version="1")).events == (as_json,)
    bare = NEW.replace("<ObjectEvent>", '<ObjectEvent xmlns:ex="https://ns.example.com/e/">')
    assert read_xml(bare.encode()).events == (as_json,)
    (again,) = read_json(write_json(read_xml(document(OLD, version="1")))).events
    assert again == as_json
    assert event_hash(again) == event_hash(as_json)


def test_events_that_1_2_kept_in_an_extension_and_the_event_of_1_0() -> None:
    transformation = (
        f"<extension><TransformationEvent>{COMMON.format(record='')}<inputEPCList><epc>urn:x:1</epc></inputEPCList>"
        "<outputEPCList><epc>urn:x:2</epc></outputEPCList></TransformationEvent></extension>"
    )
    counted = (
        f"<QuantityEvent>{COMMON.format(record='')}<epcClass>urn:epc:idpat:sgtin:4012345.012345.*</epcClass>"
        "<quantity>12</quantity><bizStep>urn:epcglobal:cbv:bizstep:stocking</bizStep></QuantityEvent>"
    )
    first, second = read_xml(document(transformation + counted, version="1")).events
    assert first.event_type is EventType.TRANSFORMATION
    assert (second.event_type, second.action) == (EventType.OBJECT, Action.OBSERVE)
    assert [str(one.quantity) for one in second.all_quantities()] == ["12"]


def test_the_header_is_kept_as_far_as_json_has_room_for_it() -> None:
    sbdh = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
    head = (
        f'<EPCISHeader><s:StandardBusinessDocumentHeader xmlns:s="{sbdh}"><s:HeaderVersion>1.0</s:HeaderVersion>'
        "<s:Sender><s:Identifier Authority='GS1'>me</s:Identifier></s:Sender>"
        "<s:Receiver><s:Identifier>you</s:Identifier></s:Receiver><s:DocumentIdentification>"
        "<s:InstanceIdentifier>7</s:InstanceIdentifier></s:DocumentIdentification>"
        "</s:StandardBusinessDocumentHeader><extension><EPCISMasterData><VocabularyList>"
        '<Vocabulary type="urn:epcglobal:epcis:vtype:ReadPoint"><VocabularyElementList>'
        '<VocabularyElement id="urn:x:1"><attribute id="urn:x:name">a</attribute>'
        "<children><id>urn:x:2</id></children></VocabularyElement></VocabularyElementList></Vocabulary>"
        "</VocabularyList></EPCISMasterData></extension></EPCISHeader>"
    )
    found = read_xml(document(NEW, head=head))
    assert (found.sender, found.receiver, found.instance_identifier) == ("me", "you", "7")
    assert found.vocabularies[0].elements[0].children == ("urn:x:2",)
    assert read_json(write_json(found)) == found
    assert read_xml(write_xml(found)) == found
    assert refused(document(NEW, head="<EPCISHeader><ex:more/></EPCISHeader>")).where.endswith("/more")


def test_types_in_xml_are_the_types_of_json() -> None:
    typed = (
        '<ex:a xsi:type="xsd:integer">12</ex:a><ex:b xsi:type="xs:boolean">1</ex:b>'
        '<ex:c xsi:type="xsd:dateTime">2026-01-01T00:00:00Z</ex:c><ex:d xsi:type="xsd:double">INF</ex:d>'
    )
    language = OWN.replace("<plain>", '<plain xml:lang="de">')
    (event,) = read_xml(document(NEW.replace(OWN, language))).events
    assert read_xml(write_xml(Document(events=(event,), creation_time_us=0))).events == (event,)
    (event,) = read_xml(document(NEW.replace(OWN, typed))).events
    assert [(one.text, one.kind) for one in event.extensions] == [
        ("12", Kind.NUMBER),
        ("true", Kind.BOOLEAN),
        ("2026-01-01T00:00:00Z", Kind.STRING),
        ("INF", Kind.STRING),
    ]


SPOILED = [
    ("<action>ADD</action>", "<action>add</action>", "/action", "no action"),
    ("<action>ADD</action>", "", "/action", "is missing"),
    ("<action>ADD</action>", "<action>ADD</action><action>ADD</action>", "/action[2]", "stands twice"),
    ("<action>ADD</action>", "<action>ADD<x/></action>", "/action", "text alone"),
    ("<action>ADD</action>", "<action>ADD</action>stray", "", "text among"),
    ("+08:00<", "<", "/eventTime", "no time with a zone"),
    ("<quantity>2.50<", "<quantity>NaN<", "/quantityList/quantityElement/quantity", "no number"),
    ("<quantity>2.50<", "<quantity>-1<", "/quantityList/quantityElement/quantity", "no quantity"),
    ("<uom>KGM</uom>", "", "/quantityList/quantityElement/quantity", "no count"),
    ("urn:epcglobal:cbv:bizstep:commissioning", "urn:x: y", "/bizStep", "no URI"),
    ("urn:epcglobal:cbv:bizstep:commissioning", "made", "/bizStep", "no business step"),
    ("<epc>urn:", "<epc>no uri ", "/epcList/epc", "no URI"),
    ("<epc>", "<sscc>urn:x:1</sscc><epc>", "/epcList/sscc", "unknown here"),
    ('<source type="urn:epcglobal:cbv:sdt:location">', "<source>", "/sourceList/source/@type", "is missing"),
    ("<set>urn:epcglobal:cbv:disp:conformant</set>", "<all>x</all>", "/persistentDisposition/all", "unknown"),
    ("<ex:note>", "<note>z</note><ex:note>", "/note", "unknown here"),
    ("<ex:note>", "<parentID>urn:x:1</parentID><ex:note>", "/parentID", "no field of a ObjectEvent"),
    ("<ilmd>", "<ilmd><lot>7</lot>", "/ilmd/lot", "unknown here"),
    (
        "<declarationTime>2026-01-03T00:00:00Z</declarationTime>",
        "",
        "/errorDeclaration/declarationTime",
        "missing",
    ),
]


@pytest.mark.parametrize(("old", "new", "where", "what"), SPOILED, ids=lambda value: str(value)[:30])
def test_one_spoiled_element_is_named(old: str, new: str, where: str, what: str) -> None:
    spoiled = NEW.replace(old, new, 1)
    assert spoiled != NEW
    fault = refused(document(NEW + spoiled))
    assert what in fault.what
    assert fault.where == f"/EPCISDocument/EPCISBody/EventList/ObjectEvent[2]{where}"
    faults: list[tuple[int, Refused]] = []
    assert len(read_xml(document(spoiled + NEW), faults=faults).events) == 1
    assert [at for at, _ in faults] == [0]


REPORT = "<sensorElementList><sensorElement><sensorReport {}/></sensorElement></sensorElementList><ilmd>"


@pytest.mark.parametrize(
    ("attributes", "where", "what"),
    [
        ('value="1"', "/@type", "is missing"),
        ('type="Heat"', "/@type", "no measurement type"),
        ('type="gs1:Mass" value="INF"', "/@value", "no number"),
        ('type="gs1:Mass" booleanValue="yes"', "/@booleanValue", "neither true nor false"),
        ('type="gs1:Mass" weight="1"', "/@weight", "unknown here"),
    ],
)
def test_one_spoiled_attribute_of_a_report_is_named(attributes: str, where: str, what: str) -> None:
    fault = refused(document(NEW.replace("<ilmd>", REPORT.format(attributes))))
    assert what in fault.what
    assert fault.where.endswith(f"/ObjectEvent/sensorElementList/sensorElement/sensorReport{where}")


LAUGHS = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10))
HOSTILE = [
    (document(NEW, prolog=f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>'), "document type"),
    (document(NEW, prolog='<!DOCTYPE x SYSTEM "file:///etc/passwd">'), "document type"),
    (document(NEW, prolog='<!DOCTYPE x PUBLIC "a" "http://evil.example/x.dtd">'), "document type"),
    (document(NEW, prolog='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'), "document type"),
    (document(NEW.replace("y</plain>", "&e;</plain>")), "not XML: undefined entity"),
    (document(NEW).replace(b"UTF-8", b"ISO-8859-1"), "says that it is"),
    (document(NEW).decode().encode("utf-16"), "not UTF-8"),
    (b"", "not XML"),
    (b"<a>" * 200_000, "nested too deep"),
    (document("<ex:a>" * 60 + "</ex:a>" * 60), "nested too deep"),
    (document(NEW)[:-5], "not XML"),
    (document(NEW.replace("<plain>", f"<plain x='{'y' * 70_000}'>")), "too long"),
    (document(NEW.replace("y</plain>", "y" * 70_000 + "</plain>")), "characters"),
    (
        document(NEW.replace("<plain>", "<plain " + "".join(f'a{at}="" ' for at in range(200)) + ">")),
        "many attributes",
    ),
    (b"<html/>", "no EPCIS document"),
    (b'<EPCISDocument xmlns="urn:x" schemaVersion="2.0"/>', "no EPCIS document"),
    (document("<ex:MyEvent/>"), "no type of event"),
    (document(NEW, version="3"), "no EPCIS document"),
]


@pytest.mark.parametrize(("data", "what"), HOSTILE, ids=lambda value: repr(value)[:40])
def test_an_attack_on_the_parser_is_refused(data: bytes, what: str) -> None:
    assert what in refused(data).what


def test_limits_hold_while_it_is_read() -> None:
    assert "elements" in refused(document(NEW), limits=Limits(elements=10)).what
    assert "bytes" in refused(document(NEW), limits=Limits(document_bytes=10)).what
    assert "2 events" in refused(document(NEW + NEW), limits=Limits(events=1)).what


def test_a_bare_document_type_declares_nothing() -> None:
    assert read_xml(document(NEW, prolog="<!DOCTYPE project>")).events == read_xml(document(NEW)).events


def test_what_xml_cannot_hold_is_refused_by_the_writer() -> None:
    (event,) = read_xml(document(NEW)).events
    tree = Extension(namespace="https://ns.example.com/e/", name="a", children=event.extensions)
    twice = (replace(tree, children=()),) * 2
    for extensions in ((tree,), twice):
        report = SensorReport(type="https://gs1.org/voc/Mass", extensions=extensions)
        sensed = replace(event, sensors=(SensorElement(reports=(report,)),))
        with pytest.raises(Refused, match="attribute"):
            write_xml(Document(events=(sensed,), creation_time_us=0))
    with pytest.raises(Refused, match="time of creation"):
        write_xml(Document(events=(event,)))


def test_a_query_is_answered_in_both_forms() -> None:
    (event,) = read_xml(document(NEW)).events
    answer = Document(events=(event,), query_name="q", subscription_id="s", creation_time_us=0)
    assert read_xml(write_xml(answer)) == answer
    assert read_json(write_json(answer)) == answer


def test_text_that_looks_like_markup_stays_text() -> None:
    (event,) = read_xml(document(NEW)).events
    nasty = "]]>&amp;<a b='c' d=\"e\">\r\nü😀"
    own = Extension(namespace="https://ns.example.com/e/'&", name="n", text=nasty)
    note = replace(event, extensions=(own,))
    report = SensorReport(type="https://gs1.org/voc/Mass", string_value=nasty, extensions=(own,))
    note = replace(note, sensors=(SensorElement(reports=(report,)),))
    assert read_xml(write_xml(Document(events=(note,), creation_time_us=0))).events == (note,)
