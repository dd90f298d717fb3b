"""Subscriptions over HTTP and WebSocket. Goal: what the OpenAPI says, a client's own alone, and no receiver inside.

Method: the interface's own handlers on a real store; for sockets a real server and a client of another make.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from jinka.api.epcis import EpcisApplication, epcis_app
from jinka.api.epcis_exchange import Ask, Caller
from jinka.api.epcis_problems import facts_of
from jinka.api.epcis_server import epcis_server
from jinka.api.epcis_services import EpcisServices
from jinka.api.limits import PatientProtocol
from jinka.app.trace_delivery import Delivery, delivering
from jinka.app.trace_secret import TraceSecret
from jinka.codec.epcis import Action
from jinka.kit import JinkaError
from jinka.node.system import SystemClock, SystemRandomness
from jinka.store import database_at
from jinka.store.trace_capture import prepare
from jinka.store.trace_queries import NamedQueries, NamedQuery
from jinka.store.trace_store import TraceStore
from tests.trace.test_choreography import ITEM, thing

_CONFIG = Path(__file__).with_name("epcis_schemathesis.toml")
OUTSIDE = "https://client.example.com/hook"


def _admit(headers: Any) -> Caller:
    return Caller(name=headers.get("who", ""))


@pytest.fixture
def made(fresh_sqlite: Callable[[], Path]) -> Iterator[Delivery]:
    clock, randomness = SystemClock(), SystemRandomness()
    with database_at(fresh_sqlite()) as database:
        services = EpcisServices(
            store=TraceStore(database, clock), named=NamedQueries(database, clock), clock=clock,
            randomness=randomness, admit=_admit,
        )  # fmt: skip
        services.named.add(NamedQuery(name="seen", parameters={"EQ_bizStep": ["inspecting"]}, prefixes={}))
        services.named.add(NamedQuery(name="few", parameters={"eventCountLimit": 3}, prefixes={}))
        with delivering(database, services, {}, TraceSecret(bytes(32), randomness)) as delivery:
            yield delivery


def ask(
    made: Delivery, method: str, *path: str, body: Any = None, who: str = "", **headers: str
) -> tuple[int, Any, Any]:
    """(status, headers, body)."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    sent = {"content-type": "application/json", "who": who} | headers
    request = Ask(method=method, path=path, body=raw, headers=sent, base="https://s.example")
    try:
        reply = EpcisApplication(made.services, more=made.resources).reply(request)
    except JinkaError as error:
        facts = facts_of(error)
        return int(facts["status"]), {}, facts
    return reply.status, reply.headers, json.loads(reply.body) if reply.body else None


HERE = ("queries", "seen", "subscriptions")


def test_a_subscription_lives_as_the_openapi_says(made: Delivery) -> None:
    body = {"dest": OUTSIDE, "signatureToken": "13df38d8", "reportIfEmpty": True, "schedule": {"hour": "1"}}
    status, headers, told = ask(made, "POST", *HERE, body=body, who="farm")
    assert status == 201
    assert headers["Location"] == f"https://s.example/queries/seen/subscriptions/{told['subscriptionID']}"
    assert (told["dest"], told["schedule"], told["reportIfEmpty"]) == (OUTSIDE, {"hour": "1"}, True)
    assert "13df38d8" not in json.dumps(told)
    own = (*HERE, told["subscriptionID"])
    assert ask(made, "GET", *own, who="farm")[2] == told
    assert ask(made, "GET", *HERE, who="farm")[2] == [told]
    assert ask(made, "OPTIONS", *own, who="farm")[1]["Allow"] == "OPTIONS, DELETE, GET"
    for method in ("GET", "DELETE", "OPTIONS"):
        assert ask(made, method, *own, who="mill")[0] == 404
    assert ask(made, "GET", *HERE, who="mill")[2] == []
    assert [ask(made, "DELETE", *own, who="farm")[0] for _ in range(2)] == [204, 404]


def test_a_query_takes_its_subscriptions_along_but_not_those_of_others(made: Delivery) -> None:
    _, _, told = ask(made, "POST", *HERE, body={"dest": OUTSIDE, "stream": True})
    assert ask(made, "DELETE", "queries", "seen", who="mill")[0] == 403
    assert ask(made, "DELETE", "queries", "seen")[0] == 204
    made.services.named.add(NamedQuery(name="seen", parameters={}, prefixes={}))
    assert ask(made, "GET", *HERE, told["subscriptionID"])[0] == 404


