"""A graph of provenance as one SVG file: from left (before) to right (after), readable on paper and in the dark.

No script, no font and no network. Things that stand in the same relations to the same others are one box with their
number, so a lot of five hundred items is two boxes. Full edges are of matter, dashed ones tell where a thing lay.
Broken places of the chain are marked and listed below the drawing. The data behind it is the answer as JSON.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from jinka.reports.words import Language
from jinka.trace.holding import Standing
from jinka.trace.lineage import EdgeKind, NodeSort
from jinka.trace.provenance import Break, Graph, GraphEdge, GraphNode
from jinka.trace.stays import BEFORE_US, FOREVER_US

BOXES_MAX = 400
_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _EDGE = 216, 62, 92, 18, 28
_SORTS = {
    NodeSort.ITEM: ("Item", "单品"), NodeSort.LOT: ("Lot", "批次"), NodeSort.CLASS: ("Class", "品类"),
    NodeSort.TRANSFORMATION: ("Transformation", "加工"), NodeSort.PLACE: ("Place", "地点"),
    NodeSort.CONTAINER: ("Logistic unit", "物流单元"), NodeSort.OTHER: ("Thing", "物品"),
}  # fmt: skip
_STANDINGS = {
    Standing.HELD: ("at", "位于"), Standing.ON_ITS_WAY: ("on its way to", "发往"), Standing.SOLD: ("sold at", "售于"),
    Standing.DESTROYED: ("destroyed at", "销毁于"), Standing.USED: ("used up at", "使用于"),
    Standing.UNKNOWN: ("never seen", "无记录"),
}  # fmt: skip
_STYLE = """
svg{background:var(--back);font:12px/1.3 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;
--back:#fff;--ink:#1b2430;--soft:#5b6878;--line:#8a97a8;--box:#f3f6fa;--edge:#c9d2de;--seed:#0b57d0;--make:#0a7d4f;
--lot:#9a5b00;--warn:#b3261e}
@media(prefers-color-scheme:dark){svg{--back:#12171e;--ink:#e6ebf2;--soft:#9aa7b8;--line:#7b8898;--box:#1c242e;
--edge:#364352;--seed:#8ab4f8;--make:#6dd3a3;--lot:#f0b35e;--warn:#f2857c}}
text{fill:var(--ink)}.soft{fill:var(--soft);font-size:11px}.head{font-size:15px;font-weight:600}
rect{fill:var(--box);stroke:var(--edge)}.item rect{stroke:var(--line)}.transformation rect{stroke:var(--make)}
.lot rect,.class rect{stroke:var(--lot)}.context rect{stroke-dasharray:4 3}
.seed rect{stroke:var(--seed);stroke-width:2.5}
.broken rect{stroke:var(--warn);stroke-width:2}.sort{font-size:11px;fill:var(--soft)}.name{font-weight:600}
path{fill:none;stroke:var(--line);stroke-width:1.4}path.stay{stroke-dasharray:5 4}.mark,.warn{fill:var(--warn)}
marker path{fill:var(--line);stroke:none}
"""


@dataclass(slots=True, kw_only=True)
class _Box:
    """One or several nodes that stand in the same relations."""

    nodes: list[GraphNode]
    layer: int = 0
    row: float = 0.0
    x: float = 0.0
    y: float = 0.0


def draw_graph(graph: Graph, *, language: Language = Language.EN) -> str:
    """The drawing. It never leaves something out silently: what does not fit is counted in its last line."""
    boxes, home = _boxes(graph)
    shown = boxes[:BOXES_MAX]
    kept = {id(box) for box in shown}
    edges = sorted(
        {
            (id(home[e.source]), id(home[e.target]), e.kind is EdgeKind.PACK): e
            for e in _drawn(graph.edges)
            if id(home[e.source]) in kept
            and id(home[e.target]) in kept
            and home[e.source] is not home[e.target]
        }.values(),
        key=lambda e: (e.since_us, e.source, e.target),
    )
    _place(shown, edges, home)
    zh = language is Language.ZH
    broken = {each.node for each in graph.breaks}
    width = max((box.x + _WIDTH for box in shown), default=400) + _EDGE
    bottom = max((box.y + _HEIGHT for box in shown), default=120) + _EDGE
    notes = _notes(graph, zh=zh, left_out=len(boxes) - len(shown))
    height = bottom + 18 * len(notes) + (_EDGE if notes else 0)
    title = _title(graph, zh=zh)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" '
        f'height="{_n(height)}" role="img" lang="{"zh-CN" if zh else "en"}">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z"/></marker></defs>',
        f'<text class="head" x="{_EDGE}" y="30">{escape(title)}</text>',
    ]
    parts += [_edge(e, home[e.source], home[e.target], zh=zh) for e in edges]
    parts += [_box(box, graph.names, broken, zh=zh) for box in shown]
    for n, (text, warn) in enumerate(notes):
        kind, y = "warn" if warn else "soft", _n(bottom + 18 * n + 12)
        parts.append(f'<text class="{kind}" x="{_EDGE}" y="{y}">{escape(text)}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _drawn(edges: Sequence[GraphEdge]) -> list[GraphEdge]:
    """Without the way from a transformation to an item where the item's lot, made by it, stands between them."""
    makes = {(e.source, e.target) for e in edges if e.kind is EdgeKind.MAKE}
    lots: dict[int, set[int]] = defaultdict(set)
    for edge in edges:
        if edge.kind is EdgeKind.MEMBER:
            lots[edge.target].add(edge.source)
    return [
        e
        for e in edges
        if e.kind is not EdgeKind.MAKE or not any((e.source, lot) in makes for lot in lots.get(e.target, ()))
    ]


def _boxes(graph: Graph) -> tuple[list[_Box], dict[int, _Box]]:
    """Nodes that cannot be told apart in the drawing are one box."""
    before: dict[int, set[int]] = defaultdict(set)
    after: dict[int, set[int]] = defaultdict(set)
    for edge in graph.edges:
        before[edge.target].add(edge.source)
        after[edge.source].add(edge.target)
    broken = {each.node for each in graph.breaks}
    groups: dict[object, _Box] = {}
    for node in graph.nodes:
        alone = node.seed or node.number in broken or node.sort is NodeSort.TRANSFORMATION
        place = node.holding.holder if node.holding is not None else 0
        standing = node.holding.standing if node.holding is not None else None
        key: object = node.number if alone else (
            node.sort, node.context, frozenset(before[node.number]), frozenset(after[node.number]), place, standing
        )  # fmt: skip
        groups.setdefault(key, _Box(nodes=[])).nodes.append(node)
    boxes = list(groups.values())
    return boxes, {node.number: box for box in boxes for node in box.nodes}


def _place(boxes: list[_Box], edges: list[GraphEdge], home: Mapping[int, _Box]) -> None:
    """Layers by the longest way from the beginning, rows by the middle of the neighbours."""
    pairs = [(home[e.source], home[e.target]) for e in edges]
    for _ in range(len(boxes)):
        moved = False
        for source, target in pairs:
            if target.layer <= source.layer < len(boxes) - 1:
                target.layer, moved = source.layer + 1, True
        if not moved or max(box.layer for box in boxes) >= len(boxes) - 1:
            break  # a cycle of packing never settles
    layers: dict[int, list[_Box]] = defaultdict(list)
    for box in boxes:
        layers[box.layer].append(box)
    near: dict[int, list[_Box]] = defaultdict(list)
    for source, target in pairs:
        near[id(source)].append(target)
        near[id(target)].append(source)
    for layer in layers.values():
        for n, box in enumerate(layer):
            box.row = n - len(layer) / 2
    for sweep in range(8):
        for number in sorted(layers, reverse=bool(sweep % 2)):
            layer = layers[number]
            layer.sort(
                key=lambda b: sum(o.row for o in near[id(b)]) / len(near[id(b)]) if near[id(b)] else b.row
            )
            for n, box in enumerate(layer):
                box.row = n - len(layer) / 2
    tallest = max((len(layer) for layer in layers.values()), default=1)
    for column, number in enumerate(sorted(layers)):
        for n, box in enumerate(layers[number]):
            box.x = _EDGE + column * (_WIDTH + _GAP_X)
            box.y = 52 + (n + (tallest - len(layers[number])) / 2) * (_HEIGHT + _GAP_Y)


def _box(box: _Box, names: Mapping[int, str], broken: set[int], *, zh: bool) -> str:
    node = box.nodes[0]
    marks = [node.sort.name.lower()]
    marks += ["context"] * node.context + ["seed"] * node.seed + ["broken"] * (node.number in broken)
    sort = _SORTS[node.sort][zh] + (f" × {len(box.nodes):,}" if len(box.nodes) > 1 else "")
    name = short_name(node.name) if len(box.nodes) == 1 else f"{short_name(node.name)} …"
    if node.sort is NodeSort.TRANSFORMATION:
        name = _time(node.holding.since_us) if node.holding is not None else ""
    where = node_words(node, names, Language.ZH if zh else Language.EN)[3]
    full = "\n".join(each.name for each in box.nodes[:20])
    lines = [
        f'<text class="sort" x="{_n(box.x + 10)}" y="{_n(box.y + 18)}">{escape(sort)}</text>',
        f'<text class="name" x="{_n(box.x + 10)}" y="{_n(box.y + 35)}">{escape(_fit(name, 28))}</text>',
        f'<text class="soft" x="{_n(box.x + 10)}" y="{_n(box.y + 52)}">{escape(_fit(where, 31))}</text>',
    ]
    if node.number in broken:
        lines.append(f'<text class="mark" x="{_n(box.x + _WIDTH - 18)}" y="{_n(box.y + 19)}">⚠</text>')
    return (
        f'<g class="{" ".join(marks)}"><title>{escape(full)}</title>'
        f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_WIDTH}" height="{_HEIGHT}" rx="7"/>{"".join(lines)}</g>'
    )


def _edge(edge: GraphEdge, source: _Box, target: _Box, *, zh: bool) -> str:
    x1, y1 = source.x + _WIDTH, source.y + _HEIGHT / 2
    x2, y2 = target.x, target.y + _HEIGHT / 2
    bend = max(30.0, abs(x2 - x1) / 2)
    stay = edge.kind is EdgeKind.PACK
    since = _time(edge.since_us)
    said = f"{since} – {_time(edge.until_us)}" if stay else since
    if edge.ending is not None:
        said += f" · {edge.ending.value[1 if zh else 0]}"
    if edge.quantity is not None:
        said += f" · {edge.quantity} {edge.uom or ''}".rstrip()
    label = f"{edge.quantity} {edge.uom or ''}".strip() if edge.quantity else ""
    middle = (
        f'<text class="soft" text-anchor="middle" x="{_n((x1 + x2) / 2)}" y="{_n((y1 + y2) / 2 - 5)}">'
        f"{escape(_fit(label, 14))}</text>"
        if label
        else ""
    )
    return (
        f'<g><title>{escape(said)}</title><path class="{"stay" if stay else "matter"}" marker-end="url(#end)" '
        f'd="M{_n(x1)} {_n(y1)}C{_n(x1 + bend)} {_n(y1)} {_n(x2 - bend)} {_n(y2)} {_n(x2)} {_n(y2)}"/>{middle}</g>'
    )


def _notes(graph: Graph, *, zh: bool, left_out: int) -> list[tuple[str, bool]]:
    notes = [(_break_text(each, graph.names, zh=zh), True) for each in graph.breaks[:40]]
    if len(graph.breaks) > 40:
        more = len(graph.breaks) - 40
        notes.append((f"另有 {more} 处断链" if zh else f"and {more} more broken places", True))
    if left_out:
        notes.append((f"未画出 {left_out} 个方框" if zh else f"{left_out} boxes are not drawn", True))
    return notes


def _break_text(each: Break, names: Mapping[int, str], *, zh: bool) -> str:
    word = each.kind.value[1] if zh else each.kind.value[2]
    when = f" ({_time(each.at_us)})" if each.at_us > BEFORE_US else ""
    return f"⚠ {short_name(names.get(each.node, ''))}: {word}{when}"


def break_texts(graph: Graph, language: Language) -> list[str]:
    """Every broken place in words."""
    return [_break_text(each, graph.names, zh=language is Language.ZH) for each in graph.breaks]


def node_words(node: GraphNode, names: Mapping[int, str], language: Language) -> tuple[str, str, str, str]:
    """A row for a person: what it is, of what sort, how many steps away, and where."""
    zh = language is Language.ZH
    where = ""
    if node.holding is not None and node.holding.place:
        where = f"{_STANDINGS[node.holding.standing][zh]} {short_name(names.get(node.holding.holder, ''))}"
    name = short_name(node.name)
    if node.sort is NodeSort.TRANSFORMATION and node.holding is not None:
        name = _time(node.holding.since_us)
    return name, _SORTS[node.sort][zh], "" if node.context else str(node.depth), where


def _title(graph: Graph, *, zh: bool) -> str:
    seeds = [short_name(node.name) for node in graph.nodes if node.seed]
    listed = ", ".join(seeds[:3]) + (" …" if len(seeds) > 3 else "")
    if graph.forward:
        return f"去向：{listed}" if zh else f"Where {listed} went"
    return f"来源：{listed}" if zh else f"Where {listed} comes from"


def short_name(name: str) -> str:
    """A canonical id as people say it: ``04012340111220 #17``, ``04012340111220 [A]``, ``(00) 1234...``."""
    path = name.removeprefix("https://id.gs1.org/").split("/")
    if path[0] == "01" and len(path) == 4:
        return f"{path[1]} #{path[3]}" if path[2] == "21" else f"{path[1]} [{path[3]}]"
    if path[0].isdigit() and len(path) >= 2 and name.startswith("https://id.gs1.org/"):
        return f"({path[0]}) {'/'.join(path[1:])}"
    return name


def _fit(text: str, most: int) -> str:
    """Shortened in its middle; Chinese characters count double."""
    wide = sum(2 if ord(c) > 0x2E7F else 1 for c in text)
    if wide <= most:
        return text
    keep = max(4, most // 2 - 1) if wide == len(text) else max(3, most // 4)
    return f"{text[:keep]}…{text[-keep:]}"


def _time(at_us: int) -> str:
    if at_us <= BEFORE_US:
        return "?"
    if at_us >= FOREVER_US:
        return "…"
    return f"{dt.datetime.fromtimestamp(at_us / 1e6, dt.UTC):%Y-%m-%d %H:%M}Z"


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def graph_facts(graph: Graph, events: Mapping[int, str]) -> dict[str, object]:
    """The answer as JSON can hold it; ``events`` are the ids of its events by their numbers."""
    name = graph.names.get

    def ids(numbers: Iterable[int]) -> list[str]:
        return [events.get(number, str(number)) for number in numbers if number]

    return {
        "direction": "forward" if graph.forward else "back",
        "nodes": [
            {
                "id": node.name, "kind": node.sort.name.lower(), "steps": max(node.depth, 0), "seed": node.seed,
                "context": node.context,
                "standing": node.holding.standing.value[0] if node.holding else None,
                "place": name(node.holding.place) if node.holding else None,
                "holder": name(node.holding.holder) if node.holding else None,
            }
            for node in graph.nodes
        ],
        "edges": [
            {
                "from": name(edge.source), "to": name(edge.target), "kind": edge.kind.name.lower(),
                "since": _iso(edge.since_us), "until": _iso(edge.until_us), "events": ids(edge.events),
                "ending": edge.ending.value[0] if edge.ending else None, "quantity": edge.quantity, "uom": edge.uom,
            }
            for edge in graph.edges
        ],
        "breaks": [
            {"id": name(each.node), "kind": each.kind.value[0], "why": each.kind.value[2], "at": _iso(each.at_us),
             "events": ids([each.event])}
            for each in graph.breaks
        ],
        "journeys": {
            graph.names[node]: [
                {"at": _iso(s.at_us), "place": name(s.place), "step": s.step.word, "event": ids([s.event])[0],
                 "inside": name(s.inside)}
                for s in sights
            ]
            for node, sights in graph.journeys.items()
        },
    }  # fmt: skip


def _iso(at_us: int) -> str | None:
    if not BEFORE_US < at_us < FOREVER_US:
        return None
    return dt.datetime.fromtimestamp(at_us / 1e6, dt.UTC).isoformat().replace("+00:00", "Z")
