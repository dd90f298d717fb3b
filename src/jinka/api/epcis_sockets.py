"""Standing queries over WebSocket: GET /queries/{queryName}/events with an upgrade.

EPCIS 2.0, 12.7, its OpenAPI, and RFC 6455. The URL says ``stream=true`` or a schedule (``second`` to ``dayOfWeek``),
and perhaps ``initialRecordTime`` and ``reportIfEmpty``; each message is one query document in JSON-LD. A connection
keeps nothing: the protocol has no acknowledgement, so who comes back says from when (``initialRecordTime``). Who has to
miss nothing takes a webhook. What a client says on the socket is not heard.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from starlette.types import Receive, Scope, Send

from jinka.api.epcis import EpcisApplication
from jinka.api.epcis_exchange import Ask, Caller, epc_format
from jinka.api.epcis_problems import JSON_KIND, EpcisError, Exceptions, exception_of, problem_body
from jinka.api.epcis_resources import require_query
from jinka.api.epcis_services import EpcisServices
from jinka.api.epcis_standing import document, find, require_standing
from jinka.api.epcis_subscriptions import initial_time, schedule_of
from jinka.codec.epcis.scalars import time_text
from jinka.kit import JinkaError
from jinka.store.trace_queries import query_name
from jinka.trace.schedule import FIELDS, Schedule
from jinka.trace.subscriptions import BATCH

SOCKETS_MAX = 128
SOCKETS_EACH = 16  # of one caller who is told apart
THREADS = 4
IDLE_S = 2.0  # how long a stream waits before it looks by itself
_MICROS = 1_000_000
_GOING_AWAY, _BROKEN = 1001, 1011
_T = TypeVar("_T")


class Bell:
    """Rung when something was captured: wakes a thread, and whoever waits in an event loop."""

    def __init__(self) -> None:
        self.rung = threading.Event()
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    def ring(self) -> None:
        """From any thread."""
        self.rung.set()
        with self._lock:
            for event, loop in self._waiting.items():
                with suppress(RuntimeError):  # a loop that has ended waits for nothing
                    loop.call_soon_threadsafe(event.set)

    @contextmanager
    def heard(self) -> Iterator[asyncio.Event]:
        """An event of the running loop that is set at each ring."""
        event = asyncio.Event()
        with self._lock:
            self._waiting[event] = asyncio.get_running_loop()
        try:
            yield event
        finally:
            with self._lock:
                del self._waiting[event]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    name: str
    caller: Caller
    schedule: Schedule | None
    report_if_empty: bool
    epc_format: str
    after: int
    id: str


class QuerySockets:
    """ASGI for what is a WebSocket."""

    def __init__(self, services: EpcisServices, bell: Bell, *, mount: str = "") -> None:
        self._services, self._bell = services, bell
        self._desk = EpcisApplication(services, mount=mount)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="epcis-sockets")
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        await receive()  # websocket.connect
        try:
            standing = await self._in_thread(partial(self._standing, scope))
        except JinkaError as error:
            await _refuse(error, scope, send)
            return
        name = standing.caller.name
        if self._open.total() >= SOCKETS_MAX or (name and self._open[name] >= SOCKETS_EACH):
            await _refuse(EpcisError(Exceptions.BUSY, "too many sockets are open"), scope, send)
            return
        self._open[name] += 1
        try:
            since = time_text(max(standing.after + 1, 0)).encode()
            await send({"type": "websocket.accept", "headers": [(b"gs1-query-min-record-time", since)]})
            await self._until_gone(standing, receive, send)
        finally:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]

    async def _until_gone(self, standing: _Standing, receive: Receive, send: Send) -> None:
        telling = asyncio.create_task(self._tell(standing, send))
        listening = asyncio.create_task(_listen(receive))
        try:
            await asyncio.wait({telling, listening}, return_when=asyncio.FIRST_COMPLETED)
            if telling.done() and not listening.done():
                code = telling.result()
                await send({"type": "websocket.close", "code": code})
        finally:
            for task in (telling, listening):
                task.cancel()
            await asyncio.gather(telling, listening, return_exceptions=True)

    async def _tell(self, standing: _Standing, send: Send) -> int:
        """Send what is found, for ever; the code to close with when there is nothing more to come."""
        after, services, first = standing.after, self._services, standing.schedule is None
        with self._bell.heard() as heard:
            while True:
                if not first:  # a stream tells at once what there is, a schedule at its time
                    await self._wait(standing.schedule, heard)
                first = False
                try:
                    newest = await self._in_thread(services.store.newest)
                    empty = standing.schedule is not None and standing.report_if_empty
                    while after < newest or empty:
                        text, last = await self._in_thread(
                            partial(self._look, standing, after, newest, empty)
                        )
                        after, empty = max(after, last), False
                        if text:
                            await send({"type": "websocket.send", "text": text})
                except EpcisError as error:
                    return _GOING_AWAY if error.exception is Exceptions.NO_SUCH_NAME else _BROKEN
                except JinkaError:
                    return _BROKEN

    async def _wait(self, schedule: Schedule | None, heard: asyncio.Event) -> None:
        if schedule is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(heard.wait(), IDLE_S)
            heard.clear()
            return
        now = self._services.clock.now_micros()
        await asyncio.sleep(max(schedule.after(now) - now, 0) / _MICROS)

    def _look(self, standing: _Standing, after: int, newest: int, empty: bool) -> tuple[str, int]:
        """(what is to be sent, how far that goes)."""
        named = self._services.named.one(standing.name)
        if named is None:
            raise EpcisError(Exceptions.NO_SUCH_NAME, "no such query", where="queryName")
        found = find(self._services, named.query, standing.caller, after, newest, BATCH)
        last = found.last if found.more else newest
        if not found.events and not empty:
            return "", last
        name = query_name(standing.name)
        body = document(self._services, found.events, name, standing.id, standing.epc_format)
        return body.decode(), last

    def _standing(self, scope: Scope) -> _Standing:
        """What a client asks for; raises `JinkaError`."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        ask = self._desk.ask_of({**scope, "method": "GET"}, headers, b"")
        caller = self._services.admit(ask.headers)
        if len(ask.path) != 3 or ask.path[0] != "queries" or ask.path[2] != "events":
            raise EpcisError(Exceptions.NO_SUCH_RESOURCE, "no WebSocket here", where="URL")
        named = require_query(ask, self._services)
        require_standing(named.query)
        given = _once(ask)
        stream, since = given.pop("stream", None), given.pop("initialRecordTime", None)
        empty = given.pop("reportIfEmpty", "false").lower()
        schedule = {name: given.pop(name) for name, _, _ in FIELDS if name in given}
        wrong = next(iter(given), "") or ("stream" if stream not in (None, "true") else "")
        wrong = wrong or ("reportIfEmpty" if empty not in ("true", "false") else "")
        if wrong or (stream is None) == (not schedule):
            raise EpcisError(
                Exceptions.SUBSCRIPTION, "neither a stream nor a schedule", where=wrong or "stream",
                fix="?stream=true, or ?hour=1&minute=5",
            )  # fmt: skip
        now = self._services.clock.now_micros()
        return _Standing(
            name=named.key,
            caller=caller,
            schedule=schedule_of(schedule) if schedule else None,
            report_if_empty=empty == "true",
            epc_format=epc_format(ask).value,
            after=(now if since is None else initial_time(since)) - 1,
            id=self._services.randomness.token_bytes(16).hex(),
        )

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _once(ask: Ask) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in ask.query:
        if name in given:
            raise EpcisError(Exceptions.SUBSCRIPTION, "given twice", where=name[:80])
        given[name] = value
    return given


async def _listen(receive: Receive) -> None:
    """Until the client is gone."""
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def _refuse(error: JinkaError, scope: Mapping[str, object], send: Send) -> None:
    """Answer the handshake with a problem, where the server can; else it is closed."""
    extensions = scope.get("extensions")
    if not isinstance(extensions, dict) or "websocket.http.response" not in extensions:
        await send({"type": "websocket.close", "code": _BROKEN})
        return
    status, headers = exception_of(error).status, [(b"content-type", JSON_KIND.encode())]
    if status == Exceptions.UNAUTHORISED.status:
        headers.append((b"www-authenticate", b"Bearer"))
    body = problem_body(error, xml=False)
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
