"""What a shop's or a cash terminal asks its host for, as a table: how each is told, and what follows from it.

ISO 8583:1987, 4.3.3 (message types, processing codes); the transaction types of field 60 are those of UnionPay's
terminals. The codes of transfers between banks and of bills differ from network to network: check them with the host.
Titles are for receipts. Purse loads are `jinka.terminal.load`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Side(Enum):
    """Which way money goes, seen from the holder: what the totals of a batch count."""

    DEBIT = "debit"
    CREDIT = "credit"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One kind of transaction.

    ``advice``: a fact, which is sent until it is answered. ``reversible``: an answer that was lost is undone by a
    reversal; without it and without ``advice`` nothing follows. ``original``: the verbs that it is about.
    """

    name: str
    title: tuple[str, str]
    mti: str
    code: str  # field 3
    condition: str  # field 25
    type60: str  # the first two digits of field 60
    side: Side
    chip_type: int = 0x00  # tag 9C
    reversible: bool = True
    advice: bool = False
    original: frozenset[str] = frozenset()
    atm: bool = False  # at a cash terminal
    pos: bool = True  # in a shop

    @property
    def with_card(self) -> bool:
        """Whether the card is read; the others take the number of their original."""
        return not self.original


_D, _C, _N = Side.DEBIT, Side.CREDIT, Side.NONE
_ALL = (
    Verb(name="sale", title=("SALE", "消费"), mti="0200", code="000000", condition="00", type60="22", side=_D),
    Verb(name="void", title=("VOID", "消费撤销"), mti="0200", code="200000", condition="00", type60="23", side=_C,
         original=frozenset({"sale"})),
    Verb(name="refund", title=("REFUND", "退货"), mti="0220", code="200000", condition="00", type60="25", side=_C,
         chip_type=0x20, reversible=False, advice=True, original=frozenset({"sale", "completion"})),
    Verb(name="preauth", title=("PRE-AUTHORISATION", "预授权"), mti="0100", code="030000", condition="06", type60="10",
         side=_N),
    Verb(name="preauth-cancel", title=("PRE-AUTH CANCEL", "预授权撤销"), mti="0100", code="200000", condition="06",
         type60="11", side=_N, original=frozenset({"preauth"})),
    Verb(name="completion", title=("PRE-AUTH COMPLETION", "预授权完成"), mti="0200", code="000000", condition="06",
         type60="20", side=_D, original=frozenset({"preauth"})),
    Verb(name="completion-void", title=("COMPLETION VOID", "预授权完成撤销"), mti="0200", code="200000", condition="06",
         type60="21", side=_C, original=frozenset({"completion"})),
    Verb(name="offline", title=("OFFLINE SALE", "离线结算"), mti="0220", code="000000", condition="00", type60="30",
         side=_D, reversible=False, advice=True),
    Verb(name="balance", title=("BALANCE", "余额查询"), mti="0200", code="310000", condition="00", type60="01",
         side=_N, chip_type=0x31, reversible=False, atm=True),
    Verb(name="cash", title=("CASH WITHDRAWAL", "取现"), mti="0200", code="010000", condition="00", type60="22",
         side=_D, chip_type=0x01, atm=True, pos=False),
    Verb(name="deposit", title=("DEPOSIT", "存款"), mti="0200", code="210000", condition="00", type60="22", side=_C,
         chip_type=0x21, atm=True, pos=False),
    Verb(name="transfer", title=("TRANSFER", "转账"), mti="0200", code="400000", condition="00", type60="22",
         side=_D, chip_type=0x40, atm=True, pos=False),
    Verb(name="transfer-out", title=("TRANSFER OUT", "转出"), mti="0200", code="460000", condition="00", type60="22",
         side=_D, chip_type=0x40, atm=True, pos=False),
    Verb(name="transfer-in", title=("TRANSFER IN", "转入"), mti="0200", code="470000", condition="00", type60="22",
         side=_C, chip_type=0x40, atm=True, pos=False),
)  # fmt: skip
SETTLE = Verb(
    name="settle",
    title=("SETTLEMENT", "结算"),
    mti="0500",
    code="",
    condition="",
    type60="00",
    side=_N,
    reversible=False,
    atm=True,
)
VERBS: Mapping[str, Verb] = MappingProxyType({verb.name: verb for verb in (*_ALL, SETTLE)})

# Field 39 -> words for the receipt; what is not here is shown by its number. UnionPay's terminals (table of answers).
WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "00": ("approved", "交易成功"),
        "01": ("call the issuer", "请与发卡行联系"),
        "03": ("merchant not known", "商户未登记"),
        "05": ("not honoured", "不予承兑"),
        "12": ("not carried out", "无效交易"),
        "13": ("no such amount", "无效金额"),
        "14": ("no such card", "无效卡号"),
        "15": ("no such issuer", "无此发卡方"),
        "25": ("the original is not known", "未找到原始交易"),
        "30": ("format", "报文格式错误"),
        "41": ("lost card", "挂失卡"),
        "43": ("stolen card", "被窃卡"),
        "51": ("not enough money", "余额不足"),
        "54": ("the card has expired", "卡已过期"),
        "55": ("wrong PIN", "密码错误"),
        "57": ("not permitted", "不允许此卡交易"),
        "59": ("refused by the issuer's rules", "风险规则拒绝"),
        "61": ("over the limit", "超出限额"),
        "62": ("restricted card", "受限制的卡"),
        "64": ("not the original's amount", "与原交易金额不符"),
        "65": ("too many transactions", "超出交易次数"),
        "68": ("no answer in time", "交易超时"),
        "75": ("PIN wrong too often", "密码错误次数超限"),
        "77": ("sign in again", "请重新签到"),
        "91": ("the issuer cannot be reached", "发卡方不能操作"),
        "92": ("no route", "无法到达目的地"),
        "94": ("duplicate", "重复交易"),
        "95": ("totals differ", "调节控制错"),
        "96": ("fault of the system", "系统异常"),
        "97": ("terminal not registered", "终端未登记"),
        "98": ("the issuer gave no answer", "收不到发卡方应答"),
        "99": ("PIN block", "PIN格式错"),
        "A0": ("MAC", "MAC校验错"),
    }
)
UNKNOWN_CODE = ("not approved", "交易失败")


def words_of(code: str) -> tuple[str, str]:
    """What an answer's code means, in English and Chinese."""
    return WORDS.get(code, UNKNOWN_CODE)
