"""How many requests were answered, by method and status: for the metrics, without a word of what was asked."""

from __future__ import annotations

from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Requests = Counter[tuple[str, int]]  # (method, status)
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"})


class Counting:
    """Counts answers as they begin; a method that nobody knows counts as OTHER, so there is an end to the keys."""

    def __init__(self, app: ASGIApp, *, requests: Requests) -> None:
        self._app, self._requests = app, requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests[method, message["status"]] += 1
            await send(message)

        await self._app(scope, receive, counted)
