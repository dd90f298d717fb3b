"""The books beside their disputes: what a day's own proofs are about, and what disputes have left to be settled.

A dispute posts onto accounts that a day settles to nothing. So a day that is cleared again is proven without what
disputes did later, and what they left open is settled by itself: each account against the money behind the purses, in
one chain. The next settlement begins where the last one ended, whatever the date.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from jinka.kit import Refused, Unit, make_id
from jinka.ledger import Account, Balance, LedgerEngine, Transfer, TransferFlag, TransferResult
from jinka.settlement.chart import LEDGER_OF, AccountCode, AccountName, TransferCode
from jinka.settlement.orders import float_name
from jinka.settlement.posting import BusinessDay

_CODES = (TransferCode.DISPUTE, TransferCode.DISPUTE_FEE, TransferCode.DISPUTE_SETTLEMENT)
# One of these is touched by whatever a dispute posts: its own suspense, a member, a subsidy, or a payment.
_TOUCHED = (
    AccountCode.DISPUTE,
    AccountCode.MEMBER,
    AccountCode.GOVERNMENT_RECEIVABLE,
    AccountCode.CUSTOMER_FUNDS,
)
_OWN = (AccountCode.DISPUTE, AccountCode.MEMBER)
_STAYING = (AccountCode.DISPUTE, AccountCode.PURSE_LIABILITY, AccountCode.CUSTOMER_FUNDS)
_DONE = (TransferResult.CREATED, TransferResult.EXISTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeOrder:
    """What disputes left open on one account: ``amount`` fen from ``debtor`` to ``creditor``."""

    reference: str
    account: AccountCode
    debtor: str
    creditor: str
    amount: int

    def as_row(self) -> dict[str, str | int]:
        """The row for CSV and JSON."""
        return {
            "reference": self.reference,
            "account": self.account.name,
            "debtor": self.debtor,
            "creditor": self.creditor,
            "amount_fen": self.amount,
        }


def dispute_transfers(engine: LedgerEngine) -> list[Transfer]:
    """All that disputes posted, settlements included; what is only held is not among them."""
    found = {
        transfer.id: transfer
        for account in engine.accounts()
        if account.code in _TOUCHED
        for transfer in engine.history(account.id)
        if transfer.code in _CODES and not transfer.flags & (TransferFlag.PENDING | TransferFlag.VOID_PENDING)
    }
    return list(found.values())


class BooksWithoutDisputes:
    """A ledger's accounts and balances as if nobody had disputed anything."""

    def __init__(self, engine: LedgerEngine) -> None:
        self._engine = engine
        self._debits: dict[bytes, int] = defaultdict(int)
        self._credits: dict[bytes, int] = defaultdict(int)
        self._pending: dict[bytes, int] = defaultdict(int)
        for transfer in dispute_transfers(engine):
            self._debits[transfer.debit_account] += transfer.amount
            self._credits[transfer.credit_account] += transfer.amount
        own = [account.id for account in engine.accounts() if account.code == AccountCode.DISPUTE]
        for account, balance in engine.balances(own).items():
            if balance.credits_pending:  # a dispute holds once
                held = next(each for each in engine.history(account) if each.flags & TransferFlag.PENDING)
                self._pending[held.debit_account] += balance.credits_pending

    def accounts(self) -> list[Account]:
        return [account for account in self._engine.accounts() if account.code not in _OWN]

    def balances(self, ids: Sequence[bytes]) -> dict[bytes, Balance]:
        return {
            id_: replace(
                found,
                debits_posted=found.debits_posted - self._debits[id_],
                credits_posted=found.credits_posted - self._credits[id_],
                debits_pending=found.debits_pending - self._pending[id_],
            )
            for id_, found in self._engine.balances(ids).items()
        }


def settle_disputes(
    engine: LedgerEngine,
    day: BusinessDay,
    *,
    owners: Mapping[bytes, str],
    funds_of: Mapping[bytes, str],
) -> list[DisputeOrder]:
    """Post as paid what disputes left open; nothing when nothing is. Raises `Refused`.

    ``owners`` says whose an account is, ``funds_of`` whose funds stand behind a dispute.
    """
    open_: dict[tuple[bytes, str], int] = defaultdict(int)
    before: dict[tuple[bytes, str], int] = defaultdict(int)
    codes = {account.id: AccountCode(account.code) for account in engine.accounts() if account.id in owners}
    paid = {make_id("jinka.dispute.funds", owner): owner for owner in set(funds_of.values())}
    for transfer in dispute_transfers(engine):
        owner = funds_of.get(transfer.user_data) or paid.get(transfer.user_data)
        if owner is None:
            raise Refused("a posting of a dispute that nobody knows", where=f"transfer {transfer.id.hex()}")
        for account, sign in ((transfer.debit_account, -1), (transfer.credit_account, 1)):
            if codes.get(account) not in (None, *_STAYING):
                open_[account, owner] += sign * transfer.amount
                before[account, owner] += transfer.code == TransferCode.DISPUTE_SETTLEMENT
    orders, transfers = [], []
    for (account, owner), amount in sorted(open_.items()):
        if not amount:
            continue
        funds = AccountName(code=AccountCode.CUSTOMER_FUNDS, owner=owner)
        engine.create_accounts([funds.opened(Unit.FEN)])
        id_ = make_id("jinka.dispute.settlement", account, owner, before[account, owner])
        side = float_name(owner)
        debtor, creditor = (side, owners[account]) if amount > 0 else (owners[account], side)
        orders.append(
            DisputeOrder(
                reference=id_.hex(),
                account=codes[account],
                debtor=debtor,
                creditor=creditor,
                amount=abs(amount),
            )
        )
        transfers.append(
            Transfer(
                id=id_,
                debit_account=account if amount > 0 else funds.id,
                credit_account=funds.id if amount > 0 else account,
                amount=abs(amount),
                ledger=LEDGER_OF[Unit.FEN],
                code=int(TransferCode.DISPUTE_SETTLEMENT),
                flags=TransferFlag.LINKED,
                user_data=make_id("jinka.dispute.funds", owner),
                timestamp=day.micros,
            )
        )
    if transfers:
        transfers[-1] = replace(transfers[-1], flags=TransferFlag.NONE)
        for result in engine.create_transfers(transfers):
            if result not in _DONE:
                raise Refused(f"the ledger says {result.name.lower()}", where="settlement of disputes")
    return orders
