"""Goal: whatever an event says survives every road, and the hash is the one that others compute.

Method: random events (`tests.codec.epcis.events`) through JSON and XML, against GS1's schemas where they are; and
against epcis-event-hash-generator, the reference implementation, on the XML that Jinka writes.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from epcis_event_hash_generator import hash_generator, xml_to_py
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jinka.codec.epcis import (
    Document,
    Event,
    Extension,
    Kind,
    Place,
    SensorElement,
    event_text,
    pre_hash,
    read_json,
    read_xml,
    write_event,
    write_json,
    write_xml,
)
from tests.codec.epcis.events import NAMESPACES, events
from tests.codec.epcis.given import FOLDER, check_json, check_xml

FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
UNSHRUNK = settings(
    FEW, max_examples=40, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)  # it takes minutes


@FEW
@given(st.lists(events(), max_size=3))
def test_random_events_are_the_same_after_every_road(found: list[Event]) -> None:
    document = Document(events=tuple(found), creation_time_us=0)
    as_json, as_xml = write_json(document), write_xml(document)
    assert read_json(as_json) == document
    assert read_xml(as_xml) == document
    assert read_xml(write_xml(document, urns=True)) == document
    for event in found:
        assert read_json(write_event(event)).events == (event,)
        assert read_json(f"[{event_text(event)}]".encode()).events == (event,)
    if FOLDER.is_dir():
        check_json(as_json)
        check_xml(as_xml)
        check_json(write_json(read_xml(as_xml)))


@UNSHRUNK
@given(events())
def test_the_reference_implementation_makes_the_same_string(found: Event) -> None:
    event = _comparable(found)
    as_xml = write_xml(Document(events=(event,), creation_time_us=0)).decode()
    logging.disable(logging.CRITICAL)  # it warns of what it did not look for
    try:
        theirs = hash_generator.derive_prehashes_from_events(
            xml_to_py.event_list_from_epcis_document_str(as_xml)
        )
    finally:
        logging.disable(logging.NOTSET)
    assert theirs == [pre_hash(event)]


def _comparable(event: Event) -> Event:
    """Without what the reference implementation has other ideas of, against the standard's own words.

    It takes ``xsi:type`` for a field, moves extensions whose namespace does not end in a slash (or that stand alone) to
    the end, and fails on the last half millisecond of a second, on a transaction without a type, and on a text
    that looks like a number beyond a double (12e34567, inf).
    """

    def plain(trees: tuple[Extension, ...]) -> tuple[Extension, ...]:
        return tuple(
            replace(
                tree,
                namespace=tree.namespace and f"https://{NAMESPACES.index(tree.namespace)}.example.com/",
                kind=Kind.STRING,
                text=tree.text and f"v{tree.text}",
                children=plain(tree.children),
            )
            for tree in trees
        )

    def placed(place: Place | None) -> Place | None:
        return place and replace(place, extensions=plain(place.extensions))

    sensors = tuple(
        SensorElement(
            metadata=one.metadata
            and replace(
                one.metadata,
                time_us=0,
                start_time_us=None,
                device_id="urn:x:1",
                extensions=plain(one.metadata.extensions),
            ),
            reports=tuple(
                replace(
                    report,
                    time_us=0,
                    string_value=report.string_value and f"v{report.string_value}",
                    hex_binary_value=report.hex_binary_value and "f0f0",
                    extensions=plain(report.extensions),
                )
                for report in one.reports
            ),
            extensions=plain(one.extensions),
        )
        for one in event.sensors
    )
    return replace(
        event,
        event_time_us=event.event_time_us // 1000 * 1000 + 499,
        error=None,
        certification=event.certification[:1],  # the XML schema has no room for two
        read_point=placed(event.read_point),
        biz_location=placed(event.biz_location),
        transactions=tuple(replace(one, type=one.type or "urn:x:type") for one in event.transactions),
        sensors=sensors,
        ilmd=plain(event.ilmd),
        extensions=plain(event.extensions),
    )
