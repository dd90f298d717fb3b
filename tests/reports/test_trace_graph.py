"""The drawing and the JSON of a graph. Goal: nothing is lost or injected. Method: small chains, read back as XML."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

from jinka.codec.epcis import Event
from jinka.reports import Language
from jinka.reports.trace_graph import break_texts, draw_graph, graph_facts, short_name
from jinka.trace.provenance import Graph, graph_of
from jinka.trace.spread import Seed, spread_back, spread_forward
from tests.trace.chains import MemoryLinks, case, item, lot, made, packed, parts, seen

_SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = 'urn:x:<script>alert("1")</script>&'
CHAIN = [
    made(
        1, [HOSTILE], [item(n) for n in range(30)], lot="A", where=1, used=parts((lot("W", "099999"), "12.5"))
    ),
    packed(2, case(1), *(item(n) for n in range(20)), where=1),
    seen(3, "receiving", 2, item(29)),
]


def _graph(events: list[Event], name: str, *, forward: bool = True) -> Graph:
    links = MemoryLinks(events)
    return graph_of(links, (spread_forward if forward else spread_back)(links, [Seed(links.number(name))]))


def _texts(svg: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(svg).iter(f"{_SVG}text")]


def test_items_that_stand_alike_are_one_box_and_the_rest_is_all_there() -> None:
    svg = draw_graph(_graph(CHAIN, lot("W", "099999")))
    texts = _texts(svg)
    assert {"Item × 20", "Item × 9", "Item", "Transformation", "1970-01-01 01:00Z"} <= set(texts)
    assert texts.count("Lot") == 2
    assert "12.5 KGM" in texts
    assert "Where 04012340999990 [W] went" in texts
    assert "来源：04012340111220 #3" in _texts(
        draw_graph(_graph(CHAIN, item(3), forward=False), language=Language.ZH)
    )


def test_what_stands_in_a_name_is_text() -> None:
    root = ET.fromstring(draw_graph(_graph(CHAIN, item(3), forward=False)))
    assert {each.tag.removeprefix(_SVG) for each in root.iter()} <= {
        "svg", "title", "style", "defs", "marker", "path", "text", "g", "rect",
    }  # fmt: skip
    assert any(HOSTILE in (each.text or "") for each in root.iter(f"{_SVG}title"))


def test_breaks_are_written_below_in_both_languages() -> None:
    graph = _graph(CHAIN, item(29), forward=False)
    assert any("nobody made it" in text for text in break_texts(graph, Language.EN))
    assert any("未发货即到达" in text for text in _texts(draw_graph(graph, language=Language.ZH)))


def test_a_ring_of_packing_is_drawn_too() -> None:
    ring = [packed(1, case(2), case(1)), packed(2, case(3), case(2)), packed(3, case(1), case(3))]
    assert "packed into itself" not in draw_graph(_graph(ring, case(1)))
    assert any(
        "lies in something that lies in it" in text for text in _texts(draw_graph(_graph(ring, case(1))))
    )


def test_the_same_as_json() -> None:
    facts = json.loads(json.dumps(graph_facts(_graph(CHAIN, item(3), forward=False), {1: "urn:uuid:1"})))
    assert facts["direction"] == "back"
    used = [e for e in facts["edges"] if e["kind"] == "use" and e["quantity"]]
    assert used[0] | {"to": ""} == {
        "from": lot("W", "099999"), "to": "", "kind": "use", "since": "1970-01-01T01:00:00Z",
        "until": "1970-01-01T01:00:00Z", "events": ["urn:uuid:1"], "ending": None, "quantity": "12.5", "uom": "KGM",
    }  # fmt: skip
    assert [s["place"] for s in facts["journeys"][item(3)]]
    stay = next(e for e in facts["edges"] if e["kind"] == "pack")
    assert (stay["until"], stay["ending"]) == (None, "still inside")


def test_short_names() -> None:
    assert short_name(item(7)) == "04012340111220 #7"
    assert short_name(lot("A")) == "04012340111220 [A]"
    assert short_name(case(5)) == "(00) 000000000000000005"
    assert short_name("urn:x:y") == "urn:x:y"
