"""The switch's figures over HTTP: ``/metrics`` as Prometheus text (exposition format 0.0.4), ``/status`` as JSON.

For this machine and its scraper: it reads one request line, answers and closes. No card number is in any figure.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from jinka.node.switch_runner import SwitchRunner

_LINE_MAX = 2048
_READ_S = 5.0


def status(runner: SwitchRunner) -> dict[str, Any]:
    """What an operator asks first."""
    core = runner.core
    return {
        "worker": core.config.worker,
        "business_date": core.board.business_date,
        "open": core.transactions.memory.open,
        "known": len(core.transactions.memory.known),
        "peers": {
            name: {
                "lines": [line.state.value for line in lines.values()],
                "ready": core.board.ready_line(name) is not None,
                "stored": core.forwarding.depth(name),
            }
            for name, lines in core.board.lines.items()
        },
        "counts": {f"{what}{{{peer}}}": count for (what, peer), count in sorted(core.board.counts.items())},
        "journal": {"flushes": runner.flushes, "writes": runner.flushed, "seconds": runner.flush_seconds},
    }


def exposition(runner: SwitchRunner) -> str:
    """Everything as Prometheus text."""
    core = runner.core
    lines = ["# TYPE jinka_switch_events_total counter"]
    for (what, peer), count in sorted(core.board.counts.items()):
        lines.append(f'jinka_switch_events_total{{event="{what}",peer="{peer}"}} {count}')
    lines.append("# TYPE jinka_switch_lines_closed_total counter")
    for (reason, peer), count in sorted(runner.closed.items()):
        lines.append(f'jinka_switch_lines_closed_total{{reason="{reason}",peer="{peer}"}} {count}')
    lines += ["# TYPE jinka_switch_lines gauge", "# TYPE jinka_switch_stored gauge"]
    for name, there in core.board.lines.items():
        ready = sum(line.signed_on for line in there.values())
        lines.append(f'jinka_switch_lines{{peer="{name}",ready="yes"}} {ready}')
        lines.append(f'jinka_switch_lines{{peer="{name}",ready="no"}} {len(there) - ready}')
        lines.append(f'jinka_switch_stored{{peer="{name}"}} {core.forwarding.depth(name)}')
    lines += [
        "# TYPE jinka_switch_open gauge",
        f"jinka_switch_open {core.transactions.memory.open}",
        "# TYPE jinka_switch_journal_flushes_total counter",
        f"jinka_switch_journal_flushes_total {runner.flushes}",
        "# TYPE jinka_switch_journal_writes_total counter",
        f"jinka_switch_journal_writes_total {runner.flushed}",
        "# TYPE jinka_switch_journal_seconds_total counter",
        f"jinka_switch_journal_seconds_total {runner.flush_seconds:.6f}",
    ]
    return "\n".join(lines) + "\n"


class MetricsServer:
    """Serves the figures of one runner."""

    def __init__(self, runner: SwitchRunner) -> None:
        self._runner = runner
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
        if path == [b"/metrics"]:
            return "200 OK", "text/plain; version=0.0.4", exposition(self._runner).encode()
        if path == [b"/status"]:
            return "200 OK", "application/json", json.dumps(status(self._runner)).encode()
        return "404 Not Found", "text/plain", b"/metrics or /status\n"
