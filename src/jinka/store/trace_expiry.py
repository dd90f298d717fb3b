"""Dates of expiry in SQL: read from the events in which things, or their lots, began.

The rule is `jinka.trace.expiry`; its gate (`expiry_of`) is asked in the transaction of a capture, where the operator
wants the rule. Reads the edges, as recalls do: while they are made again such a capture is refused.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence

import sqlalchemy as sa

from jinka.codec.epcis import Event
from jinka.codec.tags import canonical_id
from jinka.kit import Refused
from jinka.store.trace_edges import SqlLinks
from jinka.store.trace_edges_state import check_edges
from jinka.trace.expiry import Expiry, date_told, spent
from jinka.trace.job_links import JobLinks
from jinka.trace.lineage import BIRTHS, EdgeKind, Step

_BEGINS = BIRTHS | {Step.NONE, Step.OTHER}  # a step that no vocabulary has may be a beginning as well


def expiry_of(connection: sa.Connection, events: Sequence[Event]) -> Expiry | None:
    """The gate for the events of one job; None where it sells and uses nothing."""
    asked = {thing for event in events for _, thing in spent(event)}
    if not asked:
        return None
    try:
        check_edges(connection)
    except Refused as stale:
        raise Refused(f"dates of expiry cannot be told: {stale.what}", where="trace", fix=stale.fix) from None
    return Expiry(expiry_dates(SqlLinks.over(connection), asked, events))


def expiry_dates(links: SqlLinks, asked: Collection[str], events: Sequence[Event] = ()) -> dict[str, dt.date]:
    """The earliest date that is told of each thing or its lots, of those that any is; ``events`` may be new ones."""
    job = JobLinks(links, events)
    known = {**links.numbers(asked), **{name: job.numbers[name] for name in asked if name in job.numbers}}
    lots: dict[int, set[int]] = defaultdict(set)
    begun: dict[int, set[int]] = defaultdict(set)  # by node, the events that may tell its date
    member = set[tuple[int, int]]()
    for row in job.arriving(sorted(known.values()), (EdgeKind.MEMBER,)):
        lots[row[3]].add(row[0])
        member.add((row[3], row[4]))
    nodes = sorted({*known.values(), *(lot for each in lots.values() for lot in each)})
    for row in job.arriving(nodes, (EdgeKind.MAKE,)):
        begun[row[3]].add(row[4])
    for row in job.leaving(nodes):
        if row[1] == EdgeKind.AT and row[5] in _BEGINS:
            begun[row[0]].add(row[4])
    numbers = {number for each in begun.values() for number in each} | {number for _, number in member}
    stored = links.events(number for number in numbers if job.own(number) is None)
    told = {
        number: job.own(number) or stored[number] for number in numbers if job.own(number) or number in stored
    }
    made = dict[str, dt.date]()
    for name, node in known.items():
        wanted = {number for each in (node, *lots[node]) for number in begun[each]}
        wanted |= {number for thing, number in member if thing == node and name in _bears(told.get(number))}
        found = [
            date for number in wanted if number in told and (date := date_told(told[number])) is not None
        ]
        if found:
            made[name] = min(found)
    return made


def _bears(event: Event | None) -> set[str]:
    """The single things of which an event's master data speak."""
    return {canonical_id(epc) for epc in (*event.epcs, *event.output_epcs)} if event is not None else set()
