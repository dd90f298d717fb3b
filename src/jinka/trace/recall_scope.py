"""The scope of a recall out of a walk: which things, why each, who holds them, and what each holder must account for.

It counts items and weighs lots. A lot whose items are known one by one is told by them; where a quantity of it moved on
its own, the balance of its mass says where the rest is. What was sold is the seller's to tell the public of; what was
used up is told by its products, which are in the scope themselves.
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

from jinka.trace.balance import LotBalance, balance_of
from jinka.trace.holding import Holding, Standing, holdings
from jinka.trace.lineage import EdgeKind, NodeSort
from jinka.trace.recall import MORE_OF, SAID_ITEMS, SOLD_ITEMS, SOLD_OF, HolderScope, Line, Scope
from jinka.trace.recall_doubts import Sober, said_at
from jinka.trace.spread import Links, NamedLinks, Spread
from jinka.trace.stays import BEFORE_US, FOREVER_US, Rows

_WORDS = {standing: standing.value[0] for standing in Standing}
_COUNTED = (int(NodeSort.ITEM), int(NodeSort.OTHER))
_THERE = (Standing.HELD, Standing.ON_ITS_WAY, Standing.SOLD)
_ASKED_FOR = frozenset(_WORDS[each] for each in _THERE)
_MOVED = frozenset({EdgeKind.AT, EdgeKind.SENT, EdgeKind.USE, EdgeKind.PACK, EdgeKind.ATTACH})


class Part(IntEnum):
    """What a thing has to do with a recall. The numbers are kept in stores."""

    AFFECTED = 0
    CARRIER = 1  # it holds something affected now
    LIMIT = 2  # some of it may be affected, and nobody knows which


class Thing(NamedTuple):
    """One thing of a scope: how it was reached, and where it is."""

    node: int
    part: Part
    via: int
    kind: int
    event: int
    standing: str
    place: int
    holder: int


@dataclass(slots=True, kw_only=True)
class FoundScope:
    """A scope with its things, and the balances of its lots."""

    scope: Scope
    things: list[Thing]
    balances: dict[int, LotBalance] = field(default_factory=dict)


def scope_of(links: NamedLinks, found: Spread, *, as_of_us: int, party_of: Callable[[str], str] = str,
             sober: Sober | None = None) -> FoundScope:  # fmt: skip
    """``party_of`` says who is at a place, by default the place itself. ``sober``: the same without what is doubted,
    which then says where things are; the doubtful may only add holders."""
    until_us = sober.until_us if sober else FOREVER_US
    nodes = [*found.things(), *(n for n in (sober.found.things() if sober else ()) if n not in found.reached)]
    counted = [node for node in nodes if node & 7 in (*_COUNTED, NodeSort.CONTAINER)]
    lots = [node for node in nodes if node & 7 == NodeSort.LOT]
    told = holdings(links, found, counted)
    where, balances = told, balances_of(links, found, lots, until_us=until_us)
    containers = _containers(links, found, balances)
    said = _Said()
    if sober is not None:
        where = _placed(sober, told)
        said.add_items(sober, found, told, where)
        said.add_lots(sober, found, balances, containers)
        balances = balances | balances_of(sober.links, sober.found, lots)
        containers = _placed(sober, _containers(links, found, balances))
    things = [_thing(found if n in found.reached else sober.found, n, where.get(n)) for n in nodes]  # type: ignore[union-attr]
    things += _carriers(links, found, sober)
    limits = found.limits | ({node for node in sober.links.ahead if node in found.rows} if sober else set())
    names = links.names(
        {
            *(holding.holder for holding in where.values() if holding.holder),
            *(holding.holder for holding in containers.values() if holding.holder),
            *(place for balance in balances.values() for place in balance.lies_at() if place),
            *(
                place
                for balance in balances.values()
                for place in (*balance.unsure_at(), *balance.sold, *balance.sold_some)
            ),
            *said.items,
            *(place for _, place in said.lots),
            *balances,
            *limits,
        }
    )
    unplaced = sum(not holding.holder and holding.standing is not Standing.USED for holding in where.values())
    scope = Scope(
        as_of_us=as_of_us,
        digest=_digest(nodes),
        things=len(nodes),
        holders=_holders(things, balances, containers, said, names, party_of),
        limits=tuple(sorted(names[node] for node in limits if node in names)),
        unplaced=unplaced,
        foreign=tuple(sorted((names[lot], uom) for lot, each in balances.items() for uom in each.foreign)),
    )
    return FoundScope(scope=scope, things=things, balances=balances)


def _placed(sober: Sober, told: Mapping[int, Holding]) -> dict[int, Holding]:
    """Where things are by what is not doubted; where that says nothing, by whatever was said."""
    plain = holdings(sober.links, sober.found, [node for node in told if node in sober.found.rows])
    return {
        node: plain[node] if node in plain and plain[node].standing is not Standing.UNKNOWN else each
        for node, each in told.items()
    }


class _Said:
    """Who else is said to have something: of whom nobody who is believed says it."""

    def __init__(self) -> None:
        self.items: dict[int, list[int]] = defaultdict(list)  # by place
        self.lots: set[tuple[int, int]] = set()  # lots and places

    def add_items(self, sober: Sober, found: Spread, told: Mapping[int, Holding],
                  where: Mapping[int, Holding]) -> None:  # fmt: skip
        suspect = {node for node, _ in sober.links.doubted}
        for node, each in where.items():
            last = told[node]
            if node & 7 not in _COUNTED or (last is each and node not in suspect):
                continue
            at: set[int] = set()
            if last.standing in _THERE and last.since_us <= sober.until_us:
                at.add(last.holder)
            if node in suspect:
                since = each.since_us if each is not last else BEFORE_US
                at |= said_at(sober, found.rows.get(node, ()), node, since)
            for place in at - {0, each.holder}:
                self.items[place].append(node)

    def add_lots(self, sober: Sober, found: Spread, balances: Mapping[int, LotBalance],
                 containers: Mapping[int, Holding]) -> None:  # fmt: skip
        for lot in {
            node for node, _ in sober.links.doubted if node & 7 == NodeSort.LOT and node in found.rows
        }:
            at = said_at(sober, found.rows[lot], lot, BEFORE_US)
            if lot in balances:
                balance = balances[lot]
                at |= balance.lies_at().keys() | balance.unsure_at() | balance.sold.keys() | balance.sold_some
            self.lots |= {(lot, containers[n].holder if n in containers else n) for n in at if n}


def _digest(nodes: Sequence[int]) -> str:
    packed = array("Q", sorted(nodes))
    if sys.byteorder == "little":
        packed.byteswap()
    return hashlib.sha256(packed.tobytes()).hexdigest()


def _digest_of(nodes: Sequence[int], got: Sequence[tuple[str, str]], lines: Sequence[Line]) -> str:
    told = [*sorted(got), *((line.subject, str(line.amount), line.uom) for line in lines)]
    return hashlib.sha256(f"{_digest(nodes)} {told!r}".encode()).hexdigest()


def _thing(found: Spread, node: int, holding: Holding | None) -> Thing:
    how = found.reached[node]
    standing, place, holder = ("", 0, 0) if holding is None else (
        _WORDS[holding.standing], holding.place, holding.holder
    )  # fmt: skip
    part = Part.LIMIT if node in found.limits else Part.AFFECTED
    return Thing(node, part, how.via, how.kind, how.event, standing, place, holder)


def _carriers(links: Links, found: Spread, sober: Sober | None) -> list[Thing]:
    now = [
        node
        for node, windows in found.carriers.items()
        if windows[-1][1] == FOREVER_US and node not in found.reached
    ]
    where = holdings(links, found, now)
    if sober is not None:
        where = _placed(sober, where)
    return [
        Thing(
            node,
            Part.CARRIER,
            node,
            EdgeKind.PACK,
            each.event,
            each.standing.value[0],
            each.place,
            each.holder,
        )
        for node, each in where.items()
    ]


def balances_of(
    links: NamedLinks, found: Spread, lots: Sequence[int], *, until_us: int = FOREVER_US
) -> dict[int, LotBalance]:
    """Of the lots that moved, or were made, as quantities until a moment; one that is told by its items needs none."""
    making: dict[int, list[tuple[int, int, int, int, int, int, str | None, str | None]]] = defaultdict(list)
    for row in links.arriving(sorted(lots), (EdgeKind.MAKE,)) if lots else ():
        if row[2] <= until_us:
            making[row[3]].append(row)
    told = {lot: [row for row in found.rows.get(lot, ()) if row[2] <= until_us] for lot in lots}
    moved = []
    for lot in lots:
        kinds = {row[1] for row in told[lot]}
        if kinds & _MOVED or (lot in making and EdgeKind.MEMBER not in kinds):
            moved.append(lot)
    if not moved:
        return {}
    others = {row[0] for lot in moved for row in making[lot]}
    others |= {row[3] for lot in moved for row in told[lot] if row[1] in _MOVED}
    around: dict[int, Rows] = {node: found.rows[node] for node in others if node in found.rows}
    missing: dict[int, list[tuple[int, int, int, int, int, int, str | None, str | None]]] = defaultdict(list)
    for row in links.leaving(sorted(others - around.keys())):
        missing[row[0]].append(row)
    around.update(missing)
    parties = _parties(links, [row for lot in moved for row in told[lot]])
    return {lot: balance_of(told[lot], making[lot], around, parties) for lot in moved}


def _parties(links: NamedLinks, rows: Rows) -> dict[int, set[int]]:
    """Which receivers a place answers for, among those that something was sent to and that never got it by name.

    A GLN is one number for a party, its site and the parts of the site; else events or master data tell.
    """
    places = {row[3] for row in rows if row[1] == EdgeKind.AT}
    open_ways = {row[3] for row in rows if row[1] == EdgeKind.SENT} - places
    if not open_ways:
        return {}
    names = links.names(places | open_ways)
    by_gln: dict[str, set[int]] = defaultdict(set)
    for node in open_ways:
        by_gln[_gln(names[node])].add(node)
    found = {place: set(by_gln.get(_gln(names[place]) or "-", ())) for place in places}
    for place, parties in links.parties(sorted(places)).items():
        found[place] |= open_ways.intersection(parties)
    return {place: ways for place, ways in found.items() if ways}


def _gln(name: str) -> str:
    """The GLN of a place or a party; empty for what has none."""
    _, _, rest = name.partition("/417/" if "/417/" in name else "/414/")
    return rest[:13]


def _containers(links: Links, found: Spread, balances: Mapping[int, LotBalance]) -> dict[int, Holding]:
    """Where the containers are in which amounts of lots lie."""
    wanted = {node for balance in balances.values() for node in (*balance.inside, *balance.came)}
    wanted = {node for node in wanted if node & 7 != NodeSort.PLACE and node}
    return holdings(links, found, sorted(wanted)) if wanted else {}


def _holders(things: Sequence[Thing], balances: Mapping[int, LotBalance], containers: Mapping[int, Holding],
             said: _Said, names: Mapping[int, str],
             party_of: Callable[[str], str]) -> tuple[HolderScope, ...]:  # fmt: skip
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    lots: dict[str, dict[tuple[str, str], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    known: dict[str, list[int]] = defaultdict(list)  # the things, and what ever came of the lots
    got: dict[str, list[tuple[str, str]]] = defaultdict(list)
    parties: dict[int, str] = {}

    def party(node: int) -> str:
        if node not in parties:
            parties[node] = party_of(names[node])
        return parties[node]

    own: dict[tuple[int, str], list[int]] = defaultdict(list)
    for t in things:
        if t[7] and t[0] & 7 in _COUNTED and not t[1]:
            own[t[7], t[5]].append(t[0])
    for (node, standing), some in own.items():
        counts[party(node)][standing] += len(some)
        known[party(node)] += some if standing in _ASKED_FOR else []
    for place, some in said.items.items():
        known[party(place)] += some
    for lot, balance in balances.items():
        for node, amount in balance.got.items():
            if node in names:
                got[party(node)].append((names[lot], str(amount)))
        for node, amount in balance.lies_at().items():
            place = containers[node].holder if node in containers else node
            if place in names:
                lots[party(place)][names[lot], balance.uom] += amount
        for node, amount in balance.sold.items():
            lots[party(node)][SOLD_OF + names[lot], balance.uom] += amount
        for node in (*balance.unsure_at(), *balance.more_at()):
            place = containers[node].holder if node in containers else node
            if place in names:
                mark = MORE_OF if lots[party(place)].get((names[lot], balance.uom)) else ""
                lots[party(place)][mark + names[lot], balance.uom] += 0
        for node in balance.sold_some:
            mark = MORE_OF if node in balance.sold else ""
            lots[party(node)][mark + SOLD_OF + names[lot], balance.uom] += 0
    for lot, place in said.lots:
        if place in names and lot in balances:
            for key in (names[lot], SOLD_OF + names[lot]):
                if (key, balances[lot].uom) in lots[party(place)]:
                    break
            else:
                lots[party(place)][names[lot], balances[lot].uom] += 0
    rumours = {party(place) for place in said.items}
    made = []
    for holder in sorted({*counts, *lots, *rumours}):
        standings = counts[holder]
        here = standings[_WORDS[Standing.HELD]] + standings[_WORDS[Standing.ON_ITS_WAY]]
        lines = [Line(amount=Decimal(here))] if here else []
        if sold := standings[_WORDS[Standing.SOLD]]:
            lines.append(Line(subject=SOLD_ITEMS, amount=Decimal(sold)))
        if holder in rumours:  # he has to answer, and may answer 0
            lines.append(Line(subject=SAID_ITEMS, amount=Decimal(0)))
        lines += [
            Line(subject=lot, amount=amount, uom=uom) for (lot, uom), amount in sorted(lots[holder].items())
        ]
        if lines:  # who has used up or destroyed all of it has nothing to account for
            shown = {word: count for word, count in standings.items() if count}
            digest = _digest_of(known[holder], got[holder], lines)
            made.append(HolderScope(holder=holder, lines=tuple(lines), standings=shown, digest=digest))
    return tuple(made)
