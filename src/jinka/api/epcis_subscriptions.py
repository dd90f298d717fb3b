"""Subscriptions over HTTP: /queries/{queryName}/subscriptions and its members.

EPCIS 2.0, 12.7, and its OpenAPI. A subscription has a receiver (``dest``), either a schedule or ``stream``, and perhaps
a ``signatureToken`` of the client's, which is kept sealed and never given out again. A client sees its own alone.
Whatever is wrong with one is a SubscriptionControlsException that says where.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jinka.api.epcis_exchange import (
    JSON,
    Ask,
    Reply,
    accepted,
    check_versions,
    check_written_version,
    epc_format,
    location,
    media_type,
)
from jinka.api.epcis_pages import next_page, page_start, per_page
from jinka.api.epcis_problems import EpcisError, Exceptions
from jinka.api.epcis_resources import require_query
from jinka.api.epcis_services import EpcisServices, Resource
from jinka.api.epcis_standing import require_standing
from jinka.codec.epcis.json_text import load_json
from jinka.codec.epcis.scalars import Limits, time_text, time_us
from jinka.kit import JinkaError
from jinka.store.trace_queries import query_name
from jinka.store.trace_subscriptions import SubscriptionBooks
from jinka.trace.schedule import Schedule, read_schedule
from jinka.trace.subscriptions import Subscription, begun

BODY_MAX = 64 * 1024
EACH_MAX = 1_000  # subscriptions of one participant
_TOKEN_BYTES = range(1, 1025)
_MEMBERS = frozenset(
    {"dest", "signatureToken", "initialRecordTime", "reportIfEmpty", "schedule", "stream", "@context"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionDesk:
    """``require`` judges a receiver's address, ``seal`` a token for a subscription's id, ``wake`` who delivers."""

    books: SubscriptionBooks
    require: Callable[[str], object]
    seal: Callable[[str, bytes], bytes]
    wake: Callable[[], None]

    def resources(self) -> tuple[Resource, ...]:
        """What `jinka.api.epcis` serves besides its own."""
        stem = "/queries/{queryName}/subscriptions"
        return (
            Resource(path=stem, methods={"GET": self.listed, "POST": self.subscribe}, exists=_exists),
            Resource(
                path=stem + "/{subscriptionID}",
                methods={"GET": self.one, "DELETE": self.unsubscribe},
                exists=lambda ask, services: _ignore(self._require(ask, services)),
            ),
        )

    def subscribe(self, ask: Ask, services: EpcisServices) -> Reply:
        """POST /queries/{queryName}/subscriptions."""
        check_written_version(ask)
        kind, wanted = accepted(ask, JSON), epc_format(ask)
        named = require_query(ask, services)
        require_standing(named.query)
        body = subscription_body(ask)
        if self.books.count(ask.caller.name) >= EACH_MAX:
            raise _wrong(f"{EACH_MAX} subscriptions", "subscriptions", "DELETE those that nobody needs")
        id_ = services.randomness.token_bytes(16).hex()
        token, now = token_of(body), services.clock.now_micros()
        initial = initial_time(body["initialRecordTime"]) if "initialRecordTime" in body else now
        made = begun(
            Subscription(
                id=id_,
                query=named.key,
                owner=ask.caller.name,
                dest=receiver_of(body, self.require),
                sealed_token=self.seal(id_, token) if token else b"",
                schedule=_schedule(body),
                report_if_empty=_flag(body, "reportIfEmpty"),
                epc_format=wanted.value,
                created_micros=now,
                initial_micros=initial,
                acknowledged=max(initial - 1, 0),
            )
        )
        self.books.add(made)
        self.wake()
        text = json.dumps(facts(made), ensure_ascii=False).encode()
        place = location(ask, "queries", ask.path[1], "subscriptions", id_)
        return Reply(status=201, body=text, kind=kind, headers={"Location": place})

    def listed(self, ask: Ask, services: EpcisServices) -> Reply:
        """GET /queries/{queryName}/subscriptions: the caller's own."""
        check_versions(ask)
        kind, start, most = accepted(ask, JSON), page_start(ask, services), per_page(ask)
        named = require_query(ask, services)
        after = str(start[0]) if start else ""
        found = self.books.listed(named.key, ask.caller.name, after, most + 1)
        headers = next_page(ask, services, [found[most - 1].id]) if len(found) > most else {}
        body = json.dumps([facts(one) for one in found[:most]], ensure_ascii=False)
        return Reply(body=body.encode(), kind=kind, headers=headers)

    def one(self, ask: Ask, services: EpcisServices) -> Reply:
        """GET /queries/{queryName}/subscriptions/{subscriptionID}."""
        check_versions(ask)
        kind = accepted(ask, JSON)
        body = json.dumps(facts(self._require(ask, services)), ensure_ascii=False)
        return Reply(body=body.encode(), kind=kind)

    def unsubscribe(self, ask: Ask, services: EpcisServices) -> Reply:
        """DELETE /queries/{queryName}/subscriptions/{subscriptionID}."""
        found = self._require(ask, services)
        self.books.remove(found.query, found.id)
        return Reply(status=204, kind="")

    def _require(self, ask: Ask, services: EpcisServices) -> Subscription:
        named = require_query(ask, services)
        found = self.books.one(named.key, ask.path[3])
        if found is None or found.owner != ask.caller.name:
            raise EpcisError(Exceptions.NO_SUCH_RESOURCE, "no such subscription", where="subscriptionID")
        return found


