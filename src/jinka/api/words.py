"""The words of the pages, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from jinka.acquirer import OrderState
from jinka.reports import Language

_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "pay": ("Pay", "支付"),
        "amount": ("Amount", "金额"),
        "to": ("To", "收款方"),
        "for": ("For", "说明"),
        "reference": ("Order", "订单号"),
        "number": ("Card number", "卡号"),
        "expiry": ("Expires (MM/YY)", "有效期（月/年）"),
        "value": ("Security code", "安全码"),
        "scan": ("Or scan with your phone", "或用手机扫码支付"),
        "state": ("State", "状态"),
        "card": ("Card", "银行卡"),
        "declined": ("The card was declined. Try another one.", "该卡被拒绝，请换一张卡。"),
        "doubt": (
            "The bank has not answered yet. You will not be charged twice; do not pay again.",
            "银行尚未答复。不会重复扣款，请勿再次支付。",
        ),
        "wrong": ("Please check what you typed.", "请检查所填内容。"),
        "reload": ("Look again", "刷新"),
        "bills": ("Pay a bill", "自助缴费"),
        "biller": ("Biller's code", "收费单位代码"),
        "bill": ("Bill number", "账单号"),
        "look": ("Look up", "查询"),
        "no_bill": ("There is no such bill.", "没有该账单。"),
        "bill_paid": ("This bill is paid.", "该账单已缴清。"),
        "busy": ("Too many people at once. Try again in a minute.", "当前访问人数过多，请稍后再试。"),
        "gone": ("There is no such page.", "页面不存在。"),
        "other": ("中文", "English"),
    }
)
_STATES: Mapping[OrderState, tuple[str, str]] = MappingProxyType(
    {
        OrderState.CREATED: ("to be paid", "待支付"),
        OrderState.PENDING: ("being paid", "处理中"),
        OrderState.AUTHORISED: ("authorised", "已授权"),
        OrderState.CAPTURED: ("paid", "已支付"),
        OrderState.VOIDED: ("cancelled", "已撤销"),
        OrderState.REFUNDED_PARTLY: ("refunded in part", "部分退款"),
        OrderState.REFUNDED: ("refunded", "已退款"),
        OrderState.FAILED: ("failed", "支付失败"),
        OrderState.EXPIRED: ("expired", "已过期"),
        OrderState.UNKNOWN: ("not certain yet", "结果待查"),
    }
)


def words(language: Language) -> Mapping[str, str]:
    """All words in one language."""
    at = 0 if language is Language.EN else 1
    return {name: pair[at] for name, pair in _WORDS.items()}


def state_word(state: OrderState, language: Language) -> str:
    """A state in one language."""
    return _STATES[state][0 if language is Language.EN else 1]
