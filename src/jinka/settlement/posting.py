"""Posting a cleared day to the ledger, through `jinka.ledger` alone.

One transfer for each flow between participants. Ids come from business date, cycle, parties and code, so that posting
the same day again answers EXISTS for every transfer, and posting a different result for the same day is refused.

| flow | debit | credit |
|---|---|---|
| opening float | customer funds | purse liability |
| paid purchase, cash out of a passbook, online release of a grey card | purse liability | operator payable |
| paid, but by no purse (second use of a counter) | risk | operator payable |
| load | load receivable | purse liability |
| declared subsidy | government receivable | operator payable |
| fee | operator payable | fee payable |
| fee between institutions | fee payable | fee payable |
| an owner's share of a metro fare | operator payable, of who collected it | operator payable |
| torn tap, unresolved | purse liability (pending) | suspense (pending), void when the tap is decided |
| settlement | customer funds, or what is payable | what is receivable, or customer funds |
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from jinka.clearing import Flow, LineKind, NetResult
from jinka.kit import Finding, Severity, Unit, make_id, utc_micros
from jinka.ledger import LedgerEngine, Transfer, TransferFlag, TransferResult, batches
from jinka.settlement.chart import LEDGER_OF, AccountCode, AccountName, TransferCode

_ACCOUNTS_OF: dict[LineKind, tuple[AccountCode, AccountCode, TransferCode]] = {
    LineKind.CHARGE: (AccountCode.PURSE_LIABILITY, AccountCode.OPERATOR_PAYABLE, TransferCode.CHARGE),
    LineKind.RISK: (AccountCode.RISK, AccountCode.OPERATOR_PAYABLE, TransferCode.RISK),
    LineKind.SUBSIDY: (AccountCode.GOVERNMENT_RECEIVABLE, AccountCode.OPERATOR_PAYABLE, TransferCode.SUBSIDY),
    LineKind.LOAD: (AccountCode.LOAD_RECEIVABLE, AccountCode.PURSE_LIABILITY, TransferCode.LOAD),
    LineKind.FEE: (AccountCode.OPERATOR_PAYABLE, AccountCode.FEE_PAYABLE, TransferCode.FEE),
    LineKind.INTERCHANGE: (AccountCode.FEE_PAYABLE, AccountCode.FEE_PAYABLE, TransferCode.FEE),
    LineKind.SHARE: (AccountCode.OPERATOR_PAYABLE, AccountCode.OPERATOR_PAYABLE, TransferCode.SHARE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessDay:
    """Which day and cycle a posting belongs to."""

    date: dt.date
    zone: str
    cycle: int = 1
    unit: Unit = Unit.FEN

    @property
    def micros(self) -> int:
        return utc_micros(dt.datetime.combine(self.date, dt.time()), self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One transfer in words."""

    debit: AccountName
    credit: AccountName
    amount: int
    code: TransferCode
    pending: bool = False

    def transfer(self, day: BusinessDay) -> Transfer:
        """The transfer of this entry; its id does not depend on the amount."""
        parts = (
            self.debit.owner,
            int(self.debit.code),
            self.credit.owner,
            int(self.credit.code),
            int(self.code),
        )
        return Transfer(
            id=make_id("jinka.transfer", day.date.isoformat(), day.cycle, *parts),
            debit_account=self.debit.id,
            credit_account=self.credit.id,
            amount=self.amount,
            ledger=LEDGER_OF[day.unit],
            code=int(self.code),
            flags=TransferFlag.PENDING if self.pending else TransferFlag.NONE,
            timestamp=day.micros,
        )


