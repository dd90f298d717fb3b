"""The EPCIS REST interface answers as its OpenAPI says. Method: requests handed to the application without a socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from jinka.api.epcis_exchange import Caller
from jinka.api.problems import Unauthorised
from tests.epcis_rig import ITEM, Desk, desk_at, document, facts, many, next_url

LINK = "https://id.gs1.org/01/06901234123456/21/"
SITE = "urn:epc:id:sgln:6901234.00001.0"


@pytest.fixture
def desk(fresh_sqlite: Callable[[], Path]) -> Iterator[Desk]:
    with desk_at(fresh_sqlite()) as made:
        yield made


# Events


def test_events_come_in_pages(desk: Desk) -> None:
    desk.capture(*many(7))
    found: list[str] = []
    url = "/events?perPage=3&EQ_action=OBSERVE"
    pages = 0
    while url:
        page = desk.get(url)
        found += [one["eventID"] for one in page.events]
        url, pages = next_url(page), pages + 1
    assert (pages, found) == (3, [f"urn:x:{n}" for n in range(7)])
    assert "GS1-Next-Page-Token-Expires" not in page.headers


def test_a_page_has_thirty_events_and_at_most_a_thousand(desk: Desk) -> None:
    desk.capture(*many(31))
    first = desk.get("/events")
    assert len(first.events) == 30
    assert parse_qs(urlsplit(next_url(first)).query)["perPage"] == ["30"]
    assert len(desk.get("/events?perPage=99999999999999999999").events) == 31


@pytest.mark.parametrize(
    "given", ["perPage=0", "perPage=-1", "perPage=x", "perPage=", "perPage=1&perPage=2", "nextPageToken=x"]
)
def test_a_page_that_makes_no_sense_is_refused(desk: Desk, given: str) -> None:
    refused = desk.get(f"/events?{given}")
    assert (refused.status, refused.problem) == (400, f"QueryParameterException {given.partition('=')[0]}")


def test_a_token_is_for_its_request_until_it_expires_or_is_given_back(desk: Desk) -> None:
    desk.capture(*many(5))
    following = next_url(desk.get("/events?perPage=2"))
    assert desk.get(following).status == 200
    assert desk.get(following.replace("/events?", "/events?EQ_action=ADD&")).problem.endswith("nextPageToken")
    token = parse_qs(urlsplit(following).query)["nextPageToken"][0]
    assert desk.ask("DELETE", f"/nextPageToken/{token}").status == 204
    assert desk.get(following).problem == "QueryParameterException nextPageToken"
    assert desk.ask("DELETE", "/nextPageToken/whatever").status == 204
    following = next_url(desk.get("/events?perPage=3"))
    desk.services.clock.micros += 3_600_000_000  # type: ignore[attr-defined]
    assert "expired" in desk.get(following).json["detail"]


def test_one_event_is_found_by_its_id_and_stands_with_its_declaration(desk: Desk) -> None:
    event = facts()
    id_ = desk.capture(event)["events"][0]["eventID"]
    declared = event | {"errorDeclaration": {"declarationTime": "2026-03-02T00:00:00Z"}}
    desk.capture(declared)
    for url in (quote(id_, safe=""), quote(id_, safe="/:;=?").replace("?", "%3F"), id_):
        found = desk.get(f"/events/{url}")
        assert ["errorDeclaration" in one for one in found.events] == [False, True], url
    missing = desk.get("/events/urn:x:nothing")
    assert (missing.status, missing.problem) == (404, "NoSuchResourceException eventID")


def test_identifiers_are_written_as_asked(desk: Desk) -> None:
    desk.capture(facts(epcList=[f"{ITEM}1"], bizLocation={"id": SITE}), facts(epcList=[f"{LINK}2"]))

    def told(wanted: str | None) -> list[str]:
        headers = {} if wanted is None else {"GS1_EPC_Format": wanted}
        return [one["epcList"][0] for one in desk.get("/events", **headers).events]

    assert told(None) == told("Always_GS1_Digital_Link") == [f"{LINK}1", f"{LINK}2"]
    assert told("Always_EPC_URN") == [f"{ITEM}1", f"{ITEM}2"]
    assert told("Never_Translates") == told("No_Preference") == [f"{ITEM}1", f"{LINK}2"]
    refused = desk.get("/events", GS1_EPC_Format="Braille")
    assert (refused.status, refused.problem) == (406, "NotAcceptableException GS1-EPC-Format")
    assert desk.get("/bizLocations", GS1_EPC_Format="Always_EPC_URN").json["member"] == [SITE]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"), ("application/ld+json", "application/ld+json"), ("text/xml", "text/xml"),
        ("application/xml;q=0.9, application/json;q=0.1", "application/xml"),
        ("application/*;q=0.5, application/json;q=0", "application/ld+json"),
        ("image/png, */*;q=0.1", "application/json"),
    ],
)  # fmt: skip
def test_the_best_kind_of_content_is_answered(desk: Desk, accept: str, kind: str) -> None:
    desk.capture(facts())
    found = desk.get("/events", Accept=accept)
    assert (found.status, found.kind) == (200, kind)
    assert found.body.startswith(b"<" if "xml" in kind else b"{")


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "text/html, application/json;q=no"])
def test_what_cannot_be_written_as_wanted_is_not_acceptable(desk: Desk, accept: str) -> None:
    refused = desk.get("/events", Accept=accept)
    assert (refused.status, refused.problem) == (406, "NotAcceptableException Accept")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"GS1_EPCIS_Min": "2.0.0", "GS1_EPCIS_Max": "2.0.0"}, 200), ({"GS1_EPCIS_Min": "1.2"}, 200),
        ({"GS1_EPCIS_Min": "2.0.1"}, 406), ({"GS1_EPCIS_Max": "1.2.0"}, 406), ({"GS1_CBV_Min": "2.1"}, 406),
        ({"GS1_CBV_Max": "x"}, 406), ({"GS1_EPCIS_Min": ""}, 406), ({"GS1_EPCIS_Min": "9" * 5}, 406),
    ],
)  # fmt: skip
def test_a_client_says_which_versions_suit_it(desk: Desk, headers: dict[str, str], status: int) -> None:
    for url in ("/", "/events", "/eventTypes", "/epcs", "/queries", "/capture"):
        assert desk.get(url, **headers).status == status


def test_a_query_in_the_url_may_name_extensions(desk: Desk) -> None:
    extended = facts(**{"ex:colour": "blue"})
    desk.post(
        "/capture", document(extended, facts(eventID="urn:x:2"), context={"ex": "https://ns.example.com/"})
    )
    found = desk.get("/events?EQ_a:colour=blue", GS1_Extensions="b=https://other/, a=https://ns.example.com/")
    assert len(found.events) == 1
    assert len(desk.get(f"/events?EQ_{quote('https://ns.example.com/colour')}=blue").events) == 1
    refused = desk.get("/events?EQ_a:colour=blue")
    assert (refused.status, refused.problem) == (400, "QueryParameterException EQ_a:colour")
    refused = desk.get("/events", GS1_Extensions="nonsense")
    assert (refused.status, refused.problem) == (406, "NotAcceptableException GS1-Extensions")


def test_a_parameter_that_stands_twice_is_a_list(desk: Desk) -> None:
    desk.capture(*many(3))
    assert len(desk.get("/events?EQ_eventID=urn:x:0&EQ_eventID=urn:x:2").events) == 2
    refused = desk.get("/events?GE_eventTime=2026-03-01T10:00:00Z&GE_eventTime=2026-03-01T10:00:00Z")
    assert (refused.status, refused.problem) == (400, "QueryParameterException GE_eventTime")


def test_too_many_events_are_said_to_be_toomany(desk: Desk) -> None:
    desk.capture(*many(3))
    refused = desk.get("/events?maxEventCount=2")
    assert (refused.status, refused.problem) == (413, "QueryTooLargeException maxEventCount")


# Top-level resources


def test_the_root_names_what_there_is(desk: Desk) -> None:
    assert set(desk.get("/").json["member"]) == {
        "queries", "capture", "events", "eventTypes", "epcs", "readPoints", "bizLocations", "dispositions", "bizSteps",
    }  # fmt: skip


def test_what_events_name_can_be_looked_through(desk: Desk) -> None:
    desk.capture(
        facts(bizStep="shipping", disposition="in_transit", bizLocation={"id": SITE}, readPoint={"id": SITE}),
        facts(bizStep="https://example.com/own", epcList=[f"{ITEM}2"]),
    )
    assert desk.get("/bizSteps").json["member"] == ["https://example.com/own", "shipping"]
    assert desk.get("/dispositions").json["member"] == ["in_transit"]
    assert desk.get("/epcs").json["member"] == [f"{LINK}1", f"{LINK}2"]
    assert len(desk.get("/eventTypes").json["member"]) == 5
    for place in ("bizLocations", "readPoints"):
        assert desk.get(f"/{place}").json["member"] == ["https://id.gs1.org/414/6901234000016"]
        assert desk.get(f"/{place}/{SITE}").json["member"] == ["events"]
        assert (
            len(desk.get(f"/{place}/{quote('https://id.gs1.org/414/6901234000016', safe='')}/events").events)
            == 1
        )
    for step in ("shipping", "urn:epcglobal:cbv:bizstep:shipping", "cbv:BizStep-shipping"):
        assert len(desk.get(f"/bizSteps/{step}/events").events) == 1
    assert len(desk.get("/bizSteps/https://example.com/own/events").events) == 1
    assert len(desk.get(f"/epcs/{ITEM}2/events?eventType=ObjectEvent").events) == 1
    assert len(desk.get(f"/epcs/{LINK}2/events").events) == 1
    assert len(desk.get("/eventTypes/ObjectEvent/events").events) == 2
    assert desk.get("/eventTypes/AggregationEvent/events").events == []


@pytest.mark.parametrize(
    "url",
    ["/epcs/urn:x:1", "/epcs/urn:x:1/events", "/bizSteps/shipping", "/bizSteps/nonsense/events", "/dispositions/active",
     "/eventTypes/OwnEvent", "/readPoints/urn:x:1/events", "/bizLocations/urn:x:1", "/capture/x", "/queries/x",
     "/queries/x/events", "/nothing", "/events/urn:x:1", "/events/urn:x:1/more", "/queries/x/nothing"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(desk: Desk, url: str) -> None:
    desk.capture(facts())
    for method in ("GET", "OPTIONS"):
        missing = desk.ask(method, url)
        assert missing.status == 404
        assert missing.problem.partition(" ")[0] in ("NoSuchResourceException", "NoSuchNameException")


def test_lists_come_in_pages(desk: Desk) -> None:
    desk.capture(*many(5))
    found: list[str] = []
    url = "/epcs?perPage=2"
    while url:
        page = desk.get(url)
        found += page.json["member"]
        url = next_url(page)
    assert found == [f"{LINK}{n}" for n in range(5)]
    types = desk.get("/eventTypes?perPage=3")
    assert len(types.json["member"] + desk.get(next_url(types)).json["member"]) == 5


# Named queries


def test_a_named_query_is_kept_asked_and_forgotten(desk: Desk) -> None:
    desk.capture(*many(3), facts(action="ADD"))
    body = {"name": "adds", "query": {"EQ_action": ["ADD"], "eventType": ["ObjectEvent"]}}
    made = desk.post("/queries", json.dumps(body))
    assert (made.status, made.headers["Location"]) == (201, "http://epcis/queries/adds")
    assert desk.get("/queries/adds").json == body
    assert desk.get("/queries").json == [body]
    found = desk.get("/queries/adds/events")
    assert [one["action"] for one in found.events] == ["ADD"]
    assert found.json["epcisBody"]["queryResults"]["queryName"] == "adds"
    taken = desk.post("/queries", json.dumps(body))
    assert (taken.status, taken.problem) == (409, "ResourceAlreadyExistsException name")
    gone: list[str] = []
    object.__setattr__(desk.services, "query_removed", gone.append)
    assert desk.ask("DELETE", "/queries/adds").status == 204
    assert gone == ["adds"]
    assert desk.ask("DELETE", "/queries/adds").status == 404
    assert desk.get("/queries/adds/events").problem == "NoSuchNameException queryName"


def test_a_named_query_comes_in_pages_and_keeps_its_namespaces(desk: Desk) -> None:
    extended = [facts(eventID=f"urn:x:{n}", **{"ex:n": n}) for n in range(5)]
    desk.post("/capture", document(*extended, context={"ex": "https://ns.example.com/"}))
    own = {"@context": {"m": "https://ns.example.com/"}, "GE_m:n": 1}
    desk.post("/queries", json.dumps({"name": "own", "query": own}))
    desk.post(
        "/queries",
        json.dumps({"name": "told", "query": {"GE_h:n": 1}}),
        GS1_Extensions="h=https://ns.example.com/",
    )
    for name in ("own", "told"):
        page = desk.get(f"/queries/{name}/events?perPage=3")
        assert len(page.events) == 3
        assert len(desk.get(next_url(page)).events) == 1
    refused = desk.get("/queries/own/events?EQ_action=ADD")
    assert (refused.status, refused.problem) == (400, "SubscriptionControlsException EQ_action")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"query": {}}, "QueryValidationException name"), ({"name": "x"}, "QueryValidationException query"),
        ({"name": "", "query": {}}, "QueryValidationException name"), ([], "QueryValidationException query"),
        ({"name": "a/b", "query": {}}, "QueryValidationException name"),
        ({"name": "x", "query": {"EQ_what": ["1"]}}, "QueryParameterException EQ_what"),
        ({"name": "x", "query": {"EQ_action": "GO"}}, "QueryParameterException EQ_action"),
        ({"name": "x", "query": {}, "extra": 1}, "QueryValidationException extra"),
    ],
)  # fmt: skip
def test_a_query_that_is_none_is_refused(desk: Desk, body: Any, problem: str) -> None:
    refused = desk.post("/queries", json.dumps(body))
    assert (refused.status, refused.problem) == (400, problem)
    assert desk.get("/queries").json == []


# Discovery, methods, callers


@pytest.mark.parametrize(
    "raw",
    [
        '{"name": "x", "query": {"EQ_quantity": ' + "9" * 5_000 + "}}",
        '{"name": "x", "query": {"GT_quantity": 1e999}}',
        '{"name": "x", "query": {"EQ_action": ' + "[" * 5_000 + "]" * 5_000 + "}}",
        '{"name": "x", "name": "y", "query": {}}', '{"name": "x", "query": {"EQ_quantity": NaN}}',
    ],
    ids=lambda raw: raw[:50],
)  # fmt: skip
def test_a_query_that_is_written_to_hurt_is_refused(desk: Desk, raw: str) -> None:
    assert desk.post("/queries", raw).status == 400


def test_options_tells_what_is_possible(desk: Desk) -> None:
    desk.capture(facts(bizStep="shipping"))
    for url, allowed in (
        ("/", "OPTIONS, GET"), ("/capture", "OPTIONS, GET, POST"), ("/events", "OPTIONS, GET, POST"),
        ("/bizSteps/shipping/events", "OPTIONS, GET"), ("/queries", "OPTIONS, GET, POST"),
        ("/nextPageToken/x", "OPTIONS, DELETE"),
    ):  # fmt: skip
        told = desk.ask("OPTIONS", url)
        assert (told.status, told.headers["Allow"]) == (204, allowed)
        assert told.headers["GS1-EPCIS-Max"] == "2.0.0"
        assert told.headers["GS1-Vendor-Version"].startswith("jinka-")
    limits = desk.ask("OPTIONS", "/capture").headers
    assert (limits["GS1-EPCIS-Capture-Limit"], limits["GS1-Capture-Error-Behaviour"]) == ("10000", "all")


@pytest.mark.parametrize(
    ("method", "url", "allowed"),
    [
        ("PUT", "/events", "OPTIONS, GET, POST"), ("DELETE", "/capture", "OPTIONS, GET, POST"),
        ("POST", "/epcs", "OPTIONS, GET"), ("GET", "/nextPageToken/x", "OPTIONS, DELETE"),
        ("BREW", "/", "OPTIONS, GET"),
    ],
)  # fmt: skip
def test_a_method_that_a_resource_lacks_is_refused(desk: Desk, method: str, url: str, allowed: str) -> None:
    refused = desk.ask(method, url)
    assert (refused.status, refused.json["fix"]) == (405, allowed)


def test_a_caller_without_a_name_is_turned_away_before_anything_else(
    fresh_sqlite: Callable[[], Path],
) -> None:
    def admit(headers: Any) -> Caller:
        if headers.get("authorization") != "Bearer me":
            raise Unauthorised("unknown", where="Authorization")
        return Caller(name="me")

    with desk_at(fresh_sqlite(), admit=admit) as desk:
        refused = desk.post("/capture", document(facts()))
        assert (refused.status, refused.problem) == (401, "SecurityException Authorization")
        done = desk.post("/capture", document(facts()), Authorization="Bearer me")
        assert done.status == 202
        job = done.headers["Location"].removeprefix("http://epcis")
        assert desk.get(job, Authorization="Bearer me").status == 200
        desk.services.store.capture([], job="others", captured_by="they")
        assert len(desk.get("/capture", Authorization="Bearer me").json) == 1
        assert desk.get("/capture/others", Authorization="Bearer me").status == 404
