"""Goal: one event cannot cost more than its bounded share of a capture, however its values are spread over its fields.

Method: an event that is good but for the number of its values, in JSON and in XML; each refusal names the field that
has most of them. The bound is made small, except where the real one is shown to hold.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from jinka.codec.epcis import (
    Document,
    Extension,
    SensorElement,
    SensorReport,
    event_text,
    read_json,
    read_xml,
    structure,
    write_json,
    write_xml,
)
from jinka.kit import Refused
from tests.codec.epcis.test_json_refusals import EVENT, document, refused

MANY = [f"urn:x:{at}" for at in range(41)]
REPORT = {"type": "Temperature", "value": 1, "uom": "CEL"}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "THINGS_MAX", 60)
    monkeypatch.setattr(structure, "FACTS_MAX", 40)


FULL: list[tuple[dict[str, Any], str]] = [
    ({"epcList": MANY, "bizTransactionList": [{"bizTransaction": one} for one in MANY[:20]]}, "/epcList"),
    (
        {
            "epcList": MANY[:20],
            "quantityList": [{"epcClass": one} for one in MANY[:11]],
            "destinationList": [{"type": "location", "destination": one} for one in MANY],
        },
        "/destinationList",
    ),
    ({"certificationInfo": MANY + [one + "0" for one in MANY]}, "/certificationInfo"),
    ({"ex:note": list(range(41))}, "/ex:note"),
    ({"ex:note": [[[1] * 20], [[1] * 21]]}, "/ex:note"),
    ({"ex:note": {"ex:a": {"ex:b": [{f"ex:c{at}": 1 for at in range(40)}]}}}, "/ex:note"),
    ({f"ex:n{at}": "x" for at in range(41)} | {"ex:n7": [1, 2, 3]}, "/ex:n7"),
    ({"ilmd": {"ex:a": ["x"] * 39, "ex:b": 1, "ex:c": 1}}, "/ilmd"),
    ({"readPoint": {"id": "urn:x:1", "ex:a": ["x"] * 41}}, "/readPoint"),
    ({"bizLocation": {"id": "urn:x:1", "ex:a": {"b": ["x"] * 40}}}, "/bizLocation"),
    ({"sensorElementList": [{"sensorReport": [REPORT] * 41}]}, "/sensorElementList"),
    ({"sensorElementList": [{"sensorReport": [REPORT]}] * 41}, "/sensorElementList"),
    ({"sensorElementList": [{"sensorReport": [REPORT | {"ex:a": [1] * 21}] * 2}]}, "/sensorElementList"),
    (
        {"sensorElementList": [{"sensorMetadata": {"ex:a": [1] * 41}, "sensorReport": [REPORT]}]},
        "/sensorElementList",
    ),
    ({"sensorElementList": [{"ex:a": [1] * 41, "sensorReport": [REPORT]}]}, "/sensorElementList"),
    (
        {"errorDeclaration": {"declarationTime": "2026-01-03T00:00:00Z", "ex:a": [1] * 41}},
        "/errorDeclaration",
    ),
    (
        {"errorDeclaration": {"declarationTime": "2026-01-03T00:00:00Z", "correctiveEventIDs": MANY}},
        "/errorDeclaration/correctiveEventIDs",
    ),
]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(("more", "where"), FULL)
def test_an_event_of_too_many_values_is_refused_with_the_fullest_field(
    more: dict[str, Any], where: str
) -> None:
    plain = {name: EVENT[name] for name in ("type", "eventTime", "eventTimeZoneOffset", "epcList")}
    fault = refused(document({**plain, "action": "OBSERVE" if "ilmd" not in more else "ADD", **more}))
    assert fault.where == f"/epcisBody/eventList/0{where}"
    assert "at most" in fault.fix


@pytest.mark.usefixtures("few")
def test_the_same_bound_holds_in_xml() -> None:
    (event,) = read_json(document(EVENT)).events
    name = {"namespace": "https://ns.example.com/epcis/", "name": "many", "text": "1"}
    report = SensorReport(type="https://gs1.org/voc/Temperature")
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"extensions": (Extension(**name),) * 41}, "ex:many"),
        ({"sensors": (SensorElement(reports=(report,) * 41),)}, "sensorElementList"),
    )
    for changes, where in cases:
        data = write_xml(Document(events=(replace(event, **changes),), creation_time_us=0))
        with pytest.raises(Refused) as caught:
            read_xml(data)
        assert caught.value.where.endswith(f"/ObjectEvent/{where}"), caught.value.where


def test_a_real_bound_lets_the_largest_events_pass_and_holds_right_behind_them() -> None:
    most = structure.FACTS_MAX - 9  # the event has some values of its own
    assert read_json(document(EVENT | {"ex:more": [1] * (most - 100)})).events
    assert refused(document(EVENT | {"ex:more": [1] * structure.FACTS_MAX})).where.endswith("/ex:more")
    text = json.dumps([f"urn:x:{at}" for at in range(structure.THINGS_MAX + 1)])
    event = document(EVENT | {"epcList": "@"}).replace(b'"@"', text.encode())
    assert refused(event).where.endswith("/epcList")


def test_what_is_taken_of_namespaces_is_kept_so_that_it_is_read_again() -> None:
    names = {f"https://ns{at}.example.com/x": "y" for at in range(structure.NAMESPACES_MAX - 2)}
    (event,) = read_json(document(EVENT | names)).events
    assert read_json(event_text(event).encode()).events == (event,)
    more = {f"https://ns{at}.example.org/x": "y" for at in range(5)}
    assert "namespaces" in refused(document(EVENT | names | more)).what


def test_thousands_of_prefixes_beside_values_like_them_are_chosen_in_one_go() -> None:
    """With a search through all prefixes for each of them this took minutes."""
    clashing = {"epcList": [f"ext{at}:1" for at in range(1, 2_001)]}
    (event,) = read_json(document(EVENT | clashing | {"https://ns.example.org/x": "y"})).events
    assert read_json(event_text(event).encode()).events == (event,)
    many = tuple(
        Extension(namespace=f"https://ns{at}.example.com/", name="x", text="y") for at in range(6_000)
    )
    whole = Document(events=(replace(event, extensions=many),), creation_time_us=0)
    declared = json.loads(write_json(whole))["@context"][1]
    assert len(declared) == 6_001
    assert not declared.keys() & {f"ext{at}" for at in range(1, 2_001)}
    assert read_xml(write_xml(replace(whole, events=(event,)))).events == (event,)
