"""Why something was refused, in words: one table of the codes that cards, terminals, hosts and rules give.

A right's own reasons (`jinka.profile.entitlement.Condition`) need no row: their words are what the condition asks.
Answers of cards are those of ISO/IEC 7816-4, 5.6; two digits are the answers of ISO 8583 field 39.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from jinka.declaration import Sector
from jinka.identity.base_records import Why
from jinka.registry.issue_words import FINDINGS
from jinka.reports.day import Text
from jinka.trace.rules import RULES

_ROWS = {
    # Purses and lists
    "BLOCKED": ("the card is on the list", "卡在黑名单"),
    "NEEDS_LOAD": ("too little on the card", "余额不足"),
    "REFUSED": ("the card or its host refuses", "卡或主机拒绝"),
    "REMOVED": ("the card went away", "卡已离开"),
    "TORN": ("no answer came", "未收到应答"),
    "UNSURE": ("no answer came", "未收到应答"),
    "LOAD": ("loads", "充值"),
    "GREY": ("locked grey elsewhere", "卡已在别处灰锁"),
    "FILL": ("the pump stops", "加油机停止"),
    "RELEASE": ("the issuer does not unlock", "发卡方不予解锁"),
    "DISTRIBUTE": ("not distributed", "不予分配"),
    # Bank cards
    "DECLINED_OFFLINE": ("declined offline by the card", "卡片脱机拒绝"),
    "DECLINED_ONLINE": ("declined by the bank", "发卡行拒绝"),
    "41": ("the card is reported lost", "卡已挂失"),
    "51": ("not enough money", "余额不足"),
    "54": ("the card has expired", "卡已过期"),
    "55": ("a wrong PIN", "密码错误"),
    "62": ("the card is restricted", "卡受限制"),
    "68": ("no answer came in time", "应答超时"),
    "75": ("too many wrong PINs", "密码错误次数超限"),
    # Cards
    "READ": ("the card keeps it", "卡拒绝读出"),
    "WRITE": ("not to be written", "不得写入"),
    "WRONG_PIN": ("a wrong PIN", "口令错误"),
    "6982": ("security status not satisfied", "未满足安全条件"),
    "6983": ("the PIN is blocked", "口令已锁定"),
    "6988": ("the message is not under its authority's key", "报文鉴别码不符"),
    "6A81": ("the application is blocked", "应用已锁定"),
    "6A82": ("not on the card", "卡内没有该文件"),
    "6A83": ("no such record", "卡内没有该记录"),
    "NOT_ITS_OWN": ("another authority's application", "非本机构应用"),
    "NOT_LISTED": ("the old card is not yet on the list", "旧卡尚未列入黑名单"),
    "CLAIM_PERIOD": ("claims to the old card are still heard", "旧卡余额申报期未满"),
    "NOT_CLEARED": ("records of the old card are not yet cleared", "旧卡交易尚未清算"),
    "NOT_GRANTED": ("the issue was not granted", "发卡未获许可"),
    "USED_TWICE": ("used twice", "重复使用"),
    # Tables and money
    "ASSESS": ("the table does not allow it", "不符合规定"),
    "NOT_SHOWN": ("what it rests on was not established", "前一核验未成立，无依据"),
    "MOVE": ("not enough money", "资金不足"),
    "NO_MONEY": ("not enough money", "资金不足"),
    # Certificates, documents, bills
    "CERTIFICATE": ("the officers do not approve", "审批不予通过"),
    "NO_CERTIFICATE": ("no certificate on the card", "卡内无证书"),
    "ISSUER_UNKNOWN": ("the certificate's issuer is unknown", "签发机构未知或证书无效"),
    "KEY_FALSE": ("the card does not hold the key", "密钥不符"),
    "REVOKED": ("the certificate is revoked or on hold", "证书已吊销或冻结"),
    "ALTERED": ("the signature is not of this content", "签名与内容不符"),
    "UNTRUSTED": ("the certificate is not trusted", "证书不可信"),
    "SIGNERS_MISSING": ("somebody's signature is missing", "签署岗位不齐"),
    "GAP": ("a number is missing", "缺号"),
    "REPEATED": ("the same once more", "重复"),
    "SUMS_DIFFER": ("the sums on the card differ", "卡内累计数不符"),
    # Travel documents, tags
    "GENUINE": ("genuine", "真实"),
    "FORGED": ("forged", "伪造"),
    "SIGNER_UNKNOWN": ("an unknown signer", "签名者不可信"),
    "COPY_NOT_EXCLUDED": ("may be a copy", "不能排除复制"),
    "UNREADABLE": ("cannot be read", "不可读"),
    "OTHER_CHIP": ("not the chip that was registered", "芯片与登记不符，系复制"),
    "UNKNOWN": ("not registered", "未经登记"),
    # Subscriptions, television, phones
    "NOT_IN_PLAN": ("not in the plan", "套餐不含此业务"),
    "NOT_OPEN": ("closed for arrears", "欠费停用"),
    "NOT_YET": ("the period is not over", "账期未到"),
    "NOTHING_OWED": ("nothing is owed", "无欠费"),
    "ENDED": ("the subscription has ended", "业务已终止"),
    "NO_MAIN_PLAN": ("no main plan", "未办理主套餐"),
    "OVER_EACH": ("more than one payment may be", "超过单笔限额"),
    "OVER_DAY": ("more than a day's limit", "超过日限额"),
    "OVER_MONTH": ("more than a month's limit", "超过月限额"),
    "NO_ENTITLEMENT": ("not entitled", "未授权"),
    "NOT_PAIRED": ("the card belongs to another receiver", "卡与机顶盒不配对"),
    "NETWORK_FALSE": ("the card does not believe the network", "网络鉴权不通过"),
    "CARD_FALSE": ("the network does not believe the card", "卡鉴权不通过"),
    "OUT_OF_STEP": ("sequence numbers out of step", "序列号不同步"),
    # Meters
    "COPIED_CARD": ("a copied card", "复制卡"),
    "OTHER_METER": ("bought for another meter", "购量不属于本表"),
    "OTHER_CARD": ("another card is bound to the meter", "本表已绑定他卡"),
    "NO_ORDER": ("nothing was bought", "卡内无购量"),
    "NO_EMERGENCY_CREDIT": ("the emergency credit is used up", "应急量已用完"),
    "TAKEN_OUT": ("the meter was taken out", "表已拆除"),
    "REJECT": ("the token is not of this meter", "代码不属于本表或有误"),
    "USED": ("used already", "已使用过"),
    "OLD": ("the token is too old", "代码已过期"),
    "TOO_MUCH": ("more than there may be", "超过限量"),
    # Storage of dangerous goods
    "CLASS": ("the zone is not for this class", "本库区不得存放此类危险品"),
    "NOT_HERE": ("nobody brought it here", "本处无收货记录"),
    "SEGREGATION": ("not beside what is stored there", "与库内物料须隔离"),
    # Base records
    "NO_OFFICER": ("the register names no such officer of an active organisation", "登记未载明其在该单位任职"),
    "REVIEW": ("not for him to do", "无权复核"),
    "CORRECT": ("not for it to correct", "无权更正"),
    "CREDIT": ("not for it to report", "无权报送"),
    "DISPUTE": ("not for it to decide", "无权处理"),
    "QUARANTINED": ("held back by a recall", "已被召回隔离"),
    # Reasons of rights that several rights give
    "EXPIRED": ("no longer good", "已过期"),
    "NOT_REGISTERED": ("not registered", "未登记"),
}  # fmt: skip
_CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_FACT = re.compile(r"<[^>]+>")
_NOW = {"date": "当日", "moment": "当前时间", "time": "当前时刻"}
_PIN_TRIES = re.compile(r"63C([0-9A-F])")


def reason_text(code: str, sectors: Iterable[Sector] = ()) -> Text:
    """A code in words; those of ``sectors``' rights by what the right asks. What is no code is its own words."""
    if tries := _PIN_TRIES.fullmatch(code):
        left = int(tries[1], 16)
        return Text(f"a wrong PIN, {left} tries left", f"口令错误，尚可试{left}次")
    if code in _ROWS:
        return Text(*_ROWS[code])
    if code in FINDINGS:
        return Text(*FINDINGS[code])
    if code in Why.__members__:
        return Text(*Why[code].title)
    if code in RULES:
        return Text(RULES[code].english, RULES[code].chinese)
    for sector in sectors:
        for right in sector.entitlements:
            for condition in right.conditions:
                if condition.reason == code:
                    names = {one.name: one.title_zh for one in sector.records.get(right.application, ())}
                    return Text(spoken(code), "须" + _asked(condition.text(zh=True, names=names)))
    return Text(spoken(code), code)


def _asked(text: str) -> str:
    """Without the names of facts: what was asked for is not known here."""
    for name, zh in _NOW.items():
        text = text.replace(f"<{name}>", zh)
    return _FACT.sub("所要求的值", text)


def spoken(code: str) -> str:
    """TOO_MANY_BOOKS as English has it."""
    return code.replace("_", " ").lower() if _CODE.fullmatch(code) else code
