"""Goal: an event has the hash that everybody gives it, whatever it was written in, and nothing that counts is missing.

Method: every published hash and pre-hash string (epcis-event-hash-generator, tests/examples); the same package as an
oracle on generated events; one event in its forms; each field changed by itself.
"""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import pytest

from jinka.codec.epcis import (
    Action,
    Event,
    EventType,
    Extension,
    Place,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Typed,
    event_digest,
    event_hash,
    pre_hash,
    read_json,
)
from tests.codec.epcis.given import FOLDER, documents, needs_documents, read

EXAMPLE = "https://ns.example.com/epcis/"
# Two published documents name fields that do not count, in an extension of the repository that answered.
IGNORED = {"epcisXmlQueryDocHavingEventWithIgnoreFields": [(EXAMPLE, "testField1"), (EXAMPLE, "testField2")]}
# The second string of this file is no event of its document; the hash beside it is right.
STALE = {"epcisDocWithCustomSchemaInContext": 1}
CBV = "https://ref.gs1.org/cbv/"
FULL = Event(
    event_type=EventType.OBJECT,
    event_time_us=1_585_749_600_000_000,
    zone_offset="+01:00",
    action=Action.ADD,
    certification=("https://example.org/certificate/1",),
    epcs=("urn:epc:id:sgtin:4012345.011111.9876", "urn:epc:id:sgtin:4012345.011111.1"),
    quantities=(
        Quantity(epc_class="urn:epc:class:lgtin:4012345.011111.A", quantity=Decimal("2.50"), uom="KGM"),
    ),
    parent_id="urn:epc:id:sscc:4012345.0111111111",
    child_epcs=("urn:epc:id:sgtin:4012345.011111.2",),
    child_quantities=(Quantity(epc_class="urn:epc:idpat:sgtin:4012345.011111.*", quantity=Decimal(7)),),
    input_epcs=("urn:epc:id:sgtin:4012345.011111.3",),
    input_quantities=(Quantity(epc_class="urn:epc:class:lgtin:4012345.011111.B"),),
    output_epcs=("urn:epc:id:sgtin:4012345.011111.4",),
    output_quantities=(Quantity(epc_class="urn:epc:class:lgtin:4012345.011111.C"),),
    transformation_id="urn:epc:id:gdti:4012345.55555.98",
    read_point=Place(id="urn:epc:id:sgln:4012345.00005.0"),
    biz_location=Place(id="urn:epc:id:sgln:4012345.00006.0"),
    biz_step=CBV + "BizStep-inspecting",
    disposition=CBV + "Disp-in_progress",
    dispositions_set=(CBV + "Disp-recalled",),
    dispositions_unset=(CBV + "Disp-available",),
    transactions=(Typed(id="urn:epcglobal:cbv:bt:4012345000009:1", type=CBV + "BTT-po"),),
    sources=(Typed(id="urn:epc:id:pgln:4012345.00225", type=CBV + "SDT-owning_party"),),
    destinations=(Typed(id="urn:epc:id:pgln:4012345.00226", type=CBV + "SDT-owning_party"),),
    sensors=(
        SensorElement(
            metadata=SensorMetadata(time_us=1_585_749_600_123_499),
            reports=(SensorReport(type="https://gs1.org/voc/Temperature", value=Decimal("26.0"), uom="CEL"),),
        ),
    ),
    ilmd=(Extension(namespace=EXAMPLE, name="batch", text="00123"),),
    extensions=(
        Extension(namespace=EXAMPLE, name="b", text="1"),
        Extension(namespace=EXAMPLE, name="a", children=(Extension(namespace="", name="x", text="y"),)),
    ),
)
UNCOUNTED = {"prefixes", "event_id", "record_time_us", "error"}


@pytest.mark.data
@needs_documents
@pytest.mark.parametrize(
    "path",
    [path for path in documents(".jsonld", ".xml") if path.parent.name == "hash"],
    ids=lambda path: path.name,
)
def test_every_published_hash_comes_out(path: Path) -> None:
    events, ignore = read(path).events, IGNORED.get(path.stem, ())
    published = (FOLDER / "hash" / f"{path.stem}.hashes").read_text().split()
    assert [event_hash(event, ignore=ignore) for event in events] == published
    strings = FOLDER / "hash" / f"{path.stem}.prehashes"
    if strings.exists():
        lines = [line for line in strings.read_text().split("\n") if line.strip()]
        ours = [pre_hash(event, ignore=ignore) for event in events]
        assert len(lines) == len(ours)
        for at, (line, our) in enumerate(zip(lines, ours, strict=True)):
            assert (our == line) == (STALE.get(path.stem) != at)


