"""What a running switch says of itself: counts, lines, what is stored, the journal's flushes."""

from __future__ import annotations

from typing import Any

from jinka.node.metrics_http import Exposition, Labels
from jinka.node.switch_runner import SwitchRunner


class SwitchFigures:
    """Implements `jinka.node.metrics_http.Figures`; read in the runner's own loop."""

    def __init__(self, runner: SwitchRunner) -> None:
        self._runner = runner

    def status(self) -> dict[str, Any]:
        """What an operator asks first."""
        runner, core = self._runner, self._runner.core
        return {
            "part": "switch",
            "worker": core.config.worker,
            "business_date": core.board.business_date,
            "open": core.transactions.memory.open,
            "known": len(core.transactions.memory.known),
            "peers": {
                name: {
                    "lines": [line.state.value for line in lines.values()],
                    "ready": core.board.ready_line(name) is not None,
                    "stored": core.forwarding.depth(name),
                    "refused": core.forwarding.refused(name),
                }
                for name, lines in core.board.lines.items()
            },
            "counts": {f"{what}{{{peer}}}": count for (what, peer), count in sorted(core.board.counts.items())},
            "journal": {
                "flushes": runner.disk.flushes, "writes": runner.disk.written, "seconds": runner.disk.seconds,
                "flushed_at_micros": runner.disk.flushed_at_micros,
            },
        }  # fmt: skip

    def exposition(self) -> str:
        """Everything as Prometheus text."""
        runner, core, page = self._runner, self._runner.core, Exposition()
        page.family(
            "jinka_switch_events_total",
            "counter",
            {(("event", what), ("peer", peer)): n for (what, peer), n in sorted(core.board.counts.items())},
        )
        page.family(
            "jinka_switch_lines_closed_total",
            "counter",
            {(("reason", why), ("peer", peer)): n for (why, peer), n in sorted(runner.closed.items())},
        )
        lines: dict[Labels, float] = {}
        for name, there in core.board.lines.items():
            ready = sum(line.signed_on for line in there.values())
            lines[("peer", name), ("ready", "yes")] = ready
            lines[("peer", name), ("ready", "no")] = len(there) - ready
        page.family("jinka_switch_lines", "gauge", lines)
        stored: dict[Labels, float] = {
            (("peer", name),): core.forwarding.depth(name) for name in core.board.lines
        }
        page.family("jinka_switch_stored", "gauge", stored)
        page.one("jinka_switch_open", "gauge", core.transactions.memory.open)
        page.one("jinka_switch_journal_flushes_total", "counter", runner.disk.flushes)
        page.one("jinka_switch_journal_writes_total", "counter", runner.disk.written)
        page.one("jinka_switch_journal_seconds_total", "counter", round(runner.disk.seconds, 6))
        return page.text()
