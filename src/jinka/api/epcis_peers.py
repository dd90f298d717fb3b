"""The name of a connection's client certificate as a header of its own, which nobody else can set.

Where the server ends TLS (`jinka.api.peer_tls`), the handshake has judged the certificate; its common name goes to the
handlers as ``jinka-peer``. Whatever a client sends under that name is dropped first, TLS or not.
"""

from __future__ import annotations

from contextlib import suppress

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from jinka.api.peer_tls import peer_code
from jinka.api.problems import Unauthorised

PEER = "jinka-peer"
_RAW = PEER.encode()


class PeerNames:
    """ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] in ("http", "websocket"):
            headers = [(name, value) for name, value in scope["headers"] if name.lower() != _RAW]
            if scope["type"] == "http" and "tls" in scope.get("extensions", {}):
                with suppress(Unauthorised):  # who has no certificate may have a token
                    headers.append((_RAW, peer_code(Request(scope)).encode("latin-1", "replace")))
            scope = {**scope, "headers": headers}
        await self._app(scope, receive, send)
