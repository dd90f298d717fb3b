"""Which edges say what is not believed, in SQL: a recall lets nothing be moved by them (`jinka.trace.recall_doubts`).

Believed is what no participant captured, what stands as a claim (`jinka.trace.claims`), and what is said of a thing by
whom it was handed: by itself, in a container, or by somebody who had it in a container and names him. Where nobody
takes part, everything is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sqlalchemy as sa

from jinka.store import trace_tables as table
from jinka.store.database import reading
from jinka.store.trace_access import AccessBooks
from jinka.store.trace_edges import SqlLinks
from jinka.store.trace_hands import captors, claims, held
from jinka.trace.access import Owners
from jinka.trace.claims import State
from jinka.trace.lineage import is_lot, kind_of
from jinka.trace.recall_doubts import judged
from jinka.trace.stays import Rows

_ASKED = 500
_Pair = tuple[int, int]


def anything_after(engine: sa.Engine, until_us: int) -> bool:
    """Whether any event has a time after this one."""
    times = table.events.c.event_micros
    with reading(engine).connect() as connection:
        return connection.scalar(sa.select(times).where(times > until_us).limit(1)) is not None


def judge_of(engine: sa.Engine, links: SqlLinks) -> Callable[[Rows], set[_Pair]] | None:
    """What finds, of some edges, the things and events that are not believed; None where nobody is told apart."""
    everyone = AccessBooks(engine).participants()
    if not everyone:
        return None
    owners = Owners(everyone)

    def judge(rows: Rows) -> set[_Pair]:
        with reading(engine).connect() as connection:
            pairs = judged(rows)
            said = captors(connection, sorted({event for _, event in pairs}))
            names = links.names({node for node, event in pairs if event in said})
            by_name = {(node, event): _claimed_as(names[node]) for node, event in pairs if event in said}
            stands = _standing(connection, {name for each in by_name.values() for name in each})
            left = {pair for pair, each in by_name.items() if not any((n, pair[1]) in stands for n in each)}
            return _without_handed(connection, links, owners, left, said, names) if left else left

    return judge


def _claimed_as(name: str) -> tuple[str, ...]:
    """A lot may have been told as its class, with its number among the master data."""
    return (name, kind_of(name)) if is_lot(name) else (name,)


def _standing(connection: sa.Connection, names: set[str]) -> set[tuple[str, int]]:
    wanted, columns, found = sorted(names), claims.c, set[tuple[str, int]]()
    for at in range(0, len(wanted), _ASKED):
        asked = sa.select(columns.item, columns.seq).where(
            columns.item.in_(wanted[at : at + _ASKED]), columns.state == State.STANDS
        )
        found.update((item, seq) for item, seq in connection.execute(asked))
    return found


def _without_handed(
    connection: sa.Connection, links: SqlLinks, owners: Owners, left: set[_Pair],
    said: Mapping[int, set[str]], names: Mapping[int, str],
) -> set[_Pair]:  # fmt: skip
    """Take away what is said by whom the thing came to, and by whom they name, until there is nothing more."""
    had: dict[int, set[str]] = {node: set() for node, _ in left}
    for one in sorted({who for _, event in left for who in said[event]}):
        nodes = {node for node, event in left if one in said[event]}
        hands = held(connection, one, {names[node] for node in nodes})
        for node in nodes:
            if names[node] in hands:
                had[node].add(one)
    while believed := {(node, event) for node, event in left if said[event] & had[node]}:
        left = left - believed
        events = links.events({event for _, event in believed})
        for node, event in believed:
            had[node] |= owners.named(events[event])
    return left
