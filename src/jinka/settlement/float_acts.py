"""Deeds upon the float, and what each posts: a card's part of the liability is written off, refunded or put aside.

The ledger has one account of purse liability an issuer; which card a deed is about stands in the deed. So the sum over
the cards' shadows and the account are two counts of one thing. A deed's id follows from what it is about, and its
transfer's from that: done again it is one. Does not decide anything (`float_rules`, `float_refund`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from jinka.kit import Refused, Unit, make_id
from jinka.ledger import Account, Balance, LedgerEngine, Transfer, TransferResult, batches
from jinka.settlement.chart import LEDGER_OF, AccountCode, AccountName, TransferCode
from jinka.settlement.posting import BusinessDay

_DONE = (TransferResult.CREATED, TransferResult.EXISTS)
CODES = tuple(code for code in TransferCode if 40 <= code < 50)
_OWN = (AccountCode.UNCLAIMED, AccountCode.CARD_DEPOSIT, AccountCode.HOLDER_PAYABLE, AccountCode.INTEREST)


class DeedKind(Enum):
    """What was done: (word, Chinese, code of its transfer)."""

    WRITE_OFF = ("write-off", "核销", TransferCode.WRITE_OFF)
    WRITE_BACK = ("write-back", "核销冲回", TransferCode.WRITE_BACK)
    READING = ("reading", "读卡", None)
    ASKED = ("refund-asked", "退款申请", None)
    DETERMINED = ("refund-determined", "退款核定", TransferCode.REFUND)
    PAID = ("refund-paid", "退款支付", TransferCode.REFUND_PAID)
    REJECTED = ("refund-rejected", "退款驳回", None)
    WITHDRAWN = ("refund-withdrawn", "退款撤回", None)
    DEPOSIT = ("deposit", "押金", TransferCode.DEPOSIT)
    DEPOSIT_BACK = ("deposit-back", "退押金", TransferCode.REFUND)
    DEPOSIT_KEPT = ("deposit-kept", "押金抵扣", TransferCode.DEPOSIT)
    DORMANT = ("dormant", "转入睡眠户", TransferCode.DORMANT)
    REVIVED = ("revived", "睡眠户激活", TransferCode.REVIVAL)
    INTEREST = ("interest", "备付金利息", TransferCode.INTEREST)
    SETTLED = ("settled", "结清", TransferCode.FLOAT_SETTLEMENT)

    @property
    def word(self) -> str:
        return str(self.value[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One deed. ``worth`` and ``gaps``: by how much it changes what the card holds, and what is missing of it."""

    kind: DeedKind
    subject: str  # with kind and card, what makes it one deed: a gap, a refund, a day
    on: dt.date
    card: bytes = b""
    amount: int = 0  # fen, from debit to credit
    debit: AccountName | None = None
    credit: AccountName | None = None
    worth: int = 0
    gaps: int = 0
    deposit: int = 0
    reason: str = ""
    actor: str = ""
    detail: str = ""  # JSON: what a reading showed, which evidence was handed in

    @property
    def id(self) -> bytes:
        return make_id("jinka.float.deed", self.kind.word, self.card, self.subject)

    def transfer(self, zone: str) -> Transfer | None:
        """What it posts; None when it moves nothing."""
        code = self.kind.value[2]
        if not self.amount or code is None or self.debit is None or self.credit is None:
            return None
        return Transfer(
            id=make_id("jinka.float.transfer", self.id),
            debit_account=self.debit.id,
            credit_account=self.credit.id,
            amount=self.amount,
            ledger=LEDGER_OF[Unit.FEN],
            code=int(code),
            user_data=self.id,
            timestamp=BusinessDay(date=self.on, zone=zone).micros,
        )


def named(code: AccountCode, owner: str) -> AccountName:
    """An account of the float."""
    return AccountName(code=code, owner=owner)


def post_deeds(engine: LedgerEngine, deeds: Sequence[Deed], *, zone: str) -> None:
    """Post what deeds move; again is harmless. Raises `Refused`."""
    moving = [(deed, transfer) for deed in deeds if (transfer := deed.transfer(zone)) is not None]
    names = {name for deed, _ in moving for name in (deed.debit, deed.credit) if name is not None}
    accounts = [name.opened(Unit.FEN) for name in sorted(names, key=lambda name: (name.code, name.owner))]
    for opened in batches(accounts):
        engine.create_accounts(opened)
    transfers = [transfer for _, transfer in moving]
    results = [result for call in batches(transfers) for result in engine.create_transfers(call)]
    for (deed, transfer), result in zip(moving, results, strict=True):
        if result not in _DONE:
            raise Refused(
                f"the ledger says {result.name.lower()} to {transfer.amount}",
                where=f"{deed.kind.word} {deed.subject}",
                fix="have an officer compare the deeds with the ledger",
            )


class _Read(Protocol):
    def accounts(self) -> list[Account]: ...
    def balances(self, ids: Sequence[bytes]) -> dict[bytes, Balance]: ...


class BooksWithoutFloat:
    """Books as if the float's deeds had not been done: what a cleared day's own proofs are about.

    ``books`` are read, ``engine`` is asked for the deeds' transfers, all of which touch one of a few accounts.
    """

    def __init__(self, books: _Read, engine: LedgerEngine) -> None:
        self._books = books
        self._moved: dict[bytes, list[int]] = {}
        for transfer in float_transfers(engine):
            self._moved.setdefault(transfer.debit_account, [0, 0])[0] += transfer.amount
            self._moved.setdefault(transfer.credit_account, [0, 0])[1] += transfer.amount

    def accounts(self) -> list[Account]:
        return [account for account in self._books.accounts() if account.code not in _OWN]

    def balances(self, ids: Sequence[bytes]) -> dict[bytes, Balance]:
        return {
            id_: replace(
                found,
                debits_posted=found.debits_posted - self._moved.get(id_, (0, 0))[0],
                credits_posted=found.credits_posted - self._moved.get(id_, (0, 0))[1],
            )
            for id_, found in self._books.balances(ids).items()
        }


def float_transfers(engine: LedgerEngine) -> list[Transfer]:
    """All that the float's deeds posted."""
    touched = (*_OWN, AccountCode.PURSE_LIABILITY, AccountCode.CUSTOMER_FUNDS)
    found = {
        transfer.id: transfer
        for account in engine.accounts()
        if account.code in touched
        for transfer in engine.history(account.id)
        if transfer.code in CODES
    }
    return list(found.values())


def open_lines(deeds: Iterable[Deed]) -> dict[AccountName, int]:
    """What deeds left open on accounts that are settled with the bank, credits positive."""
    own = (*_OWN, AccountCode.PURSE_LIABILITY, AccountCode.CUSTOMER_FUNDS)
    sums: dict[AccountName, int] = {}
    for deed in deeds:
        for name, sign in ((deed.debit, -1), (deed.credit, 1)):
            if name is not None and name.code not in own:
                sums[name] = sums.get(name, 0) + sign * deed.amount
    return {name: amount for name, amount in sums.items() if amount}
