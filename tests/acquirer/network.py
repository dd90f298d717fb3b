"""A network for tests: one issuer on the real ledger, known by operation ids, whose answers may get lost.

Each card has an account that may not be overdrawn; a merchant's takings are another account. A payment is a transfer,
an authorisation a pending one. What the gateway believes is compared with these books.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from jinka.acquirer import Answer, Ask, Entry, Kind, NoAnswer, Result
from jinka.issuer.emv import EmvIssuer
from jinka.kit import make_id
from jinka.ledger import (
    Account,
    AccountFlag,
    Balance,
    MemoryLedger,
    Transfer,
    TransferFlag,
    TransferResult,
)

_T = TransferResult
BANK = make_id("test.account", "bank")


def account_of(pan: str) -> bytes:
    return make_id("test.account", pan)


@dataclass
class LedgerNetwork:
    """``lose`` may name when an answer is lost: ``before`` the issuer saw the question, or ``after``."""

    lose: Callable[[Ask], str] = lambda _: ""
    chip: EmvIssuer | None = None
    dark: bool = False
    asked: list[Ask] = field(default_factory=list)
    _answers: dict[bytes, Answer] = field(default_factory=dict)
    _barred: set[bytes] = field(default_factory=set)
    _undone: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger()
        self.ledger.create_accounts([Account(id=BANK, ledger=156, code=1)])

    def give(self, pan: str, amount: int) -> None:
        """Open a card's account with so much on it."""
        flag = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
        self.ledger.create_accounts([Account(id=account_of(pan), ledger=156, code=1, flags=flag)])
        made = self._move(make_id("test.give", pan), BANK, account_of(pan), amount)
        assert made is _T.CREATED

    def open_merchant(self, id_: str) -> None:
        self.ledger.create_accounts([Account(id=make_id("test.account", id_), ledger=156, code=1)])

    def balance(self, who: str) -> Balance:
        account = make_id("test.account", who)
        return self.ledger.balances([account])[account]

    def taken(self, pan: str) -> int:
        """What was taken from a card, less what came back; holds not counted."""
        found = self.balance(pan)
        return found.debits_posted - (found.credits_posted - self._given(pan))

    def _given(self, pan: str) -> int:
        first = make_id("test.give", pan)
        return self.ledger.lookup([first])[first].amount

    def authorise(self, ask: Ask) -> Answer:
        return self._verb(ask, self._authorise)

    def capture(self, ask: Ask) -> Answer:
        return self._verb(ask, self._capture)

    def void(self, ask: Ask) -> Answer:
        return self._verb(ask, self._void)

    def refund(self, ask: Ask) -> Answer:
        return self._verb(ask, self._refund)

    def status(self, ask: Ask) -> Answer | None:
        if self.dark:
            raise NoAnswer("the link is down", where="status")
        return self._answers.get(ask.operation.id)

    def _verb(self, ask: Ask, act: Callable[[Ask], str]) -> Answer:
        if self.dark:
            raise NoAnswer("the link is down", where="network")
        lost = self.lose(ask)
        if lost == "before":
            raise NoAnswer("lost", where="network")
        self.asked.append(ask)
        key = make_id("test.void", ask.operation.id) if act == self._void else ask.operation.id
        answer = self._answers.get(key)
        if answer is None:
            code = act(ask)
            result = Result.APPROVED if code == "00" else Result.DECLINED
            answer = self._answers[key] = Answer(
                result=result, code=code, approval="123456"[: 6 * (code == "00")]
            )
            if ask.operation.kind is Kind.VOID:
                self._answers[ask.operation.id] = answer
        if lost == "after":
            raise NoAnswer("lost", where="network")
        return answer

    def _authorise(self, ask: Ask) -> str:
        if ask.operation.id in self._barred:
            return "98"
        if ask.card.entry is Entry.CODE:
            assert self.chip is not None
            if self.chip.authorise(ask.card.chip)[2:4] != b"00":
                return "05"
        flag = TransferFlag.NONE if ask.operation.kind is Kind.PURCHASE else TransferFlag.PENDING
        made = self._move(
            ask.operation.id, account_of(ask.card.pan), self._merchant(ask), ask.operation.amount_minor, flag
        )
        return "00" if made is _T.CREATED else "51"

    def _capture(self, ask: Ask) -> str:
        made = self._move(
            ask.operation.id, account_of(ask.card.pan), self._merchant(ask), ask.operation.amount_minor,
            TransferFlag.POST_PENDING, ask.operation.original,
        )  # fmt: skip
        return "00" if made is _T.CREATED else "12"

    def _void(self, ask: Ask) -> str:
        own = ask.operation.kind is not Kind.VOID
        paid = ask.operation.id if own else ask.operation.original
        self._barred.add(paid)
        found = self.ledger.lookup([paid]).get(paid)
        if found is None or paid in self._undone:
            return "00"
        self._undone.add(paid)
        undo = make_id("test.undo", paid)
        if found.flags & TransferFlag.PENDING:
            flag = TransferFlag.VOID_PENDING
            made = self._move(undo, found.debit_account, found.credit_account, found.amount, flag, paid)
        else:
            made = self._move(undo, found.credit_account, found.debit_account, found.amount)
        return "00" if made is _T.CREATED else "12"

    def _refund(self, ask: Ask) -> str:
        made = self._move(
            ask.operation.id, self._merchant(ask), account_of(ask.card.pan), ask.operation.amount_minor
        )
        return "00" if made is _T.CREATED else "12"

    def _merchant(self, ask: Ask) -> bytes:
        return make_id("test.account", ask.merchant.id)

    def _move(
        self,
        id_: bytes,
        debit: bytes,
        credit: bytes,
        amount: int,
        flags: TransferFlag = TransferFlag.NONE,
        pending: bytes = bytes(16),
    ) -> TransferResult:
        return self.ledger.create_transfers(
            [
                Transfer(
                    id=id_, debit_account=debit, credit_account=credit, amount=amount, ledger=156, code=1,
                    flags=flags, pending_id=pending,
                )
            ]
        )[0]  # fmt: skip
