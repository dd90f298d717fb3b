"""A hostile participant asks. Goal: no answer, token, list or error tells of what he may not see. Both engines.

Method: a farm, a mill, a shop and a spy over the interface; what the spy gets beside what there is.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jinka.api import epcis_events
from jinka.app import trace_desk
from jinka.app.trace_recall import Plan, recall_desk
from jinka.codec.epcis import Action, ErrorDeclaration, Event, EventType
from jinka.codec.epcis.json_writer import write_event
from jinka.codec.epcis.model import Place
from jinka.codec.tags import canonical_id
from jinka.trace.access import HIDDEN
from jinka.trace.recall import RecallEvent
from tests.app.access_rig import HOUR, STEP, Clock, Rig, events_in, rig_at, seen
from tests.trace.test_access import DOOR, FIELD, HALL, MINE, OTHER, STORE


@pytest.fixture
def rig(where: Path | str, tmp_path: Path) -> Iterator[Rig]:
    with rig_at(where, tmp_path) as made:
        made.people()
        yield made


def _pages(rig: Rig, who: str, *query: tuple[str, str]) -> tuple[list[list[Event]], list[str]]:
    pages, tokens, asked = list[list[Event]](), list[str](), list(query)
    while True:
        reply = rig.reply(who, "GET", "events", query=asked)
        assert reply.status == 200
        pages.append(events_in(json.loads(reply.body)))
        link = reply.headers.get("Link", "").partition("<")[2].partition(">")[0]
        if not link:
            return pages, tokens
        tokens.append(parse_qs(urlsplit(link).query)["nextPageToken"][0])
        asked = [*query, ("nextPageToken", tokens[-1])]


def _farm_and_spy(rig: Rig, hidden: int) -> None:
    for hour in range(hidden):
        assert rig.capture("farm", seen(hour, "storing", FIELD, MINE)) == 201
        if hour % 4 == 0:
            assert rig.capture("spy", seen(hour, "inspecting", DOOR, OTHER)) == 201


@pytest.mark.parametrize("order", ["", "eventTime"])
def test_a_page_ends_where_there_is_no_more_to_be_seen(rig: Rig, order: str) -> None:
    _farm_and_spy(rig, 9)  # and three of the spy's
    query = [("orderBy", order)] if order else []
    pages, tokens = _pages(rig, "spy", ("perPage", "2"), *query)
    assert [len(page) for page in pages] == [2, 1]
    assert [len(page) for page in _pages(rig, "spy", ("perPage", "3"), *query)[0]] == [3]
    assert _pages(rig, "shop", ("perPage", "1"), *query) == ([[]], [])
    ours, theirs = (
        _pages(rig, "farm", ("perPage", "4"), *query),
        _pages(rig, "state", ("perPage", "4"), *query),
    )
    assert ([len(page) for page in ours[0]], [len(page) for page in theirs[0]]) == ([4, 4, 1], [4, 4, 4])
    lengths = {len(token) for token in (*tokens, *ours[1], *theirs[1])}
    assert len(lengths) == 1
    raw = base64.urlsafe_b64decode(tokens[0] + "==")
    with pytest.raises(ValueError):
        json.loads(raw)
    assert (
        rig.ask("farm", "GET", "events", query=[("perPage", "2"), *query, ("nextPageToken", tokens[0])])[0]
        == 400
    )
    turned = tokens[0][:-4] + ("AAAA" if tokens[0][-4:] != "AAAA" else "BBBB")
    assert rig.ask("spy", "GET", "events", query=[*query, ("nextPageToken", turned)])[0] == 400


def test_who_has_to_look_through_very_much_is_given_a_page_that_ends_early(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epcis_events, "LOOKS_MAX", 4)
    _farm_and_spy(rig, 9)
    pages, _ = _pages(rig, "spy", ("perPage", "3"))
    assert sum(map(len, pages)) == 3
    looks = rig.access._books.looks("spy")
    assert sum(look["shown"] + look["hidden"] for look in looks) == 12


def test_who_had_it_by_an_error_alone_sees_it_no_more(rig: Rig) -> None:
    wrong = seen(2, "shipping", FIELD, MINE, to=STORE)
    for event in (seen(1, "commissioning", FIELD, MINE), wrong, seen(3, "inspecting", FIELD, MINE)):
        assert rig.capture("farm", event) == 201
    assert len(rig.events("shop")) == 3
    assert rig.capture("farm", replace(wrong, error=ErrorDeclaration(declaration_time_us=9))) == 201
    left = rig.events("shop")  # what named it, and that it was an error
    assert {event.event_time_us for event in left} == {wrong.event_time_us}
    assert rig.capture("farm", replace(wrong, event_time_us=4 * wrong.event_time_us)) == 201
    assert len(rig.events("shop")) == 5


def test_nobody_speaks_for_another_s_place(rig: Rig) -> None:
    forged = seen(1, "commissioning", FIELD, MINE)
    status, told = rig.ask("spy", "POST", "events", body=_body(forged))
    assert (status, told["where"]) == (403, "/readPoint")
    document = _document(forged, seen(2, "inspecting", DOOR, OTHER))
    for proceed, kept in (("rollback", 0), ("proceed", 1)):
        job = _job(rig, "spy", document, proceed)
        assert (job["counts"]["accepted"], job["success"]) == (kept, False)
        assert job["errors"][0]["where"] == "/epcisBody/eventList/0/readPoint"
    assert rig.capture("farm", forged) == 201  # the owner's word gets in
    nowhere = replace(seen(3, "storing", FIELD, MINE), read_point=None)
    assert [rig.capture(who, nowhere) for who in ("spy", "shop", "farm")] == [403, 403, 201]
    rig.put("spy", captures=[FIELD])  # a carrier, say
    assert rig.capture("spy", seen(4, "loading", FIELD, MINE)) == 201
    assert rig.capture("state", seen(5, "inspecting", HALL, MINE)) == 201


def test_a_query_is_its_maker_s_and_so_is_its_name(rig: Rig) -> None:
    secret = {"EQ_bizTransaction_po": ["urn:secret:po:4711"]}

    def make(who: str, name: str, query: Any) -> int:
        return rig.ask(who, "POST", "queries", body=json.dumps({"name": name, "query": query}).encode())[0]

    assert [make("mill", "orders", secret), make("mill", "orders", {}), make("mill", "b", {})] == [
        201,
        409,
        201,
    ]
    assert (
        make("spy", "orders", {"EQ_action": ["ADD"]}) == 201
    )  # that the name is taken elsewhere is not told
    assert make("state", "all", {}) == 201
    for method, path in (("GET", ()), ("OPTIONS", ()), ("DELETE", ()), ("GET", ("events",))):
        for name in ("b", "b@mill", "orders@mill", "orders\x1fmill", "nothing"):
            status, told = rig.ask("spy", method, "queries", name, *path)
            assert (status, told["what"]) == (404, "no such query"), (method, name)
    assert rig.ask("spy", "GET", "queries")[1] == [{"name": "orders", "query": {"EQ_action": ["ADD"]}}]
    assert rig.ask("mill", "GET", "queries", "orders")[1] == {"name": "orders", "query": secret}
    listed = [one["name"] for one in rig.ask("state", "GET", "queries")[1]]
    assert sorted(listed) == ["all", "b@mill", "orders@mill", "orders@spy"]
    assert rig.ask("state", "GET", "queries", "orders@mill")[1]["query"] == secret
    assert rig.ask("state", "GET", "queries", "orders")[0] == 404
    assert rig.ask("mill", "DELETE", "queries", "orders")[0] == 204
    assert rig.ask("spy", "GET", "queries", "orders")[0] == 200
    assert rig.ask("state", "DELETE", "queries", "orders@spy")[0] == 204
    assert rig.ask("spy", "GET", "queries", "orders")[0] == 404
    first = rig.reply("state", "GET", "queries", query=[("perPage", "1")])
    assert len(json.loads(first.body)) == 1
    assert "nextPageToken" in first.headers["Link"]


def test_an_id_that_others_have_tells_nothing_and_keeps_nobody_out(rig: Rig) -> None:
    id_ = "urn:farm:event:7"
    squatter = replace(seen(1, "inspecting", DOOR, MINE), event_id=id_)
    true = replace(seen(1, "storing", FIELD, MINE), event_id=id_)
    assert [rig.capture("spy", squatter), rig.capture("farm", true)] == [201, 201]
    assert rig.capture("farm", replace(true, biz_step=STEP + "picking")) == 409  # its own id is taken
    assert [event.read_point for event in rig.events("farm", ("EQ_eventID", id_))] == [Place(id=FIELD)]
    shown = rig.ask("farm", "GET", "events", id_)[1]
    assert [event.read_point for event in events_in(shown)] == [Place(id=FIELD)]
    assert len(events_in(rig.ask("state", "GET", "events", id_)[1])) == 2
    void = ErrorDeclaration(declaration_time_us=9)
    for other in (
        true,
        replace(true, event_id="urn:farm:event:8"),
    ):  # the same whether there is such an event
        away = replace(other, read_point=Place(id=DOOR), error=void)
        status, told = rig.ask("spy", "POST", "events", body=_body(away))
        assert (status, told["what"]) == (400, "you captured no such event")
    assert rig.capture("spy", replace(squatter, error=void)) == 201  # and it undoes its own alone
    there = rig.ask("farm", "GET", "trace", "forward", query=[("thing", MINE)])[1]["journeys"]
    assert [sight["place"] for sight in there[canonical_id(MINE)]] == [canonical_id(FIELD)]
    assert rig.capture("farm", replace(true, error=void)) == 201
    assert rig.ask("farm", "GET", "trace", "forward", query=[("thing", MINE)])[0] == 404


def test_master_data_is_its_owner_s(rig: Rig) -> None:
    def describe(who: str, id_: str) -> int:
        body = json.loads(
            _document(seen(1, "inspecting", DOOR, OTHER) if who == "spy" else seen(1, "storing", FIELD))
        )
        body["epcisHeader"] = {
            "epcisMasterData": {
                "vocabularyList": [
                    {
                        "type": "urn:epcglobal:epcis:vtype:BusinessLocation",
                        "vocabularyElementList": [
                            {"id": id_, "attributes": [{"id": "cbvmda:city", "attribute": who}]}
                        ],
                    }
                ]
            }
        }
        return rig.reply(who, "POST", "capture", body=json.dumps(body).encode()).status

    assert [describe("spy", id_) for id_ in (FIELD, MINE, DOOR, "urn:x:nobody")] == [403, 403, 202, 202]
    rig.put("spy", captures=["4012345"])
    assert describe("spy", FIELD) == 202


CASE = "urn:epc:id:sscc:4012345.0000000001"
BREAD = "urn:epc:id:sgtin:6901234.012345.1"


def _bakery(rig: Rig) -> None:
    """A farm's grain, the mill's bread of it, sold by a shop; and the spy's own thing."""
    rig.put("mill", owns=[HALL, "6901234"])
    bake = Event(
        event_type=EventType.TRANSFORMATION, event_time_us=5 * HOUR, zone_offset="+08:00", input_epcs=(MINE,),
        output_epcs=(BREAD,), read_point=Place(id=HALL), biz_step=STEP + "commissioning",
    )  # fmt: skip
    for who, event in (
        ("farm", replace(seen(1, "commissioning", FIELD), action=Action.ADD)),
        ("farm", seen(2, "shipping", FIELD, to=HALL)), ("mill", seen(3, "receiving", HALL)), ("mill", bake),
        ("mill", seen(6, "shipping", HALL, BREAD, to=STORE)), ("shop", seen(7, "receiving", STORE, BREAD)),
        ("spy", seen(8, "inspecting", DOOR, OTHER)),
    ):  # fmt: skip
        assert rig.capture(who, event) == 201


