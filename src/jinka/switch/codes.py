"""The response codes that the switch itself gives (field 39), as UnionPay's terminals know them.

ISO 8583:1987 annex A to 96; 97 to 99 and A0 are UnionPay's. An issuer's own codes pass through untouched.
"""

from __future__ import annotations

APPROVED = "00"
INVALID_ACQUIRER = "03"
INVALID_TRANSACTION = "12"
UNKNOWN_ISSUER = "15"
UNKNOWN_ORIGINAL = "25"
BAD_FORMAT = "30"
NO_MONEY = "51"
EXPIRED = "54"
NOT_ENOUGH = "61"  # over a limit of stand-in
ORIGINAL_AMOUNT_WRONG = "64"
TIMED_OUT = "68"
SIGN_ON_FIRST = "77"
CUTTING_OVER = "90"
ISSUER_DOWN = "91"
NO_ROUTE = "92"
DUPLICATE = "94"
TOTALS_DIFFER = "95"
FAULT = "96"
UNKNOWN_TERMINAL = "97"
PIN_FORMAT = "99"
MAC_WRONG = "A0"

# Reasons of a reversal in field 39 of a message to a terminal's host.
REASON_TIMEOUT = "98"
REASON_MAC = "A0"
REASON_OTHER = "06"

# Answers to a stored message after which it is sent again: the peer is not able to take it now.
TRY_AGAIN = frozenset({"09", "19", "68", "90", "91", "92", "96", "98", "A0"})

TITLES: dict[str, tuple[str, str]] = {
    APPROVED: ("approved", "交易成功"),
    INVALID_ACQUIRER: ("not this peer's acquirer", "无效受理机构"),
    INVALID_TRANSACTION: ("not carried here", "无效交易"),
    UNKNOWN_ISSUER: ("no such issuer", "无此发卡方"),
    UNKNOWN_ORIGINAL: ("the original is not known", "未找到原始交易"),
    BAD_FORMAT: ("format", "报文格式错误"),
    NO_MONEY: ("not sufficient funds", "余额不足"),
    EXPIRED: ("expired", "卡片已过期"),
    NOT_ENOUGH: ("over the limit", "超出限额"),
    ORIGINAL_AMOUNT_WRONG: ("not the original's amount", "与原交易金额不符"),
    TIMED_OUT: ("no answer in time", "超时"),
    SIGN_ON_FIRST: ("sign on first", "请重新签到"),
    CUTTING_OVER: ("cut-over under way", "日切处理中"),
    ISSUER_DOWN: ("the issuer cannot be reached", "发卡方不能操作"),
    NO_ROUTE: ("no route, or a loop", "无法到达目的地"),
    DUPLICATE: ("the same numbers with another content", "重复交易"),
    TOTALS_DIFFER: ("totals differ", "调节控制错"),
    FAULT: ("fault of the system", "系统异常"),
    UNKNOWN_TERMINAL: ("no such terminal", "终端未登记"),
    PIN_FORMAT: ("PIN block", "PIN格式错"),
    MAC_WRONG: ("MAC", "MAC校验错"),
}
