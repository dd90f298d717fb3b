"""Claims: what a window settles. A claim is one posting that waits, held on the ledger from the moment it is taken.

Its pending transfer and the one that posts it have ids that follow from the claim alone, whatever window settles it:
so a claim that returns from an aborted window is held once, and no two windows can both pay it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from jinka.clearing import Flow
from jinka.kit import MAX_MINOR, Unit, Usage, make_id
from jinka.ledger import Transfer, TransferFlag
from jinka.settlement.chart import LEDGER_OF, AccountName, TransferCode
from jinka.settlement.posting import BusinessDay, Entry, flow_entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """``amount`` minor units owed by the owner of ``debit`` to the owner of ``credit``.

    ``number`` orders claims by age (taken first, lower); equals by id. ``at_micros`` is the business time at which it
    arose.
    """

    id: bytes
    number: int
    debit: AccountName
    credit: AccountName
    amount: int
    code: TransferCode
    at_micros: int

    def __post_init__(self) -> None:
        if type(self.amount) is not int or not 0 < self.amount <= MAX_MINOR:
            raise Usage(
                f"amount {self.amount!r}", where=f"claim {self.id.hex()}", fix="1 to 2^63-1 minor units"
            )
        if self.debit == self.credit:
            raise Usage("is owed to itself", where=f"claim {self.id.hex()}", fix="leave it out")

    @property
    def payer(self) -> str:
        return self.debit.owner

    @property
    def payee(self) -> str:
        return self.credit.owner

    @property
    def age(self) -> tuple[int, bytes]:
        return self.number, self.id

    @property
    def entry(self) -> Entry:
        return Entry(debit=self.debit, credit=self.credit, amount=self.amount, code=self.code)

    def held(self, unit: Unit) -> Transfer:
        """The pending transfer that speaks for the money."""
        return Transfer(
            id=self.id,
            debit_account=self.debit.id,
            credit_account=self.credit.id,
            amount=self.amount,
            ledger=LEDGER_OF[unit],
            code=int(self.code),
            flags=TransferFlag.PENDING,
            timestamp=self.at_micros,
        )

    def settled(self, window: bytes, day: BusinessDay) -> Transfer:
        """The transfer that posts it; ``user_data`` is the window that did."""
        return replace(
            self.held(day.unit),
            id=make_id("jinka.claim.settled", self.id),
            flags=TransferFlag.POST_PENDING,
            pending_id=self.id,
            user_data=window,
            timestamp=day.micros,
        )


def claims_of(day: BusinessDay, flows: Iterable[Flow], *, first: int = 1) -> list[Claim]:
    """A netted day's flows as claims, numbered from ``first``. Ids are those under which `post_day` would post them,

    so that a day cannot be posted at once and settled by a window as well.
    """
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
        for number, entry in enumerate((flow_entry(flow) for flow in flows if flow.amount), first)
    ]