def test_a_graph_is_whole_and_tells_what_its_reader_may_see(rig: Rig) -> None:
    _bakery(rig)
    whole = rig.ask("state", "GET", "trace", "back", query=[("thing", BREAD)])[1]
    status, mine = rig.ask("shop", "GET", "trace", "back", query=[("thing", BREAD)])
    assert status == 200
    assert len(mine["edges"]) == len(whole["edges"])
    assert {edge["kind"] for edge in mine["edges"]} == {edge["kind"] for edge in whole["edges"]}
    told = json.dumps(mine)
    for secret in (canonical_id(MINE), canonical_id(FIELD), "4012345", "#"):
        assert secret not in told, secret
    assert canonical_id(MINE) in json.dumps(whole)
    shipped = rig.ask("mill", "GET", "trace", "back", query=[("thing", MINE)])[1]
    places = [sight["place"] for sight in shipped["journeys"][canonical_id(MINE)]]
    # the farm's field is named in its shipment to the mill, and in nothing that the farm did before
    assert places[0].startswith(HIDDEN)
    assert places[1] == canonical_id(FIELD)
    assert rig.ask("farm", "GET", "trace", "forward", query=[("thing", MINE)])[1]["direction"] == "forward"
    drawn = rig.reply(
        "shop", "GET", "trace", "back", query=[("thing", BREAD), ("lang", "zh")], accept="image/svg+xml"
    )
    assert (drawn.status, drawn.kind, b"4012345" in drawn.body) == (200, "image/svg+xml", False)
    assert drawn.body.startswith(b"<svg")
    known, unknown = (
        rig.ask("spy", "GET", "trace", way, query=[("thing", thing)])
        for way, thing in (("back", BREAD), ("forward", "urn:epc:id:sgtin:0614141.107346.1"))
    )
    assert known[0] == unknown[0] == 404
    assert known[1]["what"] == unknown[1]["what"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ([], 400), ([("thing", BREAD)] * 21, 400), ([("thing", BREAD), ("since", "yesterday")], 400),
        ([("thing", BREAD), ("since", "2026-01-01T00:00:00")], 400), ([("thing", "x")], 400),
        ([("thing", "AAA")], 400),
        ([("thing", "(01)")], 400), ([("thing", BREAD), ("lang", "fr")], 400),
        ([("thing", BREAD), ("depth", "1")], 400),
        ([("thing", BREAD), ("until", "0001-01-01T00:00:00Z")], 400),
    ],
)  # fmt: skip
def test_a_graph_that_cannot_be_asked_for_says_why(
    fresh_sqlite: Callable[[], Path], tmp_path: Path, query: list[tuple[str, str]], status: int
) -> None:
    with rig_at(fresh_sqlite(), tmp_path, "") as rig:
        told = rig.ask("", "GET", "trace", "back", query=query)
        assert told[0] == status, told