def post(
    engine: LedgerEngine, day: BusinessDay, entries: Iterable[Entry]
) -> tuple[list[Transfer], list[Finding]]:
    """Open the accounts and post the entries; a transfer that the ledger refuses is a finding."""
    wanted = [entry for entry in entries if entry.amount]
    names = sorted({n for e in wanted for n in (e.debit, e.credit)}, key=lambda name: (name.code, name.owner))
    for opened in batches([name.opened(day.unit) for name in names]):
        engine.create_accounts(opened)
    transfers = [entry.transfer(day) for entry in wanted]
    results = [result for call in batches(transfers) for result in engine.create_transfers(call)]
    findings = [
        Finding(
            code=f"LEDGER_{result.name}",
            severity=Severity.ERROR,
            where=f"{entry.code.name} {entry.debit.owner} to {entry.credit.owner}",
            what=f"the ledger refused {entry.amount}",
            fix="the day was posted before with another result: correct it by a new cycle",
        )
        for entry, result in zip(wanted, results, strict=True)
        if result not in (TransferResult.CREATED, TransferResult.EXISTS)
    ]
    return transfers, findings


def opening_entries(floats: Sequence[tuple[str, int]]) -> list[Entry]:
    """The opening float of each issuer: what its cards hold when they are registered."""
    return [
        Entry(
            debit=AccountName(code=AccountCode.CUSTOMER_FUNDS, owner=issuer),
            credit=AccountName(code=AccountCode.PURSE_LIABILITY, owner=issuer),
            amount=amount,
            code=TransferCode.OPENING_FLOAT,
        )
        for issuer, amount in floats
    ]


def post_opening(
    engine: LedgerEngine, day: BusinessDay, floats: Sequence[tuple[str, int]]
) -> tuple[list[Transfer], list[Finding]]:
    """Post the opening floats, as (issuer, amount)."""
    return post(engine, day, opening_entries(floats))


def post_day(
    engine: LedgerEngine, day: BusinessDay, result: NetResult, *, issuer: str, suspense: int = 0
) -> tuple[list[Transfer], list[Finding]]:
    """Post the flows of a netted day, and unresolved torn taps as pending.

    Balance that appeared on cards without a load is a finding and is not posted: no TAC binds a purchase's balance,
    so an officer has to look before the scheme bears it.
    """
    liability = AccountName(code=AccountCode.PURSE_LIABILITY, owner=issuer)
    entries = [flow_entry(flow) for flow in result.flows]
    entries.append(
        Entry(
            debit=liability,
            credit=AccountName(code=AccountCode.SUSPENSE, owner=issuer),
            amount=suspense,
            code=TransferCode.SUSPENSE,
            pending=True,
        )
    )
    return post(engine, day, entries)


def lift_suspense(
    engine: LedgerEngine, day: BusinessDay, earlier: BusinessDay, *, issuer: str
) -> list[Finding]:
    """Void what ``earlier`` left in suspense, once its torn taps are cleared again with ``day``.

    What is decided now is among the flows of ``day``, and what is still open goes into suspense again with it. Voiding
    again is harmless; nothing happens when the earlier day left nothing.
    """
    held = Entry(
        debit=AccountName(code=AccountCode.PURSE_LIABILITY, owner=issuer),
        credit=AccountName(code=AccountCode.SUSPENSE, owner=issuer),
        amount=0,
        code=TransferCode.SUSPENSE,
        pending=True,
    ).transfer(earlier)
    pending = engine.lookup([held.id]).get(held.id)
    if pending is None:
        return []
    void = replace(
        pending,
        id=make_id("jinka.transfer.void", pending.id),
        flags=TransferFlag.VOID_PENDING,
        pending_id=pending.id,
        timestamp=day.micros,
    )
    [result] = engine.create_transfers([void])
    if result in (TransferResult.CREATED, TransferResult.EXISTS):
        return []
    what = f"the ledger refused to void {pending.amount}"
    where = f"SUSPENSE of {earlier.date}"
    return [
        Finding(
            code=f"LEDGER_{result.name}", severity=Severity.ERROR, where=where, what=what, fix="look there"
        )
    ]


def flow_entry(flow: Flow) -> Entry:
    """The posting of one flow of a netted day."""
    debit, credit, code = _ACCOUNTS_OF[flow.kind]
    return Entry(
        debit=AccountName(code=debit, owner=flow.payer),
        credit=AccountName(code=credit, owner=flow.payee),
        amount=flow.amount,
        code=code,
    )
