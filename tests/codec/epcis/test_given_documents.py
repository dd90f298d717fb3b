"""Goal: every given document is read, and is the same after each road through JSON and XML, valid by GS1's schemas.

Method: all documents of GS1 and OpenEPCIS, in the formats that they are in; written in both formats, checked against
the schemas, read again and compared as values. What is broken in itself is refused, with its place.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jinka.codec.epcis import (
    document_text,
    event_hash,
    event_text,
    read_json,
    read_xml,
    write_event,
    write_json,
    write_xml,
)
from jinka.kit import Refused
from tests.codec.epcis.given import (
    BROKEN,
    FOLDER,
    check_json,
    check_xml,
    documents,
    name,
    needs_documents,
    read,
)

pytestmark = [pytest.mark.data, needs_documents]
EVERY = documents(".json", ".jsonld", ".xml")


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_a_given_document_is_the_same_after_both_roads(path: Path) -> None:
    document = read(path)
    assert document.events or document.vocabularies
    query = document.query_name is not None
    dated = replace(document, creation_time_us=document.creation_time_us or 0)

    as_json, as_xml, as_urns = write_json(document), write_xml(dated), write_xml(dated, urns=True)
    check_json(as_json)
    check_xml(as_xml, query=query)
    check_xml(as_urns, query=query)
    assert read_json(as_json) == document
    for again in (read_xml(as_xml), read_xml(as_urns)):
        assert again == replace(dated, id=None)  # XML has no place for a document's own id
        assert read_json(write_json(again)).events == document.events
    hashes = [event_hash(event) for event in document.events]
    assert [event_hash(event) for event in read_xml(as_xml).events] == hashes


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_an_event_stands_for_itself(path: Path) -> None:
    document = read(path)
    for event in document.events:
        alone = write_event(event)
        check_json(alone)
        assert read_json(alone).events == (event,)
    put_together = document_text(document, map(event_text, document.events)).encode()
    check_json(put_together)
    assert read_json(put_together) == document


@pytest.mark.parametrize("broken", BROKEN)
def test_a_document_that_is_none_is_refused_with_its_place(broken: str) -> None:
    with pytest.raises(Refused) as caught:
        read(FOLDER / broken)
    assert caught.value.where == f"/epcisBody/eventList/0/{BROKEN[broken]}"
