"""What a peer may take of the server: bytes of a body, seconds to send one, requests a minute, time to send a head."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from jinka.api.problems import TooMany, problem
from jinka.kit import Clock

BODY_MAX = 64 * 1024
BODY_S = 10.0
HEAD_S = 10.0
BUCKETS_MAX = 10_000
_MINUTE_MICROS = 60_000_000


class BodyLimit:
    """Reads a body whole before the application sees the request: at most `BODY_MAX` bytes, in `BODY_S` seconds."""

    def __init__(self, app: ASGIApp, *, body_max: int = BODY_MAX, body_s: float = BODY_S) -> None:
        self._app, self._max, self._seconds = app, body_max, body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._read(receive)
        except TimeoutError:
            await problem(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time")(scope, receive, send)
            return
        if body is None:
            await problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {self._max} bytes", where="body",
                headers={"Connection": "close"},
            )(scope, receive, send)  # fmt: skip
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _read(self, receive: Receive) -> bytes | None:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return b"".join(parts)
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max:
                return None
            if not message.get("more_body", False):
                return b"".join(parts)


class SafeHeaders:
    """Headers that every answer carries; a page adds its own policy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def safe(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(pair for pair in _SAFE if pair[0] not in names),
                ]
            await send(message)

        await self._app(scope, receive, safe)


_SAFE = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class Buckets:
    """A token bucket for each name: so many requests a minute, and a tenth of them at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._held: dict[str, tuple[int, int]] = {}  # name: (millionths of a request left, when)

    def take(self, name: str, per_minute: int) -> None:
        """Take one; raises `TooMany`."""
        now, most = self._clock.now_micros(), max(per_minute // 10, 5) * 1_000_000
        with self._lock:
            left, then = self._held.pop(name, (most, now))
            left = min(most, left + max(now - then, 0) * per_minute * 1_000_000 // _MINUTE_MICROS)
            if left < 1_000_000:
                self._held[name] = (left, now)
                raise TooMany(max(1, (1_000_000 - left) * 60 // (per_minute * 1_000_000)))
            self._held[name] = (left - 1_000_000, now)
            while len(self._held) > BUCKETS_MAX:
                del self._held[next(iter(self._held))]


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that does not wait for a head for ever: a connection without a whole one after `HEAD_S` is closed."""

    head_s = HEAD_S
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Stop the clock when a request is under way, start it when part of the next one is."""
        super().data_received(data)
        upgraded = self.transport.get_protocol() is not self  # a WebSocket speaks when it likes
        busy = upgraded or (self.cycle is not None and not self.cycle.response_complete)
        if busy and self._late is not None:
            self._late.cancel()
            self._late = None
        elif not busy:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        if self._late is not None:
            self._late.cancel()
            self._late = None
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.head_s, self._close)

    def _close(self) -> None:
        self._late = None
        if (self.cycle is None or self.cycle.response_complete) and not self.transport.is_closing():
            self.transport.close()
