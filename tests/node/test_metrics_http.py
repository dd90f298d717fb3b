"""Figures over HTTP: text as Prometheus' exposition format 0.0.4 has it, JSON, and a word for what goes wrong.

Method: the format's grammar as one pattern a line; requests by hand over a socket.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from typing import Any

import pytest

from jinka.node.metrics_http import Exposition, MetricsServer, metrics_beside

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
LINE = re.compile(
    rf"# TYPE {NAME} (?:counter|gauge)|{NAME}(?:\{{{LABEL}(?:,{LABEL})*\}})? -?[0-9.]+(?:e[+-]?[0-9]+)?"
)


class Some:
    """Figures that may fail."""

    def __init__(self) -> None:
        self.fault: Exception | None = None

    def status(self) -> dict[str, Any]:
        if self.fault is not None:
            raise self.fault
        return {"part": "some", "up": 1}

    def exposition(self) -> str:
        page = Exposition()
        page.family("a_total", "counter", {(("peer", 'x"\\\ny'), ("code", "00")): 3})
        page.one("b", "gauge", 0.5)
        return page.text()


def get(port: int, request: bytes) -> tuple[bytes, bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(request)
        answer = b""
        while more := link.recv(4096):
            answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0], body


def test_the_text_is_the_formats() -> None:
    lines = Some().exposition().splitlines()
    assert lines == [
        "# TYPE a_total counter", 'a_total{peer="x\\"\\\\\\ny",code="00"} 3', "# TYPE b gauge", "b 0.5",
    ]  # fmt: skip
    assert all(LINE.fullmatch(line) for line in lines)


def test_pages_are_served_beside_a_program_and_a_fault_is_told() -> None:
    some = Some()
    with metrics_beside(some, ("127.0.0.1", 0)) as port:
        assert get(port, b"GET /metrics HTTP/1.1\r\n\r\n")[1].decode() == some.exposition()
        assert json.loads(get(port, b"GET /status HTTP/1.1\r\n\r\n")[1]) == some.status()
        assert get(port, b"GET /other HTTP/1.1\r\n\r\n")[0] == b"HTTP/1.1 404 Not Found"
        some.fault = ValueError("6225880123456782")
        assert get(port, b"GET /status HTTP/1.1\r\n\r\n") == (
            b"HTTP/1.1 500 Internal Server Error",
            b"ValueError\n",
        )
        assert get(port, b"\n")[0] == b"HTTP/1.1 404 Not Found"
        assert get(port, b"x" * 5000 + b"\r\n") == (b"", b"")  # a line without an end: hung up
    with pytest.raises(ConnectionRefusedError):
        get(port, b"GET /status HTTP/1.1\r\n\r\n")
    with metrics_beside(some, None) as port:
        assert port == 0


def test_a_server_in_its_own_loop_stops() -> None:
    async def live() -> None:
        server = MetricsServer(Some())
        await server.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /status HTTP/1.0\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
        writer.close()
        await writer.wait_closed()
        server.stop()

    asyncio.run(live())
