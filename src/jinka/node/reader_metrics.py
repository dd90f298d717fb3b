"""What a running station of readers says of itself: readers, places, what was told and what was lost, what waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinka.node.metrics_http import Exposition, Labels

_READER: tuple[tuple[str, str, Callable[[dict[str, Any]], float]], ...] = (
    ("reads_total", "counter", lambda reader: reader["reads"]),
    ("connections_total", "counter", lambda reader: reader["connections"]),
    ("gaps_total", "counter", lambda reader: reader["gaps"]),
    ("reading", "gauge", lambda reader: int(reader["state"] == "reading")),
    ("clock_wrong_seconds", "gauge", lambda reader: reader["clock_wrong_micros"] / 1_000_000),
)


class StationFigures:
    """Implements `jinka.node.metrics_http.Figures` over what `Station.status` gives with its outbox; in its loop."""

    def __init__(self, status: Callable[[], dict[str, Any]]) -> None:
        self._status = status

    def status(self) -> dict[str, Any]:
        """What an operator asks first."""
        return {"part": "readers", **self._status()}

    def exposition(self) -> str:
        """Everything as Prometheus text."""
        found, page = self._status(), Exposition()
        readers = found["readers"]
        for name, kind, figure in _READER:
            samples: dict[Labels, float] = {
                (("reader", reader),): figure(each) for reader, each in readers.items()
            }
            page.family(f"jinka_readers_{name}", kind, samples)
        page.family(
            "jinka_readers_there", "gauge", {(("place", place),): n for place, n in found["places"].items()}
        )
        page.family(
            "jinka_readers_told_total",
            "counter",
            {(("what", what),): n for what, n in sorted(found["told"].items())},
        )
        for name in ("dropped_reads", "unplaced_reads", "not_epc_reads", "ghosts", "left_out"):
            page.one(f"jinka_readers_{name}_total", "counter", found[name])
        page.one("jinka_readers_outbox_waiting", "gauge", found["outbox"]["waiting"])
        page.one("jinka_readers_outbox_refused", "gauge", found["outbox"]["refused"])
        return page.text()
