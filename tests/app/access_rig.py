"""A repository whose callers are told apart, for tests: participants with tokens, events from a few words.

A farm, a mill, a shop and a spy take part, and a state that sees all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinka.api.epcis import EpcisApplication
from jinka.api.epcis_exchange import Ask, Reply
from jinka.api.epcis_problems import facts_of
from jinka.api.epcis_services import EpcisServices
from jinka.api.epcis_trace import TraceResources
from jinka.app.trace_access import Access, put_participant
from jinka.app.trace_config import read_trace_file
from jinka.app.trace_desk import ServedTraces
from jinka.app.trace_secret import TraceSecret
from jinka.codec.epcis import Action, Event, EventType
from jinka.codec.epcis.json_reader import read_event
from jinka.codec.epcis.json_text import load_json
from jinka.codec.epcis.json_writer import write_event
from jinka.codec.epcis.model import Place, Typed
from jinka.kit import JinkaError
from jinka.node.system import SystemRandomness
from jinka.store import database_at
from jinka.store.trace_queries import NamedQueries
from jinka.store.trace_store import TraceStore
from tests.crypto.test_detached_jws import AT
from tests.trace.test_access import HALL, MINE, STORE

STEP = "https://ref.gs1.org/cbv/BizStep-"
HOUR = 3_600_000_000


class Clock:
    def now_micros(self) -> int:
        return int(AT.timestamp()) * 1_000_000


@dataclass
class Rig:
    file: Path
    desk: EpcisApplication
    access: Access
    tokens: Mapping[str, str] = field(default_factory=dict)

    def reply(
        self, who: str, method: str, *path: str, query: Any = (), body: bytes = b"", **more: str
    ) -> Reply:
        headers = {"content-type": "application/json", "gs1-epc-format": "Never_Translates"} | more
        if who:
            headers["authorization"] = f"Bearer {self.tokens.get(who, who)}"
        try:
            return self.desk.reply(Ask(method=method, path=path, query=query, headers=headers, body=body))
        except JinkaError as error:
            facts = facts_of(error)
            return Reply(status=int(facts["status"]), body=json.dumps(facts).encode())

    def ask(
        self, who: str, method: str, *path: str, query: Any = (), body: bytes = b"", **more: str
    ) -> tuple[int, Any]:
        reply = self.reply(who, method, *path, query=query, body=body, **more)
        return reply.status, json.loads(reply.body) if reply.body else None

    def capture(self, who: str, event: Event, **more: str) -> int:
        return self.ask(who, "POST", "events", body=write_event(event), **more)[0]

    def events(self, who: str, *query: tuple[str, str]) -> list[Event]:
        status, body = self.ask(who, "GET", "events", query=query)
        assert status == 200, body
        return events_in(body)

    def people(self, **more: Any) -> None:
        for name, owns in (("farm", ["4012345"]), ("mill", [HALL]), ("shop", [STORE]), ("spy", ["7777777"])):
            self.put(name, owns=owns, **more)
        self.put("state", sees_all=True)

    def put(self, name: str, **more: Any) -> None:
        """Add a participant, or change it; it gets another token."""
        token = put_participant(self.file, name, new_token=True, **more)["token"]
        self.tokens = {**self.tokens, name: token}


def events_in(body: Any) -> list[Event]:
    """Of a query document."""
    found = body["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return [read_event(load_json(json.dumps(each).encode())) for each in found]


def seen(hour: int, step: str, place: str, *epcs: str, to: str = "") -> Event:
    sent = (Typed(id=to, type="https://ref.gs1.org/cbv/SDT-location"),) if to else ()
    return Event(
        event_type=EventType.OBJECT, event_time_us=hour * HOUR, zone_offset="+08:00", action=Action.OBSERVE,
        epcs=epcs or (MINE,), biz_step=STEP + step, read_point=Place(id=place), destinations=sent,
    )  # fmt: skip


@contextmanager
def rig_at(where: Path | str, folder: Path, access: str = "required = true") -> Iterator[Rig]:
    """A repository in this database, with a file in a folder."""
    path = folder / "trace.toml"
    path.write_text(f'[trace]\ndatabase = "{where}"\n[access]\n{access}\n', encoding="utf-8")
    file, randomness, clock = read_trace_file(path), SystemRandomness(), Clock()
    with database_at(file.database) as database:
        held = Access(database, file, TraceSecret.of_folder(folder, randomness), clock)
        services = EpcisServices(
            store=TraceStore(database, clock), named=NamedQueries(database, clock), clock=clock, randomness=randomness,
            admit=held.admit, sight=held, check_signature=held.check_signature,
        )  # fmt: skip
        traces = TraceResources(desk=ServedTraces(database, clock, held if held.required else None))
        yield Rig(path, EpcisApplication(services, more=traces.resources()), held)