WRONG: list[tuple[Any, str]] = [
    ({"stream": True}, "dest"),
    ({"dest": "http://client.example.com/", "stream": True}, "dest"),
    ({"dest": "https://127.0.0.1/", "stream": True}, "dest"),
    ({"dest": "https://169.254.169.254/latest", "stream": True}, "dest"),
    ({"dest": "https://[::ffff:10.0.0.1]/", "stream": True}, "dest"),
    ({"dest": "file:///etc/passwd", "stream": True}, "dest"),
    ({"dest": OUTSIDE}, "schedule"),
    ({"dest": OUTSIDE, "stream": True, "schedule": {"hour": "1"}}, "schedule"),
    ({"dest": OUTSIDE, "stream": False}, "stream"),
    ({"dest": OUTSIDE, "schedule": {"hour": "25"}}, "schedule.hour"),
    ({"dest": OUTSIDE, "schedule": {"hour": 1}}, "schedule"),
    ({"dest": OUTSIDE, "schedule": {}}, "schedule"),
    ({"dest": OUTSIDE, "stream": True, "signatureToken": ""}, "signatureToken"),
    ({"dest": OUTSIDE, "stream": True, "signatureToken": "x" * 1025}, "signatureToken"),
    ({"dest": OUTSIDE, "stream": True, "initialRecordTime": "2026-01-01T00:00:00"}, "initialRecordTime"),
    ({"dest": OUTSIDE, "stream": True, "reportIfEmpty": True}, "reportIfEmpty"),
    ({"dest": OUTSIDE, "schedule": {"hour": "1"}, "reportIfEmpty": "yes"}, "reportIfEmpty"),
    ({"dest": OUTSIDE, "stream": True, "secret": "x"}, "secret"),
    ([], "body"),
]


def test_what_is_no_subscription_is_refused_with_its_place(made: Delivery) -> None:
    for body, where in WRONG:
        status, _, told = ask(made, "POST", *HERE, body=body)
        assert (status, told["type"].partition(":")[2]) == (400, "SubscriptionControlsException"), body
        assert told["where"] == where, body


def test_other_refusals_have_their_own_status(made: Delivery) -> None:
    stream = {"dest": OUTSIDE, "stream": True}
    assert ask(made, "POST", "queries", "few", "subscriptions", body=stream)[0] == 400
    assert ask(made, "POST", "queries", "none", "subscriptions", body=stream)[0] == 404
    assert ask(made, "POST", *HERE, body=stream, **{"content-type": "text/plain"})[0] == 415
    assert ask(made, "POST", *HERE, body=b'{"dest": 1, "dest": 2}')[0] == 400
    assert ask(made, "POST", *HERE, body=b"[" * 60_000)[0] == 400
    assert ask(made, "POST", *HERE, body=b"x" * 70_000)[0] == 400
    assert ask(made, "PUT", *HERE, body=stream)[0] == 405


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=6,
)
MEMBERS = ("dest", "signatureToken", "initialRecordTime", "reportIfEmpty", "schedule", "stream")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(MEMBERS), JSON_VALUES, max_size=5),
    st.dictionaries(st.sampled_from(["second", "minute", "hour", "dayOfWeek", "month"]), st.text(max_size=6)),
)
def test_whatever_is_sent_is_answered(made: Delivery, body: dict[str, Any], schedule: dict[str, str]) -> None:
    for sent in (body, {"dest": OUTSIDE, "schedule": schedule}, {"dest": OUTSIDE, "stream": True} | body):
        status, _, told = ask(made, "POST", *HERE, body=sent)
        assert status in (201, 400), (sent, told)
        if status == 201:
            assert ask(made, "DELETE", *HERE, told["subscriptionID"])[0] == 204


# Sockets


@contextmanager
def served(made: Delivery) -> Iterator[str]:
    app = epcis_app(made.services, more=made.resources, websocket=made.sockets)
    server = epcis_server(app, websockets=True)
    with socket.create_server(("127.0.0.1", 0)) as place:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        try:
            yield f"ws://127.0.0.1:{place.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def _capture(made: Delivery, *seconds: int) -> None:
    events = [thing(at * 1_000_000, Action.OBSERVE, "inspecting", f"{ITEM}{at}") for at in seconds]
    made.services.store.capture([prepare(event) for event in events])
    made.services.captured()


