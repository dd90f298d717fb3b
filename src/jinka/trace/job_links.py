"""Links over what is kept and what a capture job would add to it: the job is judged as if all of it had happened.

So the order in which a document tells its events does not matter, only their times do. Names that nobody has a number
for get one here, which is forgotten with the job.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from jinka.codec.epcis import Event
from jinka.codec.tags import canonical_id
from jinka.trace.lineage import edges_of, sort_of
from jinka.trace.spread import Links
from jinka.trace.stays import Row, Rows, node_number

_FIRST = 1 << 56  # no store has given that many numbers


class NumberedLinks(Links, Protocol):
    """Links that know the numbers of names, and the names of numbers."""

    def numbers(self, names: Iterable[str]) -> Mapping[str, int]: ...
    def names(self, wanted: Iterable[int]) -> Mapping[int, str]: ...


class JobLinks:
    """Implements `jinka.trace.Links`. ``numbers`` are those of all that the events name."""

    def __init__(self, kept: NumberedLinks, events: Sequence[Event]) -> None:
        self._kept, self._events = kept, events
        edges = [(n, edge) for n, event in enumerate(events) for edge in edges_of(event, key=f"job{n}")]
        names = {name for _, edge in edges for name in (edge.source, edge.target)}
        names |= {canonical_id(epc) for event in events for epc in event.all_epcs()}
        names |= {canonical_id(each.epc_class) for event in events for each in event.all_quantities()}
        self.numbers = dict(kept.numbers(names))
        new = sorted(names - self.numbers.keys())
        self._new = {node_number(_FIRST + n, sort_of(name)): name for n, name in enumerate(new)}
        self.numbers |= {name: number for number, name in self._new.items()}
        self._leaving: dict[int, list[Row]] = defaultdict(list)
        self._arriving: dict[int, list[Row]] = defaultdict(list)
        for n, (source, kind, at, target, step, quantity, uom) in edges:
            row = Row(self.numbers[source], kind, at, self.numbers[target], _FIRST + n, step, quantity, uom)
            self._leaving[row.source].append(row)
            self._arriving[row.target].append(row)

    def own(self, number: int) -> Event | None:
        """The job's event behind a row's number; None for one that is kept already."""
        return self._events[number - _FIRST] if number >= _FIRST else None

    def names(self, wanted: Iterable[int]) -> dict[int, str]:
        nodes = set(wanted)
        shown = {node: self._new[node] for node in nodes & self._new.keys()}
        return {**shown, **self._kept.names(nodes - self._new.keys())}

    def leaving(self, nodes: Sequence[int]) -> Rows:
        kept = self._kept.leaving([node for node in nodes if node not in self._new])
        own = [row for node in nodes for row in self._leaving.get(node, ())]
        return sorted([*kept, *own], key=lambda row: row[0]) if own else kept

    def arriving(self, nodes: Sequence[int], kinds: Sequence[int]) -> Rows:
        kept = self._kept.arriving([node for node in nodes if node not in self._new], kinds)
        own = [row for node in nodes for row in self._arriving.get(node, ()) if row.kind in kinds]
        return [*kept, *own] if own else kept
