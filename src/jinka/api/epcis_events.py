"""Asking for events over HTTP: /events, /events/{eventID}, the events of every top-level resource and named query.

EPCIS 2.0, 12.4 and 12.7. Parameters of the URL are those of SimpleEventQuery, and paging. The answer is a query
document in JSON-LD or XML, with identifiers as ``GS1-EPC-Format`` says; where nothing has to be changed it is put
together from the texts that are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from jinka.api.epcis_exchange import (
    JSON,
    LD_JSON,
    TEXT_XML,
    XML,
    Ask,
    Reply,
    accepted,
    check_versions,
    epc_format,
)
from jinka.api.epcis_pages import PAGING, next_page, page_start, per_page
from jinka.api.epcis_problems import EpcisError, Exceptions
from jinka.api.epcis_services import EpcisServices, Resource, SightOfCallers
from jinka.codec.epcis import Document, Event, write_xml
from jinka.codec.epcis.formats import in_format, writer_of
from jinka.codec.epcis.json_writer import document_text, event_text
from jinka.codec.epcis.vocabulary import BIZ_STEPS, DISPOSITIONS, Words
from jinka.kit import Refused
from jinka.store.trace_document import as_text
from jinka.store.trace_find import Position, Row
from jinka.store.trace_parameters import read_query
from jinka.store.trace_query import AnyOf, EventQuery, Test
from jinka.store.trace_store import event_of
from jinka.store.trace_terms import Field, canonical
from jinka.trace.access import HIDDEN

QUERY_NAME = "SimpleEventQuery"
_EPCS = (Field.EPC, Field.PARENT, Field.INPUT, Field.OUTPUT)
_NOT_PARAMETERS = PAGING | {"GS1-Extensions"}


def events(ask: Ask, services: EpcisServices) -> Reply:
    """GET /events."""
    return answer(ask, services, query_of(ask))


def query_of(ask: Ask) -> EventQuery:
    """The query of a URL; a parameter that stands twice is a list."""
    given: dict[str, str] = {}
    for name, value in ask.query:
        if name not in _NOT_PARAMETERS:
            given[name] = f"{given[name]}|{value}" if name in given else value
    return read_query(given, ask.prefixes)


def answer(ask: Ask, services: EpcisServices, query: EventQuery, *, name: str = QUERY_NAME) -> Reply:
    """A page of a query's events."""
    check_versions(ask)
    kind = accepted(ask, *_KINDS)
    epc_format(ask)  # refused before anything is looked for
    start = page_start(ask, services)
    after = None
    if start:
        upto, given, value, seq = _whole(start)
        after = Position(upto=upto, given=given, value=value, seq=seq)
    query = query.also(*ask.caller.scope)
    if services.sight is not None:
        query = services.sight.narrow(ask.caller, query)
    bounded = services.sight is not None and services.sight.bounded(ask.caller)
    if services.sight is None or not bounded:
        page = services.store.page(query, per_page(ask), after)
        body, there = _answer_body(ask, services, page.rows, kind, name), page.after
        if services.sight is not None:
            services.sight.note(ask.caller, _looked_at(name, query), len(page.rows), 0)
    else:
        seen, there = _seen_page(ask, services, services.sight, query, after, name)
        body = _written(ask, services, seen, kind, name)
    headers: Mapping[str, str] = {}
    if there is not None:
        headers = next_page(ask, services, [there.upto, there.given, there.value, there.seq])
    return Reply(body=body, kind=kind, headers=headers)


def _looked_at(name: str, query: EventQuery) -> str:
    return f"{name} {dict(query.parameters)}"


