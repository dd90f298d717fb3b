"""The kinds of transaction that the switch carries, as a table: how each is told and what follows from it.

Kinds are told by message class, processing code and point of service condition code, as UnionPay's terminals tell them
(MTI, field 3, field 25) and ISO 8583:1987 clause 4.3.3 names the codes. The codes of transfers between banks (46, 47)
and of bill payment (50) differ from network to network: check them with the peer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from jinka.codec.iso8583.message import Message


class Side(Enum):
    """Which way money goes, seen from the cardholder: what batch totals count."""

    DEBIT = "debit"
    CREDIT = "credit"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """``stored``: a fact already, which is kept and passed on instead of asked. ``routed_by`` is a field."""

    name: str
    title: tuple[str, str]
    side: Side
    reversible: bool = True
    stand_in: bool = False
    stored: bool = False
    routed_by: int = 2


_D, _C, _N = Side.DEBIT, Side.CREDIT, Side.NONE
PURCHASE = Kind(name="purchase", title=("purchase", "消费"), side=_D, stand_in=True)
VOID = Kind(name="void", title=("void of a purchase", "消费撤销"), side=_C)
REFUND = Kind(name="refund", title=("refund", "退货"), side=_C, reversible=False, stored=True)
PRE_AUTH = Kind(name="pre_auth", title=("pre-authorisation", "预授权"), side=_N, stand_in=True)
PRE_AUTH_VOID = Kind(
    name="pre_auth_void", title=("cancellation of a pre-authorisation", "预授权撤销"), side=_N
)
COMPLETION = Kind(name="completion", title=("completion of a pre-authorisation", "预授权完成"), side=_D)
COMPLETION_VOID = Kind(name="completion_void", title=("void of a completion", "预授权完成撤销"), side=_C)
COMPLETION_ADVICE = Kind(
    name="completion_advice", title=("advice of a completion", "预授权完成通知"), side=_D,
    reversible=False, stored=True,
)  # fmt: skip
OFFLINE = Kind(
    name="offline", title=("advice of an offline sale", "离线结算"), side=_D, reversible=False, stored=True
)
CASH = Kind(name="cash", title=("cash withdrawal", "取现"), side=_D, stand_in=True)
# An authorisation is a hold, also when it is told of afterwards: 0120 moves no money, 0220 does.
PRE_AUTH_ADVICE = Kind(
    name="pre_auth_advice", title=("advice of a pre-authorisation", "预授权通知"), side=_N,
    reversible=False, stored=True,
)  # fmt: skip
CASH_ADVICE = Kind(
    name="cash_advice", title=("advice of a cash withdrawal", "取现通知"), side=_D,
    reversible=False, stored=True,
)  # fmt: skip
DEPOSIT = Kind(name="deposit", title=("deposit", "存款"), side=_C)
BALANCE = Kind(name="balance", title=("balance inquiry", "余额查询"), side=_N, reversible=False)
TRANSFER = Kind(name="transfer", title=("transfer between own accounts", "转账"), side=_D)
TRANSFER_OUT = Kind(name="transfer_out", title=("debit transfer", "转出"), side=_D)
TRANSFER_IN = Kind(name="transfer_in", title=("credit transfer", "转入"), side=_C, routed_by=103)
# Online loads of a purse go to the purse's issuer. Nothing undoes one but the card's own proof, so none is reversed.
LOAD = Kind(name="load", title=("load of a purse", "圈存"), side=_N, reversible=False, routed_by=103)
LOAD_QUERY = Kind(
    name="load_query", title=("question about a load", "圈存查证"), side=_N, reversible=False, routed_by=103
)
LOAD_PROOF = Kind(
    name="load_proof", title=("the card's proof of a load", "圈存确认"), side=_N, reversible=False, stored=True,
    routed_by=103,
)  # fmt: skip
_LOAD_CODES = ("60", "62", "63")
BILL = Kind(name="bill", title=("bill payment", "缴费"), side=_D)

TRANSFER_BANKS = Kind(name="transfer_banks", title=("transfer between two banks", "跨行转账"), side=_D)
# Its two legs, which no acquirer sends and no batch counts.
TRANSFER_DEBIT = Kind(name="transfer_debit", title=("debit of a transfer", "跨行转账扣款"), side=_N)
TRANSFER_CREDIT = Kind(name="transfer_credit", title=("credit of a transfer", "跨行转账入账"), side=_N)

# (message class, with "a" before it for an advice; first two digits of field 3; field 25 or "" for any) in the order
# in which they are tried.
TABLE: tuple[tuple[str, str, str, Kind], ...] = (
    ("1", "00", "", PRE_AUTH),
    ("1", "03", "", PRE_AUTH),
    ("1", "20", "", PRE_AUTH_VOID),
    ("1", "30", "", BALANCE),
    ("1", "31", "", BALANCE),
    ("2", "00", "06", COMPLETION),
    ("2", "00", "", PURCHASE),
    ("2", "20", "06", COMPLETION_VOID),
    ("2", "20", "", VOID),
    ("2", "01", "", CASH),
    ("2", "21", "", DEPOSIT),
    ("2", "30", "", BALANCE),
    ("2", "31", "", BALANCE),
    ("2", "40", "", TRANSFER),
    ("2", "46", "", TRANSFER_OUT),
    ("2", "47", "", TRANSFER_IN),
    ("2", "50", "", BILL),
    ("a1", "00", "", PRE_AUTH_ADVICE),
    ("a1", "03", "", PRE_AUTH_ADVICE),
    ("a2", "00", "06", COMPLETION_ADVICE),
    ("a2", "00", "", OFFLINE),
    ("a2", "01", "", CASH_ADVICE),
    ("a2", "20", "", REFUND),
    *(("2", code, "", LOAD) for code in _LOAD_CODES),
    *(("1", code, "", LOAD_QUERY) for code in _LOAD_CODES),
    *(("a2", code, "", LOAD_PROOF) for code in _LOAD_CODES),
)
STOOD_IN = frozenset(kind.name for *_, kind in TABLE if kind.stand_in)
KINDS = {
    kind.name: kind
    for kind in (*(kind for *_, kind in TABLE), TRANSFER_BANKS, TRANSFER_DEBIT, TRANSFER_CREDIT)
}
_EXACT = {(what, code, condition): kind for what, code, condition, kind in reversed(TABLE)}


def kind_of(message: Message) -> Kind | None:
    """The kind of a request or an advice; None for one that the switch does not carry."""
    what = f"a{message.mti[1]}" if message.mti[2] == "2" else message.mti[1]
    code, condition = message.text(3)[:2], message.text(25)
    return _EXACT.get((what, code, condition)) or _EXACT.get((what, code, ""))
