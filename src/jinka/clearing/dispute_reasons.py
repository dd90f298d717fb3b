"""Why something is disputed: reason codes with their titles, and for which machines.

The networks' own lists are not public: UnionPay's four-digit codes are known from single examples alone. So the codes
are Jinka's own, and the titles those that the trade uses. B: bank cards, P: purses.
"""

from __future__ import annotations

from dataclasses import dataclass

from jinka.clearing.dispute_words import Machine
from jinka.kit import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeReason:
    """One code: what it may be the reason of, and what people read."""

    code: str
    machines: tuple[Machine, ...]
    title_en: str
    title_zh: str


def _row(code: str, title_en: str, title_zh: str, *machines: Machine) -> DisputeReason:
    return DisputeReason(code=code, machines=machines, title_en=title_en, title_zh=title_zh)


_M = Machine

DISPUTE_REASONS: tuple[DisputeReason, ...] = (
    _row("B01", "Holder does not recognise the transaction", "持卡人对交易有疑问", _M.BANK),
    _row("B02", "Presented twice", "交易重复提交清算", _M.BANK),
    _row("B03", "Presented late", "逾期提交清算", _M.BANK),
    _row("B04", "Not approved", "交易未被批准", _M.BANK),
    _row("B05", "Counterfeit card", "伪卡欺诈", _M.BANK),
    _row("B06", "Not the holder's (card not present)", "非面对面欺诈", _M.BANK),
    _row("B07", "Amount differs", "交易金额不符", _M.BANK),
    _row("B08", "Paid by other means", "已通过其他方式付款", _M.BANK),
    _row("B09", "Goods or services not received", "未收到商品或服务", _M.BANK),
    _row("B10", "Refund not credited", "退货未入账", _M.BANK),
    _row("B11", "Cash not dispensed, or not all of it", "ATM未吐钞或少吐钞", _M.BANK),
    _row("B12", "Documents not provided, or not legible", "未提供凭证或凭证不清", _M.BANK),
    _row("B13", "Charged although it was cancelled or reversed", "已撤销或冲正仍扣款", _M.BANK),
    _row("B14", "Acquirer holds more than it should", "收单方长款", _M.BANK),
    _row("P01", "Card left too early: debited or not?", "断卡，是否扣款不明", _M.TORN_TAP),
    _row("P02", "Debited, gate stayed shut", "已扣款未放行", _M.TORN_TAP),
    _row("P03", "Paid for, not on the card", "已付款未充入卡", _M.UNCONFIRMED_LOAD),
    _row("P04", "No exit recorded, maximum fare charged", "无出站记录，按最高票价扣款", _M.LOST_EXIT),
    _row("P05", "Wrong class of holder", "持卡人类别错误", _M.WRONG_FARE),
    _row("P06", "Transfer discount not given", "未享受换乘优惠", _M.WRONG_FARE),
    _row("P07", "Wrong line or stop", "线路或站点错误", _M.WRONG_FARE),
    _row("P08", "Charged twice", "重复扣款", _M.WRONG_FARE),
    _row("P09", "Card cannot be read", "卡片无法读取", _M.DEAD_CARD),
)


def require_reason(machine: Machine, code: str) -> DisputeReason:
    """The reason of that code, if it can be one of that machine; `Usage` otherwise."""
    fits = [reason for reason in DISPUTE_REASONS if machine in reason.machines]
    for reason in fits:
        if reason.code == code:
            return reason
    raise Usage(
        f"{code!r} is no reason of a {machine.title[0]} dispute",
        where="reason",
        fix=", ".join(reason.code for reason in fits),
    )
