"""An EPCIS repository for tests: a clock that tells each moment once, events from a few words, requests by hand."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from jinka.api.epcis import EpcisApplication
from jinka.api.epcis_exchange import Ask, Reply
from jinka.api.epcis_problems import facts_of
from jinka.api.epcis_services import EpcisServices
from jinka.codec.epcis import Event, read_json
from jinka.kit import JinkaError
from jinka.store import database_at
from jinka.store.trace_capture import Answer, prepare
from jinka.store.trace_queries import NamedQueries
from jinka.store.trace_store import TraceStore

NOW = 1_774_000_000_000_000  # 2026-03-20
ITEM = "urn:epc:id:sgtin:6901234.012345."
CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"


class Clock:
    """Goes on by a millisecond each time that it is asked."""

    def __init__(self) -> None:
        self.micros = NOW

    def now_micros(self) -> int:
        self.micros += 1_000
        return self.micros


class Seeded:
    """Randomness of a test."""

    def __init__(self) -> None:
        self._random = random.Random(7)

    def token_bytes(self, size: int) -> bytes:
        return self._random.randbytes(size)

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)


def facts(**more: Any) -> dict[str, Any]:
    """One event as JSON: an object observed, unless ``more`` says otherwise; None takes a member out."""
    plain = {
        "type": "ObjectEvent", "eventTime": "2026-03-01T10:00:00.000Z", "eventTimeZoneOffset": "+08:00",
        "epcList": ["urn:epc:id:sgtin:6901234.012345.1"], "action": "OBSERVE",
    }  # fmt: skip
    return {name: value for name, value in (plain | more).items() if value is not None}


def document(*events: Mapping[str, Any], context: Any = None, **more: Any) -> bytes:
    """A capture document."""
    return json.dumps(
        {
            "@context": [CONTEXT, *([context] if context else [])], "type": "EPCISDocument", "schemaVersion": "2.0",
            "creationDate": "2026-03-01T10:00:00.000Z", **more, "epcisBody": {"eventList": list(events)},
        }
    ).encode()  # fmt: skip


def events_of(*found: Mapping[str, Any], context: Any = None) -> tuple[Event, ...]:
    return read_json(document(*found, context=context)).events


@dataclass
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes
    kind: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """Of a query document."""
        found: list[Any] = self.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        return found

    @property
    def problem(self) -> str:
        """The exception's name and its place."""
        return f"{self.json['type'].removeprefix('epcisException:')} {self.json.get('where', '')}".strip()


class Desk:
    """Asks an application without a socket."""

    def __init__(self, services: EpcisServices) -> None:
        self.services, self.application = services, EpcisApplication(services)

    def ask(self, method: str, url: str, body: bytes | str = b"", **headers: str) -> Answered:
        path, _, query = url.partition("?")
        given = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        raw = body.encode() if isinstance(body, str) else body
        segments = tuple(unquote(part) for part in path.strip("/").split("/")) if path.strip("/") else ()
        ask = Ask(
            method=method, path=segments, query=parse_qsl(query, keep_blank_values=True), headers=given, body=raw,
            base="http://epcis",
        )  # fmt: skip
        try:
            made = self.application.reply(ask)
        except JinkaError as error:
            told = facts_of(error)
            made = Reply(status=int(told["status"]), body=json.dumps(told).encode())
        return Answered(made.status, made.headers, made.body, made.kind)

    def get(self, url: str, **headers: str) -> Answered:
        return self.ask("GET", url, **headers)

    def post(self, url: str, body: bytes | str, kind: str = "application/json", **headers: str) -> Answered:
        return self.ask("POST", url, body, Content_Type=kind, **headers)

    def capture(self, *events: Mapping[str, Any], **headers: str) -> Any:
        """Capture through a job, and the job."""
        done = self.post("/capture", document(*events), **headers)
        assert done.status == 202, done.body
        return self.get(done.headers["Location"].removeprefix("http://epcis")).json


@contextmanager
def desk_at(where: Path | str, **more: Any) -> Iterator[Desk]:
    """A repository in this database."""
    clock = Clock()
    with database_at(where) as database:
        yield Desk(
            EpcisServices(
                store=TraceStore(database, clock), named=NamedQueries(database, clock), clock=clock,
                randomness=Seeded(), **more,
            )
        )  # fmt: skip


@contextmanager
def store_at(where: Path | str) -> Iterator[TraceStore]:
    with database_at(where) as database:
        yield TraceStore(database, Clock())


def keep(
    store: TraceStore, *found: Mapping[str, Any], proceed: bool = False, context: Any = None
) -> list[Answer]:
    """Capture events from a few words."""
    return store.capture([prepare(one) for one in events_of(*found, context=context)], proceed=proceed)


def many(count: int) -> list[dict[str, Any]]:
    return [facts(epcList=[f"{ITEM}{n}"], eventID=f"urn:x:{n}") for n in range(count)]


def next_url(answered: Answered) -> str:
    """The URL of the next page; empty after the last."""
    link = str(answered.headers.get("Link", ""))
    assert not link or link.endswith('; rel="next"')
    return link.partition("<")[2].partition(">")[0].removeprefix("http://epcis")
