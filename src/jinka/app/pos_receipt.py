"""The receipt of a shop's or a cash terminal, as lines of text in English or Chinese; the card's number is masked.

What a receipt shows follows the slips of UnionPay's terminals; no text of a form is public, and paper is not drawn.
"""

from __future__ import annotations

from jinka.app.pos_counter import Slip
from jinka.kit import format_minor
from jinka.terminal import VERBS, TillState, words_of

_S = TillState
# State -> what the holder is told.
STATES: dict[str, tuple[str, str]] = {
    _S.DONE.value: ("APPROVED", "交易成功"),
    _S.DECLINED.value: ("DECLINED", "交易失败"),
    _S.UNSENT.value: ("NOT SENT: no line", "未发送：无法连接"),
    _S.OPEN.value: ("NO ANSWER", "无应答"),
    _S.OWED.value: ("NOT APPROVED: no answer; it will be taken back", "未成功：无应答，将自动冲正"),
    _S.REVERSED.value: ("NOT APPROVED: taken back", "未成功：已冲正"),
    _S.TOLD.value: ("ACCEPTED: the host will be told", "已受理：待上送"),
    _S.DISPUTED.value: ("CALL THE ACQUIRER", "请联系收单机构"),
    _S.PART.value: ("PAID IN PART: the rest will be given back", "部分出钞：余款将退回"),
    _S.PAYING.value: ("PAYING OUT", "出钞中"),
}
_NOT_DONE = ("NOT CARRIED OUT", "交易未完成")
_LABELS = {
    "merchant": ("MERCHANT", "商户编号"),
    "terminal": ("TERMINAL", "终端编号"),
    "card": ("CARD", "卡号"),
    "batch": ("BATCH", "批次号"),
    "trace": ("TRACE", "凭证号"),
    "reference": ("REFERENCE", "参考号"),
    "approval": ("AUTH. NO.", "授权码"),
    "at": ("DATE/TIME", "日期/时间"),
    "amount": ("AMOUNT", "金额"),
    "original": ("ORIGINAL", "原凭证号"),
    "balance": ("BALANCE", "余额"),
    "why": ("REASON", "原因"),
    "aid": ("AID", "AID"),
    "tvr": ("TVR", "TVR"),
    "cryptogram": ("CRYPTOGRAM", "应用密文"),
    "signature": ("SIGNATURE: ____________________", "持卡人签名: ____________________"),
}
_ENTRY = {"05": "C", "07": "Q", "02": "S", "80": "F", "01": "M"}  # chip, quick pass, swiped, fallback, manual


def receipt_lines(slip: Slip, *, merchant: str, number: str, terminal: str, lang: str) -> list[str]:
    """The lines from top to bottom; ``lang`` is en or zh."""
    at = 1 if lang == "zh" else 0
    verb = VERBS[slip.verb]
    told = STATES.get(slip.status, _NOT_DONE)[at]
    if slip.code and slip.code != "Y1" and slip.status == _S.DECLINED.value:
        told += f" {slip.code} {words_of(slip.code)[at]}"
    card = f"{slip.masked} /{_ENTRY.get(slip.entry_mode, '?')}" if slip.masked else ""
    shown = {
        "merchant": number, "terminal": terminal, "card": card, "batch": slip.batch, "trace": slip.trace,
        "reference": slip.reference, "approval": slip.approval, "original": slip.original_trace.strip("0"),
        "at": slip.at, "amount": _yuan(slip.amount_fen) if slip.amount_fen else "",
        "balance": "" if slip.balance_fen is None else _yuan(slip.balance_fen),
        "aid": slip.data.get("aid", ""), "tvr": slip.data.get("tvr", ""),
        "cryptogram": slip.data.get("cryptogram", ""), "why": slip.why,
    }  # fmt: skip
    lines = [merchant] if merchant else []
    lines += [verb.title[at], *(f"{_LABELS[key][at]}: {text}" for key, text in shown.items() if text), told]
    if slip.signature_wanted:
        lines.append(_LABELS["signature"][at])
    return lines


def _yuan(fen: int) -> str:
    return f"RMB {format_minor(fen)}"