def test_a_graph_is_bounded_in_rows_and_time(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    _bakery(rig)
    asked = ("state", "GET", "trace", "back")
    monkeypatch.setattr(trace_desk, "NODES_MAX", 1)
    assert rig.ask(*asked, query=[("thing", BREAD)])[0] == 413
    monkeypatch.undo()
    monkeypatch.setattr(trace_desk, "ROWS", 1)
    assert rig.ask(*asked, query=[("thing", BREAD)])[1]["type"] == "epcisException:QueryTooComplexException"
    monkeypatch.undo()
    monkeypatch.setattr(trace_desk, "GRAPH_S", 0.0)
    assert rig.ask(*asked, query=[("thing", BREAD)])[0] == 413


def test_a_holder_sees_its_notice_answers_it_and_sees_no_other(rig: Rig) -> None:
    _bakery(rig)
    assert rig.capture("mill", seen(9, "shipping", HALL, BREAD + "2", to=DOOR)) == 201
    assert rig.capture("spy", seen(10, "receiving", DOOR, BREAD + "2")) == 201
    with recall_desk(str(rig.file), Clock()) as desk:
        plan = Plan(title="glass", grade="1", kind="item", names=[MINE, BREAD + "2"])
        number = desk.draft(plan, by="li").number
        assert rig.ask("shop", "GET", "trace", "recalls")[1] == []  # a draft is nobody's business
        assert rig.ask("shop", "GET", "trace", "recalls", str(number))[0] == 404
        desk.act(number, RecallEvent.APPROVE, by="wang")
    place = ("trace", "recalls", str(number))
    assert [one["number"] for one in rig.ask("state", "GET", "trace", "recalls")[1]] == [number]
    (mine,) = rig.ask("shop", "GET", "trace", "recalls")[1]
    assert [notice["holder"] for notice in mine["notices"]] == [STORE]
    assert HALL not in json.dumps(mine)
    assert rig.ask("farm", "GET", *place)[0] == rig.ask("farm", "GET", "trace", "recalls", "99")[0] == 404
    notice = (*place, "notices", STORE)
    told = rig.ask("shop", "GET", *notice, query=[("lang", "zh")])[1]
    assert "召回通知" in told["text"]
    assert (told["state"], told["open_lines"]) == (
        "issued", [{"subject": "items", "amount": "1", "unit": ""}],
    )  # fmt: skip
    assert rig.ask("shop", "GET", *notice, "things")[1] == [canonical_id(BREAD)]
    by = json.dumps({"by": "chen"}).encode()
    for path in (notice, (*notice, "things")):
        assert rig.ask("spy", "GET", *path)[0] == 404
    assert rig.ask("spy", "POST", *notice, "acknowledgement", body=by)[0] == 404
    assert rig.ask("shop", "POST", *notice, "acknowledgement", body=b'{"by": ""}')[0] == 400
    assert rig.ask("shop", "POST", *notice, "acknowledgement", body=by)[1]["state"] == "acknowledged"
    assert rig.ask("shop", "POST", *notice, "acknowledgement", body=by)[0] == 400  # once
    report = {"by": "chen", "outcomes": [{"fate": "returned", "amount": "1"}]}
    for wrong in (
        {}, [], {"fate": "eaten", "amount": "1"}, {"fate": "sold", "amount": "1e9"}, {"fate": "sold", "amount": 1},
        {"subject": "other", "fate": "sold", "amount": "1"}, {"fate": "sold", "amount": "1", "x": "y"},
    ):  # fmt: skip
        body = json.dumps({"by": "chen", "outcomes": [wrong]}).encode()
        assert rig.ask("shop", "POST", *notice, "report", body=body)[0] == 400, wrong
    answered = rig.ask("shop", "POST", *notice, "report", body=json.dumps(report).encode())[1]
    assert (answered["state"], answered["open_lines"]) == ("settled", [])
    facts = rig.ask("state", "GET", *place)[1]
    assert [act["by"] for act in facts["acts"]] == ["li", "wang", "chen (shop)", "chen (shop)"]
    assert len(facts["holders"]) == 2


def _body(event: Event) -> bytes:
    return write_event(event)


def _document(*events: Event) -> bytes:
    listed = [json.loads(_body(event)) for event in events]
    context = listed[0]["@context"]
    return json.dumps(
        {
            "@context": context, "type": "EPCISDocument", "schemaVersion": "2.0",
            "creationDate": "2026-03-01T10:00:00.000Z",
            "epcisBody": {"eventList": [{k: v for k, v in each.items() if k != "@context"} for each in listed]},
        }
    ).encode()  # fmt: skip


def _job(rig: Rig, who: str, document: bytes, behaviour: str) -> Any:
    reply = rig.reply(who, "POST", "capture", body=document, **{"gs1-capture-error-behaviour": behaviour})
    assert reply.status == 202, reply.body
    return rig.ask(who, "GET", "capture", reply.headers["Location"].rpartition("/")[2])[1]
