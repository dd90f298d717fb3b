"""What is affected, forward; what it came from, backward: one walk over edges and stays, level by level.

Forward, the *matter* of a thing goes into transformations and out again, from a lot to its items, and from a container
to what lay in it then. A container that holds something affected is a *carrier* while it does: it tells where the thing
is, and what is made of the whole container is made of the thing; but what else lies in it is not affected. Backward it
is the same the other way round. The walk asks for the edges of a whole level at once (`Links`), so it is the same over
a dictionary and over an index of ten million edges on a disk.

Nothing is followed through a class without a lot, nor from a container into a part of a lot: which part, nobody knows.
Such nodes are reached and said to be a limit (`Spread.limits`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, Protocol

from jinka.kit import Usage
from jinka.trace.lineage import ENDS, EdgeKind, NodeSort
from jinka.trace.stays import (
    BEFORE_US,
    FOREVER_US,
    GROUPING,
    Rows,
    Stay,
    emptied,
    plain_stay,
    sort_in,
    stays_of,
)

NODES_MAX = 5_000_000
_USE, _MAKE, _MEMBER = int(EdgeKind.USE), int(EdgeKind.MAKE), int(EdgeKind.MEMBER)
_AT, _ENDS = int(EdgeKind.AT), frozenset(int(step) for step in ENDS)
_ITEM = int(NodeSort.ITEM)
_LOT, _CLASS, _TRANSFORMATION = int(NodeSort.LOT), int(NodeSort.CLASS), int(NodeSort.TRANSFORMATION)
_CONTAINER, _HOLDS = int(NodeSort.CONTAINER), int(EdgeKind.HOLDS)
_ALWAYS = ((BEFORE_US, FOREVER_US),)
_SOURCE = itemgetter(0)
_HOLDING = frozenset(int(sort) for sort in (NodeSort.OTHER, NodeSort.ITEM, NodeSort.CONTAINER))
CONTENT = (
    EdgeKind.PACK,
    EdgeKind.UNPACK,
    EdgeKind.SEEN_IN,
    EdgeKind.ATTACH,
    EdgeKind.DETACH,
    EdgeKind.SEEN_ON,
)


class Links(Protocol):
    """Where edges are looked up."""

    def leaving(self, nodes: Sequence[int]) -> Rows:
        """Every edge that begins at one of ``nodes``, those of one node together and in the order of kinds."""
        ...

    def arriving(self, nodes: Sequence[int], kinds: Sequence[int]) -> Rows:
        """Every edge of these kinds that ends at one of ``nodes``."""
        ...


class NamedLinks(Links, Protocol):
    """Links that know what the nodes are called, and whose the places are."""

    def names(self, wanted: Iterable[int]) -> Mapping[int, str]: ...

    def parties(self, places: Iterable[int]) -> Mapping[int, Collection[int]]:
        """To which parties places belong, by events that name both, or by master data."""
        ...


class Reach(NamedTuple):
    """How a node was reached first: from ``via`` (itself for a seed) by an edge of ``event``, ``depth`` steps away."""

    via: int
    kind: int
    event: int
    since_us: int
    depth: int


class Seed(NamedTuple):
    """Where a walk begins; a container that was exposed for a while has affected what lay in it then."""

    node: int
    since_us: int = BEFORE_US
    until_us: int = FOREVER_US


@dataclass(slots=True, kw_only=True)
class Spread:
    """What a walk found. ``rows`` keeps what leaves each node that was looked at: where it was is in there too."""

    forward: bool
    reached: dict[int, Reach] = field(default_factory=dict)
    carriers: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # when each held something of it
    stays: dict[int, list[Stay]] = field(default_factory=dict)
    limits: set[int] = field(default_factory=set)
    rows: dict[int, Rows] = field(default_factory=dict)
    empties: dict[int, list[tuple[int, int, bool]]] = field(default_factory=dict)
    ended: dict[int, int] = field(default_factory=dict)  # when an item gave up its number, that another got

    def things(self) -> list[int]:
        """The affected nodes that are things: no transformations."""
        return [node for node in self.reached if node & 7 != _TRANSFORMATION]


def spread_forward(links: Links, seeds: Iterable[Seed], *, nodes_max: int = NODES_MAX) -> Spread:
    """Everything that may have something of the seeds in it."""
    return _Walk(links, Spread(forward=True), nodes_max).run(seeds)


def spread_back(links: Links, seeds: Iterable[Seed], *, nodes_max: int = NODES_MAX) -> Spread:
    """Everything that the seeds may have something of."""
    return _Walk(links, Spread(forward=False), nodes_max).run(seeds)


def lift(links: Links, things: Iterable[int]) -> Spread:
    """Things with all that they ever lay in, and nothing that was made of them: where each of them was."""
    return _Walk(links, Spread(forward=True), NODES_MAX).lift(things)


class _Walk:
    def __init__(self, links: Links, found: Spread, nodes_max: int) -> None:
        self._links, self._found, self._nodes_max = links, found, nodes_max
        self._next: list[int] = []  # matter of the next level
        self._exposed: dict[int, list[tuple[int, int]]] = {}  # when what lay in it counts: else always
        self._rising: set[int] = set()  # carriers whose windows grew

    def run(self, seeds: Iterable[Seed]) -> Spread:
        for seed in seeds:
            self._reach(seed.node, Reach(seed.node, 0, 0, seed.since_us, 0), (seed.since_us, seed.until_us))
        while self._next or self._rising:
            level, self._next = self._next, []
            rising, self._rising = sorted(self._rising), set()
            self._fetch([*level, *rising])
            if self._found.forward:
                self._renew(level)
            self._rise([node for node in level if node & 7 != _TRANSFORMATION], matter=True)
            self._rise(rising, matter=False)
            if self._found.forward:
                self._ahead(level)
            else:
                self._behind(level)
            self._carried(rising)
            self._descend([node for node in level if self._holds(node)])
        return self._found

    def lift(self, things: Iterable[int]) -> Spread:
        level = sorted(things)
        self._found.reached = {node: Reach(node, 0, 0, BEFORE_US, 0) for node in level}
        self._fetch(level)
        self._rise(level, matter=True)
        while self._rising:
            level, self._rising = sorted(self._rising), set()
            self._fetch(level)
            self._rise(level, matter=False)
        return self._found

    def _may_hold(self, node: int) -> bool:
        return node & 7 in _HOLDING

    def _holds(self, node: int) -> bool:
        """Whether something ever lay in it: of what is no container by its key an edge tells."""
        rows = self._found.rows[node]
        return node & 7 == _CONTAINER or (len(rows) > 0 and rows[-1][1] == _HOLDS)

    def _reach(self, node: int, how: Reach, exposed: tuple[int, int] | None = None) -> None:
        known = self._found.reached.get(node)
        if self._found.ended.pop(node, None) is not None:
            self._next.append(node)  # by another way it may be the new one that is affected
        if exposed is None and node in self._exposed:
            exposed = (how.since_us, FOREVER_US)
        grown = exposed is not None and _widen(self._exposed.setdefault(node, []), *exposed)
        if known is not None and how.since_us >= known.since_us:
            if grown:
                self._next.append(node)
            return
        self._found.reached[node] = how
        if len(self._found.reached) > self._nodes_max:
            raise self._too_many()
        if node & 7 == _CLASS and how.depth:
            self._found.limits.add(node)
        else:
            self._next.append(node)

    def _fetch(self, nodes: Sequence[int]) -> None:
        known = self._found.rows
        wanted = sorted({node for node in nodes if node not in known})
        for node in wanted:
            known[node] = ()
        for node, rows in groupby(self._links.leaving(wanted) if wanted else (), _SOURCE):
            known[node] = [*rows]

    def _rise(self, nodes: Sequence[int], *, matter: bool) -> None:
        """From things to the containers that hold them, and on to the containers of those."""
        found = self._found
        self._learn(nodes)
        carriers, all_stays = found.carriers, found.stays
        for node in nodes:
            stays = all_stays[node]
            if not stays:
                continue
            windows = self._windows(node) if matter else carriers[node]
            for _, parent, begin, end, *_ in stays:
                for since, until in windows:
                    low, high = since if since > begin else begin, until if until < end else end
                    if low >= high:
                        continue
                    known = carriers.get(parent)
                    if known is None:
                        carriers[parent] = [(low, high)]
                        self._rising.add(parent)
                    elif not (known[0][0] <= low and high <= known[0][1]) and _widen(known, low, high):
                        self._rising.add(parent)

    def _windows(self, node: int) -> Sequence[tuple[int, int]]:
        since = self._found.reached[node].since_us if self._found.forward else BEFORE_US
        until = self._found.ended.get(node, FOREVER_US)
        return _ALWAYS if since == BEFORE_US and until == FOREVER_US else [(since, until)]

    def _renew(self, level: Sequence[int]) -> None:
        """Items that came to an end, and whose numbers then went to others: of a lot that is not affected."""
        found = self._found
        reached, rows = found.reached, found.rows
        given_up: dict[int, list[int]] = {}
        for node in level:
            own = rows[node]
            if own and own[-1][1] >= _AT and reached[node][1] in (_MAKE, _MEMBER) and (moments := _ends(own)):
                given_up[node] = moments
        if not given_up:
            return
        born: dict[int, list[tuple[int, bool]]] = {node: [] for node in given_up}
        for source, _, at, node, *_ in self._links.arriving(sorted(given_up), (_MAKE, _MEMBER)):
            born[node].append((at, source in found.reached))
        for node, moments in given_up.items():
            last = max(at for at, affected in born[node] if affected)
            later = [at for at, affected in born[node] if not affected and at >= last]
            ends = [at for at in moments if at >= last and any(at <= each for each in later)]
            if ends:
                found.ended[node] = min(ends)

    def _learn(self, nodes: Sequence[int]) -> None:
        """The stays of nodes that were fetched; their containers are fetched for when they were emptied."""
        found = self._found
        inside: list[int] = []
        holders: set[int] = set()
        stays, rows, empties = found.stays, found.rows, found.empties
        for node in nodes:
            if node in stays:
                continue
            stays[node] = []
            own = rows[node]
            if not own or own[0][1] >= _USE:
                continue  # in the order of kinds: nothing of packing follows
            plain = None if node & 7 == _LOT else plain_stay(node, own)
            if plain is not None:
                stays[node].append(plain)
                holders.add(plain[1])
                continue
            parents = [row[3] for row in own if row[1] in GROUPING]
            holders.update(parents)
            if parents:
                inside.append(node)
        self._fetch(list(holders))
        emptied_ones = False
        for holder in holders:
            if holder not in empties:
                empties[holder] = emptied(rows[holder])
            emptied_ones = emptied_ones or bool(empties[holder])
        if emptied_ones:
            inside += [node for node in nodes if len(stays[node]) == 1 and empties[stays[node][0][1]]]
        for node in inside:
            stays[node] = stays_of(node, rows[node], empties, several=node & 7 == _LOT)

    def _ahead(self, level: Sequence[int]) -> None:
        """Into transformations, out of them, and from a lot to its items."""
        reached, exposed, ended, append = (
            self._found.reached, self._exposed, self._found.ended, self._next.append
        )  # fmt: skip
        for node in level:
            _, _, _, known_us, depth = reached[node]
            until = self._found.ended.get(node, FOREVER_US)
            for _, kind, at, target, event, *_ in self._found.rows[node]:
                if kind < _USE:
                    continue
                if kind >= _AT:
                    break
                if kind == _USE:
                    if known_us <= at <= until:
                        self._reach(target, Reach(node, kind, event, at, depth + 1))
                else:
                    # a product is affected whatever the clocks say; an item of a lot as its lot is
                    since = BEFORE_US if kind == _MAKE or known_us == BEFORE_US else max(known_us, at)
                    known = reached.get(target)
                    if (
                        known is None
                        and target & 7 == _ITEM
                        and target not in exposed
                        and target not in ended
                    ):
                        reached[target] = Reach(node, kind, event, since, depth + 1)
                        append(target)  # as `_reach` does; by far the most
                    elif known is None or known[3] > since or target in exposed or target in ended:
                        self._reach(target, Reach(node, kind, event, since, depth + 1))
            if len(reached) > self._nodes_max:
                raise self._too_many()

    def _too_many(self) -> Usage:
        return Usage(f"more than {self._nodes_max} things", where="trace", fix="begin with a smaller scope")

    def _behind(self, level: Sequence[int]) -> None:
        """To what it was made of; to its lot, which is followed where the item's own making is not known."""
        reached = self._found.reached
        rows = self._links.arriving(sorted(level), (_USE, _MAKE, _MEMBER)) if level else ()
        made = {row[3] for row in rows if row[1] == _MAKE}
        for source, kind, at, node, event, *_ in rows:
            if kind == _MEMBER and node in made:
                continue
            moment = (at, at) if kind == _USE and self._may_hold(source) else None
            self._reach(source, Reach(node, kind, event, BEFORE_US, reached[node].depth + 1), moment)

    def _carried(self, carriers: Sequence[int]) -> None:
        """What is made of a whole container is made of what it holds at that moment, and the other way round."""
        found = self._found
        if found.forward:
            for node in carriers:
                for _, kind, at, target, event, *_ in found.rows[node]:
                    if kind == _USE and _holds(found.carriers[node], at):
                        self._reach(target, Reach(node, kind, event, at, 1))
        elif carriers:
            for source, kind, at, node, event, *_ in self._links.arriving(carriers, (_MAKE,)):
                if _holds(found.carriers[node], at):
                    self._reach(source, Reach(node, kind, event, at, 1))

    def _descend(self, nodes: Sequence[int]) -> None:
        """From an affected container to what lay in it."""
        if not nodes:
            return
        found = self._found
        rows = self._links.arriving(sorted(nodes), CONTENT)
        children = sorted({row[0] for row in rows})
        self._fetch(children)
        self._learn(children)
        wanted = set(nodes)
        for child in children:
            for stay in found.stays[child]:
                if stay.parent in wanted:
                    self._contents(stay)

    def _contents(self, stay: Stay) -> None:
        """What touches the time of exposure lay in it: of what is doubtful to the microsecond it is said."""
        found = self._found
        how = found.reached[stay.parent]
        end = found.ended.get(stay.parent, FOREVER_US)
        exposed = self._exposed.get(stay.parent) or [(how.since_us, end)]
        for since, until in exposed:
            if stay.since_us > until or stay.until_us < since:
                continue
            at = max(since, stay.since_us) if found.forward else BEFORE_US
            reach = Reach(stay.parent, EdgeKind.PACK, stay.begun or stay.ended, at, how.depth + 1)
            if sort_in(stay.child) is NodeSort.LOT:
                if stay.child not in found.reached:
                    found.reached[stay.child] = reach
                    found.limits.add(stay.child)
            else:
                inner = (max(since, stay.since_us), min(until, stay.until_us))
                self._reach(stay.child, reach, inner if until < FOREVER_US else None)


def _ends(rows: Rows) -> list[int]:
    """When a thing came to an end, if anything was said of it afterwards."""
    moments = [row[2] for row in rows if row[5] in _ENDS and row[1] == _AT]
    return moments if moments and max([row[2] for row in rows]) > min(moments) else []


def _holds(windows: Sequence[tuple[int, int]], at_us: int) -> bool:
    return any(since <= at_us <= until for since, until in windows)


def _widen(windows: list[tuple[int, int]], since: int, until: int) -> bool:
    """Add an interval to disjoint ones; False when it was in there already."""
    if not windows:
        windows.append((since, until))
        return True
    if any(low <= since and until <= high for low, high in windows):
        return False
    apart = [each for each in windows if each[1] < since or until < each[0]]
    joined = [each for each in windows if each not in apart]
    low, high = (
        min(since, *(a for a, _ in joined)) if joined else since,
        max([until, *(b for _, b in joined)]),
    )
    windows[:] = sorted([*apart, (low, high)])
    return True
