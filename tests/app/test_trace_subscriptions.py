"""Deliveries of standing queries. Goal: every event once and in order, whatever fails where.

Method: a real store, a real HTTP receiver on the loopback that answers as it is told, and crashes at each step.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jinka.acquirer.callbacks import check_signature
from jinka.api.epcis_exchange import Caller
from jinka.api.epcis_services import EpcisServices
from jinka.app.trace_subscriptions import Deliveries, Outgoing, deliver, run
from jinka.codec.epcis import Action, Event
from jinka.kit import Refused
from jinka.node.system import SystemRandomness
from jinka.node.trace_receivers import Answer, Receivers
from jinka.store import database_at
from jinka.store.trace_capture import prepare
from jinka.store.trace_queries import NamedQueries, NamedQuery
from jinka.store.trace_query import EventQuery
from jinka.store.trace_store import TraceStore
from jinka.store.trace_subscriptions import SubscriptionBooks
from jinka.trace.schedule import read_schedule
from jinka.trace.subscriptions import BATCH, WAITS_S, State, Subscription, begun
from tests.trace.test_choreography import ITEM, thing

START = 1_800_000_000_000_000
TOKEN = b"13df38d8"
LOCAL = frozenset({"127.0.0.1"})


class Clock:
    micros = START

    def now_micros(self) -> int:
        return self.micros

    def pass_s(self, seconds: float) -> None:
        self.micros += int(seconds * 1_000_000)


class _Heard(BaseHTTPRequestHandler):
    server: Hearer  # type: ignore[assignment]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((dict(self.headers.items()), body))
        self.send_response(self.server.answer(json.loads(body)))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Hearer(ThreadingHTTPServer):
    """Answers what ``answer`` says of a document."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Heard)
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.answer: Callable[[Any], int] = lambda _: 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    def times(self) -> list[list[int]]:
        """The event times of each document, in seconds."""
        return [times_of(json.loads(body)) for _, body in self.heard]

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.heard]


