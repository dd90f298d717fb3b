"""Standing queries: what a named query finds among the events behind a point, as a document for who subscribed.

EPCIS 2.0, 8.2.5 and 12.7. Events are counted by their record times, which grow from commit to commit, so who has seen
one has seen all before it. What orders or bounds a result cannot stand (8.2.5.2): the order is that of recording, and a
bound would lose events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinka.api.epcis_exchange import Caller
from jinka.api.epcis_problems import EpcisError, Exceptions
from jinka.api.epcis_services import EpcisServices
from jinka.codec.epcis import Document, Event
from jinka.codec.epcis.formats import EpcFormat, in_format, writer_of
from jinka.codec.epcis.json_writer import document_text, event_text
from jinka.store.trace_query import At, EventQuery, Op, Order
from jinka.store.trace_store import event_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """``last``: the record time of the last event that was looked at; ``more``: there are others behind it."""

    events: tuple[Event, ...]
    last: int
    more: bool


def require_standing(query: EventQuery) -> None:
    """Raise `EpcisError` for a query that cannot stand."""
    bound = query.event_count_limit is not None or query.max_event_count is not None
    if bound or query.descending or query.order is not Order.RECORD_TIME:
        raise EpcisError(
            Exceptions.SUBSCRIPTION, "a query that orders or bounds its result cannot stand", where="query",
            fix="without orderBy, orderDirection, eventCountLimit and maxEventCount",
        )  # fmt: skip


def find(
    services: EpcisServices, query: EventQuery, caller: Caller, after: int, upto: int, most: int
) -> Found:
    """At most ``most`` events behind one record time and not behind another."""
    bounds = (At(record=True, op=Op.GT, micros=after), At(record=True, op=Op.LE, micros=upto))
    query = query.also(*caller.scope)
    if services.sight is not None:
        query = services.sight.narrow(caller, query)
    page = services.store.page(query.also(*bounds), most)
    events: Sequence[Event] = [event_of(row) for row in page.rows]
    if services.sight is not None and events:
        events = services.sight.show(caller, events, f"subscription {dict(query.parameters)}")
    last = page.rows[-1].seq if page.rows else upto
    return Found(events=tuple(events), last=last, more=page.after is not None)


def document(
    services: EpcisServices, events: Sequence[Event], name: str, subscription: str | None, wanted: str
) -> bytes:
    """A query document in JSON-LD; ``wanted`` is a ``GS1-EPC-Format``, the standard's default where it is empty."""
    write = writer_of(EpcFormat(wanted or EpcFormat.LINK.value), services.prefixes)
    texts = [event_text(in_format(event, write)) for event in events]
    now = services.clock.now_micros()
    head = Document(events=(), creation_time_us=now, query_name=name, subscription_id=subscription)
    return document_text(head, texts).encode()
