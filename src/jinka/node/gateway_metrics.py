"""What a running gateway says of itself: requests, its line to the switch, what is in doubt, callbacks that wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinka.kit import Clock
from jinka.node.metrics_http import Exposition
from jinka.node.switch_client import SwitchClient
from jinka.store import GatewayBooks

_COUNTED_MAX = 100  # of what waits; more is a matter for the books
_EVER = 1 << 62


class GatewayFigures:
    """Implements `jinka.node.metrics_http.Figures`; may be read from any thread."""

    def __init__(
        self, books: GatewayBooks, line: SwitchClient, requests: Mapping[tuple[str, int], int], clock: Clock
    ) -> None:
        self._books, self._line, self._requests, self._clock = books, line, requests, clock

    def status(self) -> dict[str, Any]:
        """What an operator asks first."""
        unresolved, callbacks = self._waiting()
        line = self._line
        return {
            "part": "gateway",
            "line": {
                "ready": line.ready, "asked": line.asked, "answered": line.answered, "lost": line.lost,
                "unmatched": line.unmatched,
            },
            "unresolved": unresolved,
            "callbacks": callbacks,
            "requests": {f"{method} {status}": n for (method, status), n in sorted(dict(self._requests).items())},
        }  # fmt: skip

    def exposition(self) -> str:
        """Everything as Prometheus text."""
        unresolved, callbacks = self._waiting()
        line, page = self._line, Exposition()
        page.family(
            "jinka_gateway_requests_total",
            "counter",
            {
                (("method", method), ("status", str(status))): n
                for (method, status), n in sorted(dict(self._requests).items())
            },
        )
        page.one("jinka_gateway_line_ready", "gauge", int(line.ready))
        page.one("jinka_gateway_line_asked_total", "counter", line.asked)
        page.one("jinka_gateway_line_answered_total", "counter", line.answered)
        page.one("jinka_gateway_line_lost_total", "counter", line.lost)
        page.one("jinka_gateway_line_unmatched_total", "counter", line.unmatched)
        page.one("jinka_gateway_unresolved", "gauge", unresolved)
        page.one("jinka_gateway_callbacks_waiting", "gauge", callbacks)
        return page.text()

    def _waiting(self) -> tuple[int, int]:
        """Operations whose outcome nobody knows, and callbacks that are still to be delivered."""
        with self._books.desk() as desk:
            unresolved = desk.unresolved(self._clock.now_micros(), _COUNTED_MAX)
            return len(unresolved), len(desk.due_callbacks(_EVER, _COUNTED_MAX))
