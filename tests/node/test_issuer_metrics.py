"""What the issuer's host says of holds that the ledger does not let go. Method: the figures of a server at rest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from jinka.kit import Finding, Severity
from jinka.node.issuer_metrics import IssuerFigures


def test_holds_that_are_stuck_are_named_and_counted() -> None:
    at_rest: Any = SimpleNamespace(lines=0, waiting=0, codes={}, garbage=0, groups=0)
    figures = IssuerFigures(at_rest)
    assert figures.status()["stuck_holds"] == {}
    assert "jinka_issuer_stuck_holds 0\n" in figures.exposition()
    figures.stuck_holds = tuple(
        Finding(code="STUCK-HOLD", severity=Severity.WARNING, where=f"transaction {n}", what="held")
        for n in range(21)
    )
    assert figures.status()["stuck_holds"] == {f"transaction {n}": "held" for n in range(20)}
    assert "jinka_issuer_stuck_holds 21\n" in figures.exposition()
