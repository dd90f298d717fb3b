"""The issuer's accounts and transfers on the ledger, and how each kind of transaction is booked.

Holder accounts cannot be overdrawn. What was paid in a holder's name without cover (a stand-in, a reversal whose money
was spent since) comes from the issuer's account of shortfalls, so that no acquirer waits and no fen is lost.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

from jinka.issuer.authorisation import YUAN, Kind
from jinka.kit import make_id
from jinka.ledger import Account, AccountFlag


class IssuerAccount(IntEnum):
    """The kinds of account. A scheme's chart has some of these numbers for others: each has a ledger of its own."""

    HOLDER = 20  # liability: a holder's money
    ACQUIRER = 21  # liability: owed to an acquirer, or by it
    SHORTFALL = 22  # asset: paid for holders without cover, to be had from them
    VAULT = 23  # asset: cash and funds behind the holders' money
    AGENT_PREPAID = 24  # liability: what a load agent paid in beforehand
    LOAD_PAYABLE = 25  # liability: loads that the purse scheme will claim
    CITY = 26  # owed to or by another city's issuer for loads
    DISPUTED = 27  # asset: paid on advices that nobody proved, to be had from the acquirer or the holder


class IssuerTransfer(IntEnum):
    """Why money moves; one for each kind, so that a hold and its posting share theirs."""

    PURCHASE = 20
    CASH = 21
    BILL = 22
    TRANSFER_OUT = 23
    TRANSFER_IN = 24
    DEPOSIT = 25
    PREAUTHORISATION = 26
    REFUND = 27
    TAKEN_BACK = 28
    LOAD = 29
    FUNDING = 30
    COVER = 31
    TRANSFER = 32


CODES: dict[Kind, IssuerTransfer] = {
    Kind.PURCHASE: IssuerTransfer.PURCHASE,
    Kind.CASH: IssuerTransfer.CASH,
    Kind.BILL: IssuerTransfer.BILL,
    Kind.TRANSFER: IssuerTransfer.TRANSFER,
    Kind.TRANSFER_OUT: IssuerTransfer.TRANSFER_OUT,
    Kind.TRANSFER_IN: IssuerTransfer.TRANSFER_IN,
    Kind.DEPOSIT: IssuerTransfer.DEPOSIT,
    Kind.PREAUTHORISATION: IssuerTransfer.PREAUTHORISATION,
    Kind.COMPLETION: IssuerTransfer.PREAUTHORISATION,
    Kind.REFUND: IssuerTransfer.REFUND,
}


def holder_account(number: str) -> Account:
    """A holder's account: its debits, held ones included, never exceed its credits."""
    return Account(
        id=make_id("jinka.issuer.account", number),
        ledger=YUAN,
        code=IssuerAccount.HOLDER,
        flags=AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS,
    )


@lru_cache(maxsize=1_024)
def office_id(code: IssuerAccount, owner: str) -> bytes:
    """The id of `office_account`, which is asked for with each transaction."""
    return make_id("jinka.issuer.office", owner, int(code))


def office_account(code: IssuerAccount, owner: str) -> Account:
    """Another of the issuer's accounts. An agent's cannot be overdrawn either: that is its prepaid limit."""
    prepaid = code is IssuerAccount.AGENT_PREPAID
    flags = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS if prepaid else AccountFlag.NONE
    return Account(id=office_id(code, owner), ledger=YUAN, code=code, flags=flags)