def _seen_page(
    ask: Ask, services: EpcisServices, sight: SightOfCallers, query: EventQuery, after: Position | None, name: str
) -> tuple[list[Event], Position | None]:  # fmt: skip
    """A page of what the caller may see: it goes on if there is more of that, however much lies between.

    Only after `LOOKS_MAX` events in one request it ends before it is full.
    """
    most, looked, seen = per_page(ask), 0, list[Event]()
    there: Position | None = None
    while True:
        page = services.store.page(query, min(max(most + 1, 100), LOOKS_MAX - looked), after)
        found = sight.see(ask.caller, [event_of(row) for row in page.rows])
        for at, event in enumerate(found):
            if event is None:
                continue
            if (
                len(seen) == most
            ):  # one more than there is room for: the page ends behind the last that had some
                sight.note(ask.caller, _looked_at(name, query), most, looked + at - most)
                return seen, there
            seen.append(event)
            there = page.behind(query, at + 1)
        looked += len(page.rows)
        after = page.after
        if after is None or looked >= LOOKS_MAX:
            sight.note(ask.caller, _looked_at(name, query), len(seen), looked - len(seen))
            return seen, after


LOOKS_MAX = 10_000  # events that are looked at for one page


def _answer_body(ask: Ask, services: EpcisServices, rows: Sequence[Row], kind: str, name: str) -> bytes:
    """A query document of these events for who may see them whole."""
    if writer_of(epc_format(ask), services.prefixes) is None and kind in (JSON, LD_JSON):
        head = Document(events=(), creation_time_us=services.clock.now_micros(), query_name=name)
        return document_text(head, [as_text(row.document, row.seq) for row in rows]).encode()
    return _written(ask, services, [event_of(row) for row in rows], kind, name)


def _written(ask: Ask, services: EpcisServices, seen: Sequence[Event], kind: str, name: str) -> bytes:
    """A query document of these events, with identifiers as the caller wants to read them."""
    write = writer_of(epc_format(ask), services.prefixes)
    head = Document(events=(), creation_time_us=services.clock.now_micros(), query_name=name)
    shown = [in_format(event, write) for event in seen]
    if kind in (JSON, LD_JSON):
        return document_text(head, [event_text(event) for event in shown]).encode()
    try:
        return write_xml(replace(head, events=tuple(shown)), urns=_urns(ask))
    except Refused as error:
        raise EpcisError(
            Exceptions.NOT_ACCEPTABLE, f"XML cannot say it: {error.what}", where=error.where, fix=f"Accept: {JSON}"
        ) from error  # fmt: skip


def _shown(ask: Ask, services: EpcisServices, rows: Sequence[Row]) -> Sequence[Event]:
    """What the caller may see of an event that it asked for by id; 404 for nothing, as if there were none.

    A redacted event has another id: that it has this one is not told.
    """
    events = [event_of(row) for row in rows]
    if services.sight is None:
        return events
    shown = services.sight.show(ask.caller, events, f"eventID {ask.path[1]}")
    seen = [event for event in shown if not (event.event_id or "").startswith(HIDDEN)]
    if not seen:
        raise EpcisError(Exceptions.NO_SUCH_RESOURCE, "no such event", where="eventID")
    return seen


def _urns(ask: Ask) -> bool:
    """Whether words of the vocabulary are wanted as URNs. They are kept as what they mean, not as they were written."""
    text = ask.header("GS1-CBV-XML-Format", "No_Preference")
    if text not in _CBV_FORMATS:
        raise EpcisError(
            Exceptions.NOT_ACCEPTABLE, f"{text[:40]!r} is no format", where="GS1-CBV-XML-Format",
            fix=", ".join(_CBV_FORMATS),
        )  # fmt: skip
    return text == "Always_URN"


_CBV_FORMATS = ("No_Preference", "Always_Web_URI", "Always_URN", "Never_Translates")
_KINDS = (JSON, LD_JSON, XML, TEXT_XML)


def _whole(start: list[int | str]) -> list[int]:
    if len(start) != 4 or any(type(part) is not int for part in start):
        raise EpcisError(Exceptions.QUERY_PARAMETER, "not a token of events", where="nextPageToken")
    return [int(part) for part in start]


