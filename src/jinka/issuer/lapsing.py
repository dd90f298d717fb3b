"""Holds that nobody completed in time: the money is the holder's again, and the row says that it lapsed.

A pre-authorisation stands for as many days as the policy says; card schemes have 30 at most for debit cards. What is
completed after that is booked as far as there is money. The ids of the transfers are made from the hold's, so a sweep
that broke off is repeated without harm. Pure but for the books and the ledger that it is given; no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jinka.issuer.authorisation import YUAN
from jinka.issuer.books import Booking, IssuerBooks, Step
from jinka.issuer.chart import IssuerAccount, IssuerTransfer, office_account
from jinka.kit import make_id
from jinka.ledger import LedgerEngine, Transfer, TransferFlag, TransferResult

_ZERO = bytes(16)
_AT_ONCE = 2_000
_DONE = frozenset({TransferResult.CREATED, TransferResult.EXISTS})


def lapse(books: IssuerBooks, ledger: LedgerEngine, *, before_micros: int, now_micros: int) -> list[Booking]:
    """Let go of the holds of what came before then, durably; returns their rows as they stand now."""
    lapsed: list[Booking] = []
    due = books.held(before_micros)
    for start in range(0, len(due), _AT_ONCE):
        with books.together():
            lapsed += _let_go(books, ledger, due[start : start + _AT_ONCE], now_micros)
    return lapsed


def _let_go(
    books: IssuerBooks, ledger: LedgerEngine, holds: Sequence[Booking], now_micros: int
) -> list[Booking]:
    results = ledger.create_transfers([_release(hold, now_micros) for hold in holds])
    rows = [
        replace(hold, state=hold.after(Step.LAPSE), hold=_ZERO)
        for hold, result in zip(holds, results, strict=True)
        if result in _DONE
    ]
    books.write(rows)
    return rows


def _release(hold: Booking, now_micros: int) -> Transfer:
    return Transfer(
        id=make_id("jinka.issuer.lapse", hold.id, hold.hold),
        debit_account=hold.source,
        credit_account=office_account(IssuerAccount.ACQUIRER, hold.acquirer).id,
        amount=hold.amount_fen,
        ledger=YUAN,
        code=IssuerTransfer.PREAUTHORISATION,
        flags=TransferFlag.VOID_PENDING,
        pending_id=hold.hold,
        user_data=hold.id,
        timestamp=now_micros,
    )