def _told(link: ClientConnection) -> list[int]:
    document = json.loads(link.recv(timeout=10))
    assert document["epcisBody"]["queryResults"]["queryName"] == "seen"
    events = document["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return [int(event["eventTime"][17:19]) for event in events]


def test_a_socket_tells_what_is_captured_from_when_it_says(
    made: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientProtocol, "head_s", 0.3)
    with served(made) as url:
        _capture(made, 1)
        since = "initialRecordTime=2020-01-01T00:00:00Z"
        with (
            connect(f"{url}/queries/seen/events?stream=true", proxy=None) as link,
            connect(f"{url}/queries/seen/events?stream=true&{since}", proxy=None) as old,
        ):
            assert old.response is not None
            assert old.response.headers["GS1-Query-Min-Record-Time"] == "2020-01-01T00:00:00.000Z"
            assert _told(old) == [1]
            _capture(made, 2, 3)
            assert [_told(link), _told(old)] == [[2, 3], [2, 3]]
            link.send("whatever")
            time.sleep(0.5)  # longer than a head of a request may take
            _capture(made, 4)
            assert _told(link) == [4]
            made.services.named.remove("seen")
            _capture(made, 5)
            with pytest.raises(ConnectionClosed) as closed:
                link.recv(timeout=10)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001


def test_a_socket_tells_at_the_times_of_a_schedule(made: Delivery) -> None:
    seconds = "second=0/1&reportIfEmpty=true"
    with served(made) as url, connect(f"{url}/queries/seen/events?{seconds}", proxy=None) as link:
        _capture(made, 7)
        told = [_told(link), _told(link)]
        assert told in ([[7], []], [[], [7]])


HANDSHAKES = {
    "/queries/seen/events": 400,
    "/queries/seen/events?stream=false": 400,
    "/queries/none/events?stream=true": 404,
    "/queries/seen/events?stream=true&hour=1": 400,
    "/queries/seen/events?hour=25": 400,
    "/queries/seen/events?stream=true&stream=true": 400,
    "/queries/seen/events?stream=true&EQ_action=ADD": 400,
    "/queries/seen/events?stream=true&initialRecordTime=now": 400,
    "/queries/few/events?stream=true": 400,
    "/events?stream=true": 404,
}


def test_a_handshake_that_asks_for_something_else_is_answered(made: Delivery) -> None:
    with served(made) as url:
        for path, status in HANDSHAKES.items():
            with pytest.raises(InvalidStatus) as refused:
                connect(url + path, proxy=None)
            assert refused.value.response.status_code == status, path
            assert json.loads(refused.value.response.body)["status"] == status


def test_schemathesis_finds_no_fault_in_subscriptions(made: Delivery, tmp_path: Path) -> None:
    with served(made) as url:
        done = subprocess.run(
            [
                sys.executable, "-m", "schemathesis.cli", "--config-file", str(_CONFIG), "run",
                f"http{url.removeprefix('ws')}/openapi.json", "--include-path-regex", "subscriptions|receiver",
                "--header", "who: mill",
                "--phases", "fuzzing", "--max-examples", "3", "--seed", "1", "--no-color",
                "--generation-database", "none",
            ],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]


def test_a_participant_names_a_receiver_of_notices_and_sees_what_waits(made: Delivery) -> None:
    here, wish = ("trace", "receiver"), {"dest": OUTSIDE, "signatureToken": "13df38d8"}
    assert ask(made, "GET", *here, who="mill")[0] == 404
    status, _, told = ask(made, "PUT", *here, body=wish, who="mill")
    assert (status, told["dest"], told["taken"], told["waiting"]) == (200, OUTSIDE, 0, 0)
    assert ask(made, "GET", *here, who="mill")[2] == told
    assert "13df38d8" not in json.dumps(told)
    assert ask(made, "GET", *here, who="farm")[0] == 404
    assert ask(made, "PUT", *here, body=wish)[0] == 403  # nobody in particular has no notices
    for wrong in ({}, {"dest": "https://127.0.0.1/"}, {"dest": OUTSIDE, "stream": True}):
        assert ask(made, "PUT", *here, body=wrong, who="mill")[0] == 400
    assert [ask(made, "DELETE", *here, who="mill")[0] for _ in range(2)] == [204, 404]
