"""Traces and recalls over HTTP, beside the EPCIS resources: /trace/back, /trace/forward, /trace/recalls.

Not of the standard. A graph is asked for by its things, and comes as JSON or as a drawing (SVG), as the caller may see
it: the chain is whole, what is hidden has other names. A recall is seen by its holders, each its own notices: what they
say, the things that they are about, and the holder's answers. Who draws up, approves and closes recalls does it beside
the database (`jinka trace recall`).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from jinka.api.epcis_exchange import JSON, Ask, Caller, Reply, accepted, media_type
from jinka.api.epcis_pages import PAGING, next_page, page_start, per_page
from jinka.api.epcis_problems import EpcisError, Exceptions
from jinka.api.epcis_services import EpcisServices, Resource
from jinka.codec.epcis.json_text import load_json
from jinka.codec.epcis.scalars import Limits
from jinka.reports import Language

SVG = "image/svg+xml"
THINGS_MAX = 20  # that one graph begins with
BODY_MAX = 256 * 1024
OUTCOMES_MAX = 1_000
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
_NAME_MAX = 100


class Graph(Protocol):
    """An answer that can be told and drawn."""

    def facts(self) -> dict[str, object]: ...

    def svg(self, language: Language) -> str: ...


class TraceDesk(Protocol):
    """Who answers, with the eyes of the caller; raises `NotFound` for what it may not see."""

    def graph(
        self, caller: Caller, things: Sequence[str], *, forward: bool, since_us: int | None, until_us: int | None
    ) -> Graph: ...  # fmt: skip

    def recalls(self, caller: Caller, before: int, most: int) -> tuple[list[dict[str, Any]], int]:
        """A page, the newest first, and the number that the next one comes before; 0 after the last."""
        ...

    def recall(self, caller: Caller, number: int) -> dict[str, Any]: ...

    def notice(self, caller: Caller, number: int, holder: str, language: Language) -> dict[str, Any]: ...

    def things(
        self, caller: Caller, number: int, holder: str, after: int, most: int
    ) -> list[tuple[int, str]]:
        """What a notice is about, each with its place in the order."""
        ...

    def acknowledge(self, caller: Caller, number: int, holder: str, by: str) -> dict[str, Any]: ...

    def answer(
        self, caller: Caller, number: int, holder: str, by: str, outcomes: Sequence[Mapping[str, str]]
    ) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceResources:
    """Resources for `jinka.api.epcis`."""

    desk: TraceDesk

    def resources(self) -> tuple[Resource, ...]:
        one, notice = "/trace/recalls/{number}", "/trace/recalls/{number}/notices/{holder}"
        return (
            Resource(path="/trace/back", methods={"GET": self.graph}),
            Resource(path="/trace/forward", methods={"GET": self.graph}),
            Resource(path="/trace/recalls", methods={"GET": self.recalls}),
            Resource(path=one, methods={"GET": self.recall}),
            Resource(path=notice, methods={"GET": self.notice}),
            Resource(path=notice + "/things", methods={"GET": self.things}),
            Resource(path=notice + "/acknowledgement", methods={"POST": self.acknowledge}),
            Resource(path=notice + "/report", methods={"POST": self.answer}),
        )

    def graph(self, ask: Ask, _: EpcisServices) -> Reply:
        """GET /trace/back and /trace/forward."""
        kind, given = accepted(ask, JSON, SVG), _given(ask, {"thing", "since", "until", "lang"})
        language = _language(given)
        things = given.get("thing", [])
        if not 0 < len(things) <= THINGS_MAX:
            raise EpcisError(
                Exceptions.QUERY_PARAMETER, f"{len(things)} things", where="thing", fix=f"1 to {THINGS_MAX} of them"
            )  # fmt: skip
        found = self.desk.graph(
            ask.caller, things, forward=ask.path[1] == "forward",
            since_us=_moment(given, "since"), until_us=_moment(given, "until"),
        )  # fmt: skip
        if kind == SVG:
            return Reply(body=found.svg(language).encode(), kind=SVG)
        return _told(found.facts())

    def recalls(self, ask: Ask, services: EpcisServices) -> Reply:
        """GET /trace/recalls: those that have a notice for the caller; every one for who sees all."""
        accepted(ask, JSON)
        _given(ask, PAGING)
        start = page_start(ask, services)
        found, behind = self.desk.recalls(ask.caller, int(start[0]) if start else 0, per_page(ask))
        return _told(found, next_page(ask, services, [behind]) if behind else {})

    def recall(self, ask: Ask, _: EpcisServices) -> Reply:
        """GET /trace/recalls/{number}."""
        accepted(ask, JSON)
        return _told(self.desk.recall(ask.caller, _number(ask)))

    def notice(self, ask: Ask, _: EpcisServices) -> Reply:
        """GET /trace/recalls/{number}/notices/{holder}: in words as well."""
        accepted(ask, JSON)
        language = _language(_given(ask, {"lang"}))
        return _told(self.desk.notice(ask.caller, _number(ask), ask.path[4], language))

    def things(self, ask: Ask, services: EpcisServices) -> Reply:
        """GET /trace/recalls/{number}/notices/{holder}/things."""
        accepted(ask, JSON)
        _given(ask, PAGING)
        start, most = page_start(ask, services), per_page(ask)
        after = int(start[0]) if start else -1
        found = self.desk.things(ask.caller, _number(ask), ask.path[4], after, most + 1)
        headers = next_page(ask, services, [found[most - 1][0]]) if len(found) > most else {}
        return _told([name for _, name in found[:most]], headers)

    def acknowledge(self, ask: Ask, _: EpcisServices) -> Reply:
        """POST /trace/recalls/{number}/notices/{holder}/acknowledgement."""
        accepted(ask, JSON)
        body = _body(ask, {"by"})
        return _told(self.desk.acknowledge(ask.caller, _number(ask), ask.path[4], _by(body)))

    def answer(self, ask: Ask, _: EpcisServices) -> Reply:
        """POST /trace/recalls/{number}/notices/{holder}/report: all that became of it; the last report counts."""
        accepted(ask, JSON)
        body = _body(ask, {"by", "outcomes"})
        outcomes = body.get("outcomes")
        if not isinstance(outcomes, list) or not 0 < len(outcomes) <= OUTCOMES_MAX:
            raise _wrong("no list of outcomes", "outcomes", f"1 to {OUTCOMES_MAX} of them")
        told = [_outcome(each, f"outcomes/{at}") for at, each in enumerate(outcomes)]
        return _told(self.desk.answer(ask.caller, _number(ask), ask.path[4], _by(body), told))


def _told(facts: Any, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(body=json.dumps(facts, ensure_ascii=False).encode(), headers=headers or {})


def _given(ask: Ask, known: set[str] | frozenset[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in ask.query:
        if name not in known:
            raise EpcisError(
                Exceptions.QUERY_PARAMETER, "no such parameter", where=name[:100], fix=", ".join(sorted(known))
            )  # fmt: skip
        found.setdefault(name, []).append(value)
    return found


def _language(given: Mapping[str, list[str]]) -> Language:
    text = given.get("lang", [Language.EN.value])
    found = next((one for one in Language if [one.value] == text), None)
    if found is None:
        raise EpcisError(Exceptions.QUERY_PARAMETER, "no such language", where="lang", fix="en, or zh")
    return found


def _moment(given: Mapping[str, list[str]], name: str) -> int | None:
    if name not in given:
        return None
    try:
        (text,) = given[name]
        at = dt.datetime.fromisoformat(text)
        if at.tzinfo is None or not 1 < at.year < 9999:
            raise ValueError
    except ValueError:
        raise EpcisError(
            Exceptions.QUERY_PARAMETER, "no time with a zone", where=name, fix="2026-05-01T08:00:00Z"
        ) from None
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def _number(ask: Ask) -> int:
    text = ask.path[2]
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise EpcisError(Exceptions.NO_SUCH_RESOURCE, "no such recall", where="number")
    return int(text)


def _body(ask: Ask, members: set[str]) -> dict[str, Any]:
    if media_type(ask) != JSON:
        raise EpcisError(Exceptions.MEDIA_TYPE, repr(media_type(ask)[:60]), where="Content-Type", fix=JSON)
    load_json(ask.body, Limits(document_bytes=BODY_MAX))  # strict: names once, nothing unwritable
    try:
        body = json.loads(ask.body)
    except (RecursionError, ValueError):
        raise _wrong("nested too deep, or a number too long", "body", "a flat object") from None
    if not isinstance(body, dict) or set(body) - members:
        raise _wrong("not such an object", "body", ", ".join(sorted(members)))
    return body


def _by(body: Mapping[str, Any]) -> str:
    by = body.get("by")
    if not isinstance(by, str) or not 0 < len(by) <= _NAME_MAX or not by.isprintable():
        raise _wrong("no name", "by", "who answers, in 1 to 100 characters")
    return by


def _outcome(given: Any, where: str) -> Mapping[str, str]:
    """``{"subject": "items", "fate": "returned", "amount": "5"}``; the subject may be left out for items."""
    if not isinstance(given, dict) or set(given) - {"subject", "fate", "amount"}:
        raise _wrong("no outcome", where, '{"subject": "items", "fate": "returned", "amount": "5"}')
    if not isinstance(given.get("amount"), str) or not _AMOUNT.fullmatch(given["amount"]):
        raise _wrong("no amount", f"{where}/amount", 'a number as text: "2.5"')
    for name in ("subject", "fate"):
        if not isinstance(given.get(name, ""), str) or len(given.get(name, "")) > 2_000:
            raise _wrong("no text", f"{where}/{name}", "text")
    return {"subject": "", "fate": ""} | given


def _wrong(what: str, where: str, fix: str) -> EpcisError:
    return EpcisError(Exceptions.VALIDATION, what, where=where, fix=fix)
