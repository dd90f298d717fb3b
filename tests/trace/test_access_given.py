"""Redaction of published documents. Goal: what is left is EPCIS by GS1's schemas, and names nothing that was hidden.

Method: every event of all given documents, redacted for somebody who had nothing of it and for one who had its things.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from jinka.codec.epcis.json_writer import write_json
from jinka.codec.epcis.model import Document
from jinka.codec.epcis.xml_writer import write_xml
from jinka.trace.access import Veil, redact, things_of
from tests.codec.epcis.given import check_json, check_xml, documents, name, needs_documents, read
from tests.trace.test_access import SECRET

pytestmark = [pytest.mark.data, needs_documents]


@pytest.mark.parametrize("path", documents(".json", ".jsonld", ".xml"), ids=name)
def test_what_is_left_is_epcis(path: Path) -> None:
    events, veil = read(path).events, Veil(SECRET, "mill")
    for known in (set[str](), {thing for event in events for thing in things_of(event)}):
        left = tuple(redact(event, veil, known, lambda _: False) for event in events)
        made = Document(events=left, creation_time_us=0, query_name="q")
        check_json(write_json(made))
        check_xml(write_xml(made), query=True)
        assert not any(event.extensions or event.ilmd for event in left)
        for before, after in zip(events, left, strict=True):
            places = {place.id for place in (before.read_point, before.biz_location) if place is not None}
            assert places.isdisjoint({place.id for place in (after.read_point, after.biz_location) if place})
