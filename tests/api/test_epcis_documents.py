"""Every given document goes in and comes out. Goal: nothing is lost or changed between capture and query.

Method: all documents of GS1 and OpenEPCIS, captured in their own format into a repository each and asked for in JSON
and XML, in every form of identifiers; answers are valid by GS1's schemas and equal to what was captured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jinka.codec.epcis import Event, event_hash, read_json, read_xml
from tests.codec.epcis.given import check_json, check_xml, documents, name, needs_documents, read
from tests.epcis_rig import desk_at

pytestmark = [pytest.mark.data, needs_documents]
_ALL = "/events?perPage=1000"


def _bare(events: tuple[Event, ...]) -> list[Event]:
    """Without what the repository adds."""
    return [replace(one, event_id=None, record_time_us=None) for one in events]


def _once(events: tuple[Event, ...]) -> list[Event]:
    found: list[Event] = []
    for one in _bare(events):
        if one not in found:
            found.append(one)
    return found


@pytest.mark.parametrize("path", documents(".json", ".jsonld", ".xml"), ids=name)
def test_a_document_is_captured_and_comes_back(path: Path, fresh_sqlite: Callable[[], Path]) -> None:
    given = read(path).events
    with desk_at(fresh_sqlite()) as desk:
        kind = "application/xml" if path.suffix == ".xml" else "application/ld+json"
        done = desk.post("/capture", path.read_bytes(), kind)
        assert done.status == 202, done.body
        job = desk.get(done.headers["Location"].removeprefix("http://epcis")).json
        assert job["success"] is True, job
        assert job["counts"]["accepted"] + job["counts"]["duplicate"] == len(given)

        same = desk.get(_ALL, GS1_EPC_Format="Never_Translates")
        check_json(same.body)
        back = read_json(same.body).events
        assert _bare(back) == _once(given)
        assert all(one.event_id and one.record_time_us for one in back)
        hashes = [event_hash(one) for one in back]
        for format_ in ("Always_GS1_Digital_Link", "Always_EPC_URN"):
            told = desk.get(_ALL, GS1_EPC_Format=format_)
            check_json(told.body)
            assert [event_hash(one) for one in read_json(told.body).events] == hashes
        for words in ("Always_Web_URI", "Always_URN"):
            told = desk.get(
                _ALL, Accept="application/xml", GS1_EPC_Format="Never_Translates", GS1_CBV_XML_Format=words
            )
            assert told.status == 200, told.body
            check_xml(told.body, query=True)
            assert _bare(read_xml(told.body).events) == _once(given)
        for one in back:
            alone = desk.get(f"/events/{(one.event_id or '').replace('/', '%2F').replace('?', '%3F')}")
            check_json(alone.body)
            assert one.event_id in [found.event_id for found in read_json(alone.body).events]
        again = desk.post("/capture", path.read_bytes(), kind)
        job = desk.get(again.headers["Location"].removeprefix("http://epcis")).json
        assert job["counts"] == {"accepted": 0, "duplicate": len(given), "refused": 0}
