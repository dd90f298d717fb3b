"""Printed tables of drivers and vehicles as sheets: points and their cycle, study, inspection, tax, fines.

Points: 道路交通安全违法行为记分管理办法 (公安部令第163号, in force 2022-04-01). Inspection: 道路交通安全法实施条例
(国务院令第405号) Art. 16. Tax: 车船税法实施条例 (国务院令第611号) Art. 4, 5, 19. Offences are a selection of its lists.
"""

from __future__ import annotations

from jinka.declaration import WorkedCase
from jinka.kit import Unit
from jinka.tariff.sheet import (
    Choose,
    Expression,
    Least,
    Less,
    Line,
    Sheet,
    Step,
    Sum,
    Times,
    Unordered,
    percent,
)

POINTS_LAW = "道路交通安全违法行为记分管理办法（公安部令第163号，2022-04-01施行）"
INSPECTION_LAW = "道路交通安全法实施条例（国务院令第405号）第16条"
TAX_LAW = "车船税法实施条例（国务院令第611号）第4、5、19条"
LATE_LAW = "道路交通安全法第109条；行政处罚法（2021）第72条"
BEIJING = "北京市车船税税目税额表（2012-01-01起）"
ADDRESS = "https://github.com/LawRefBook/Laws"

# The offence of each row: points, English
OFFENCES = {
    "drunk": 12, "speed 50 motorway": 12, "covered plate": 9, "speed 20 motorway": 6, "speed 50": 6,
    "red light": 6, "emergency lane": 6, "speed 20": 3, "phone": 3, "no belt": 1,
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
    unordered: Unordered | None = None,
) -> Sheet:
    return Sheet(
        name=name, title_en=en, title_zh=zh, source=source, facts=facts, lines=lines, result=lines[-1].code,
        rising=rising, falling=falling, unordered=unordered,
    )  # fmt: skip


POINTS = _sheet(
    "points", "Points for an offence", "违法记分", f"{POINTS_LAW}第7—13条", ("offence",),
    _number("points", "points", "记分", Choose("offence", tuple(OFFENCES.items()))), unordered=Unordered.WORDS,
)  # fmt: skip
CYCLE = _sheet(
    "cycle", "End of the yearly cycle", "记分周期届满", f"{POINTS_LAW}第3、15条", ("points", "unpaid"),
    _number("carried", "points that go over: those whose fine is unpaid, or all where twelve are full",
            "转入下一周期的记分（罚款未缴部分；满12分不予清除）", Step("points", ((11, "unpaid"), (None, "points")))),
    _number("left", "points left in the new cycle", "新周期剩余分值", Less(12, "carried")),
    falling=("points", "unpaid"),
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
    ("online", "classroom", "service", "before"),
    _number("earned", "points earned", "可减分值", Sum(("online", Times("classroom", 2), "service"))),
    _number("off", "points off, six a cycle at most", "实减分值（一周期最高6分）",
            Least(("earned", Less(6, "before")))),
    rising=("online", "classroom", "service"), falling=("before",),
)  # fmt: skip
INSPECTION = _sheet(
    "inspection", "Months to the next inspection", "检验间隔（月）", INSPECTION_LAW, ("use", "age"),
    _number("months", "months", "间隔月数", Choose("use", (
        ("commercial passenger", Step("age", ((5, 12), (None, 6)))),
        ("goods", Step("age", ((10, 12), (None, 6)))),
        ("small private", Step("age", ((6, 24), (15, 12), (None, 6)))),
        ("motorcycle", Step("age", ((4, 24), (None, 12)))), ("other", 12)))), falling=("age",),
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
SHEETS = (POINTS, CYCLE, STUDY, REDUCE, INSPECTION, VESSEL_TAX, CAR_TAX, FINE)


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


CASES = (
    *(_case(f"Points: {name}", f"记{points}分", POINTS, {"offence": name}, points=points)
      for name, points in OFFENCES.items()),
    _derived("Paid and under twelve: cleared", "不满12分且罚款已缴，清除", CYCLE, {"points": 9, "unpaid": 0},
             carried=0, left=12),
    _derived("An unpaid fine's points go over", "罚款未缴，转入下一周期", CYCLE, {"points": 9, "unpaid": 3},
             carried=3, left=9),
    _case("Twelve once", "一次满12分", STUDY, {"points": 12, "large": 0}, days=7, tests=1),
    _case("Twenty-four", "24分", STUDY, {"points": 24, "large": 0}, days=14, tests=2),
    _case("Thirty-six, large vehicle", "36分（大型车）", STUDY, {"points": 36, "large": 1}, days=90, tests=3),
    _case("No more than 60 days", "最多60天", STUDY, {"points": 108, "large": 0}, days=60),
    _case("Six points a cycle at most", "最高减6分", REDUCE,
          {"online": 1, "classroom": 2, "service": 3, "before": 0}, earned=8, off=6),
    *(_case(f"{use}, {age} years", f"{age}年", INSPECTION, {"use": use, "age": age}, months=months)
      for use, age, months in (
          ("commercial passenger", 5, 12), ("commercial passenger", 6, 6), ("goods", 10, 12), ("goods", 11, 6),
          ("small private", 6, 24), ("small private", 7, 12), ("small private", 16, 6), ("motorcycle", 4, 24),
          ("motorcycle", 5, 12), ("other", 1, 12))),
    _derived("A new vessel of 2,000 t bought in May", "5月购置2000吨机动船", VESSEL_TAX, {"tons": 2_000, "month": 5},
             year=800_000, months=8, due=533_333),
    _derived("200 yuan, ten days late", "罚款200元逾期10日", FINE, {"fine": 20_000, "days late": 10}, due=26_000),
    _derived("200 yuan, forty days late", "罚款200元逾期40日", FINE, {"fine": 20_000, "days late": 40}, due=40_000),
)  # fmt: skip
