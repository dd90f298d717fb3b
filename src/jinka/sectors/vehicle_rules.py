"""Printed tables of drivers and vehicles as sheets: points and their cycle, study, inspection, tax, fines.

Points: 道路交通安全违法行为记分管理办法 (公安部令第163号, in force 2022-04-01); offences are a selection of its lists.
Fines: the law gives ranges (道路交通安全法 Art. 90, 91, 95, 99) and each province its figures; these are an example's,
inside the ranges. Inspection: 道路交通安全法实施条例 (国务院令第405号) Art. 16, for private cars and motorcycles
lightened since 2022-10-01 (公交管〔2022〕295号). Tax: 车船税法实施条例 (国务院令第611号) Art. 4, 5, 19.
"""

from __future__ import annotations

from dataclasses import replace

from jinka.declaration import WorkedCase
from jinka.kit import Unit
from jinka.tariff.sheet import (
    Choose,
    Expression,
    Least,
    Less,
    Line,
    Minus,
    Sheet,
    Step,
    Sum,
    Times,
    percent,
)

POINTS_LAW = "道路交通安全违法行为记分管理办法（公安部令第163号，2022-04-01施行）"
INSPECTION_LAW = (
    "道路交通安全法实施条例（国务院令第405号）第16条；公安部等四部门关于深化机动车检验制度改革优化车检服务工作的意见"
    "（公交管〔2022〕295号，2022-10-01起：10年内第6、10年检测，每两年领标，超过10年每年检验）"
)
MARKS_ADDRESS = "https://www.gov.cn/zhengce/zhengceku/2022-10/19/content_5719521.htm"
TAX_LAW = "车船税法实施条例（国务院令第611号）第4、5、19条"
LATE_LAW = "道路交通安全法第109条；行政处罚法（2021）第72条"
BEIJING = "北京市车船税税目税额表（2012-01-01起）"
ADDRESS = "https://github.com/LawRefBook/Laws"

# The offence of each row: points, fine in fen, Chinese
OFFENCES = {
    "drunk": (12, 100_000, "饮酒驾驶"), "reverse motorway": (12, 20_000, "高速公路倒车"),
    "speed 50 motorway": (12, 200_000, "高速公路超速50%以上"), "covered plate": (9, 20_000, "遮挡号牌"),
    "speed 20 motorway": (6, 20_000, "高速公路超速20%至50%"), "speed 50": (6, 100_000, "一般道路超速50%以上"),
    "red light": (6, 20_000, "闯红灯"), "emergency lane": (6, 20_000, "占用应急车道"),
    "speed 20": (3, 20_000, "一般道路超速20%至50%"), "phone": (3, 20_000, "驾车拨打电话"),
    "no belt": (1, 5_000, "未系安全带"),
}  # fmt: skip


def _number(code: str, en: str, zh: str, value: Expression) -> Line:
    return Line(code=code, title_en=en, title_zh=zh, unit=Unit.POINT, value=value)


def _sheet(
    name: str,
    en: str,
    zh: str,
    source: str,
    facts: tuple[str, ...],
    *lines: Line,
    rising: tuple[str, ...] = (),
    falling: tuple[str, ...] = (),
) -> Sheet:
    return Sheet(
        name=name, title_en=en, title_zh=zh, source=source, facts=facts, lines=lines, result=lines[-1].code,
        rising=rising, falling=falling,
    )  # fmt: skip


def _by_offence(place: int) -> Choose:
    rows = ((name, row[place]) for name, row in OFFENCES.items())
    return Choose("offence", tuple((name, value) for name, value in rows if isinstance(value, int)))


def _money(code: str, en: str, zh: str, value: Expression, *, shown: bool = True) -> Line:
    return Line(code=code, title_en=en, title_zh=zh, value=value, shown=shown)


