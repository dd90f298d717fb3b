"""Why the issuer answered as it did: response codes of ISO 8583 (field 39) and reasons in two languages.

Codes are those of UnionPay's members (00, 05, 14, 41, 43, 51, 54, 55, 57, 61, 65, 75, ...). Several reasons may share a
code: the code is for the terminal, the reason for who asks afterwards. A risk rule brings titles of its own.
"""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """One reason: (its word, code, English, Chinese)."""

    APPROVED = ("approved", "00", "approved", "承兑")
    REMEMBERED = (
        "remembered",
        "00",
        "nothing to take back; it will be refused when it comes",
        "原交易未到，已登记",
    )
    DISPUTED = ("disputed", "00", "booked in suspense until somebody looks at it", "挂账待查")
    INVALID_MERCHANT = ("acquirer", "03", "no such acquirer", "受理机构未登记")
    CRYPTOGRAM = ("cryptogram", "05", "the chip's cryptogram is wrong", "应用密文错误")
    REPLAYED = ("replayed", "05", "the chip's counter was used before", "应用交易计数器重复")
    CARD_VALUE = ("card value", "05", "the card verification value is wrong", "卡片校验值错误")
    CARD_VALUE_MISSING = ("card value missing", "05", "a card verification value is needed", "缺少卡片校验值")
    INVALID = ("invalid", "12", "not possible for this transaction", "无效交易")
    ALREADY_REVERSED = ("already reversed", "12", "it was taken back before it came", "交易已被冲正")
    AMOUNT = ("amount", "13", "no such amount", "金额无效")
    NO_CARD = ("no card", "14", "no such card", "无此卡号")
    INACTIVE = ("inactive", "14", "the card is not active", "卡未激活")
    NO_ORIGINAL = ("no original", "25", "the original is not known", "找不到原交易")
    FORMAT = ("format", "30", "the message contradicts itself", "报文内容错误")
    LOST = ("lost", "41", "the card was reported lost", "挂失卡")
    STOLEN = ("stolen", "43", "the card was reported stolen", "被盗卡")
    FUNDS = ("funds", "51", "not enough money", "余额不足")
    EXPIRED = ("expired", "54", "the card has expired", "卡已过期")
    PIN = ("pin", "55", "the PIN is wrong", "密码错误")
    PIN_MISSING = ("pin missing", "55", "a PIN is needed", "需要输入密码")
    NOT_PERMITTED = ("not permitted", "57", "not permitted for this card", "不允许此卡交易")
    CURRENCY = ("currency", "57", "a currency that the account has not", "币种不符")
    SUSPENDED = ("suspended", "62", "the card or its account is suspended", "卡或账户已冻结")
    CLOSED = ("closed", "14", "the account is closed", "账户已销户")
    LIMIT = ("limit", "61", "above a limit", "超出限额")
    TOO_MANY = ("too many", "65", "too many transactions", "超出交易次数")
    RISK = ("risk", "59", "refused by a risk rule", "风险规则拒绝")
    PIN_TRIES = ("pin tries", "75", "the PIN was wrong too often", "密码错误次数超限")
    KEYS_DOWN = ("keys down", "96", "the key service gave no answer", "密钥服务无应答")
    INTERRUPTED = ("interrupted", "96", "the host stopped before it decided", "处理中断")
    TAKEN_BACK = (
        "taken back",
        "94",
        "it was taken back since; a new one needs a new number",
        "交易已撤销或冲正",
    )
    DUPLICATE = ("duplicate", "94", "another transaction has this number", "流水号重复")

    def __init__(self, word: str, code: str, english: str, chinese: str) -> None:
        self.word = word  # a stable one for journals
        self.code = code  # field 39, two characters
        self.title = (english, chinese)


BY_WORD = {reason.word: reason for reason in Reason}
