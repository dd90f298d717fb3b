"""The resources of an EPCIS repository that can be looked through: what its events name, and named queries.

EPCIS 2.0, 12.7: each is a collection of what is known, every member has ``events``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jinka.api.epcis_events import EVENT_TYPES, NARROW, answer, check_member
from jinka.api.epcis_exchange import (
    JSON,
    LD_JSON,
    Ask,
    Reply,
    accepted,
    check_versions,
    check_written_version,
    epc_format,
    location,
    media_type,
)
from jinka.api.epcis_pages import drop_token, next_page, page_start, per_page
from jinka.api.epcis_problems import EpcisError, Exceptions
from jinka.api.epcis_services import EpcisServices, Resource
from jinka.codec.epcis.contexts import GS1_CONTEXT
from jinka.codec.epcis.formats import writer_of
from jinka.codec.epcis.json_text import load_json
from jinka.codec.epcis.scalars import Limits
from jinka.codec.epcis.vocabulary import BIZ_STEPS, DISPOSITIONS, Words
from jinka.kit import Refused
from jinka.store.trace_parameters import read_query
from jinka.store.trace_queries import NamedQuery, query_key
from jinka.store.trace_terms import Field

_NAME_MAX = 255
_QUERY_BYTES_MAX = 1 << 20
TOP_LEVEL = (
    "queries", "capture", "events", "eventTypes", "epcs", "readPoints", "bizLocations", "dispositions", "bizSteps",
)  # fmt: skip
_FIELDS: Mapping[str, Sequence[int]] = {
    "epcs": (Field.EPC, Field.PARENT, Field.INPUT, Field.OUTPUT),
    "bizSteps": (Field.BIZ_STEP,),
    "bizLocations": (Field.BIZ_LOCATION,),
    "readPoints": (Field.READ_POINT,),
    "dispositions": (Field.DISPOSITION,),
}
_WORDS: Mapping[str, Words] = {"bizSteps": BIZ_STEPS, "dispositions": DISPOSITIONS}


def top(ask: Ask, _: EpcisServices) -> Reply:
    """GET /."""
    check_versions(ask)
    return _collection(ask, TOP_LEVEL)


def event_types(ask: Ask, services: EpcisServices) -> Reply:
    """GET /eventTypes: the standard's five, in pages as everything else."""
    check_versions(ask)
    return _page(ask, services, lambda after, most: [one for one in EVENT_TYPES if one > after][:most], str)


def members(ask: Ask, services: EpcisServices) -> Reply:
    """GET /epcs and the like: what the events name."""
    check_versions(ask)
    if services.sight is not None and services.sight.bounded(ask.caller):
        raise EpcisError(
            Exceptions.FORBIDDEN, "a list of what all participants know", where=ask.path[0],
            fix=f"/{ask.path[0]}/.../events of one that you know",
        )  # fmt: skip
    words, write = _WORDS.get(ask.path[0]), writer_of(epc_format(ask), services.prefixes)

    def show(value: str) -> str:
        return words.json(value) if words is not None else value if write is None else write(value)

    fields = _FIELDS[ask.path[0]]
    return _page(ask, services, lambda after, most: services.store.values(fields, after, most), show)


def member(ask: Ask, services: EpcisServices) -> Reply:
    """GET /epcs/{epc} and the like: what there is of it."""
    check_versions(ask)
    check_member(ask, services)
    return _collection(ask, ("events",))


def _page(
    ask: Ask, services: EpcisServices, find: Callable[[str, int], Sequence[str]], show: Callable[[str], str]
) -> Reply:
    start, most = page_start(ask, services), per_page(ask)
    found = find(str(start[0]) if start else "", most + 1)
    headers = next_page(ask, services, [found[most - 1]]) if len(found) > most else {}
    return _collection(ask, tuple(dict.fromkeys(show(one) for one in found[:most])), headers)


def _collection(ask: Ask, values: Sequence[str], headers: Mapping[str, str] | None = None) -> Reply:
    kind = accepted(ask, JSON, LD_JSON)
    body = {"@context": GS1_CONTEXT, "type": "Collection", "member": list(values)}
    return Reply(body=json.dumps(body, ensure_ascii=False).encode(), kind=kind, headers=headers or {})


# Named queries


def queries(ask: Ask, services: EpcisServices) -> Reply:
    """GET /queries: the caller's own, and everybody's for who sees all."""
    check_versions(ask)
    kind, start, most = accepted(ask, JSON), page_start(ask, services), per_page(ask)
    owner = ask.caller.name if services.sight is not None and services.sight.bounded(ask.caller) else None
    found = services.named.listed(str(start[0]) if start else "", most + 1, owner)
    headers = next_page(ask, services, [found[most - 1].key]) if len(found) > most else {}
    body = json.dumps([_query_facts(one, ask) for one in found[:most]], ensure_ascii=False)
    return Reply(body=body.encode(), kind=kind, headers=headers)


