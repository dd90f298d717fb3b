"""What facts of sheets and rights are called in Chinese: the words that mean the same in every sector.

A sector that means something else by a word, or has one that stands here for nothing, says it in its own `words` as
`"<left>": "驶离时刻"`, angles included: so conditions write a fact. A fact that has the name of a record on the card is
called as that record is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from jinka.declaration import Sector
from jinka.tariff.sheet import Fact, Sheet

_LATIN = re.compile(r"[A-Za-z]")
_REMARK = re.compile(r"（[^（）]*）$")
_FIGURE = re.compile(r"[a-z]([0-9]+)")
_WORDS = {
    "account": "个人账户余额", "additional": "地方加发", "age": "年龄", "ammonia kg": "液氨（千克）",
    "amount": "金额", "area": "面积", "asked": "申请数", "average": "平均工资", "balance": "余额",
    "before": "此前用量", "begins": "免费期起始", "bill": "费用总额", "booked": "预约费（元）",
    "born": "出生年月", "budget": "预算指标余额", "card": "卡种", "carried": "上期留抵税额",
    "ceiling": "上限", "chlorine kg": "液氯（千克）", "class A": "甲类费用", "class B": "乙类费用",
    "class C": "丙类（自费）费用", "classroom": "现场学习次数", "cm": "身高（厘米）", "code": "追溯码",
    "consumption_tax": "消费税率", "date": "当日", "day": "适用期", "days late": "逾期天数", "days": "天数",
    "days_late": "滞纳天数", "declared_on_day": "申报在第几日", "deductible": "起付线",
    "direction": "进出口", "drugs": "药品种数", "due": "应付", "duty_rate": "关税税率",
    "ends": "免费期截止", "etc": "是否ETC", "expired": "是否过期", "fen_a_litre": "单价（分/升）",
    "fine": "罚款", "first new": "转入地起始月", "floor": "下限", "founded": "成立年份", "free": "是否免费",
    "fund share": "基金支付比例", "grade": "级别", "gross": "含税价", "handed out": "已交付数",
    "holder": "持卡人类别", "home": "第几套住房", "hour": "时", "hours": "距开车小时数", "how": "就医方式",
    "income": "收入", "index": "缴费工资指数", "injury rate": "工伤保险费率", "input": "进项税额",
    "kilograms": "千克", "kind": "种类", "large": "是否大型车", "last old": "转出地终止月", "left": "剩余",
    "level": "医院级别", "litres": "用量（升）", "loan": "贷款额", "local drug": "地方增补药品费用",
    "lodging": "实际住宿费", "made": "出厂日期", "metres": "里程（米）", "millilitres": "毫升",
    "minimum": "最低工资标准", "owed": "应付", "minutes": "分钟", "ml": "排量（毫升）", "moment": "当前时间",
    "month": "月份", "month_day": "月日", "months before": "此前月数", "months left": "剩余月数",
    "new months": "转入地月数", "night": "是否夜间", "nights": "住宿夜数", "offence": "违法行为",
    "old months": "转出地月数", "online": "网上学习次数", "open": "未缴罚款", "output": "销项税额",
    "outside": "目录外费用", "own": "个人负担", "paid months": "缴费月数", "paid": "已付",
    "peak": "低速及等候（高峰，5分钟）", "people": "周边人数", "period": "申报期", "persons": "人数",
    "petrol kg": "汽油（千克）", "place": "就医地", "points": "记分", "price": "价格", "product": "品种",
    "purpose": "用途", "quiet": "低速及等候（平峰，5分钟）", "rank": "职级", "rate": "比率",
    "ratio": "支付比例", "reason": "原因", "recalled": "是否召回", "refusals": "拒绝工作次数",
    "region": "地区", "reported": "已报年度", "sales": "销售额", "scan": "扫码情况", "scope": "目录内费用",
    "score": "评分", "seats": "座位数", "seconds": "秒", "service": "公益服务次数",
    "services": "已维修次数", "settles": "可否结算", "since": "执行年份", "sold": "已售次数",
    "source": "热源", "spent": "本年累计", "standard": "标准", "stay": "本年第几次住院",
    "student": "是否学生", "tariff": "资费种类", "taxes": "税款", "time": "当前时刻", "tons": "净吨位",
    "unpaid": "罚款未缴的记分", "unused": "未领月数", "used": "已用", "value": "完税价格",
    "vat_rate": "增值税税率", "vehicle_class": "车型", "wage": "工资", "watt_hours": "电量（瓦时）",
    "who": "人员类别", "year": "年度", "years": "年数", "years_listed": "列入年数", "zones": "分区数",
}  # fmt: skip

_VALUES = {  # of facts: the cases that sheets tell apart
    "2023 to 2025": "2023年至2025年", "abroad": "境外", "before 2025-05-08": "2025年5月8日前",
    "boiler": "燃气锅炉", "bureau": "司局级", "by Art. 16": "按条例第16条", "carbon dioxide": "二氧化碳",
    "card not worn": "未佩证", "clean gas": "洁净气体", "coercion": "强迫消费",
    "commercial passenger": "营运载客", "community": "社区", "county": "县级", "covered plate": "遮挡号牌",
    "credit": "贷记卡", "day": "白天", "debit": "借记卡", "diesel": "柴油", "disabled": "丧失劳动能力",
    "drunk": "醉酒驾驶", "emergency lane": "占用应急车道", "emergency": "急诊", "employee": "职工",
    "export": "出口", "first": "首套", "fuel-oil": "燃料油", "goods": "载货", "home": "购房",
    "hong-kong": "港澳台", "hospital": "医院", "import": "进口", "kerosene": "航空煤油", "late": "迟到",
    "listed there": "在当地目录内", "loan": "还贷", "lodging": "住宿", "lubricant": "润滑油",
    "man": "男职工", "meeting": "会议", "methylphenidate": "哌甲酯", "minister": "部级", "month": "按月",
    "motorcycle": "摩托车", "naphtha": "石脑油", "narcotic injection": "麻醉药品注射剂",
    "narcotic injection, pain": "麻醉药品注射剂（癌痛）", "narcotic, other form": "麻醉药品其他剂型",
    "narcotic, other form, pain": "麻醉药品其他剂型（癌痛）", "neither": "自行外出", "network": "城市热网",
    "night": "夜间", "no belt": "未系安全带", "no-code list": "无码库", "none": "无",
    "not listed there": "不在当地目录内", "ordinary": "普通", "other": "其他", "pensioner": "退休人员",
    "petrol": "汽油", "phone": "使用手机", "plateau": "高原地区", "powder": "干粉",
    "programme changed": "擅改行程", "province": "省级", "psychotropic II": "第二类精神药品",
    "quarter": "按季", "red light": "闯红灯", "referred": "转诊", "rent": "租房",
    "resident there": "异地长期居住", "retired": "退休", "reverse motorway": "高速公路倒车",
    "scanned": "已扫码", "second": "二套", "since 2022-10-01": "2022年10月1日起",
    "since 2025-05-08": "2025年5月8日起", "since 2026": "2026年起",
    "slow-release narcotic": "麻醉药品缓释制剂", "slow-release narcotic, pain": "麻醉药品缓释制剂（癌痛）",
    "small private": "小微型非营运载客", "solvent": "溶剂油", "speed 20 motorway": "高速公路超速20%以上",
    "speed 20": "超速20%以上", "speed 50 motorway": "高速公路超速50%以上", "speed 50": "超速50%以上",
    "tips asked": "索要小费", "township": "乡镇", "train": "火车", "water": "水基型",
    "woman of 50": "50岁女职工", "woman of 55": "55岁女职工",
}  # fmt: skip


def fact_word(sector: Sector, name: str) -> str:
    """A fact in Chinese; empty where neither the sector nor this vocabulary has a word for it."""
    own = sector.words.get(f"<{name}>", "")
    if not own and (figure := _FIGURE.fullmatch(name)):
        return f"第{figure[1]}位"
    of_records = {spec.name: spec.title_zh for specs in sector.records.values() for spec in specs}
    return own or _WORDS.get(name, "") or of_records.get(name, "")


def facts_listed(sector: Sector, names: Iterable[str], *, zh: bool) -> str:
    """The facts of a sheet; in Chinese their codes follow."""
    if not zh:
        return ", ".join(f"`{name}`" for name in names)
    words = ((fact_word(sector, name), f"`{name}`") for name in names)
    return "，".join(f"{word}（{code}）" if word else code for word, code in words)


def case_facts(sector: Sector, facts: Mapping[str, Fact], *, zh: bool) -> str:
    """What a worked case begins with."""
    if not zh:
        return ", ".join(f"{name} {fact}" for name, fact in facts.items())
    return "，".join(
        f"{fact_word(sector, name) or f'`{name}` '}{_value(sector, str(fact))}"
        for name, fact in facts.items()
    )


class SheetWords:
    """The codes in a sheet's expressions in Chinese: lines by their titles, facts and cases by their words."""

    def __init__(self, sector: Sector, sheet: Sheet) -> None:
        self._sector, self._facts = sector, frozenset(sheet.facts)
        self._lines = {line.code: _REMARK.sub("", line.title_zh) for line in sheet.lines}

    def __call__(self, code: str) -> str:
        if code in self._lines:
            return self._lines[code]
        if code in self._facts:
            return fact_word(self._sector, code) or f"`{code}`"
        return _value(self._sector, code)


def _value(sector: Sector, value: str) -> str:
    """A coded value in the sector's words; a code without any as what it is."""
    if not _LATIN.search(value):
        return value
    return sector.words.get(value, "") or _VALUES.get(value, f"`{value}`")
