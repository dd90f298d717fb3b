"""The trial balance, and the proof that a day was settled: read from the ledger, whatever was meant to be posted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from jinka.ledger import Account, Balance
from jinka.settlement.chart import STAYING, AccountCode


class Books(Protocol):
    """What a proof reads: a ledger, or a part of it."""

    def accounts(self) -> list[Account]: ...
    def balances(self, ids: Sequence[bytes]) -> dict[bytes, Balance]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """One kind of account over all its owners."""

    code: AccountCode
    debits: int
    credits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBalance:
    """Posted sums by kind of account. ``balances`` holds when debits equal credits, pending ones too."""

    rows: tuple[TrialRow, ...]
    debits: int
    credits: int
    pending_debits: int
    pending_credits: int

    @property
    def balances(self) -> bool:
        return self.debits == self.credits and self.pending_debits == self.pending_credits


def trial_balance(engine: Books) -> TrialBalance:
    """Add up every account of the ledger."""
    accounts = engine.accounts()
    sums = engine.balances([account.id for account in accounts])
    by_code: dict[int, list[Balance]] = {}
    for account in accounts:
        by_code.setdefault(account.code, []).append(sums[account.id])
    rows = tuple(
        TrialRow(
            code=AccountCode(code),
            debits=sum(b.debits_posted for b in mine),
            credits=sum(b.credits_posted for b in mine),
        )
        for code, mine in sorted(by_code.items())
    )
    return TrialBalance(
        rows=rows,
        debits=sum(row.debits for row in rows),
        credits=sum(row.credits for row in rows),
        pending_debits=sum(b.debits_pending for b in sums.values()),
        pending_credits=sum(b.credits_pending for b in sums.values()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementProof:
    """After settlement: what is still open on payables and receivables, and the money behind the purses."""

    open_minor: int
    funds: int
    liability: int

    @property
    def holds(self) -> bool:
        return self.open_minor == 0 and self.funds == self.liability


def purse_liability(engine: Books) -> int:
    """What the ledger says the scheme owes to card holders."""
    ids = [account.id for account in engine.accounts() if account.code == AccountCode.PURSE_LIABILITY]
    return sum(b.credits_posted - b.debits_posted for b in engine.balances(ids).values())


def prove_settlement(engine: Books) -> SettlementProof:
    """Read from the ledger alone whether everybody was paid and the customers' money is all there."""
    sums: dict[int, int] = {}
    open_minor = 0
    accounts = engine.accounts()
    balances = engine.balances([account.id for account in accounts])
    for account in accounts:
        owed = balances[account.id].credits_posted - balances[account.id].debits_posted
        sums[account.code] = sums.get(account.code, 0) + owed
        if account.code not in STAYING:
            open_minor += abs(owed)
    return SettlementProof(
        open_minor=open_minor,
        funds=-sums.get(AccountCode.CUSTOMER_FUNDS, 0),
        liability=sums.get(AccountCode.PURSE_LIABILITY, 0) + sums.get(AccountCode.DISPUTE, 0),
    )