def times_of(document: Mapping[str, Any]) -> list[int]:
    events = document["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return [int(event["eventTime"][17:19]) for event in events]


@pytest.fixture
def hearer() -> Iterator[Hearer]:
    with Hearer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Rig:
    clock: Clock
    store: TraceStore
    named: NamedQueries
    out: Outgoing
    database: Path

    def capture(self, *seconds: int, step: str = "inspecting") -> None:
        self.clock.pass_s(1)
        events = [thing(at * 1_000_000, Action.OBSERVE, step, f"{ITEM}{at}") for at in seconds]
        self.store.capture([prepare(event) for event in events])

    def subscribe(self, url: str, **more: Any) -> Subscription:
        now = self.clock.now_micros()
        made = Subscription(
            id="s1", query="seen", owner="", dest=url, sealed_token=b"x", created_micros=now, initial_micros=now,
            acknowledged=now - 1,
        )  # fmt: skip
        made = begun(replace(made, **more))
        self.out.books.add(made)
        return made

    def kept(self) -> Subscription:
        found = self.out.books.one("seen", "s1")
        assert found is not None
        return found

    def deliver(self) -> int:
        return deliver(self.out)


@pytest.fixture
def rig(fresh_sqlite: Callable[[], Path]) -> Iterator[Rig]:
    clock, path = Clock(), fresh_sqlite()
    with database_at(path) as database:
        store, named = TraceStore(database, clock), NamedQueries(database, clock)
        services = EpcisServices(store=store, named=named, clock=clock, randomness=SystemRandomness())
        named.add(NamedQuery(name="seen", parameters={"EQ_bizStep": ["inspecting"]}, prefixes={}))
        out = Outgoing(
            services=services, books=SubscriptionBooks(database), receivers=Receivers(hosts=LOCAL), clock=clock,
            unseal=lambda _: TOKEN, caller=lambda name: Caller(name=name),
        )  # fmt: skip
        yield Rig(clock, store, named, out, path)


def test_a_stream_tells_what_matches_once_and_signed(rig: Rig, hearer: Hearer) -> None:
    rig.capture(1)  # before anybody subscribed
    rig.clock.pass_s(1)
    rig.subscribe(hearer.url)
    assert rig.deliver() == 0
    rig.capture(2, 3)
    rig.capture(4, step="shipping")
    rig.capture(5)
    assert [rig.deliver(), rig.deliver()] == [1, 0]
    rig.capture(6)
    assert rig.deliver() == 1
    assert hearer.times() == [[2, 3, 5], [6]]
    headers, body = hearer.heard[0]
    at_s = int(headers["webhook-timestamp"])
    check_signature(TOKEN, headers["webhook-id"], at_s, body.decode(), headers["GS1-Signature"], at_s)
    found = json.loads(body)["epcisBody"]["queryResults"]
    assert (found["queryName"], found["subscriptionID"]) == ("seen", "s1")
    assert rig.kept().acknowledged == rig.store.newest()


def test_what_went_before_is_told_where_it_is_asked_for(rig: Rig, hearer: Hearer) -> None:
    rig.capture(1, 2)
    rig.subscribe(hearer.url, acknowledged=0, initial_micros=0)
    rig.deliver()
    assert hearer.times() == [[1, 2]]


def test_a_receiver_that_was_away_catches_up_in_order_and_in_batches(rig: Rig, hearer: Hearer) -> None:
    hearer.answer = lambda _: 503
    rig.subscribe(hearer.url)
    for wait_s in [*WAITS_S, WAITS_S[-1]]:
        rig.capture(1 + len(hearer.heard))
        assert rig.deliver() == 0
        assert rig.deliver() == 0  # not before its time
        rig.clock.pass_s(wait_s)
    assert len(set(hearer.ids())) == 1
    assert hearer.times() == [[1]] * len(hearer.heard)
    assert rig.kept().outcome == "HTTP 503"
    tried = len(hearer.heard)
    hearer.answer = lambda _: 200
    rig.store.capture(
        [prepare(thing(59_000_000, Action.OBSERVE, "inspecting", f"{ITEM}9{n}")) for n in range(BATCH)]
    )
    assert rig.deliver() == 3
    told = [time for times in hearer.times()[tried:] for time in times]
    assert told == [*range(1, tried + 1), *[59] * BATCH]
    assert rig.kept().outcome == ""
    assert rig.deliver() == 0


def test_a_kill_after_the_receiver_took_it_repeats_one_message_and_loses_none(
    rig: Rig, hearer: Hearer
) -> None:
    rig.subscribe(hearer.url)
    rig.capture(1, 2)

    class Killed(BaseException):
        pass

    class Cut(Receivers):
        def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
            super().post(url, headers, body)
            raise Killed

    before = rig.out
    rig.out = replace(before, receivers=Cut(hosts=LOCAL))
    with pytest.raises(Killed):
        rig.deliver()
    rig.out = before
    rig.capture(3)  # meanwhile
    assert rig.deliver() == 2
    assert hearer.times() == [[1, 2], [1, 2], [3]]
    ids = hearer.ids()
    assert ids[0] == ids[1] != ids[2]
    assert rig.deliver() == 0


def test_a_receiver_that_wants_less_at_once_gets_less(rig: Rig, hearer: Hearer) -> None:
    hearer.answer = lambda document: 413 if len(times_of(document)) > 2 else 200
    rig.subscribe(hearer.url)
    rig.capture(*range(1, 8))
    while rig.deliver():
        pass
    taken = [time for times in hearer.times() if len(times) <= 2 for time in times]
    assert taken == [1, 2, 3, 4, 5, 6, 7]
    hearer.answer = lambda _: 413
    rig.capture(9)
    rig.deliver()
    assert rig.kept().state is State.HALTED
    rig.clock.pass_s(99_999)
    assert rig.deliver() == 0


def test_a_schedule_tells_at_its_times_and_an_empty_result_only_where_it_is_wanted(
    rig: Rig, hearer: Hearer
) -> None:
    minutes = read_schedule({"second": "0"})
    rig.subscribe(hearer.url, schedule=minutes, report_if_empty=True)
    rig.capture(1)
    assert rig.deliver() == 0
    rig.clock.pass_s(60)
    assert [rig.deliver(), rig.deliver()] == [1, 0]
    rig.clock.pass_s(60)
    assert rig.deliver() == 1
    rig.clock.pass_s(600)  # missed times count once
    assert [rig.deliver(), rig.deliver()] == [1, 0]
    assert hearer.times() == [[1], [], []]
    assert len(set(hearer.ids())) == 3
    rig.out.books.save(replace(rig.kept(), report_if_empty=False))
    rig.clock.pass_s(60)
    assert rig.deliver() == 0


def test_it_ends_with_its_query_and_sees_with_its_owner_s_eyes(rig: Rig, hearer: Hearer) -> None:
    seen: list[str] = []

    class Eyes:
        def bounded(self, _: Caller) -> bool:
            return True

        def narrow(self, _: Caller, query: EventQuery) -> EventQuery:
            return query

        def show(self, caller: Caller, events: Sequence[Event], what: str) -> Sequence[Event]:
            seen.append(f"{caller.name} {what}")
            return events[1:]

    rig.out = replace(rig.out, services=replace(rig.out.services, sight=Eyes()))
    rig.subscribe(hearer.url, owner="mill")
    rig.capture(1, 2)
    rig.deliver()
    assert (hearer.times(), seen) == (
        [[2]],
        ["mill subscription {'EQ_bizStep': ['inspecting']}"],
    )
    rig.named.remove("seen")
    rig.capture(3)
    assert rig.deliver() == 0
    assert rig.out.books.one("seen", "s1") is None
    assert len(hearer.heard) == 1


def test_nothing_is_sent_inside(rig: Rig, hearer: Hearer) -> None:
    rig.out = replace(rig.out, receivers=Receivers(plain=True))
    rig.subscribe(hearer.url)
    rig.capture(1)
    assert rig.deliver() == 0
    assert hearer.heard == []
    assert rig.kept().outcome == "the receiver is inside"


def test_a_slow_receiver_holds_up_nobody(rig: Rig, hearer: Hearer) -> None:
    slow, told = threading.Event(), threading.Event()

    class Slow(Receivers):
        def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
            if "slow" in url:
                slow.wait(10)
            return super().post(hearer.url, headers, body)

    def answer(document: Any) -> int:
        if times_of(document) == [2]:
            told.set()
        return 200

    hearer.answer = answer
    out = replace(rig.out, receivers=Slow(hosts=LOCAL))
    rig.subscribe(hearer.url)
    out.books.add(replace(rig.kept(), id="s2", dest="http://slow.example/"))
    stop, wake = threading.Event(), threading.Event()
    thread = threading.Thread(target=run, args=(out, stop, wake, 0.05))
    thread.start()
    try:
        rig.capture(1)
        wake.set()
        while not hearer.heard:
            wake.wait(0.01)
        rig.capture(2)
        wake.set()
        assert told.wait(5)
        slow.set()
        while sum(map(len, hearer.times())) < 4:
            stop.wait(0.01)
    finally:
        slow.set()
        stop.set()
        wake.set()
        thread.join()
    assert hearer.times()[:2] == [[1], [2]]
    assert sorted(time for times in hearer.times() for time in times) == [1, 1, 2, 2]


def test_a_token_that_does_not_open_is_said_and_nothing_is_sent(rig: Rig, hearer: Hearer) -> None:
    def unseal(_: Subscription) -> bytes:
        raise Refused("the seal does not open", where="trace.secret")

    rig.out = replace(rig.out, unseal=unseal)
    rig.subscribe(hearer.url)
    rig.capture(1)
    assert rig.deliver() == 0
    assert (hearer.heard, rig.kept().outcome) == ([], "trace.secret: the seal does not open")


def test_what_was_read_while_it_was_being_served_is_not_begun_with(rig: Rig, hearer: Hearer) -> None:
    """A delivery ends between the reading of the books and the look at who is served: what was read is old by then."""
    release, ended = threading.Event(), threading.Event()

    class Late(SubscriptionBooks):
        calls = 0

        def due(self, now_micros: int, newest: int, most: int) -> list[Subscription]:
            found = super().due(now_micros, newest, most)
            Late.calls += 1
            if Late.calls == 2:  # what is under way is acknowledged now
                release.set()
                assert ended.wait(10)
            return found

    def answer(_: Any) -> int:
        release.wait(10)
        return 200

    hearer.answer = answer
    with database_at(rig.database) as database, ThreadPoolExecutor(2) as pool:
        rig.subscribe(hearer.url)
        rig.capture(1)
        deliveries = Deliveries(replace(rig.out, books=Late(database)), pool)
        (first,) = deliveries.begin(ended.set)
        assert deliveries.begin() == []
        assert first.result(10) == 1
        assert deliveries.begin() == []
    assert hearer.times() == [[1]]
