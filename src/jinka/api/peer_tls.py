"""Who speaks: TLS 1.3 with client certificates around an application, which sees them as the ASGI TLS extension.

ASGI, TLS extension 0.2 (``scope["extensions"]["tls"]``, ``client_cert_chain``); RFC 8446. The handshake has judged the
certificate by then: its path, its purpose, the revocation list as it is now (`jinka.node.switch_tls`). Its name is read
here once for each connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from typing import Any, ClassVar

import uvicorn
from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from jinka.api.limits import PatientProtocol
from jinka.api.problems import Unauthorised
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_fields import Purpose
from jinka.kit import Refused

CONNECTIONS_MAX = 256
CONNECTIONS_EACH = 16  # of one certificate
_HEAD_BYTES_MAX = 16 * 1024


def peer_code(request: Request) -> str:
    """The common name of the peer's certificate, when it is one for a client; raises `Unauthorised`."""
    found = request.scope.get("extensions", {}).get("tls", {}).get("client_cert_chain", ())
    try:
        certificate = read_certificate(ssl.PEM_cert_to_DER_cert(next(iter(found), "")))
    except (Refused, ValueError):
        raise Unauthorised("no client certificate", where="TLS", fix="show the centre's own") from None
    if Purpose.CLIENT.value not in certificate.purposes:
        raise Unauthorised("not a certificate for a client", where="TLS", fix="show the one for the line")
    return certificate.common_name


def tls_server(app: ASGIApp, context: ssl.SSLContext) -> uvicorn.Server:
    """A server that is ready to run on given sockets and lets nobody in without a certificate."""
    config = uvicorn.Config(
        app,
        http=_NamedProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=True,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=_HEAD_BYTES_MAX,
    )
    config.load()
    config.ssl = context
    return uvicorn.Server(config)


class _NamedProtocol(PatientProtocol):
    """Connections of one certificate are counted for the whole process: no child keeps its siblings out."""

    open_links: ClassVar[Counter[bytes]] = Counter()
    _der = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The handshake is over: keep the peer's certificate for every request of the connection."""
        super().connection_made(transport)
        link = transport.get_extra_info("ssl_object")
        self._der = (link.getpeercert(binary_form=True) if link is not None else None) or b""
        self.open_links[self._der] += 1
        self.app = _WithPeer(self.app, [ssl.DER_cert_to_PEM_cert(self._der)] if self._der else [])
        if self.open_links[self._der] > CONNECTIONS_EACH:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """One less."""
        self.open_links[self._der] -= 1
        if not self.open_links[self._der]:
            del self.open_links[self._der]
        super().connection_lost(exc)


class _WithPeer:
    def __init__(self, app: ASGIApp, chain: list[str]) -> None:
        self._app, self._chain = app, chain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        extensions: dict[str, Any] = {
            **scope.get("extensions", {}),
            "tls": {"client_cert_chain": self._chain},
        }
        await self._app({**scope, "extensions": extensions}, receive, send)