POINTS = _sheet(
    "points", "An offence: points and fine", "违法处理：记分与罚款",
    f"{POINTS_LAW}第7—13条；罚款：道路交通安全法第90、91、95、99条幅度内的示例数额",
    ("offence", "left", "unpaid", "open"),
    _money("fine", "fine", "罚款", _by_offence(1)),
    _money("fines open", "fines that are open now", "未缴罚款合计", Sum(("open", "fine"))),
    _number("points", "points", "记分", _by_offence(0)),
    _number("points open", "points whose fine is not paid", "罚款未缴的记分", Sum(("unpaid", "points"))),
    _number("total", "points in this cycle", "本周期累积记分", Sum((Less(12, "left"), "points"))),
    falling=("left",),
)  # fmt: skip
SETTLED = replace(_sheet(
    "settled", "A payment settles its fine", "缴款销案", LATE_LAW, ("paid", "due", "fine", "points", "unpaid", "open"),
    _money("short", "paid more than due: refused", "多缴（不予受理）", Minus("due", "paid"), shown=False),
    _money("over", "paid less than due: refused", "少缴（不予受理）", Minus("paid", "due"), shown=False),
    _money("closed", "the fine that is closed", "结清罚款", Sum(("fine",))),
    _number("points open", "points whose fine is not paid", "罚款未缴的记分", Minus("unpaid", "points")),
    _money("fines open", "fines that are open now", "未缴罚款合计", Minus("open", "fine")),
    rising=("open",), falling=("fine",),
), spends=("paid",))  # fmt: skip
BACK = _sheet(
    "points-back", "Points of a revoked decision", "撤销处罚后恢复记分", f"{POINTS_LAW}；行政复议法",
    ("left", "points"),
    _number("restored", "points left again", "恢复后剩余分值", Least((Sum(("left", "points")), 12))),
    rising=("left", "points"),
)  # fmt: skip
CYCLE = _sheet(
    "cycle", "End of the yearly cycle", "记分周期届满", f"{POINTS_LAW}第3、15条", ("left", "unpaid"),
    _number("points", "points of the cycle", "本周期记分", Less(12, "left")),
    _number("carried", "points that go over: those whose fine is unpaid, or all where twelve are full",
            "转入下一周期的记分（罚款未缴部分；满12分不予清除）", Step("points", ((11, "unpaid"), (None, "points")))),
    _number("fresh", "points left in the new cycle", "新周期剩余分值", Less(12, "carried")),
    falling=("unpaid",),
)  # fmt: skip
STUDY = _sheet(
    "study", "Study after twelve points", "满分学习与考试", f"{POINTS_LAW}第18、22条", ("points", "large"),
    _number("times", "how often twelve", "满12分次数",
            Step("points", (*((12 * n + 11, n) for n in range(9)), (None, 9)))),
    _number("tests", "tests: 1 theory, 2 and road, 3 and field", "考试（1科目一，2加科目三，3加科目二、三）",
            Step("points", ((11, 0), (23, 1), (35, 2), (None, 3)))),
    _number("days", "days of study", "学习天数",
            Choose("large", ((0, Least((Times("times", 7), 60))), (1, Least((Times("times", 30), 120)))))),
    rising=("points",),
)  # fmt: skip
REDUCE = _sheet(
    "reduction", "Points taken off by study and service", "学法减分", f"{POINTS_LAW}第25、27条",
    ("online", "classroom", "service", "before", "left"),
    _number("earned", "points earned", "可减分值", Sum(("online", Times("classroom", 2), "service"))),
    _number("off", "points off, six a cycle at most", "实减分值（一周期最高6分）",
            Least(("earned", Less(6, "before"), Less(12, "left")))),
    _number("after", "points left then", "减分后剩余分值", Sum(("left", "off"))),
    rising=("online", "classroom", "service"), falling=("before",),
)  # fmt: skip
_LIGHTER = Step("age", ((9, 24), (None, 12)))  # months that a mark lasts, by whole years since registration
INSPECTION = _sheet(
    "inspection", "Inspection: test and mark", "检验：检测与标志", INSPECTION_LAW, ("use", "age", "day"),
    _number("test", "tested at a station: 1, else a mark without a test: 0", "上线检测（1须检测，0免检领标）",
            Choose("day", (("by Art. 16", 1), ("since 2022-10-01", Choose("use", (
                ("commercial passenger", 1), ("goods", 1), ("other", 1),
                *((use, Step("age", ((5, 0), (6, 1), (9, 0), (None, 1)))) for use in ("small private", "motorcycle"))
            )))))),
    _number("months", "months to the next", "间隔月数", Choose("use", (
        ("commercial passenger", Step("age", ((5, 12), (None, 6)))),
        ("goods", Step("age", ((10, 12), (None, 6)))),
        ("small private", Choose("day", (
            ("by Art. 16", Step("age", ((6, 24), (15, 12), (None, 6)))), ("since 2022-10-01", _LIGHTER)))),
        ("motorcycle", Choose("day", (
            ("by Art. 16", Step("age", ((4, 24), (None, 12)))), ("since 2022-10-01", _LIGHTER)))),
        ("other", 12)))), falling=("age",),
)  # fmt: skip


def _tax(name: str, en: str, zh: str, source: str, fact: str, year: Expression) -> Sheet:
    return _sheet(
        name, en, zh, source, (fact, "month"),
        Line(code="year", title_en="tax of a whole year", title_zh="年应纳税额", value=year),
        _number("months", "months from the month of purchase", "应纳税月份数", Less(13, "month")),
        Line(code="due", title_en="tax of the first year", title_zh="购置当年应纳税额",
             value=Times("year", "months", 12), payer="owner", payee="treasury.vehicle-tax"),
        rising=(fact,),
    )  # fmt: skip


