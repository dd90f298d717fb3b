"""Tables of social insurance and assistance as sheets, with the rows that the regulations print.

Work injury (工伤保险条例), unemployment (失业保险条例), pensions (国发〔2005〕38号), later retirement (2024 decision),
subsistence allowance (社会救助暂行办法), transfers between regions (社会保险法). Sums are fen, times months.
"""

from __future__ import annotations

from jinka.declaration import WorkedCase
from jinka.kit import Unit
from jinka.tariff.sheet import (
    Begun,
    Choose,
    Least,
    Less,
    Line,
    Most,
    Rounding,
    Sheet,
    Step,
    Sum,
    Times,
    percent,
)

INJURY_LAW = "工伤保险条例（国务院令第375号，2010年第586号修订）第35—37、64条"
IDLE_LAW = "失业保险条例（国务院令第258号）第17条；社会保险法第46条"
MONTHS_LAW = "国务院关于完善企业职工基本养老保险制度的决定（国发〔2005〕38号）附件"
RETIRE_LAW = "全国人大常委会关于实施渐进式延迟法定退休年龄的决定（2024-09-13）附表"
AID_LAW = "社会救助暂行办法（国务院令第649号）第12、45条"
CARE_LAW = "GB/T 42195-2022 老年人能力评估规范"

_GRANT = dict(enumerate((27, 25, 23, 21, 18, 16, 13, 11, 9, 7), 1))
_ALLOWANCE = {1: 90, 2: 85, 3: 80, 4: 75, 5: 70, 6: 60}
PENSION_MONTHS = dict(
    enumerate(
        (233, 230, 226, 223, 220, 216, 212, 207, 204, 199, 195, 190, 185, 180, 175, 170, 164, 158, 152, 145, 139,
         132, 125, 117, 109, 101), 40)
)  # fmt: skip


def since_0(year: int, month: int) -> int:
    """A month counted from year 0, as sheets take it."""
    return year * 12 + month - 1


def _allowance(first: int, last: int) -> Choose:
    """Of one's own wage, not below the minimum wage; nothing for other grades."""
    return Choose("grade", tuple(
        (grade, Most((percent("own wage", _ALLOWANCE[grade]), "minimum")) if first <= grade <= last else 0)
        for grade in _GRANT
    ))  # fmt: skip


INJURY = Sheet(
    name="work-injury", title_en="Work injury", title_zh="工伤伤残待遇", source=INJURY_LAW,
    facts=("wage", "average", "minimum", "grade"),
    lines=(
        Line(code="own wage", title_en="own wage, 60 to 300 % of the average", title_zh="本人工资",
             value=Least((Most(("wage", percent("average", 60))), percent("average", 300)))),
        Line(code="months", title_en="months of the grant", title_zh="一次性补助月数", unit=Unit.POINT,
             value=Choose("grade", tuple(_GRANT.items()))),
        Line(code="grant", title_en="one-time grant", title_zh="一次性伤残补助金", value=Times("own wage", "months"),
             payer="fund.injury", payee="person"),
        Line(code="allowance", title_en="monthly allowance, by the fund", title_zh="伤残津贴（基金）",
             value=_allowance(1, 4), payer="fund.injury", payee="person"),
        Line(code="employer", title_en="monthly allowance, by the employer", title_zh="伤残津贴（单位）",
             value=_allowance(5, 6), payer="employer", payee="person"),
    ),
    result="grant", rising=("wage",),
)  # fmt: skip
IDLE = Sheet(
    name="unemployment-months", title_en="Months of unemployment benefit", title_zh="失业保险金领取期限",
    source=IDLE_LAW, facts=("months paid in", "unused"),
    lines=(
        Line(code="years", title_en="full years paid in", title_zh="缴费满年数", unit=Unit.POINT,
             value=Times("months paid in", 1, 12, Rounding.DOWN)),
        Line(code="earned", title_en="months by years paid in", title_zh="按缴费年限", unit=Unit.POINT,
             value=Step("years", ((0, 0), (4, 12), (9, 18), (None, 24)))),
        Line(code="months", title_en="months, with those not used before", title_zh="合并后期限", unit=Unit.POINT,
             value=Least((Sum(("earned", "unused")), 24))),
    ),
    result="months", rising=("months paid in",),
)  # fmt: skip
PENSION = Sheet(
    name="pension", title_en="Monthly basic pension", title_zh="基本养老金（月）", source=MONTHS_LAW,
    facts=("average", "index", "paid months", "account", "age", "additional"),
    lines=(
        Line(code="years", title_en="years paid in, in hundredths", title_zh="缴费年限（百分之一年）",
             unit=Unit.POINT, value=Times("paid months", 100, 12)),
        Line(code="indexed", title_en="indexed wage", title_zh="指数化月平均缴费工资",
             value=percent("average", "index")),
        Line(code="base", title_en="base pension", title_zh="基础养老金",
             value=Times(Sum(("average", "indexed")), "years", 20_000)),
        Line(code="months", title_en="months to pay by age", title_zh="计发月数", unit=Unit.POINT,
             value=Choose("age", tuple(PENSION_MONTHS.items()))),
        Line(code="from account", title_en="pension from the account", title_zh="个人账户养老金",
             value=Choose("age", tuple((age, Times("account", 1, by)) for age, by in PENSION_MONTHS.items()))),
        Line(code="local", title_en="the province's addition, thousandths", title_zh="地方加发养老金",
             value=Times("indexed", Times("years", "additional"), 100_000)),
        Line(code="pension", title_en="pension", title_zh="养老金合计", value=Sum(("base", "from account", "local")),
             payer="fund.pension", payee="person"),
    ),
    result="pension", rising=("average", "account", "paid months"),
)  # fmt: skip


