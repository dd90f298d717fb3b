"""Access to a repository. Goal: each participant sees its part of a chain, by query, by id and along the chain.

Method: a farm, a mill, a shop and a spy capture through the interface with tokens of their own; every way to ask is
tried.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from jinka.app.trace_access import list_looks, list_participants, put_participant, stop_participant
from jinka.app.trace_lineage import trace
from jinka.codec.epcis import Action, ErrorDeclaration, Event, EventType
from jinka.codec.epcis.json_writer import write_event
from jinka.codec.epcis.model import Extension, Kind, Place
from jinka.codec.tags import canonical_id
from jinka.crypto.x509_keys import KeyKind
from jinka.kit import NotFound, Usage
from jinka.reports import Language
from jinka.trace.access import HIDDEN
from jinka.trace.lineage import EdgeKind
from tests.app.access_rig import HOUR, STEP, Rig, rig_at, seen
from tests.crypto.test_detached_jws import make_papers
from tests.trace.test_access import DOOR, FIELD, FOREIGN, HALL, MINE, OTHER, STORE

CASE = "urn:epc:id:sscc:4012345.0000000001"


@pytest.fixture
def open_rig(fresh_sqlite: Callable[[], Path], tmp_path: Path) -> Iterator[Callable[[str], Rig]]:
    with ExitStack() as open_ones:
        yield lambda access: open_ones.enter_context(rig_at(fresh_sqlite(), tmp_path, access))


CHAIN = (
    ("farm", replace(seen(1, "commissioning", FIELD, MINE, OTHER), action=Action.ADD)),
    ("farm", seen(2, "shipping", FIELD, MINE, OTHER, to=HALL)),
    ("mill", seen(3, "receiving", HALL, MINE)),
    ("mill", seen(4, "inspecting", HALL, MINE)),
    ("mill", seen(5, "shipping", HALL, MINE, to=STORE)),
    ("shop", seen(6, "receiving", STORE, MINE)),
    ("spy", seen(7, "inspecting", DOOR, MINE)),
)


def _steps(events: list[Event]) -> list[str]:
    return [(event.biz_step or "").removeprefix(STEP) for event in events]


def test_each_sees_its_part_and_the_rest_as_the_policy_has_it(open_rig: Callable[[str], Rig]) -> None:
    rig = open_rig("required = true")
    rig.people()
    assert [rig.capture(who, event) for who, event in CHAIN] == [201] * len(CHAIN)
    everything = _steps(rig.events("state"))
    assert len(everything) == len(CHAIN)
    mill = rig.events("mill")
    assert _steps(mill) == everything  # its own whole, of others what is about the thing that it had
    # the farm's commissioning: the mill is not named in it, so its place is hidden; both things came to the mill
    assert mill[0].epcs == (MINE, OTHER)
    assert mill[0].read_point is not None
    assert mill[0].read_point.id.startswith(HIDDEN)
    # the shipment names the mill: whole, with the other thing, which was sent to it as well
    assert (mill[1].epcs, mill[1].read_point) == ((MINE, OTHER), Place(id=FIELD))
    # the spy sees its own claim and nothing else, whatever it captured
    assert _steps(rig.events("spy")) == ["inspecting"]
    assert rig.events("spy")[0].event_time_us == 7 * HOUR
    shop = rig.events("shop")
    assert shop[0].epcs[0] == MINE
    assert shop[0].epcs[1].startswith(HIDDEN)  # this one stayed at the mill
    assert shop[0].epcs[1] == shop[1].epcs[1]
    assert [event.event_time_us // HOUR for event in shop if HIDDEN not in repr(event)] == [5, 6]


def test_whether_an_event_passes_tells_nothing_that_is_hidden(open_rig: Callable[[str], Rig]) -> None:
    rig = open_rig("required = true")
    rig.people()
    for who, event in CHAIN:
        rig.capture(who, event)
    for query in (
        ("EQ_readPoint", FIELD),
        ("EQ_bizLocation", FIELD),
        ("MATCH_epc", OTHER),
        ("EQ_destination_location", HALL),
    ):
        assert rig.events("shop", query) == [], query
    rig.tokens = {**rig.tokens, "poor": put_participant(rig.file, "poor")["token"]}  # owns nothing
    for query in (("EQ_readPoint", FIELD), ("MATCH_epc", OTHER), ("EQ_bizStep", "commissioning")):
        assert rig.events("poor", query) == [], query
    own = replace(seen(9, "x", HALL, MINE), biz_step="https://mill.example/steps/kneading")
    assert rig.capture("mill", own) == 201
    assert rig.events("shop", ("EQ_bizStep", "https://mill.example/steps/kneading")) == []
    assert "mill.example" not in repr(rig.events("shop"))
    pattern = ("MATCH_epc", "urn:epc:idpat:sgtin:4012345.*.*")
    assert _steps(rig.events("shop", pattern)) == ["receiving"]  # its own
    assert _steps(rig.events("shop", ("EQ_readPoint", STORE))) == ["receiving"]
    assert len(rig.events("shop", ("MATCH_epc", MINE), ("EQ_bizStep", "commissioning"))) == 1
    assert rig.ask("shop", "GET", "epcs")[0] == 403
    assert rig.ask("state", "GET", "epcs")[0] == 200
    known, unknown = (rig.ask("spy", "GET", "epcs", epc, "events") for epc in (OTHER, FOREIGN))
    assert known[0] == unknown[0] == 200
    assert known[1]["epcisBody"]["queryResults"]["resultsBody"]["eventList"] == []
    first = rig.events("state")[0].event_id
    assert first is not None
    for method, there in (("GET", 200), ("OPTIONS", 204)):
        assert rig.ask("spy", method, "events", first)[0] == 404
        assert rig.ask("farm", method, "events", first)[0] == there


def test_what_came_in_a_container_was_in_one_s_hands(open_rig: Callable[[str], Rig]) -> None:
    rig = open_rig("required = true")
    rig.people()
    pack = Event(
        event_type=EventType.AGGREGATION, event_time_us=2 * HOUR, zone_offset="+08:00", action=Action.ADD,
        parent_id=CASE, child_epcs=(MINE,), biz_step=STEP + "packing", read_point=Place(id=FIELD),
    )  # fmt: skip
    stolen = replace(
        pack,
        parent_id="urn:epc:id:sscc:7777777.0000000001",
        event_time_us=3 * HOUR,
        read_point=Place(id=DOOR),
    )
    for who, event in (
        ("farm", replace(seen(1, "commissioning", FIELD), action=Action.ADD)), ("farm", pack),
        ("spy", stolen), ("farm", seen(4, "shipping", FIELD, CASE, to=HALL)),
        ("mill", seen(5, "receiving", HALL, CASE)),
    ):  # fmt: skip
        assert rig.capture(who, event) == 201
    assert _steps(rig.events("mill", ("MATCH_epc", MINE))) == ["commissioning", "packing", "packing"]
    assert _steps(rig.events("spy")) == ["packing"]  # its own word


def test_who_is_not_known_is_not_let_in_and_every_look_is_written_down(
    open_rig: Callable[[str], Rig],
) -> None:
    rig = open_rig("required = true")
    rig.people()
    for who in ("", "wrong", "jkt_"):
        assert rig.ask(who, "GET", "events")[0] == 401
    assert rig.ask("", "GET", "events", authorization="Basic eDp5")[0] == 401
    rig.capture(*CHAIN[0])
    rig.events("spy", ("EQ_bizStep", "commissioning"))
    rig.events("farm")
    looks = list_looks(rig.file, "", 9)
    assert [(look["participant"], look["shown"], look["hidden"]) for look in looks] == [
        ("farm", 1, 0),
        ("spy", 0, 1),
    ]
    assert "commissioning" in looks[1]["what"]
    assert list_looks(rig.file, "farm", 9) == looks[:1]
    listed = json.dumps(list_participants(rig.file))
    assert not any(token[4:] in listed for token in rig.tokens.values())
    stop_participant(rig.file, "spy")
    assert rig.ask("spy", "GET", "events")[0] == 401
    with pytest.raises(NotFound):
        stop_participant(rig.file, "nobody")


def test_a_certificate_names_its_participant_and_a_changed_one_keeps_its_token(
    open_rig: Callable[[str], Rig],
) -> None:
    rig = open_rig("required = true")
    token = put_participant(rig.file, "farm", certificate="farm.example")["token"]
    assert rig.ask("", "GET", "events", **{"jinka-peer": "farm.example"})[0] == 200
    assert rig.ask("", "GET", "events", **{"jinka-peer": "mill.example"})[0] == 401
    assert "token" not in put_participant(rig.file, "farm", owns=["4012345"])
    assert rig.ask(token, "GET", "events")[0] == 200
    with pytest.raises(Usage):
        put_participant(rig.file, "farm", up="everything")


def test_where_nobody_has_to_be_known_everybody_sees_everything(open_rig: Callable[[str], Rig]) -> None:
    rig = open_rig("")
    assert rig.capture("", CHAIN[0][1]) == 201
    assert len(rig.events("")) == 1
    assert rig.ask("wrong", "GET", "events")[0] == 401


@pytest.mark.parametrize("kind", [KeyKind.ECDSA, KeyKind.SM2], ids=lambda kind: kind.name)
def test_a_capture_is_taken_with_its_signer_s_signature_alone(
    open_rig: Callable[[str], Rig], tmp_path: Path, kind: KeyKind
) -> None:
    papers, other = make_papers(kind), make_papers(kind, name="mill")
    (anchor,) = papers.trust.anchors
    pem = f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(anchor.der).decode()}-----END CERTIFICATE-----\n"
    (tmp_path / "anchors.pem").write_text(pem, encoding="ascii")
    rig = open_rig('signatures = "required"\nanchors = "anchors.pem"')
    rig.people()
    event = CHAIN[0][1]
    body = write_event(event)
    name = "gs1-signature"
    for who, signature in (
        ("farm", ""), ("farm", papers.sign(body + b" ")), ("farm", other.sign(body)), ("mill", papers.sign(body)),
        ("farm", "x"), ("farm", "." * 9),
    ):  # fmt: skip
        status, told = rig.ask(who, "POST", "events", body=body, **{name: signature})
        assert (status, told["type"]) == (401, "epcisException:SecurityException"), signature[:20]
    assert rig.capture("farm", event, **{name: papers.sign(body)}) == 201
    assert rig.ask("farm", "POST", "capture", body=body)[0] == 401
    assert len(rig.events("state")) == 1


@pytest.mark.parametrize(
    "table", ['required = "yes"', 'signatures = "never"', 'signatures = "required"', "door = 1"]
)
def test_a_file_that_says_something_else_is_refused(open_rig: Callable[[str], Rig], table: str) -> None:
    with pytest.raises(Usage, match="access"):
        open_rig(table)


def test_a_chain_is_followed_with_one_s_own_eyes(open_rig: Callable[[str], Rig]) -> None:
    rig = open_rig("required = true")
    rig.people()
    bread = "urn:epc:id:sgtin:6901234.012345.1"
    bake = Event(
        event_type=EventType.TRANSFORMATION, event_time_us=5 * HOUR, zone_offset="+08:00", input_epcs=(MINE,),
        output_epcs=(bread,), read_point=Place(id=HALL), biz_step=STEP + "commissioning",
    )  # fmt: skip
    rig.tokens = {
        **rig.tokens,
        "mill": put_participant(rig.file, "mill", owns=[HALL], down="whole", new_token=True)["token"],
    }
    rig.put("brand", owns=["6901234"], captures=[HALL])
    for who, event in (
        *CHAIN[:3], ("brand", seen(4, "encoding", HALL, bread)), ("mill", bake),
        ("mill", seen(6, "shipping", HALL, bread, to=STORE)), ("shop", seen(7, "receiving", STORE, bread)),
    ):  # fmt: skip
        assert rig.capture(who, event) == 201
    whole = trace(str(rig.file), [bread], forward=False).graph
    mine = trace(str(rig.file), [bread], forward=False, viewer="shop")
    assert [(e.source, e.target, e.kind) for e in mine.graph.edges] == [
        (e.source, e.target, e.kind) for e in whole.edges
    ]
    names = {node.name for node in mine.graph.nodes}
    told = json.dumps(mine.facts())
    assert canonical_id(bread) in names
    assert canonical_id(MINE) in names  # the mill shares its baking whole with those behind it
    assert canonical_id(HALL) in told
    assert canonical_id(FIELD) not in told  # the farm's place: redacted
    assert canonical_id(OTHER) not in told
    assert "<svg" in mine.svg(Language.EN)
    assert list_looks(rig.file, "shop", 1)[0]["what"].startswith("back ")
    with pytest.raises(NotFound):
        trace(str(rig.file), [bread], forward=False, viewer="spy")
    closed = put_participant(rig.file, "mill", owns=[HALL], down="nothing")
    assert closed["down"] == "nothing"
    hidden = trace(str(rig.file), [bread], forward=False, viewer="shop")
    assert len(hidden.graph.edges) == len(whole.edges)
    assert canonical_id(MINE) not in json.dumps(hidden.facts())
    use = next(edge for edge in hidden.graph.edges if edge.kind is EdgeKind.USE)
    assert use.events == ()
    assert "<svg" in hidden.svg(Language.ZH)


def test_only_who_captured_an_event_or_who_sees_all_declares_it_an_error(
    open_rig: Callable[[str], Rig],
) -> None:
    rig = open_rig("required = true")
    rig.people()
    event, other, early = (replace(CHAIN[1][1], event_time_us=hour * HOUR) for hour in (2, 3, 4))

    def void(one: Event) -> Event:
        return replace(one, error=ErrorDeclaration(declaration_time_us=9 * HOUR))

    assert [rig.capture("farm", one) for one in (event, other)] == [201, 201]
    status, told = rig.ask("mill", "POST", "events", body=write_event(void(event)))  # which it sees whole
    assert (status, told["where"]) == (403, "/readPoint")
    rig.put("mill", captures=["4012345"])
    status, told = rig.ask("mill", "POST", "events", body=write_event(void(event)))
    assert (status, told["where"]) == (400, "/errorDeclaration")
    assert rig.capture("mill", void(early)) == 400  # nor before it comes
    assert rig.capture("farm", early) == 201
    assert [one.error for one in rig.events("farm")] == [None] * 3
    assert [rig.capture("farm", void(event)), rig.capture("state", void(other))] == [201, 201]
    assert [one.error is not None for one in rig.events("farm")] == [False] * 3 + [True] * 2


def test_an_order_tells_nothing_of_values_that_are_hidden(open_rig: Callable[[str], Rig]) -> None:
    rig = open_rig("required = true")
    rig.people()
    for (who, event), price in zip(CHAIN[:4], ("7", "5", "3", "9"), strict=True):
        said = Extension(namespace="https://x.example/", name="price", text=price, kind=Kind.NUMBER)
        assert rig.capture(who, replace(event, extensions=(said,))) == 201
    order = ("orderBy", "https://x.example/price"), ("orderDirection", "ASC")
    # prices of the farm that the mill is not shown have no place in the mill's order
    assert _steps(rig.events("mill", *order)) == ["receiving", "inspecting"]
    assert _steps(rig.events("state", *order)) == ["receiving", "shipping", "commissioning", "inspecting"]
    assert _steps(rig.events("mill", ("orderBy", "eventTime"), order[1]))[0] == "commissioning"


def test_a_limit_counts_no_event_that_is_hidden(open_rig: Callable[[str], Rig]) -> None:
    rig = open_rig("required = true")
    rig.people()
    assert [rig.capture(who, event) for who, event in CHAIN] == [201] * len(CHAIN)
    step = ("EQ_bizStep", "shipping")  # two, and none is the spy's
    assert rig.events("spy", step, ("maxEventCount", "1")) == []
    assert rig.ask("state", "GET", "events", query=(step, ("maxEventCount", "1")))[0] == 413
    assert _steps(rig.events("shop", ("EQ_bizStep", "receiving"), ("eventCountLimit", "1"))) == ["receiving"]
    assert rig.events("shop", ("EQ_bizStep", "receiving"), ("eventCountLimit", "1"))[0].read_point == Place(
        id=STORE
    )