def test_each_field_counts_but_those_that_say_who_told_it() -> None:
    told = {field.name for field in fields(Event)}
    for name_ in sorted(told - UNCOUNTED - {"event_type"}):
        value = getattr(FULL, name_)
        assert value, f"give {name_} a value above"
        changed = replace(FULL, **{name_: _other(name_, value)})
        assert event_digest(changed) != event_digest(FULL), name_
    assert event_digest(replace(FULL, event_type=EventType.TRANSACTION)) != event_digest(FULL)
    same = replace(FULL, event_id="urn:uuid:1", record_time_us=1, prefixes=(("a", "b:c"),))
    assert event_digest(same) == event_digest(FULL)


def _other(field: str, value: object) -> object:
    if field in ("event_time_us",):
        return FULL.event_time_us + 1000
    if isinstance(value, tuple):
        return ()
    return {"zone_offset": "+02:00", "action": Action.DELETE}.get(field)


def test_what_means_the_same_hashes_alike() -> None:
    as_links = replace(
        FULL,
        epcs=(
            "https://id.gs1.org/01/04012345111118/21/1",
            "https://shop.example/x/gtin/4012345111118/lot/7/ser/9876?17=261231",
        ),
        parent_id="https://example.com/00/040123451111111110",
        read_point=Place(id="https://id.gs1.de/414/4012345000054/254/0"),
    )
    assert pre_hash(as_links) == pre_hash(FULL)
    turned = replace(FULL, extensions=FULL.extensions[::-1], epcs=FULL.epcs[::-1])
    assert event_digest(turned) == event_digest(FULL)
    comment = Extension(namespace="http://www.w3.org/2000/01/rdf-schema#", name="comment", text="noted")
    assert event_digest(replace(FULL, extensions=(*FULL.extensions, comment))) == event_digest(FULL)
    assert event_digest(FULL, ignore=[(EXAMPLE, "b")]) == event_digest(
        replace(FULL, extensions=FULL.extensions[1:])
    )


@pytest.mark.parametrize(
    ("micros", "shown"),
    [(499, ".000"), (500, ".001"), (999_499, ".999"), (999_500, ".000"), (1_000, ".001")],
)
def test_times_round_to_the_millisecond(micros: int, shown: str) -> None:
    text = pre_hash(replace(FULL, event_time_us=FULL.event_time_us + micros))
    assert f"{shown}ZeventTimeZoneOffset" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("007", "7"),
        ("+1.50", "1.5"),
        ("1E3", "1000"),
        ("26.0", "26"),
        (".5", "0.5"),
        ("-0", "0"),
        ("0.00000012", "1.2e-07"),
        ("111100001111000011110000", "111100001111000003641344"),  # in a published hash
        ("1e999", "1e999"),
        ("1_000", "1_000"),
        ("nan", "nan"),
        ("12 kg", "12 kg"),
        ("2015-03-30", "2015-03-30"),
        ("urn:epcglobal:cbv:bizstep:shipping", CBV + "BizStep-shipping"),
    ],
)
def test_what_looks_like_a_number_is_one(text: str, shown: str) -> None:
    event = replace(FULL, extensions=(Extension(namespace=EXAMPLE, name="n", text=text),))
    assert pre_hash(event).endswith(f"{{{EXAMPLE}}}n={shown}")


def test_a_comment_and_a_prefix_of_ones_own_do_not_count() -> None:
    data = b"""{"@context":["https://ref.gs1.org/standards/epcis/epcis-context.jsonld",{"%s":"http://e.example/"}],
    "type":"ObjectEvent","action":"OBSERVE","eventTime":"2020-01-01T00:00:00Z","eventTimeZoneOffset":"+00:00",
    "epcList":["urn:epc:id:sgtin:4012345.011111.9876"],"%s:field":"value"%s}"""
    first = read_json(data % (b"a", b"a", b"")).events[0]
    second = read_json(data % (b"zz", b"zz", b',"rdfs:comment":"hi"')).events[0]
    assert event_hash(first) == event_hash(second)
