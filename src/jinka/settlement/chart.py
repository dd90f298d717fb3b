"""The chart of accounts of a scheme: what each account is, and the deterministic ids of accounts and transfers.

Purse liability is what the scheme owes to card holders; customer funds is the bank account that stands behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from jinka.kit import Unit, make_id
from jinka.ledger import Account

LEDGER_OF: dict[Unit, int] = {
    Unit.FEN: 156,  # ISO 4217 numeric of the yuan; the other units follow Jinka's own numbers above 1000
    Unit.WATT_HOUR: 1001,
    Unit.MILLILITRE: 1002,
    Unit.MINUTE: 1003,
    Unit.POINT: 1004,
}


class AccountCode(IntEnum):
    """The kinds of account, and whose they are."""

    CUSTOMER_FUNDS = 1  # asset: money at the bank behind the purses
    PURSE_LIABILITY = 2  # liability: what cards hold, of one issuer
    OPERATOR_PAYABLE = 3  # liability: owed to an operator
    LOAD_RECEIVABLE = 4  # asset: owed by a load agent
    GOVERNMENT_RECEIVABLE = 5  # asset: declared subsidies
    FEE_PAYABLE = 6  # liability: fees earned by scheme, issuer or acquirer
    RISK = 7  # loss: paid, but not by a purse
    SUSPENSE = 8  # torn taps that nothing has shown yet, as pending transfers
    CENTRE_DUE = 20  # asset or liability: between this centre and a neighbour, its parent or a child
    MEMBER = 16  # owed to a bank by the others, or by it: disputes, until they are settled
    DISPUTE = 17  # liability: money of one dispute until it is decided and paid; its owner is the dispute

    UNCLAIMED = 24  # liability: written off, and nobody's yet
    CARD_DEPOSIT = 25  # liability: holders' money for the cards themselves, of one issuer
    HOLDER_PAYABLE = 26  # liability: refunds that are determined and not paid yet, of one issuer
    INTEREST = 27  # liability: what the custodian's interest earned for one party
    FUND = 32  # money outside the purses that an authority keeps: an insurance fund, a treasury, a personal account


# What may stand open when a day is settled: the purses, the money behind them, and what nobody can decide yet.
STAYING = (
    AccountCode.CUSTOMER_FUNDS,
    AccountCode.PURSE_LIABILITY,
    AccountCode.SUSPENSE,
    AccountCode.DISPUTE,
    AccountCode.FUND,
)


class TransferCode(IntEnum):
    """Why money moves."""

    OPENING_FLOAT = 1
    CHARGE = 2
    RISK = 3
    SUBSIDY = 4
    LOAD = 5
    FEE = 6
    SUSPENSE = 7
    SETTLEMENT = 8
    SETTLEMENT_RETURN = 9  # an order that was posted as paid and came back, or was never executed
    SHARE = 30  # a line's owner's part of a fare that another operator collected
    SILENCE = 20  # paid because the card's centre did not answer in time, and rejected by it afterwards
    EXCESS = 21  # claimed by another centre beyond what was accepted: in suspense until an officer decides
    DISPUTE = 16
    DISPUTE_FEE = 17
    DISPUTE_SETTLEMENT = 18  # what disputes left open, paid
    WRITE_OFF = 40  # a missing counter that was chased long enough
    WRITE_BACK = 41  # and its record came after all
    REFUND = 42
    REFUND_PAID = 43
    DEPOSIT = 44
    DORMANT = 45
    REVIVAL = 46
    INTEREST = 47
    FUND = 64  # between funds, by a rule or a decision
    FLOAT_SETTLEMENT = 48  # what the float's deeds left open, paid


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountName:
    """An account before it has an id: its kind and whose it is."""

    code: AccountCode
    owner: str

    @property
    def id(self) -> bytes:
        return make_id("jinka.account", self.owner, int(self.code))

    def opened(self, unit: Unit) -> Account:
        """The account in the ledger of ``unit``; ``user_data`` is the id of its owner."""
        return Account(
            id=self.id,
            ledger=LEDGER_OF[unit],
            code=int(self.code),
            user_data=make_id("jinka.participant", self.owner),
        )
