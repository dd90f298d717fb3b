"""The figures of a process over HTTP: ``/metrics`` as Prometheus text (exposition format 0.0.4), ``/status`` as JSON.

For this machine and its scraper: it reads one request line, answers and closes. No card number is in any figure.
What the figures are is each process's own business (`Figures`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

_LINE_MAX = 2048
_READ_S = 5.0
Labels = tuple[tuple[str, str], ...]
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Figures(Protocol):
    """What a process says of itself."""

    def status(self) -> Mapping[str, Any]:
        """What an operator asks first; `jinka status` shows it."""
        ...

    def exposition(self) -> str:
        """Everything as Prometheus text."""
        ...


class Exposition:
    """Prometheus text, family by family."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def family(self, name: str, kind: str, samples: Mapping[Labels, float]) -> None:
        """One family; samples go by their labels."""
        self._lines.append(f"# TYPE {name} {kind}")
        for labels, value in samples.items():
            inner = ",".join(f'{label}="{text.translate(_ESCAPED)}"' for label, text in labels)
            self._lines.append(f"{name}{{{inner}}} {value}" if inner else f"{name} {value}")

    def one(self, name: str, kind: str, value: float) -> None:
        """A family of one sample without labels."""
        self.family(name, kind, {(): value})

    def text(self) -> str:
        """The page."""
        return "\n".join(self._lines) + "\n"


class MetricsServer:
    """Serves the figures of one process, in the loop that it is started in."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._answer, host, port, limit=_LINE_MAX)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.TimeoutError, asyncio.IncompleteReadError):
            line = await asyncio.wait_for(reader.readline(), _READ_S)
            code, kind, body = self._page(line.split(b" ")[1:2])
            writer.write(
                f"HTTP/1.1 {code}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                "Connection: close\r\n\r\n".encode()
                + body
            )
            await asyncio.wait_for(writer.drain(), _READ_S)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def _page(self, path: list[bytes]) -> tuple[str, str, bytes]:
        try:
            return self._figured(path)
        except Exception as error:  # whatever the books say: it is told, and serves on
            return "500 Internal Server Error", "text/plain", f"{type(error).__name__}\n".encode()

    def _figured(self, path: list[bytes]) -> tuple[str, str, bytes]:
        if path == [b"/metrics"]:
            return "200 OK", "text/plain; version=0.0.4", self._figures.exposition().encode()
        if path == [b"/status"]:
            return "200 OK", "application/json", json.dumps(self._figures.status()).encode()
        return "404 Not Found", "text/plain", b"/metrics or /status\n"


@contextlib.contextmanager
def metrics_beside(figures: Figures, address: tuple[str, int] | None) -> Iterator[int]:
    """Serve the figures from a thread, for a process without a loop of its own; gives the port, 0 without address."""
    if address is None:
        yield 0
        return
    loop, server = asyncio.new_event_loop(), MetricsServer(figures)
    try:
        loop.run_until_complete(server.start(*address))
        thread = threading.Thread(target=loop.run_forever, name="metrics", daemon=True)
        thread.start()
        try:
            yield server.port
        finally:
            loop.call_soon_threadsafe(_end, loop, server)
            thread.join()
    finally:
        loop.close()


def _end(loop: asyncio.AbstractEventLoop, server: MetricsServer) -> None:
    server.stop()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.call_soon(loop.stop)
