"""The EPCIS 2.0 REST interface as an ASGI application: routes, limits, errors, and OPTIONS for every resource.

EPCIS 2.0, 12, and its OpenAPI. Paths are routed as they came, segment by segment, since identifiers have slashes:
escaped, or for what stands under a top-level resource also as they are. Who sends a body is admitted before it is
read; a request is read whole, within bytes (its own, and of all that are under way) and seconds; then its handler runs
in a thread. HEAD is GET without its body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TypeVar
from urllib.parse import parse_qsl, unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from jinka.api import epcis_capture, epcis_events, epcis_resources
from jinka.api.counting import Counting
from jinka.api.epcis_bodies import Bodies, too_large
from jinka.api.epcis_exchange import DISCOVERY, VERSIONS, Ask, Reply, accepted
from jinka.api.epcis_problems import JSON_KIND, XML_KIND, EpcisError, Exceptions, exception_of, problem_body
from jinka.api.epcis_schema import openapi
from jinka.api.epcis_services import EpcisServices, Resource
from jinka.api.limits import SafeHeaders
from jinka.kit import JinkaError

URL_MAX = 16 * 1024
THREADS = 8
WAITING_MAX = 256  # requests whose handlers have not begun
_PLACES = frozenset({"events", *epcis_events.NARROW})
T = TypeVar("T")
Websocket = Callable[[Scope, Receive, Send], Awaitable[None]]


class EpcisApplication:
    """The application; ``more`` are resources of others, ``websocket`` takes what is no HTTP."""

    def __init__(
        self,
        services: EpcisServices,
        *,
        mount: str = "",
        more: Sequence[Resource] = (),
        websocket: Websocket | None = None,
    ) -> None:
        self._services, self._websocket = services, websocket
        self._mount = tuple(filter(None, mount.split("/")))
        delivers = any(resource.path.endswith("/subscriptions") for resource in more)
        traces = any(resource.path == "/trace/back" for resource in more)
        own = (
            Resource(
                path="/events", methods={"GET": epcis_events.events, "POST": epcis_capture.capture_event}
            ),
            Resource(
                path="/openapi.json",
                methods={"GET": lambda _ask, made: openapi(made, subscriptions=delivers, traces=traces)},
            ),
            Resource(path="/health", methods={"GET": lambda _ask, _made: Reply(body=b'{"status":"up"}')}),
        )
        self._routes = [
            (tuple(filter(None, resource.path.split("/"))), resource)
            for resource in (
                *own, *epcis_capture.RESOURCES, *epcis_events.RESOURCES, *epcis_resources.RESOURCES, *more,
            )
        ]  # fmt: skip
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="epcis")
        self._waiting, self._bodies = 0, Bodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "websocket" and self._websocket is not None:
            await self._websocket(scope, receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"{scope['type']} is not spoken here")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        ask = Ask(method=scope["method"], path=(), headers=headers)
        unread, body = True, self._bodies.begin(scope["client"][0] if scope.get("client") else "")
        try:
            bare = self.ask_of(scope, headers, b"")
            if "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
                self._check_length(headers)
                self._route(bare.path)
                caller = await self._run(partial(self._services.admit, headers))
                body.peer = caller.name or body.peer
            await self._bodies.read(body, receive, self._services.capture_bytes_max)
            unread, ask = False, replace(bare, body=body.whole())
            reply = await self._run(partial(self.reply, ask))
        except JinkaError as error:
            reply = _problem(ask, error, self._services)
            if unread:  # what still comes is nobody's request
                reply = replace(reply, headers={**reply.headers, "Connection": "close"})
        except Exception:
            await _answer(_problem(ask, EpcisError(Exceptions.IMPLEMENTATION, ""), self._services), ask, send)
            raise  # so that the server's log has it
        finally:
            self._bodies.let_go(body)
        await _answer(reply, ask, send)

    def _check_length(self, headers: Mapping[str, str]) -> None:
        most, announced = self._services.capture_bytes_max, headers.get("content-length", "0")
        if announced.isascii() and announced.isdigit() and int(announced[:18]) > most:
            raise too_large(most)

    def ask_of(self, scope: Scope, headers: Mapping[str, str], body: bytes) -> Ask:
        """A request as a value; raises `EpcisError`."""
        raw, query = scope.get("raw_path") or scope["path"].encode(), scope.get("query_string", b"")
        if len(raw) + len(query) > URL_MAX:
            raise EpcisError(
                Exceptions.URI_TOO_LONG, f"more than {URL_MAX} bytes", where="URL", fix="a named query"
            )
        try:
            path = tuple(unquote(part, errors="strict") for part in raw.decode("ascii").split("/")[1:])
            pairs = parse_qsl(
                query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1_000
            )
        except ValueError:
            raise EpcisError(
                Exceptions.QUERY_VALIDATION, "cannot be read", where="URL", fix="percent-encoded UTF-8"
            ) from None
        if any("\0" in text for pair in (*pairs, path) for text in pair):
            raise EpcisError(Exceptions.QUERY_VALIDATION, "holds a zero byte", where="URL")
        host = headers.get("host", "localhost")
        base = f"{scope.get('scheme', 'http')}://{host}" + "".join(f"/{part}" for part in self._mount)
        if path and not path[-1]:
            path = path[:-1]
        if path[: len(self._mount)] != self._mount:
            raise EpcisError(Exceptions.NO_SUCH_RESOURCE, "no such resource", where="URL")
        return Ask(
            method=scope["method"], path=path[len(self._mount) :], query=pairs, headers=headers, body=body, base=base,
        )  # fmt: skip

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise EpcisError(Exceptions.BUSY, "too much is under way", fix="ask again in a second")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def reply(self, ask: Ask) -> Reply:
        """Answer a request; raises `JinkaError`."""
        resource, path = self._route(ask.path)
        caller = self._services.admit(ask.headers)
        ask = Ask(
            method=ask.method, path=path, query=ask.query, headers=ask.headers, body=ask.body, base=ask.base,
            caller=caller,
        )  # fmt: skip
        if ask.method == "OPTIONS":
            resource.exists(ask, self._services)
            said = {"Allow": _allow(resource), **DISCOVERY, **resource.headers(self._services)}
            return Reply(status=204, kind="", headers=said)
        handler = resource.methods.get("GET" if ask.method == "HEAD" else ask.method)
        if handler is None:
            raise EpcisError(Exceptions.METHOD, ask.method[:20], where="method", fix=_allow(resource))
        return handler(ask, self._services)

    def _route(self, path: tuple[str, ...]) -> tuple[Resource, tuple[str, ...]]:
        for shape in (path, _joined(path)):
            for pattern, resource in self._routes:
                if len(pattern) == len(shape) and all(
                    want == got or (want[0] == "{" and got) for want, got in zip(pattern, shape, strict=True)
                ):
                    return resource, shape
        raise EpcisError(Exceptions.NO_SUCH_RESOURCE, "no such resource", where="URL")


def _joined(path: tuple[str, ...]) -> tuple[str, ...]:
    """An identifier under a top-level resource whose slashes were not escaped, as one segment."""
    if len(path) < 3 or path[0] not in _PLACES:
        return path
    if path[-1] == "events" and path[0] != "events":
        return (path[0], "/".join(path[1:-1]), "events")
    return (path[0], "/".join(path[1:]))


def _allow(resource: Resource) -> str:
    return ", ".join(["OPTIONS", *sorted(resource.methods)])


def _problem(ask: Ask, error: JinkaError, services: EpcisServices) -> Reply:
    exception = exception_of(error)
    try:
        xml = accepted(ask, "application/json", JSON_KIND, "application/xml", XML_KIND, "text/xml").endswith(
            "xml"
        )
    except EpcisError:
        xml = False
    headers: dict[str, str] = {}
    if exception is Exceptions.UNAUTHORISED:
        headers["WWW-Authenticate"] = "Bearer"
    elif exception is Exceptions.METHOD:
        headers["Allow"] = getattr(error, "fix", "")
    elif exception is Exceptions.CAPTURE_LIMIT:
        headers |= epcis_capture.capture_headers(services)
    elif exception is Exceptions.BUSY:
        headers["Retry-After"] = "1"
    return Reply(
        status=exception.status, body=problem_body(error, xml=xml), kind=XML_KIND if xml else JSON_KIND, headers=headers
    )  # fmt: skip


async def _answer(reply: Reply, ask: Ask, send: Send) -> None:
    headers = dict(VERSIONS) if reply.status < 400 else {}
    headers |= reply.headers
    if reply.kind:
        headers["Content-Type"] = reply.kind
    if reply.status != 204:
        headers["Content-Length"] = str(len(reply.body))
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if ask.method == "HEAD" else reply.body})


def epcis_app(
    services: EpcisServices,
    *,
    mount: str = "",
    more: Sequence[Resource] = (),
    websocket: Websocket | None = None,
) -> ASGIApp:
    """The whole application, with its counts and safe headers."""
    made = EpcisApplication(services, mount=mount, more=more, websocket=websocket)
    return Counting(SafeHeaders(made), requests=services.requests)