VESSEL_TAX = _tax(
    "vessel-tax", "Vessel tax", "船舶车船税", TAX_LAW, "tons",
    Times("tons", Step("tons", ((200, 300), (2_000, 400), (10_000, 500), (None, 600)))),
)  # fmt: skip
CAR_TAX = _tax(
    "car-tax", "Vehicle tax of a car", "乘用车车船税", BEIJING, "ml",
    Step("ml", ((1_000, 30_000), (1_600, 42_000), (2_000, 48_000), (2_500, 90_000), (3_000, 192_000),
                (4_000, 348_000), (None, 528_000))),
)  # fmt: skip
FINE = _sheet(
    "fine", "A fine paid late", "罚款及加处罚款", LATE_LAW, ("fine", "days late"),
    Line(code="late", title_en="3 % a day, at most the fine itself", title_zh="每日加处3%（不超过罚款数额）",
         value=Least((percent("fine", Times("days late", 3)), "fine"))),
    Line(code="due", title_en="to be paid", title_zh="应缴", value=Sum(("fine", "late"))),
    rising=("fine", "days late"),
)  # fmt: skip
SHEETS = (POINTS, SETTLED, BACK, CYCLE, STUDY, REDUCE, INSPECTION, VESSEL_TAX, CAR_TAX, FINE)


def _case(en: str, zh: str, sheet: Sheet, facts: dict[str, int | str], **gives: int) -> WorkedCase:
    return WorkedCase(
        title_en=en, title_zh=zh, sheet=sheet.name, facts=facts, gives=gives, source=f"{sheet.source}: printed row",
        address=ADDRESS,
    )  # fmt: skip


def _derived(en: str, zh: str, sheet: Sheet, facts: dict[str, int | str], **gives: int) -> WorkedCase:
    return WorkedCase(
        title_en=en, title_zh=zh, sheet=sheet.name, facts=facts, gives=gives,
        source=f"{sheet.source}: rows printed, the sum by one step",
        derived=True,
    )  # fmt: skip


_USES = {"commercial passenger": "营运载客", "goods": "载货", "small private": "非营运小型载客", "motorcycle": "摩托车",
         "other": "其他"}  # fmt: skip
_OLD, _NEW = "by Art. 16", "since 2022-10-01"
_DAYS = {_OLD: "第16条", _NEW: "2022-10-01起"}
CASES = (
    *(_case(f"Points: {name}", f"{zh}：记{points}分", POINTS, {"offence": name, "left": 12, "unpaid": 0, "open": 0},
            points=points, total=points)
      for name, (points, _, zh) in OFFENCES.items()),
    _derived("Paid and under twelve: cleared", "不满12分且罚款已缴，清除", CYCLE, {"left": 3, "unpaid": 0},
             carried=0, fresh=12),
    _derived("An unpaid fine's points go over", "罚款未缴，转入下一周期", CYCLE, {"left": 3, "unpaid": 3},
             carried=3, fresh=9),
    _case("Twelve once", "一次满12分", STUDY, {"points": 12, "large": 0}, days=7, tests=1),
    _case("Twenty-four", "24分", STUDY, {"points": 24, "large": 0}, days=14, tests=2),
    _case("Thirty-six, large vehicle", "36分（大型车）", STUDY, {"points": 36, "large": 1}, days=90, tests=3),
    _case("No more than 60 days", "最多60天", STUDY, {"points": 108, "large": 0}, days=60),
    _case("Six points a cycle at most", "最高减6分", REDUCE,
          {"online": 1, "classroom": 2, "service": 3, "before": 0, "left": 3}, earned=8, off=6, after=9),
    *(_case(f"{use}, {age} years, {day}", f"{_USES[use]}，{age}年（{_DAYS[day]}）", INSPECTION,
            {"use": use, "age": age, "day": day}, months=months, test=1)
      for use, age, day, months in (
          ("commercial passenger", 5, _OLD, 12), ("commercial passenger", 6, _OLD, 6), ("goods", 10, _OLD, 12),
          ("goods", 11, _OLD, 6), ("small private", 6, _OLD, 24), ("small private", 7, _OLD, 12),
          ("small private", 16, _OLD, 6), ("motorcycle", 4, _OLD, 24), ("motorcycle", 5, _OLD, 12),
          ("other", 1, _OLD, 12))),
    *(WorkedCase(title_en=f"{use}, {age} years, {_NEW}", title_zh=f"{_USES[use]}，{age}年（{_DAYS[_NEW]}）",
                 sheet=INSPECTION.name, facts={"use": use, "age": age, "day": _NEW},
                 gives={"test": test, "months": months}, source=INSPECTION_LAW, address=MARKS_ADDRESS)
      for use, age, test, months in (
          ("small private", 2, 0, 24), ("small private", 6, 1, 24), ("small private", 8, 0, 24),
          ("small private", 10, 1, 12), ("small private", 16, 1, 12), ("motorcycle", 6, 1, 24))),
    _derived("A new vessel of 2,000 t bought in May", "5月购置2000吨机动船", VESSEL_TAX, {"tons": 2_000, "month": 5},
             year=800_000, months=8, due=533_333),
    _derived("200 yuan, ten days late", "罚款200元逾期10日", FINE, {"fine": 20_000, "days late": 10}, due=26_000),
    _derived("200 yuan, forty days late", "罚款200元逾期40日", FINE, {"fine": 20_000, "days late": 40}, due=40_000),
)  # fmt: skip