def receiver_of(body: Mapping[str, Any], require: Callable[[str], object]) -> str:
    """The address of a receiver that ``require`` takes; raises `EpcisError`."""
    dest = body.get("dest")
    if not isinstance(dest, str):
        raise _wrong("no receiver", "dest", "https://host/path")
    try:
        require(dest)
    except JinkaError as error:
        raise _wrong(error.what, "dest", error.fix) from error
    return dest


def _ignore(_: object) -> None:
    """That it is there was the question."""


def facts(found: Subscription) -> dict[str, Any]:
    """A subscription as JSON has it; the token is not told again."""
    made: dict[str, Any] = {
        "subscriptionID": found.id,
        "queryName": query_name(found.query),
        "dest": found.dest,
    }
    made |= {
        "createdAt": time_text(found.created_micros),
        "initialRecordTime": time_text(found.initial_micros),
    }
    made["minRecordTime"] = time_text(max(found.acknowledged, found.initial_micros))
    if found.notified_micros:
        made["lastNotifiedAt"] = time_text(found.notified_micros)
    made["epcFormat"] = found.epc_format
    if found.schedule is None:
        made["stream"] = True
    else:
        made |= {"schedule": dict(found.schedule.given), "reportIfEmpty": found.report_if_empty}
    if found.outcome:  # beyond the standard: what became of the last tries
        made |= {"state": found.state.value, "attempts": found.attempts, "outcome": found.outcome}
    return made


def schedule_of(given: Mapping[str, str]) -> Schedule:
    """A schedule; raises `EpcisError`."""
    try:
        return read_schedule(given)
    except JinkaError as error:
        raise _wrong(error.what, error.where, error.fix) from error


def _wrong(what: str, where: str, fix: str) -> EpcisError:
    return EpcisError(Exceptions.SUBSCRIPTION, what, where=where, fix=fix)


def subscription_body(ask: Ask, members: frozenset[str] = _MEMBERS) -> dict[str, Any]:
    """The object that was sent, with these members at most; raises `EpcisError`."""
    if media_type(ask) != JSON:
        raise EpcisError(Exceptions.MEDIA_TYPE, repr(media_type(ask)[:60]), where="Content-Type", fix=JSON)
    load_json(ask.body, Limits(document_bytes=BODY_MAX))  # strict: names once, nothing unwritable
    try:
        body = json.loads(ask.body)
    except RecursionError:
        raise _wrong("nested too deep", "body", "a flat object") from None
    if not isinstance(body, dict):
        raise _wrong("no object", "body", '{"dest": ..., "stream": true}')
    if extra := sorted(set(body) - members):
        raise _wrong("no such member", extra[0][:80], f"one of {', '.join(sorted(members))}")
    return body


def token_of(body: Mapping[str, Any]) -> bytes:
    """The client's token, empty without one; raises `EpcisError`."""
    token = body.get("signatureToken")
    if token is None:
        return b""
    raw = token.encode("utf-8", "replace") if isinstance(token, str) else b""
    if len(raw) not in _TOKEN_BYTES:
        raise _wrong("no token", "signatureToken", f"text of 1 to {_TOKEN_BYTES[-1]} bytes")
    return raw


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise _wrong("neither true nor false", name, "true or false")
    return value


def _schedule(body: Mapping[str, Any]) -> Schedule | None:
    given, stream = body.get("schedule"), body.get("stream")
    if stream is not None and stream is not True:
        raise _wrong("only true may be said", "stream", '"stream": true, or a schedule')
    if (given is None) == (stream is None):
        raise _wrong("either a stream or a schedule", "schedule", '"stream": true, or a schedule')
    if given is None:
        if "reportIfEmpty" in body:
            raise _wrong("a stream is never empty", "reportIfEmpty", "leave it out, or give a schedule")
        return None
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise _wrong("no object of texts", "schedule", '{"hour": "1", "minute": "5"}')
    return schedule_of(given)


def initial_time(text: object) -> int:
    """``initialRecordTime`` in microseconds since 1970; raises `EpcisError`."""
    try:
        return max(time_us(text if isinstance(text, str) else ""), 0)
    except JinkaError as error:
        raise _wrong(error.what, "initialRecordTime", error.fix) from error


def _exists(ask: Ask, services: EpcisServices) -> None:
    require_query(ask, services)
