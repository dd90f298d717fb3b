"""What a running issuer's host says of itself: its lines, what waits, and what it answered."""

from __future__ import annotations

from typing import Any

from jinka.kit import Finding
from jinka.node.issuer_server import IssuerServer
from jinka.node.metrics_http import Exposition

_TOLD = 20  # at most, of what is wrong with each


class IssuerFigures:
    """Implements `jinka.node.metrics_http.Figures`; read in the server's own loop."""

    def __init__(self, server: IssuerServer) -> None:
        self._server = server
        self.stuck_holds: tuple[Finding, ...] = ()  # of the last sweep

    def status(self) -> dict[str, Any]:
        """What an operator asks first; answers go by message type and response code."""
        server = self._server
        return {
            "part": "issuer",
            "lines": server.lines,
            "waiting": server.waiting,
            "answers": {f"{mti} {code}": n for (mti, code), n in sorted(dict(server.codes).items())},
            "garbage": server.garbage,
            "groups": server.groups,
            "stuck_holds": {found.where: found.what for found in self.stuck_holds[:_TOLD]},
        }

    def exposition(self) -> str:
        """Everything as Prometheus text."""
        server, page = self._server, Exposition()
        page.family(
            "jinka_issuer_answers_total",
            "counter",
            {(("mti", mti), ("code", code)): n for (mti, code), n in sorted(dict(server.codes).items())},
        )
        page.one("jinka_issuer_lines", "gauge", server.lines)
        page.one("jinka_issuer_waiting", "gauge", server.waiting)
        page.one("jinka_issuer_garbage_total", "counter", server.garbage)
        page.one("jinka_issuer_groups_total", "counter", server.groups)
        page.one("jinka_issuer_stuck_holds", "gauge", len(self.stuck_holds))
        return page.text()
