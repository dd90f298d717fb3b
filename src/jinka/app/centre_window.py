"""A round's books through a settlement window, where the centre's operator has a `business-day.toml`.

Each round is one window of the centre's chain: it takes the round's entries as claims, holds them against the caps and
the suspended, and is settled with the bank. A window that an officer did not approve before the next round is aborted
by rule, and its claims go on into that one. Doing a round again changes nothing; what a kill left half done is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jinka.app.centre_config import CentreConfig
from jinka.kit import Finding
from jinka.ledger import LedgerEngine
from jinka.settlement import (
    BusinessDay,
    Claim,
    Entry,
    SettlementOrder,
    WindowDesk,
    WindowEvent,
    WindowJournal,
    WindowState,
)

_BY_RULE = {"officer": "rule", "reason": "nobody approved it before the next round"}
_BY_REGISTRY = {"officer": "registry", "reason": "its state in the registry"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Windowed:
    """What came of a round's window."""

    orders: list[SettlementOrder]
    findings: list[Finding]
    summary: dict[str, Any]


def window_desk(journal: WindowJournal, ledger: LedgerEngine, config: CentreConfig) -> WindowDesk:
    """The desk of a centre's rounds: the chain of the schedule for all others, settled with the issuer's funds."""
    assert config.rules.day is not None
    code = config.around.code
    return WindowDesk(
        journal,
        ledger,
        centre=code,
        chain=config.rules.day.schedules[-1].code,
        funds=code if config.city is None else config.city.issuer,
    )


def settle_by_window(
    desk: WindowDesk,
    day: BusinessDay,
    entries: Iterable[Entry],
    *,
    config: CentreConfig,
    suspended: frozenset[str] = frozenset(),
) -> Windowed:
    """Take a round's entries into its window, and settle it as far as its rules allow."""
    assert config.rules.day is not None
    at, findings = day.micros, list(desk.recovered)
    newest = desk.newest
    if newest is None or newest.key.day.date < day.date:
        if newest is not None and newest.state is WindowState.PENDING and not newest.unapproved():
            findings += desk.settle(at_micros=at)
        if newest is not None and not desk.window.is_final:
            findings += desk.by_officer(WindowEvent.ABORT, at_micros=at, **_BY_RULE)
        desk.open(day)
    if desk.window.key.day != day:  # a later round's: this one is over
        return _said(desk, findings, current=False)
    if desk.window.state is WindowState.OPEN:
        for event, parties in (
            (WindowEvent.SUSPEND, suspended - desk.window.suspended),
            (WindowEvent.RESUME, desk.window.suspended - suspended),
        ):
            for party in sorted(parties):
                findings += desk.by_officer(event, at_micros=at, participant=party, **_BY_REGISTRY)
        findings += desk.take(_claims(day, entries), at_micros=at)
        findings += desk.close(config.rules.day.caps.values(), at_micros=at)
    else:
        findings += desk.window.admission.findings()
    if desk.window.state is WindowState.CLOSED:
        findings += desk.hold(at_micros=at)
    if desk.window.state is WindowState.PENDING and not desk.window.unapproved():
        findings += desk.settle(at_micros=at)
    return _said(desk, findings, current=True)


def _claims(day: BusinessDay, entries: Iterable[Entry]) -> list[Claim]:
    return [
        Claim(
            id=entry.transfer(day).id,
            number=number,
            debit=entry.debit,
            credit=entry.credit,
            amount=entry.amount,
            code=entry.code,
            at_micros=day.micros,
        )
        for number, entry in enumerate((entry for entry in entries if entry.amount), 1)
    ]


def _said(desk: WindowDesk, findings: list[Finding], *, current: bool) -> Windowed:
    window = desk.window
    settled = current and window.state is WindowState.SETTLED
    return Windowed(
        orders=desk.orders() if settled else [],
        findings=findings,
        summary={
            "window": window.key.name,
            "state": window.state.value[0],
            "positions": dict(window.admission.positions),
            "waiting": [
                [row.claim.payer, row.claim.payee, row.claim.amount, row.reason.value]
                for row in window.admission.waiting
            ],
        },
    )