def make_query(ask: Ask, services: EpcisServices) -> Reply:
    """POST /queries."""
    check_written_version(ask)
    if media_type(ask) not in (JSON, LD_JSON):
        raise EpcisError(Exceptions.MEDIA_TYPE, repr(media_type(ask)[:60]), where="Content-Type", fix=JSON)
    load_json(ask.body, Limits(document_bytes=_QUERY_BYTES_MAX))  # strict: names once, nothing unwritable
    try:
        body = json.loads(ask.body)
    except (RecursionError, ValueError):  # also a number of thousands of digits
        raise Refused("nested too deep, or a number too long", where="body") from None
    if not isinstance(body, dict) or not isinstance(body.get("query"), dict):
        raise EpcisError(
            Exceptions.QUERY_VALIDATION, "no query", where="query", fix='{"name": ..., "query": {...}}'
        )
    name = body.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= _NAME_MAX or not name.isprintable() or "/" in name:
        raise EpcisError(
            Exceptions.QUERY_VALIDATION, "no name of a query", where="name",
            fix=f"1 to {_NAME_MAX} characters, no slash",
        )  # fmt: skip
    extra = sorted(set(body) - {"name", "query", "@context"})
    if extra:
        raise EpcisError(Exceptions.QUERY_VALIDATION, "no such member", where=extra[0][:80])
    read_query(body["query"], ask.prefixes)  # what is wrong with it is told now, and not when it is asked
    owner = ask.caller.name if services.sight is not None else ""
    made = NamedQuery(name=name, parameters=body["query"], prefixes=ask.prefixes, owner=owner)
    if not services.named.add(made):
        raise EpcisError(Exceptions.EXISTS, "the name is taken", where="name", fix="another, or DELETE first")
    return Reply(status=201, kind="", headers={"Location": location(ask, "queries", name)})


def query(ask: Ask, services: EpcisServices) -> Reply:
    """GET /queries/{queryName}."""
    check_versions(ask)
    body = json.dumps(_query_facts(require_query(ask, services), ask), ensure_ascii=False)
    return Reply(body=body.encode(), kind=accepted(ask, JSON))


def query_events(ask: Ask, services: EpcisServices) -> Reply:
    """GET /queries/{queryName}/events."""
    found = require_query(ask, services)
    strange = sorted({name for name, _ in ask.query} - _PAGING_OF_QUERIES)
    if strange:
        raise EpcisError(
            Exceptions.SUBSCRIPTION, "a named query takes no parameters", where=strange[0][:80],
            fix="schedules and streams are for WebSockets",
        )  # fmt: skip
    return answer(ask, services, found.query, name=found.name)


_PAGING_OF_QUERIES = frozenset({"perPage", "nextPageToken"})


def remove_query(ask: Ask, services: EpcisServices) -> Reply:
    """DELETE /queries/{queryName}, with its subscriptions."""
    key = require_query(ask, services).key
    services.check_removal(ask.caller, key)
    if not services.named.remove(key):
        raise EpcisError(Exceptions.NO_SUCH_NAME, "no such query", where="queryName")
    services.query_removed(key)
    return Reply(status=204, kind="")


def require_query(ask: Ask, services: EpcisServices) -> NamedQuery:
    """The query of the path; raises `EpcisError` (404), also for another's.

    Who sees all has others' as ``NAME@OWNER``, and those that were made before callers were told apart.
    """
    name, caller = ask.path[1], ask.caller
    keys = [query_key(name, caller.name if services.sight is not None else "")]
    if services.sight is not None and not services.sight.bounded(caller):
        parts = name.split("@")
        keys += [query_key("@".join(parts[:n]), "@".join(parts[n:])) for n in range(1, len(parts))]
        keys.append(name)
    found = next((one for key in keys if (one := services.named.one(key)) is not None), None)
    if found is None:
        raise EpcisError(Exceptions.NO_SUCH_NAME, "no such query", where="queryName")
    return found


def _query_facts(found: NamedQuery, ask: Ask) -> dict[str, Any]:
    others = found.owner not in ("", ask.caller.name)
    return {"name": f"{found.name}@{found.owner}" if others else found.name, "query": found.parameters}


def _query_exists(ask: Ask, services: EpcisServices) -> None:
    require_query(ask, services)


RESOURCES = (
    Resource(path="/", methods={"GET": top}),
    Resource(path="/eventTypes", methods={"GET": event_types}),
    *(Resource(path=f"/{name}", methods={"GET": members}) for name in _FIELDS),
    *(Resource(path=f"/{name}/{{value}}", methods={"GET": member}, exists=check_member) for name in NARROW),
    Resource(path="/queries", methods={"GET": queries, "POST": make_query}),
    Resource(
        path="/queries/{queryName}", methods={"GET": query, "DELETE": remove_query}, exists=_query_exists
    ),
    Resource(path="/queries/{queryName}/events", methods={"GET": query_events}, exists=_query_exists),
    Resource(path="/nextPageToken/{token}", methods={"DELETE": drop_token}),
)
