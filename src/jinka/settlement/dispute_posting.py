"""What a dispute's deeds post: places become accounts, movements become linked transfers with ids of their own making.

An id follows from dispute, deed and line, so posting a deed again answers EXISTS and moves nothing. All transfers of a
deed are one chain: all happen, or none. A dispute's own suspense cannot be overdrawn (a flag of its account), so no
dispute pays more than it took, whatever its table says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from jinka.clearing.dispute import Deed, Dispute, Movement, Parties
from jinka.clearing.dispute_words import How, Place
from jinka.kit import Refused, Unit, make_id
from jinka.ledger import (
    Account,
    AccountFlag,
    AccountResult,
    LedgerEngine,
    Transfer,
    TransferFlag,
    TransferResult,
)
from jinka.settlement.chart import LEDGER_OF, AccountCode, AccountName, TransferCode
from jinka.settlement.posting import BusinessDay

_DONE = (TransferResult.CREATED, TransferResult.EXISTS)
_OPENED = (AccountResult.CREATED, AccountResult.EXISTS)
_FLAGS = {
    How.POST: TransferFlag.NONE,
    How.HOLD: TransferFlag.PENDING,
    How.TAKE: TransferFlag.POST_PENDING,
    How.DROP: TransferFlag.VOID_PENDING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """One movement with its accounts, for people."""

    how: How
    debit: AccountName
    credit: AccountName
    amount: int


def account_name(place: Place, dispute: bytes, parties: Parties) -> AccountName:
    """The account of a place in one dispute."""
    codes = {
        Place.CLAIMANT: (AccountCode.MEMBER, parties.claimant),
        Place.RESPONDENT: (AccountCode.MEMBER, parties.respondent),
        Place.HELD: (AccountCode.DISPUTE, dispute.hex()),
        Place.OPERATOR: (AccountCode.OPERATOR_PAYABLE, parties.respondent),
        Place.AGENT: (AccountCode.LOAD_RECEIVABLE, parties.respondent),
        Place.PURSE: (AccountCode.PURSE_LIABILITY, parties.claimant),
        Place.COUNTER: (AccountCode.LOAD_RECEIVABLE, parties.claimant),
        Place.FUNDS: (AccountCode.CUSTOMER_FUNDS, parties.claimant),
        Place.GOVERNMENT: (AccountCode.GOVERNMENT_RECEIVABLE, parties.government),
        Place.FEES: (AccountCode.FEE_PAYABLE, parties.scheme),
    }
    code, owner = codes[place]
    if not owner:
        raise Refused(
            f"nobody is named for {place.word}", where="dispute.parties", fix="name the participant"
        )
    return AccountName(code=code, owner=owner)


def booked(dispute: Dispute, moves: Iterable[Movement]) -> tuple[Booked, ...]:
    """The movements of a deed with their accounts."""
    return tuple(
        Booked(
            how=move.how,
            debit=account_name(move.debit, dispute.id, dispute.parties),
            credit=account_name(move.credit, dispute.id, dispute.parties),
            amount=move.amount,
        )
        for move in moves
    )


def post_deed(
    engine: LedgerEngine,
    dispute: Dispute,
    deed: Deed,
    moves: Sequence[Movement],
    *,
    zone: str,
) -> None:
    """Post a deed's movements; again is harmless. Raises `Refused`."""
    if not moves:
        return
    lines = booked(dispute, moves)
    names = {name for line in lines for name in (line.debit, line.credit)}
    accounts = [_account(name) for name in sorted(names, key=lambda name: (name.code, name.owner))]
    for answer in engine.create_accounts(accounts):
        if answer not in _OPENED:
            raise Refused(f"the ledger says {answer.name.lower()}", where="dispute account")
    transfers = [_transfer(dispute, deed, move, line, zone) for move, line in zip(moves, lines, strict=True)]
    linked = [replace(t, flags=t.flags | TransferFlag.LINKED) for t in transfers[:-1]]
    for transfer, result in zip(transfers, engine.create_transfers([*linked, transfers[-1]]), strict=True):
        if result not in _DONE:
            raise Refused(
                f"the ledger says {result.name.lower()} to {transfer.amount}",
                where=f"dispute {dispute.id.hex()} deed {deed.seq}",
                fix="have an officer compare its deeds with the ledger",
            )


def _transfer(dispute: Dispute, deed: Deed, move: Movement, line: Booked, zone: str) -> Transfer:
    fee = Place.FEES in (move.debit, move.credit)
    plain = move.how in (How.POST, How.HOLD)
    return Transfer(
        id=_hold_id(dispute.id)
        if move.how is How.HOLD
        else make_id("jinka.dispute.transfer", dispute.id, deed.seq, move.line),
        debit_account=line.debit.id,
        credit_account=line.credit.id,
        amount=move.amount,
        ledger=LEDGER_OF[Unit.FEN],
        code=int(TransferCode.DISPUTE_FEE if fee else TransferCode.DISPUTE),
        flags=_FLAGS[move.how],
        pending_id=bytes(16) if plain else _hold_id(dispute.id),
        user_data=dispute.id,
        timestamp=BusinessDay(date=deed.on, zone=zone).micros,
    )


def _hold_id(dispute: bytes) -> bytes:
    """A dispute holds once, when it is opened."""
    return make_id("jinka.dispute.hold", dispute)


def _account(name: AccountName) -> Account:
    opened = name.opened(Unit.FEN)
    if name.code is AccountCode.DISPUTE:
        return replace(opened, flags=AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
    return opened


def suspense_of(engine: LedgerEngine, dispute: bytes) -> tuple[int, int]:
    """What the ledger holds for a dispute: (posted, pending), in fen."""
    account = AccountName(code=AccountCode.DISPUTE, owner=dispute.hex()).id
    balance = engine.balances([account]).get(account)
    if balance is None:
        return 0, 0
    return balance.credits_posted - balance.debits_posted, balance.credits_pending - balance.debits_pending
