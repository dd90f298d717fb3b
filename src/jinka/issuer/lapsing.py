"""Holds that nobody completed in time: the money is the holder's again, and the row says that it lapsed.

A pre-authorisation stands for as many days as the policy says; card schemes have 30 at most for debit cards. What is
completed after that is booked as far as there is money. The ids of the transfers are made from the hold's, and one that
the ledger has is sent again as it stands there, so a sweep that broke off is repeated without harm. A hold that the
ledger does not let go is a finding, at every sweep until somebody mends it. Pure but for the books and the ledger that
it is given; no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from jinka.issuer.authorisation import YUAN
from jinka.issuer.books import Booking, IssuerBooks, Step
from jinka.issuer.chart import IssuerAccount, IssuerTransfer, office_account
from jinka.kit import Finding, Severity, make_id
from jinka.ledger import LedgerEngine, Transfer, TransferFlag, TransferResult

_ZERO = bytes(16)
_AT_ONCE = 2_000
_DONE = frozenset({TransferResult.CREATED, TransferResult.EXISTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What a sweep did: the ``rows`` that lapsed, as they stand now, and what the ledger refused."""

    rows: tuple[Booking, ...] = ()
    findings: tuple[Finding, ...] = ()


def lapse(books: IssuerBooks, ledger: LedgerEngine, *, before_micros: int, now_micros: int) -> Sweep:
    """Let go of the holds of what came before then, durably."""
    rows: list[Booking] = []
    findings: list[Finding] = []
    written = 0
    due = books.held(before_micros)
    for start in range(0, len(due), _AT_ONCE):
        with books.together():
            for hold, result in _let_go(ledger, due[start : start + _AT_ONCE], now_micros):
                if result in _DONE:
                    rows.append(replace(hold, state=hold.after(Step.LAPSE), hold=_ZERO))
                else:
                    findings.append(_stuck(hold, result))
            books.write(rows[written:])
            written = len(rows)
    return Sweep(rows=tuple(rows), findings=tuple(findings))


def _let_go(
    ledger: LedgerEngine, holds: Sequence[Booking], now_micros: int
) -> list[tuple[Booking, TransferResult]]:
    releases = [_release(hold, now_micros) for hold in holds]
    there = ledger.lookup([release.id for release in releases])
    results = ledger.create_transfers([there.get(release.id, release) for release in releases])
    return list(zip(holds, results, strict=True))


def _stuck(hold: Booking, result: TransferResult) -> Finding:
    return Finding(
        code="STUCK-HOLD", severity=Severity.WARNING, where=f"transaction {hold.id.hex()}",
        what=f"its hold is too old, and the ledger does not let it go: {result.name.lower().replace('_', ' ')}",
        fix="compare the row with its transfers on the ledger",
    )  # fmt: skip


def _release(hold: Booking, now_micros: int) -> Transfer:
    return Transfer(
        id=make_id("jinka.issuer.lapse", hold.id, hold.hold),
        debit_account=hold.source,
        credit_account=office_account(IssuerAccount.ACQUIRER, hold.acquirer).id,
        amount=hold.held_fen,
        ledger=YUAN,
        code=IssuerTransfer.PREAUTHORISATION,
        flags=TransferFlag.VOID_PENDING,
        pending_id=hold.hold,
        user_data=hold.id,
        timestamp=now_micros,
    )
