"""Client certificates of an EPCIS server. Goal: its name is the handshake's, and nobody writes it into a header.

Method: a real TLS server with two clients of one authority, one of another, and headers that lie.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from jinka.api.epcis_peers import PEER, PeerNames
from jinka.api.peer_tls import tls_server
from jinka.node.switch_tls import LineTls
from tests.switch.test_tls import Office


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    told = [value.decode() for name, value in scope["headers"] if name == PEER.encode()]
    await receive()
    body = json.dumps(told).encode()
    head = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def _served(own: LineTls) -> Iterator[int]:
    server = tls_server(PeerNames(_echo), own.server())
    with socket.create_server(("127.0.0.1", 0)) as place:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        try:
            yield place.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def _asked(port: int, own: LineTls) -> list[str]:
    context = own.client()
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname="server.sz.example") as link,
    ):
        link.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nJinka-Peer: authority\r\njinka-peer: other\r\nConnection: close\r\n\r\n"
        )
        answer = b""
        while part := link.recv(4096):
            answer += part
    if not answer:
        raise ConnectionError("closed without an answer")
    found: list[str] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


def test_the_peer_is_who_the_handshake_says(tmp_path: Path) -> None:
    office = Office(tmp_path)
    own, farm, mill = (office.give(name) for name in ("server", "farm", "mill"))
    stranger = office.give("stranger", stranger=True)
    with _served(own) as port:
        assert _asked(port, farm) == ["farm"]
        assert _asked(port, mill) == ["mill"]
        with pytest.raises(OSError):
            _asked(port, stranger)