def event(ask: Ask, services: EpcisServices) -> Reply:
    """GET /events/{eventID}: the event, and what declares it to be an error."""
    check_versions(ask)
    kind, rows = accepted(ask, *_KINDS), _require_event(ask, services)
    return Reply(body=_written(ask, services, _shown(ask, services, rows), kind, QUERY_NAME), kind=kind)


def _require_event(ask: Ask, services: EpcisServices) -> list[Row]:
    id_ = ask.path[1]
    found = services.store.by_id(id_)
    if not found and id_.startswith("ni:///") and ask.query and "?" not in id_:
        found = services.store.by_id(f"{id_}?" + "&".join(f"{name}={value}" for name, value in ask.query))
    if not found:
        raise EpcisError(Exceptions.NO_SUCH_RESOURCE, "no such event", where="eventID")
    return found


# The events of a top-level resource

Narrow = Callable[[str], Test]


def _type(text: str) -> Test:
    return AnyOf(fields=(Field.TYPE,), values=(text.removeprefix("epcis:"),))


def _word(field: Field, words: Words) -> Narrow:
    def narrow(text: str) -> Test:
        try:
            return AnyOf(fields=(field,), values=(words.uri(text),))
        except Refused as error:
            raise EpcisError(
                Exceptions.NO_SUCH_RESOURCE, error.what, where=words.what, fix=error.fix
            ) from error  # fmt: skip

    return narrow


def _identifier(*fields: Field) -> Narrow:
    return lambda text: AnyOf(fields=fields, values=(canonical(text),))


NARROW: Mapping[str, Narrow] = {
    "eventTypes": _type,
    "epcs": _identifier(*_EPCS),
    "bizSteps": _word(Field.BIZ_STEP, BIZ_STEPS),
    "bizLocations": _identifier(Field.BIZ_LOCATION),
    "readPoints": _identifier(Field.READ_POINT),
    "dispositions": _word(Field.DISPOSITION, DISPOSITIONS),
}
# The parameters that say the same as the path (EPCIS 2.0's OpenAPI leaves out the first of each).
_SAID_BY_PATH: Mapping[str, frozenset[str]] = {
    "eventTypes": frozenset({"eventType"}),
    "epcs": frozenset(),
    "bizSteps": frozenset({"EQ_bizStep"}),
    "bizLocations": frozenset({"EQ_bizLocation", "WD_bizLocation"}),
    "readPoints": frozenset({"EQ_readPoint", "WD_readPoint"}),
    "dispositions": frozenset({"EQ_disposition"}),
}


def events_of(ask: Ask, services: EpcisServices) -> Reply:
    """GET /RESOURCE/{value}/events."""
    check_member(ask, services)
    return answer(ask, services, query_of(ask).also(NARROW[ask.path[0]](ask.path[1])))


def check_member(ask: Ask, services: EpcisServices) -> None:
    """Raise `EpcisError` (404) where no event names this value; the five event types are there always."""
    test = NARROW[ask.path[0]](ask.path[1])
    if ask.path[0] == "eventTypes" and isinstance(test, AnyOf) and test.values[0] in EVENT_TYPES:
        return
    if services.sight is not None and services.sight.bounded(ask.caller):
        return  # whether others know of it is not told
    if not services.store.exists(test):
        raise EpcisError(Exceptions.NO_SUCH_RESOURCE, "no event names it", where=ask.path[0])


EVENT_TYPES = (
    "AggregationEvent",
    "AssociationEvent",
    "ObjectEvent",
    "TransactionEvent",
    "TransformationEvent",
)


def _event_exists(ask: Ask, services: EpcisServices) -> None:
    _shown(ask, services, _require_event(ask, services))


RESOURCES = (
    Resource(path="/events/{eventID}", methods={"GET": event}, exists=_event_exists),
    *(
        Resource(path=f"/{name}/{{value}}/events", methods={"GET": events_of}, exists=check_member)
        for name in NARROW
    ),
)
