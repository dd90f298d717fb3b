"""The trial balance and the proof of the float: debits equal credits, and the cards' money is where it should be.

The float: what cards hold + what is in transit + what is in suspense = the purse liability.
"""

from __future__ import annotations

from dataclasses import dataclass

from jinka.ledger import Balance, LedgerEngine
from jinka.settlement.chart import AccountCode


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


def trial_balance(engine: LedgerEngine) -> TrialBalance:
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
class FloatProof:
    """All in minor units. ``in_transit``: debited by cards and not paid (lost, parked, rejected), less such loads."""

    liability: int
    card_balances: int
    in_transit: int
    in_suspense: int

    @property
    def difference(self) -> int:
        """Zero when every minor unit is accounted for."""
        return self.liability - self.card_balances - self.in_transit - self.in_suspense

    @property
    def holds(self) -> bool:
        return self.difference == 0


def purse_liability(engine: LedgerEngine) -> int:
    """What the ledger says the scheme owes to card holders."""
    ids = [account.id for account in engine.accounts() if account.code == AccountCode.PURSE_LIABILITY]
    return sum(b.credits_posted - b.debits_posted for b in engine.balances(ids).values())


def prove_float(*, liability: int, card_balances: int, in_transit: int, in_suspense: int) -> FloatProof:
    """Set the ledger's liability against the cards' own balances. Risk losses never touch the liability's debit.

    ``card_balances`` must come from the cards (or their shadow accounts), not from the ledger.
    """
    return FloatProof(
        liability=liability, card_balances=card_balances, in_transit=in_transit, in_suspense=in_suspense
    )