def _delay(first: int, size: int, most: int) -> Least:
    return Least((Begun(Less("born", first - 1), size), most))


RETIRE = Sheet(
    name="retirement", title_en="Day of retirement", title_zh="法定退休年龄", source=RETIRE_LAW,
    facts=("who", "born"),
    lines=(
        Line(code="delay", title_en="months later", title_zh="延迟月数", unit=Unit.POINT, value=Choose("who", (
            ("man", _delay(since_0(1965, 1), 4, 36)), ("woman of 55", _delay(since_0(1970, 1), 4, 36)),
            ("woman of 50", _delay(since_0(1975, 1), 2, 60))))),
        Line(code="age", title_en="age in months", title_zh="退休年龄（月）", unit=Unit.POINT, value=Sum((
            Choose("who", (("man", 720), ("woman of 55", 660), ("woman of 50", 600))), "delay"))),
        Line(code="full years", title_en="full years of age", title_zh="退休周岁", unit=Unit.POINT,
             value=Times("age", 1, 12, Rounding.DOWN)),
        Line(code="retires", title_en="month of retirement", title_zh="退休月份", unit=Unit.MONTH,
             value=Sum(("born", "age"))),
        Line(code="least", title_en="months to be paid in at least", title_zh="最低缴费月数", unit=Unit.POINT,
             value=Step("retires", (*((since_0(2030 + at, 1) - 1, 180 + 6 * at) for at in range(10)), (None, 240)))),
    ),
    result="retires", rising=("born",),
)  # fmt: skip
TRANSFER = Sheet(
    name="transfer", title_en="Transfer between regions", title_zh="养老保险关系转移接续",
    source="社会保险法第19条；国办发〔2009〕66号；人社厅发〔2019〕94号（重复缴费清退，断缴不影响转移）",
    facts=("old months", "new months", "last old", "first new", "old account", "new account"),
    lines=(
        Line(code="paid twice", title_en="months paid in both regions, which count once", title_zh="重复缴费月数",
             unit=Unit.POINT, value=Less(Sum(("last old", 1)), "first new")),
        Line(code="months", title_en="months that count", title_zh="累计缴费月数", unit=Unit.POINT,
             value=Less(Sum(("old months", "new months")), "paid twice")),
        Line(code="account", title_en="personal account, which moves along", title_zh="个人账户储存额合计",
             value=Sum(("old account", "new account"))),
    ),
    result="months", rising=("old months", "new months"),
)  # fmt: skip
AID = Sheet(
    name="subsistence", title_en="Subsistence allowance", title_zh="最低生活保障金", source=AID_LAW,
    facts=("standard", "persons", "income", "refusals"),
    lines=(
        Line(code="short", title_en="what the household falls short", title_zh="家庭差额",
             value=Less(Times("standard", "persons"), "income")),
        Line(code="cut", title_en="own share stopped after the third refusal of work",
             title_zh="三次拒绝就业停发本人部分",
             value=Step("refusals", ((2, 0), (None, Least(("short", "standard")))))),
        Line(code="allowance", title_en="allowance", title_zh="当月保障金", value=Less("short", "cut"),
             payer="treasury.aid", payee="person"),
    ),
    result="allowance", rising=("standard", "persons"),
)  # fmt: skip
MEDICAL_AID = Sheet(
    name="medical-aid", title_en="Medical assistance", title_zh="医疗救助",
    source="国务院办公厅关于健全重特大疾病医疗保险和救助制度的意见（国办发〔2021〕42号）", facts=("own", "ceiling"),
    lines=(
        Line(code="aid", title_en="70 % of one's own part, up to the ceiling", title_zh="救助金额",
             value=Least((percent("own", 70), "ceiling")), payer="treasury.aid", payee="hospital"),
        Line(code="left", title_en="left to oneself", title_zh="个人负担", value=Less("own", "aid")),
    ),
    result="left", rising=("own",),
)  # fmt: skip
CARE = Sheet(
    name="care-level", title_en="Ability of the elderly", title_zh="老年人能力等级", source=CARE_LAW, facts=("score",),
    falling=("score",),
    lines=(
        Line(code="level", title_en="0 able to 4 wholly lost", title_zh="等级（0完好—4完全丧失）", unit=Unit.POINT,
             value=Step("score", ((29, 4), (45, 3), (65, 2), (89, 1), (None, 0)))),
    ),
    result="level",
)  # fmt: skip
SHEETS = (INJURY, IDLE, PENSION, RETIRE, TRANSFER, AID, MEDICAL_AID, CARE)
_WAGE = {"wage": 800_000, "average": 1_000_000, "minimum": 236_000}
_BORN = (
    ("man", 1964, 12, 0, 2024, 12), ("man", 1965, 1, 1, 2025, 2), ("man", 1965, 4, 1, 2025, 5),
    ("man", 1965, 5, 2, 2025, 7), ("man", 1976, 8, 35, 2039, 7), ("man", 1976, 9, 36, 2039, 9),
    ("woman of 55", 1970, 1, 1, 2025, 2), ("woman of 55", 1970, 5, 2, 2025, 7),
    ("woman of 55", 1981, 9, 36, 2039, 9), ("woman of 50", 1975, 1, 1, 2025, 2),
    ("woman of 50", 1984, 10, 59, 2039, 9), ("woman of 50", 1984, 11, 60, 2039, 11),
)  # fmt: skip
LAWS_ADDRESS = "https://github.com/LawRefBook/Laws"
CASES = (
    *(WorkedCase(title_en=f"Months for grade {grade}", title_zh=f"{grade}级伤残补助月数", sheet=INJURY.name,
                 facts={**_WAGE, "grade": grade}, gives={"months": months, "grant": 800_000 * months},
                 source=f"{INJURY_LAW}: months printed, sum by one step", address=LAWS_ADDRESS, derived=True)
      for grade, months in _GRANT.items()),
    *(WorkedCase(title_en=f"{years} years, {unused} months unused", title_zh=f"缴费{years}年，剩余{unused}月",
                 sheet=IDLE.name, facts={"months paid in": 12 * years, "unused": unused}, gives={"months": months},
                 source=IDLE_LAW, address=LAWS_ADDRESS)
      for years, unused, months in ((1, 0, 12), (4, 0, 12), (5, 0, 18), (9, 0, 18), (10, 0, 24), (5, 12, 24))),
    WorkedCase(title_en="A pension settled in Sichuan in 2024", title_zh="四川2024年养老待遇核定实例",
               sheet=PENSION.name,
               facts={"average": 807_900, "index": 84, "paid months": 208, "account": 9_114_787, "age": 50,
                      "additional": 1},
               gives={"base": 128_808, "from account": 46_742, "local": 11_761, "pension": 187_311},
               source="四川省社会保险业务办理结果通知单 2024-04 "
                      "(a third party's transcription: the notice is not public); "
                      "国发〔2005〕38号"),
    *(WorkedCase(title_en=f"{who}, born {year}-{month:02}", title_zh=f"{year}年{month}月出生", sheet=RETIRE.name,
                 facts={"who": who, "born": since_0(year, month)}, source=RETIRE_LAW,
                 gives={"delay": delay, "retires": since_0(*leaves)}, derived=not delay)
      for who, year, month, delay, *leaves in _BORN),
    *(WorkedCase(title_en=f"Score {score}", title_zh=f"{score}分", sheet=CARE.name, facts={"score": score},
                 gives={"level": level}, source=CARE_LAW)
      for score, level in ((90, 0), (89, 1), (66, 1), (65, 2), (46, 2), (45, 3), (30, 3), (29, 4))),
)  # fmt: skip
