"""The books of a centre at the end of a round: own flows, claims that cross them, positions, orders, and the proof.

A city posts the flows of its own operators and what others claim of its cards; a province and the nation post what
passes. Orders settle each account with the bank, a neighbour's account among them. Posting a round again changes
nothing. What another city claims is held against the verdicts that were given: cards pay what was accepted.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from jinka.app.centre_config import CentreConfig
from jinka.app.centre_window import settle_by_window, window_desk
from jinka.clearing import Flow
from jinka.kit import Finding, Severity
from jinka.ledger import LedgerEngine
from jinka.settlement import (
    BooksWithoutDisputes,
    BusinessDay,
    Entry,
    WindowJournal,
    post,
    post_opening,
    post_settlement,
    prove_settlement,
    trial_balance,
)
from jinka.settlement.centre_orders import divide
from jinka.settlement.centre_posting import (
    Excess,
    centre_name,
    crossing_entries,
    excess_entries,
    silence_entries,
    sum_entries,
)
from jinka.settlement.chart import AccountCode, AccountName, TransferCode
from jinka.settlement.float_acts import BooksWithoutFloat
from jinka.settlement.orders import orders_of
from jinka.settlement.posting import flow_entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """What crosses the books in a round: claims made here, claims of others, and what silence cost an issuer."""

    own_flows: Sequence[Flow]
    claims: pa.Table
    excess: Sequence[Excess] = ()
    rejected_late: Mapping[str, int] | None = None
    suspense: int = 0
    opening: int | None = None  # what cards hold when their issuer's books begin here


def settle_round(
    ledger: LedgerEngine,
    config: CentreConfig,
    date: dt.date,
    crossed: Crossed,
    *,
    windows: WindowJournal | None = None,
    suspended: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Post a round, settle it with the bank, and return its summary, which is JSON. Idempotent.

    With ``windows`` and a `business-day.toml` it is settled by a window (`jinka.app.centre_window`).
    """
    around, day = config.around, BusinessDay(date=date, zone=config.zone)
    issuer = around.code if config.city is None else config.city.issuer
    findings: list[Finding] = []
    if crossed.opening is not None:
        findings += post_opening(ledger, day, [(issuer, crossed.opening)])[1]
    local = [
        flow_entry(flow)
        for flow in crossed.own_flows
        if flow.payer in around.participants and flow.payee in around.participants
    ]
    entries = sum_entries(
        [
            *local,
            *crossing_entries(crossed.claims, around),
            *excess_entries(crossed.excess),
            *silence_entries(crossed.rejected_late or {}),
        ]
    )
    held, window = [_held(issuer, crossed.suspense)], dict[str, Any]()
    if windows is not None and config.rules.day is not None:
        desk = window_desk(windows, ledger, config)
        done = settle_by_window(desk, day, entries, config=config, suspended=suspended)
        orders, window = done.orders, {"window": done.summary}
        findings += [*done.findings, *post(ledger, day, held)[1]]
    else:
        findings += post(ledger, day, entries)[1]
        findings += post(ledger, day, held)[1]
        orders = orders_of(day, entries, issuer=issuer)
        findings += post_settlement(ledger, day, orders, issuer=issuer)[1]
    instructed, expected = divide(day, orders, centre=around.code)
    own = BooksWithoutFloat(BooksWithoutDisputes(ledger), ledger)  # what officers did later is told elsewhere
    trial, proof = trial_balance(own), prove_settlement(own)
    return {
        "date": date.isoformat(),
        "position": positions(entries, around.parent),
        "orders": [order.as_row() for order in instructed],
        "expected": [order.as_row() for order in expected],
        "trial": {"debits": trial.debits, "credits": trial.credits, "balances": trial.balances},
        "proof": {
            "open": proof.open_minor, "funds": proof.funds, "liability": proof.liability, "holds": proof.holds,
        },
        "findings": [finding.as_dict() for finding in findings],
        **window,
    }  # fmt: skip


def positions(entries: Iterable[Entry], parent: str) -> dict[str, Any]:
    """What each neighbour receives from this centre in the round (negative: pays), and what its own parties do."""
    sums: dict[str, int] = defaultdict(int)
    for entry in entries:
        for name, amount in ((entry.debit, -entry.amount), (entry.credit, entry.amount)):
            if name.code is AccountCode.CENTRE_DUE:
                sums[name.owner.removeprefix("centre.")] += amount
            else:
                sums[""] += amount
    return {
        "due": -sums.get(parent, 0) if parent else 0,
        "children": {code: amount for code, amount in sorted(sums.items()) if code and code != parent},
        "own": sums.get("", 0),
    }


def excess_findings(found: Iterable[Excess], *, passing: bool = False) -> list[Finding]:
    """For the people of who is to pay, or with ``passing`` of a centre that such a claim passes."""
    here = "it passes here" if passing else "they wait in suspense"
    return [
        Finding(
            code="CLAIM_EXCEEDS", severity=Severity.ERROR, where=f"claims of centre {each.centre}",
            what=f"{each.kind.value}: {each.amount} minor units more of {each.issuer} than was accepted; {here}",
            fix="ask that centre for the records, and open a dispute",
        )
        for each in found
    ]  # fmt: skip


def neighbour_balance(ledger: LedgerEngine, code: str) -> tuple[int, int]:
    """Debits and credits of a neighbour's account over all rounds, settlement included."""
    name = AccountName(code=AccountCode.CENTRE_DUE, owner=centre_name(code))
    found = ledger.balances([name.id]).get(name.id)
    return (0, 0) if found is None else (found.debits_posted, found.credits_posted)


def _held(issuer: str, amount: int) -> Entry:
    return Entry(
        debit=AccountName(code=AccountCode.PURSE_LIABILITY, owner=issuer),
        credit=AccountName(code=AccountCode.SUSPENSE, owner=issuer),
        amount=amount,
        code=TransferCode.SUSPENSE,
        pending=True,
    )
