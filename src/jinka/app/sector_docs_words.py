"""The fixed words of a sector's page: what code calls by a word of English, in both languages."""

from __future__ import annotations

import re

from jinka.app.sector_fact_words import fact_word
from jinka.app.sector_words import Wording
from jinka.codec.fields import Coding
from jinka.declaration import Archetype, Counted, DeviceKind, Sector
from jinka.kit import Unit
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact

_ZH: dict[object, str] = {
    Archetype.PURSE: "钱包", Archetype.RECORD: "记录与资格", Archetype.SUBSCRIPTION: "订购", Archetype.TRACE: "追溯",
    DeviceKind.PURSE: "钱包终端", DeviceKind.LOAD: "充值终端", DeviceKind.CHECK: "记录读写终端",
    DeviceKind.PUMP: "加油机",
    Coding.BYTES: "字节", Coding.DIGITS: "数字（BCD）", Coding.DATE: "日期", Coding.TEXT: "文本", Coding.NUMBER: "整数",
    Unit.FEN: "分", Unit.WATT_HOUR: "瓦时", Unit.MILLILITRE: "毫升", Unit.MINUTE: "分钟", Unit.POINT: "点",
    Unit.NUMBER: "数", Unit.MONTH: "年月",
    Counted.PAID: "消费", Counted.LOADED: "充值", Counted.ADMITTED: "准入", Counted.REFUSED: "拒绝",
    Counted.ASSESSED: "核算", Counted.MOVED: "资金划转", Counted.WRITTEN: "写卡", Counted.EVENT: "追溯事件",
    Counted.LOOKED: "信息查询", Counted.BILLED: "出账", Counted.SIGNED: "签名", Counted.INSPECTED: "查验",
}  # fmt: skip
_BY_ZH = {
    "product": "产品", "device": "终端", "operator": "经营方", "application": "应用", "reason": "原因",
    "entitlement": "资格", "sheet": "规则", "account": "账户", "record": "记录", "department": "部门",
    "step": "环节", "place": "地点",
    "item": "物品", "verdict": "结论", "zone": "库区", "service": "业务",
}  # fmt: skip
_FACT = re.compile(r"<([^>]+)>")
_FACTS = {"date": ("today", "当日"), "moment": ("now", "当前时间"), "time": ("now", "当前时刻")}


def kind_word(kind: Archetype | DeviceKind | Coding | Unit | Counted, *, zh: bool) -> str:
    """What a kind is called."""
    said = kind.code if isinstance(kind, Unit) else str(kind.value)
    return _ZH.get(kind, said) if zh else said


def by_word(by: str, *, zh: bool) -> str:
    """What a report counts by."""
    return _BY_ZH.get(by, by) if zh else by


def _facts_told(text: str, sector: Sector, zh: bool) -> str:
    for name, words in _FACTS.items():
        text = text.replace(f"<{name}>", words[zh])

    def told(found: re.Match[str]) -> str:
        word = fact_word(sector, found[1]) if zh else ""
        return word if word and word not in text else f"`{found[1]}`"  # angles would be a tag

    return _FACT.sub(told, text)


class RightWords:
    """Conditions and changes of a sector's rights, by the titles of their records."""

    def __init__(self, sector: Sector, *, zh: bool) -> None:
        self._sector, self._zh, self._wording = sector, zh, Wording([sector], {})

    def _names(self, right: Entitlement) -> dict[str, str]:
        return {
            one.name: one.title_zh if self._zh else one.title_en
            for one in self._sector.records.get(right.application, ())
        }

    def condition(self, right: Entitlement, one: Condition) -> str:
        text = _facts_told(one.text(zh=self._zh, names=self._names(right)), self._sector, self._zh)
        return f"{self._wording.chinese(text) if self._zh else text} (`{one.reason}`)"

    def change(self, right: Entitlement, one: Change) -> str:
        name = self._names(right).get(one.record, one.record)
        shown = next(value for value in (one.take, one.put, one.months) if value is not None)
        said = f"<{shown.name}>" if isinstance(shown, Fact) else str(shown)
        if one.months is not None:
            months = f"加{said}个月" if self._zh else f"+ {said} months"
            text = _facts_told(f"{name} {months}", self._sector, self._zh)
        elif one.take is None:
            text = _facts_told(f"{name} = {said}", self._sector, self._zh)
        else:
            sign, much = ("+", said[1:]) if said.startswith("-") else ("-", said)
            rest = ("（至0为止）" if self._zh else ", down to 0") if one.rest else ""
            text = _facts_told(f"{name} {sign} {much}{rest}", self._sector, self._zh)
        return self._wording.chinese(text) if self._zh else text
